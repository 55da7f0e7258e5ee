import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import type { AnyResource } from '../../api/resource.ts'
import type { Admission } from './admission.ts'

/** A pod that names no service account runs as "default". */
export const serviceAccountAdmission: Admission = {
  name: 'ServiceAccount',
  mutate({ operation, kind, subresource, object }) {
    if (kind !== podKind || operation !== 'CREATE' || subresource !== '') return object
    const pod = object as unknown as Pod
    if (pod.spec.serviceAccountName) return object
    return {
      ...pod,
      spec: { ...pod.spec, serviceAccountName: 'default', serviceAccount: 'default' },
    } as unknown as AnyResource
  },
}
