/** Every namespace has the certificate that proves the API server, in the ConfigMap kube-root-ca.crt. */
import { configMap } from '../api/kinds/config-map.ts'
import { type Namespace, namespace } from '../api/kinds/namespace.ts'
import { isBeingDeleted } from '../api/resource.ts'
import { ApiError } from '../api/status.ts'
import { deepEqual } from '../base/json.ts'
import { type Controller, watched } from './controller.ts'
import type { Issuing } from './issuing.ts'

const NAME = 'kube-root-ca.crt'
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'

export const rootCaPublisherController = ({ authority }: Issuing): Controller<Namespace> => ({
  name: 'root-ca-certificate-publisher',
  kind: namespace,
  watches: [
    watched({
      kind: configMap,
      keys: ({ resource: { metadata } }) => (metadata.name === NAME ? [metadata.namespace ?? ''] : []),
    }),
  ],
  async reconcile({ client, informers }, found) {
    if (isBeingDeleted(found)) return undefined
    const metadata = {
      name: NAME,
      namespace: found.metadata.name,
      annotations: { 'kubernetes.io/description': DESCRIPTION },
    }
    const data = { 'ca.crt': authority.certificatePem }
    const held = informers.of(configMap).get(`${metadata.namespace}/${NAME}`)
    try {
      if (!held) await client.create(configMap, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data })
      else if (!deepEqual(held.data, data)) await client.update(configMap, { ...held, data })
    } catch (error) {
      // Made by someone else meanwhile, or the namespace is going or gone.
      const isRace =
        error instanceof ApiError && ['AlreadyExists', 'NotFound', 'Forbidden'].includes(error.reason)
      if (!isRace) throw error
    }
    return undefined
  },
})
