import { persistentVolume } from '../../api/kinds/persistent-volume.ts'
import { persistentVolumeClaim } from '../../api/kinds/persistent-volume-claim.ts'
import { PV_PROTECTION, PVC_PROTECTION } from '../../api/volume-access.ts'
import type { Admission } from './admission.ts'

/** Volumes and claims are held by a finalizer, which their controllers take away once nobody uses them. */
export const storageObjectInUseProtection: Admission = {
  name: 'StorageObjectInUseProtection',
  mutate({ operation, kind, subresource, object }) {
    if (operation !== 'CREATE' || subresource !== '') return object
    const finalizer =
      kind === persistentVolume ? PV_PROTECTION : kind === persistentVolumeClaim ? PVC_PROTECTION : undefined
    const { finalizers = [] } = object.metadata
    if (finalizer === undefined || finalizers.includes(finalizer)) return object
    return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } }
  },
}
