/**
 * Grows volumes that were made here when their claim asks for more (admission has asked the class whether it may). They
 * are folders: nothing is left to do on the node, so the claim has its new size at once.
 */
import { type PersistentVolume, persistentVolume } from '../api/kinds/persistent-volume.ts'
import { type PersistentVolumeClaim, persistentVolumeClaim } from '../api/kinds/persistent-volume-claim.ts'
import { compareQuantities } from '../api/quantity.ts'
import type { Controller } from './controller.ts'
import { PROVISIONED_BY } from './volume-claim-plan.ts'

export const volumeExpansionController: Controller<PersistentVolumeClaim> = {
  name: 'persistentvolume-expander',
  kind: persistentVolumeClaim,
  async reconcile({ client, events }, claim) {
    const size = wantedSize(claim)
    if (size === undefined) return undefined
    const volume = await client.get(persistentVolume, { name: claim.spec.volumeName ?? '' })
    if (volume.metadata.annotations?.[PROVISIONED_BY] === undefined) {
      events.event(
        claim,
        'Normal',
        'ExternalExpanding',
        'waiting for an external controller to expand this PVC',
      )
      return undefined
    }
    events.event(claim, 'Normal', 'Resizing', `External resizer is resizing volume ${volume.metadata.name}`)
    if (compareQuantities(volume.spec.capacity?.['storage'] ?? '0', size) < 0)
      await client.update(persistentVolume, grown(volume, size))
    const capacity = { ...claim.status?.capacity, storage: size }
    await client.update(
      persistentVolumeClaim,
      { ...claim, status: { ...claim.status, capacity } },
      { subresource: 'status' },
    )
    events.event(claim, 'Normal', 'VolumeResizeSuccessful', 'Resize volume succeeded')
    return undefined
  },
}

/** What a bound claim asks for beyond what it has. */
function wantedSize({ spec, status }: PersistentVolumeClaim): string | undefined {
  const asked = spec.resources?.requests?.['storage'] ?? '0'
  const has = status?.capacity?.['storage']
  return status?.phase === 'Bound' && has !== undefined && compareQuantities(asked, has) > 0
    ? asked
    : undefined
}

function grown(volume: PersistentVolume, storage: string): PersistentVolume {
  return { ...volume, spec: { ...volume.spec, capacity: { ...volume.spec.capacity, storage } } }
}
