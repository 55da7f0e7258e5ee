import { csiDriver } from '../../api/kinds/csi-driver.ts'
import { type CSIStorageCapacity, csiStorageCapacity } from '../../api/kinds/csi-storage-capacity.ts'
import type { Node } from '../../api/kinds/node.ts'
import type { PersistentVolumeClaim } from '../../api/kinds/persistent-volume-claim.ts'
import { type StorageClass, storageClass } from '../../api/kinds/storage-class.ts'
import { parseQuantity } from '../../api/quantity.ts'
import { labelSelectorMatches } from '../../api/selectors.ts'
import { storageClassOf } from '../../api/volume-access.ts'
import { claimSize } from '../../api/volume-matching.ts'
import type { ClusterObjects } from '../cluster-objects.ts'

const NO_PROVISIONER = 'kubernetes.io/no-provisioner'

export function classOf(claim: PersistentVolumeClaim, objects: ClusterObjects): StorageClass | undefined {
  const name = storageClassOf(claim)
  return name ? objects.get(storageClass, name) : undefined
}

/** Its volume is looked for when its first pod is scheduled (WaitForFirstConsumer). */
export function isDelayed(claim: PersistentVolumeClaim, objects: ClusterObjects): boolean {
  return classOf(claim, objects)?.volumeBindingMode === 'WaitForFirstConsumer'
}

/** The biggest volume that can be made there, in bytes. */
export function roomIn({ capacity, maximumVolumeSize }: CSIStorageCapacity): number {
  return parseQuantity(maximumVolumeSize ?? capacity ?? '0')
}

/** Whether a volume can be made for the claim on this node: true, or 'capacity' when only room is missing. */
export function canProvision(
  claim: PersistentVolumeClaim,
  node: Node,
  objects: ClusterObjects,
): boolean | 'capacity' {
  const from = classOf(claim, objects)
  if (!from || from.provisioner === NO_PROVISIONER || from.provisioner === '') return false
  const labels = node.metadata.labels ?? {}
  const isAllowed = (from.allowedTopologies ?? []).map(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values }) => values.includes(labels[key] ?? '')),
  )
  if (isAllowed.length > 0 && !isAllowed.includes(true)) return false
  if (!objects.get(csiDriver, from.provisioner)?.spec.storageCapacity) return true
  const wanted = claimSize(claim)
  const hasRoom = objects
    .list(csiStorageCapacity)
    .some(
      (capacity) =>
        capacity.storageClassName === from.metadata.name &&
        roomIn(capacity) >= wanted &&
        capacity.nodeTopology !== undefined &&
        labelSelectorMatches(capacity.nodeTopology, labels),
    )
  return hasRoom ? true : 'capacity'
}
