import { type PersistentVolumeClaim, persistentVolumeClaim } from '../../api/kinds/persistent-volume-claim.ts'
import { isDefaultClass, storageClass } from '../../api/kinds/storage-class.ts'
import { type AnyResource, newestOf } from '../../api/resource.ts'
import { storageClassOf } from '../../api/volume-access.ts'
import { type Admission, creationOf } from './admission.ts'

/** A claim that names no class gets the default one, where there is one; '' asks for none. */
export const defaultStorageClass: Admission = {
  name: 'DefaultStorageClass',
  concerns: creationOf(persistentVolumeClaim),
  async mutate({ object, reader }) {
    if (storageClassOf(object as unknown as PersistentVolumeClaim) !== undefined) return object
    const found = newestOf((await reader.all(storageClass)).filter(isDefaultClass))
    if (!found) return object
    return { ...object, spec: { ...object.spec, storageClassName: found.metadata.name } } as AnyResource
  },
}
