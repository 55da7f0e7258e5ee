/**
 * Gives bound claims the VolumeAttributesClass they ask for, when there is one. The volumes of a simulated cluster are
 * folders without such attributes: only what is shown of them changes.
 */
import { type PersistentVolume, persistentVolume } from '../api/kinds/persistent-volume.ts'
import { type PersistentVolumeClaim, persistentVolumeClaim } from '../api/kinds/persistent-volume-claim.ts'
import { volumeAttributesClass } from '../api/kinds/volume-attributes-class.ts'
import { isBeingDeleted, keyOf } from '../api/resource.ts'
import { deepEqual } from '../base/json.ts'
import { type Controller, watched } from './controller.ts'

const wantsAnother = ({ spec, status }: PersistentVolumeClaim): boolean =>
  status?.phase === 'Bound' &&
  Boolean(spec.volumeAttributesClassName) &&
  spec.volumeAttributesClassName !== status.currentVolumeAttributesClassName

export const volumeAttributesController: Controller<PersistentVolumeClaim> = {
  name: 'volume-modifier',
  kind: persistentVolumeClaim,
  watches: [
    watched({
      kind: volumeAttributesClass,
      keys: (_, informers) => informers.of(persistentVolumeClaim).list().filter(wantsAnother).map(keyOf),
    }),
  ],
  async reconcile({ client, events, informers }, claim) {
    if (!wantsAnother(claim) || isBeingDeleted(claim)) return undefined
    const name = claim.spec.volumeAttributesClassName ?? ''
    const found = informers.of(volumeAttributesClass).get(name)
    const volume = await client.get(persistentVolume, { name: claim.spec.volumeName ?? '' })
    const write = async (status: Partial<NonNullable<PersistentVolumeClaim['status']>>) => {
      const next = { ...claim.status, ...status }
      if (deepEqual(next, claim.status)) return false
      await client.update(persistentVolumeClaim, { ...claim, status: next }, { subresource: 'status' })
      return true
    }
    if (!found) {
      const isNews = await write({
        modifyVolumeStatus: { targetVolumeAttributesClassName: name, status: 'Pending' },
      })
      if (isNews) events.event(claim, 'Warning', 'VolumeModifyFailed', `VAC ${name} does not exist.`)
      return undefined
    }
    const what = `${claim.metadata.name} with vac ${name}`
    events.event(claim, 'Normal', 'VolumeModify', `external resizer is modifying volume ${what}`)
    if (volume.spec.volumeAttributesClassName !== name)
      await client.update(persistentVolume, {
        ...volume,
        spec: { ...volume.spec, volumeAttributesClassName: name },
      } as PersistentVolume)
    await write({ currentVolumeAttributesClassName: name, modifyVolumeStatus: undefined })
    events.event(
      claim,
      'Normal',
      'VolumeModifySuccessful',
      `external resizer modified volume ${what} successfully`,
    )
    return undefined
  },
}
