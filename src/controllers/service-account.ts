/** Every namespace has a ServiceAccount "default"; one that is deleted comes back. */
import { type Namespace, namespace } from '../api/kinds/namespace.ts'
import { serviceAccount } from '../api/kinds/service-account.ts'
import { isBeingDeleted } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import { type Controller, watched } from './controller.ts'

const NAME = 'default'

export const serviceAccountController: Controller<Namespace> = {
  name: 'serviceaccount',
  kind: namespace,
  watches: [
    watched({
      kind: serviceAccount,
      keys: ({ type, resource: { metadata } }) =>
        type === 'deleted' && metadata.name === NAME ? [metadata.namespace ?? ''] : [],
    }),
  ],
  async reconcile({ client, informers }, found) {
    const { name } = found.metadata
    if (isBeingDeleted(found) || informers.of(serviceAccount).get(`${name}/${NAME}`)) return undefined
    try {
      await client.create(serviceAccount, {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: NAME, namespace: name },
      })
    } catch (error) {
      // Made by someone else meanwhile, or the namespace is going or gone.
      if (!['AlreadyExists', 'NotFound', 'Forbidden'].some((reason) => isReason(error, reason as 'NotFound')))
        throw error
    }
    return undefined
  },
}
