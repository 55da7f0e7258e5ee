import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import { serviceAccount as serviceAccountKind } from '../../api/kinds/service-account.ts'
import type { AnyResource } from '../../api/resource.ts'
import { ApiError } from '../../api/status.ts'
import type { Admission } from './admission.ts'

const DEFAULT = 'default'

/**
 * A pod that names no service account runs as "default"; one that names another must name one that exists, and takes
 * over its imagePullSecrets. "default" is made with the namespace by a controller, which a pod may be faster than.
 */
export const serviceAccountAdmission: Admission = {
  name: 'ServiceAccount',
  async mutate({ operation, kind, subresource, object, reader }) {
    if (kind !== podKind || operation !== 'CREATE' || subresource !== '') return object
    const pod = object as unknown as Pod
    const name = pod.spec.serviceAccountName || DEFAULT
    const { namespace } = pod.metadata
    const account = await reader.find(serviceAccountKind, { namespace, name })
    if (!account && name !== DEFAULT) {
      const why = `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`
      throw new ApiError('Forbidden', `pods "${pod.metadata.name}" is forbidden: ${why}`, {
        details: { name: pod.metadata.name, kind: 'pods' },
      })
    }
    const secrets = pod.spec.imagePullSecrets?.length ? undefined : account?.imagePullSecrets
    return {
      ...pod,
      spec: {
        ...pod.spec,
        serviceAccountName: name,
        serviceAccount: name,
        ...(secrets?.length ? { imagePullSecrets: secrets } : {}),
      },
    } as unknown as AnyResource
  },
}
