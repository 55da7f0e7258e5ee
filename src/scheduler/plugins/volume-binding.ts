import { type CSIDriver, csiDriver } from '../../api/kinds/csi-driver.ts'
import { type CSIStorageCapacity, csiStorageCapacity } from '../../api/kinds/csi-storage-capacity.ts'
import { type PersistentVolume, persistentVolume } from '../../api/kinds/persistent-volume.ts'
import { type PersistentVolumeClaim, persistentVolumeClaim } from '../../api/kinds/persistent-volume-claim.ts'
import { type StorageClass, storageClass } from '../../api/kinds/storage-class.ts'
import { findVolume, SELECTED_NODE, volumeFitsNode } from '../../api/volume-matching.ts'
import { deepEqual } from '../../base/json.ts'
import type { NodeInfo } from '../node-info.ts'
import { type BindingContext, isOwnClaim, type ObjectChanged, type Plugin } from '../plugin.ts'
import { type PodInfo, podInfo } from '../pod-info.ts'
import type { Snapshot } from '../snapshot.ts'
import { canProvision, isDelayed, roomIn } from './storage.ts'

const NAME = 'VolumeBinding'
const rejectionOf = (reason: string, resolvable = false) => ({ plugin: NAME, reasons: [reason], resolvable })
const NO_VOLUME = rejectionOf("node(s) didn't find available persistent volumes to bind")
const OTHER_NODE = rejectionOf("node(s) didn't match PersistentVolume's node affinity")
const NO_STORAGE = rejectionOf('node(s) did not have enough free storage')
const GONE = rejectionOf('node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)')
const TIMEOUT_SECONDS = 600

export interface VolumeBindingArgs {
  /** How long a pod that has its node waits for its volumes. */
  readonly bindTimeoutSeconds?: number | undefined
}

interface Claims {
  readonly bound: readonly PersistentVolumeClaim[]
  readonly delayed: readonly PersistentVolumeClaim[]
  readonly snapshot: Snapshot
}

/** What a pod's delayed claims get on its node: a volume that is there, or one that is to be made. */
interface Plan {
  readonly volumes: readonly { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }[]
  readonly provisioned: readonly PersistentVolumeClaim[]
}

/**
 * Volume claims. Bound ones hold the pod to the nodes their volume reaches. Delayed ones (WaitForFirstConsumer) need a
 * volume that fits or a provisioner that can make one there; it is reserved for them with the node, and bound before
 * the pod is.
 */
export function volumeBinding({
  bindTimeoutSeconds = TIMEOUT_SECONDS,
}: VolumeBindingArgs = {}): Plugin<Claims> {
  const plans = new Map<string, Plan>()
  /** Volumes that pods on their way to a node have been promised. */
  const promised = () =>
    new Set([...plans.values()].flatMap(({ volumes }) => volumes.map(({ volume }) => volume.metadata.name)))
  return {
    name: NAME,
    watches: [persistentVolumeClaim, persistentVolume, storageClass, csiDriver, csiStorageCapacity],
    preFilter(pod, snapshot) {
      if (pod.claims.length === 0) return 'skip'
      const claims = claimsOf(pod, snapshot)
      if ('reject' in claims) return claims
      const { bound, delayed } = claims.state
      return delayed.length === 0 && bound.every((claim) => isAnywhere(claim, snapshot)) ? 'skip' : claims
    },
    filter(_, { node }, { bound, delayed, snapshot }) {
      const { objects } = snapshot
      for (const { spec } of bound) {
        const volume = objects.get(persistentVolume, spec?.volumeName ?? '')
        if (!volume) return GONE
        if (!volumeFitsNode(volume, node)) return OTHER_NODE
      }
      if (delayed.length === 0) return undefined
      const plan = planFor(delayed, node, snapshot, promised())
      if (plan === 'storage') return NO_STORAGE
      return plan ? undefined : NO_VOLUME
    },
    remedy: (_, { name }) => ({ change: `provide a volume that node "${name}" can reach`, cost: 1 }),
    reserve(pod, { node }, snapshot) {
      if (pod.claims.length === 0) return undefined
      const claims = claimsOf(pod, snapshot)
      if ('reject' in claims) return claims.reject
      const plan = planFor(claims.state.delayed, node, snapshot, promised())
      if (!plan || plan === 'storage') return 'its volumes have been taken by another pod'
      if (plan.volumes.length + plan.provisioned.length > 0) plans.set(pod.uid, plan)
      return undefined
    },
    unreserve: ({ uid }) => void plans.delete(uid),
    async preBind(pod, node, context) {
      const plan = plans.get(pod.uid)
      if (!plan) return
      await carryOut(plan, node, context)
      const { objects } = context.snapshot
      const isDone = () =>
        pod.claims.every((key) => {
          const claim = objects.get(persistentVolumeClaim, key)
          return claim?.spec?.volumeName && claim.status?.phase === 'Bound'
        })
      await context.until(isDone, bindTimeoutSeconds * 1000, 'its volume claims are bound')
      plans.delete(pod.uid)
    },
    hints: {
      'node-added': () => true,
      'node-updated': (_, { node, previous }) => !deepEqual(node.metadata.labels, previous.metadata.labels),
      // What was promised to a pod that could not be bound is free again.
      'pod-removed': (_, { pod }) => podInfo(pod).claims.length > 0,
      'object-changed': mayHelp,
    },
  }
}

function mayHelp(pod: PodInfo, event: ObjectChanged): boolean {
  const { kind, change, resource, previous } = event
  if (change === 'deleted') return false
  if (kind === persistentVolumeClaim) return isOwnClaim(pod, event)
  if (kind === persistentVolume || !previous) return true
  if (kind === storageClass)
    return !deepEqual(
      (resource as StorageClass).allowedTopologies,
      (previous as StorageClass).allowedTopologies,
    )
  if (kind === csiDriver)
    return Boolean(
      (previous as CSIDriver).spec.storageCapacity && !(resource as CSIDriver).spec.storageCapacity,
    )
  return roomIn(resource as CSIStorageCapacity) > roomIn(previous as CSIStorageCapacity)
}

function claimsOf(
  pod: PodInfo,
  snapshot: Snapshot,
): { readonly state: Claims } | { readonly reject: string } {
  const { objects } = snapshot
  const bound: PersistentVolumeClaim[] = []
  const delayed: PersistentVolumeClaim[] = []
  for (const key of pod.claims) {
    const claim = objects.get(persistentVolumeClaim, key)
    const name = JSON.stringify(key.slice(key.indexOf('/') + 1))
    if (!claim) return { reject: `persistentvolumeclaim ${name} not found` }
    if (claim.metadata.deletionTimestamp) return { reject: `persistentvolumeclaim ${name} is being deleted` }
    if (claim.status?.phase === 'Lost')
      return {
        reject: `persistentvolumeclaim ${name} bound to non-existent persistentvolume "${claim.spec?.volumeName}"`,
      }
    if (claim.spec?.volumeName && claim.status?.phase === 'Bound') bound.push(claim)
    else if (isDelayed(claim, objects) && !claim.spec?.volumeName) delayed.push(claim)
    else return { reject: 'pod has unbound immediate PersistentVolumeClaims' }
  }
  return { state: { bound, delayed, snapshot } }
}

/** Its volume is there, and reaches every node. */
function isAnywhere({ spec }: PersistentVolumeClaim, { objects }: Snapshot): boolean {
  const volume = objects.get(persistentVolume, spec?.volumeName ?? '')
  return volume !== undefined && !volume.spec?.nodeAffinity?.required
}

/** Undefined: there is nothing for one of the claims here. */
function planFor(
  delayed: readonly PersistentVolumeClaim[],
  node: NodeInfo['node'],
  { objects }: Snapshot,
  taken: ReadonlySet<string>,
): Plan | 'storage' | undefined {
  const volumes: { claim: PersistentVolumeClaim; volume: PersistentVolume }[] = []
  const provisioned: PersistentVolumeClaim[] = []
  const used = new Set(taken)
  for (const claim of delayed) {
    const selected = claim.metadata.annotations?.[SELECTED_NODE]
    if (selected !== undefined && selected !== node.metadata.name) return undefined
    const volume = findVolume(objects.list(persistentVolume), claim, node, used)
    if (volume) {
      used.add(volume.metadata.name)
      volumes.push({ claim, volume })
      continue
    }
    const possible = canProvision(claim, node, objects)
    if (possible === 'capacity') return 'storage'
    if (!possible) return undefined
    provisioned.push(claim)
  }
  return { volumes, provisioned }
}

/** The volume names its claim, or the claim its node; the binder and provisioners do the rest. */
async function carryOut(
  { volumes, provisioned }: Plan,
  node: string,
  { client }: BindingContext,
): Promise<void> {
  for (const { claim, volume } of volumes) {
    const { namespace, name, uid } = claim.metadata
    const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid }
    await client.patch(persistentVolume, { name: volume.metadata.name }, 'merge', {
      metadata: { resourceVersion: volume.metadata.resourceVersion },
      spec: { claimRef },
    })
  }
  for (const { metadata } of provisioned)
    await client.patch(
      persistentVolumeClaim,
      { namespace: metadata.namespace, name: metadata.name },
      'merge',
      {
        metadata: { annotations: { [SELECTED_NODE]: node } },
      },
    )
}
