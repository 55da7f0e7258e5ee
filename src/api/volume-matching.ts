import type { Node } from './kinds/node.ts'
import type { PersistentVolume } from './kinds/persistent-volume.ts'
import type { PersistentVolumeClaim } from './kinds/persistent-volume-claim.ts'
import { matchesTerm } from './placement.ts'
import { parseQuantity } from './quantity.ts'
import { compileLabelSelector } from './selectors.ts'
import { storageClassOf } from './volume-access.ts'

/** On a delayed claim: the node its volume is to be made for. */
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node'

/** Which volume a claim gets; the scheduler asks for one node, the binder for any. */
export function volumeFitsNode({ spec }: PersistentVolume, node: Node): boolean {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms
  return terms === undefined || terms.some((term) => matchesTerm(term, node))
}

/**
 * The smallest volume that would do, on this node or on any; one that is reserved for the claim comes first. `taken` are
 * names.
 */
export function findVolume(
  volumes: readonly PersistentVolume[],
  claim: PersistentVolumeClaim,
  node: Node | undefined,
  taken: ReadonlySet<string>,
): PersistentVolume | undefined {
  const selects = claim.spec?.selector ? compileLabelSelector(claim.spec.selector) : () => true
  const wanted = claimSize(claim)
  let best: PersistentVolume | undefined
  for (const volume of volumes) {
    const { metadata, spec } = volume
    if (taken.has(metadata.name) || metadata.deletionTimestamp) continue
    if (
      (storageClassOf({ metadata, spec: spec ?? {} }) ?? '') !==
      (storageClassOf({ metadata: claim.metadata, spec: claim.spec ?? {} }) ?? '')
    )
      continue
    if ((spec?.volumeAttributesClassName ?? '') !== (claim.spec?.volumeAttributesClassName ?? '')) continue
    if ((spec?.volumeMode ?? 'Filesystem') !== (claim.spec?.volumeMode ?? 'Filesystem')) continue
    if (capacityOf(volume) < wanted || (node && !volumeFitsNode(volume, node))) continue
    const { claimRef } = spec ?? {}
    if (claimRef) {
      if (claimRef.namespace !== claim.metadata.namespace || claimRef.name !== claim.metadata.name) continue
      if (!claimRef.uid || claimRef.uid === claim.metadata.uid) return volume
      continue
    }
    if (!(claim.spec?.accessModes ?? []).every((mode) => spec?.accessModes?.includes(mode))) continue
    if (!selects(metadata.labels ?? {})) continue
    if (!best || capacityOf(volume) < capacityOf(best)) best = volume
  }
  return best
}

export function claimSize({ spec }: PersistentVolumeClaim): number {
  return parseQuantity(spec?.resources?.requests?.['storage'] ?? '0')
}

function capacityOf({ spec }: PersistentVolume): number {
  return parseQuantity(spec?.capacity?.['storage'] ?? '0')
}
