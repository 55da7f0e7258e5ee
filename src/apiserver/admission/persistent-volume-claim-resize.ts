import { type PersistentVolumeClaim, persistentVolumeClaim } from '../../api/kinds/persistent-volume-claim.ts'
import { storageClass } from '../../api/kinds/storage-class.ts'
import { compareQuantities } from '../../api/quantity.ts'
import { forbidden } from '../../api/status.ts'
import { storageClassOf } from '../../api/volume-access.ts'
import type { Admission } from './admission.ts'

/** A bound claim grows only when its class says that its volumes can. */
export const persistentVolumeClaimResize: Admission = {
  name: 'PersistentVolumeClaimResize',
  concerns: ({ kind, operation, subresource }) =>
    kind === persistentVolumeClaim && operation === 'UPDATE' && subresource === '',
  async validate({ object, old, reader }) {
    const claim = object as unknown as PersistentVolumeClaim
    const before = old as unknown as PersistentVolumeClaim
    const asked = claim.spec.resources?.requests?.['storage'] ?? '0'
    if (compareQuantities(asked, before.spec.resources?.requests?.['storage'] ?? '0') <= 0) return
    const { name } = claim.metadata
    if (before.status?.phase !== 'Bound')
      throw forbidden(persistentVolumeClaim, name, 'Only bound persistent volume claims can be expanded')
    const className = storageClassOf(claim)
    const found = className ? await reader.find(storageClass, { name: className }) : undefined
    if (found?.allowVolumeExpansion !== true)
      throw forbidden(
        persistentVolumeClaim,
        name,
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
      )
  },
}
