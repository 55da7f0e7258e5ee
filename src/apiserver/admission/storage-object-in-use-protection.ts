import { persistentVolume } from '../../api/kinds/persistent-volume.ts'
import { persistentVolumeClaim } from '../../api/kinds/persistent-volume-claim.ts'
import { PV_PROTECTION, PVC_PROTECTION } from '../../api/volume-access.ts'
import type { Admission } from './admission.ts'

/** Volumes and claims are held by a finalizer, which their controllers take away once nobody uses them. */
export const storageObjectInUseProtection: Admission = {
  name: 'StorageObjectInUseProtection',
  concerns: ({ kind, operation, subresource }) =>
    (kind === persistentVolume || kind === persistentVolumeClaim) &&
    operation === 'CREATE' &&
    subresource === '',
  mutate({ kind, object }) {
    const finalizer = kind === persistentVolume ? PV_PROTECTION : PVC_PROTECTION
    const { finalizers = [] } = object.metadata
    if (finalizers.includes(finalizer)) return object
    return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } }
  },
}
