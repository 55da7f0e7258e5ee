/** A Secret of type kubernetes.io/service-account-token gets its account's token, and goes with the account. */
import { type Secret, secret } from '../api/kinds/secret.ts'
import { type ServiceAccount, serviceAccount } from '../api/kinds/service-account.ts'
import { isBeingDeleted, keyOf } from '../api/resource.ts'
import { ACCOUNT_NAME, ACCOUNT_UID, TOKEN_TYPE } from '../api/service-account-secrets.ts'
import { isReason } from '../api/status.ts'
import { deepEqual } from '../base/json.ts'
import { type Controller, watched } from './controller.ts'
import type { Issuing } from './issuing.ts'

export const tokenSecretController = (issuing: Issuing): Controller<Secret> => ({
  name: 'tokens',
  kind: secret,
  watches: [
    watched({
      kind: serviceAccount,
      keys: ({ type, resource: { metadata } }, informers) =>
        type === 'updated'
          ? []
          : informers
              .of(secret)
              .list()
              .filter(
                (each) =>
                  each.metadata.namespace === metadata.namespace && accountNameOf(each) === metadata.name,
              )
              .map(keyOf),
    }),
  ],
  async reconcile({ client }, held) {
    const name = accountNameOf(held)
    if (name === undefined || isBeingDeleted(held)) return undefined
    const account = await accountOf(held, name)
    const { namespace, name: secretName, uid } = held.metadata
    if (!account) {
      try {
        await client.delete(secret, { namespace, name: secretName }, uid ? { preconditions: { uid } } : {})
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error
      }
      return undefined
    }
    const next = await filled(issuing, held, account)
    if (!deepEqual(next, held)) await client.update(secret, next)
    return undefined

    async function accountOf({ metadata }: Secret, named: string): Promise<ServiceAccount | undefined> {
      try {
        const found = await client.get(serviceAccount, { namespace: metadata.namespace, name: named })
        const wanted = metadata.annotations?.[ACCOUNT_UID]
        return wanted && wanted !== found.metadata.uid ? undefined : found
      } catch (error) {
        if (isReason(error, 'NotFound')) return undefined
        throw error
      }
    }
  },
})

function accountNameOf({ type, metadata }: Secret): string | undefined {
  return type === TOKEN_TYPE ? metadata.annotations?.[ACCOUNT_NAME] : undefined
}

async function filled(issuing: Issuing, held: Secret, account: ServiceAccount): Promise<Secret> {
  const { metadata, data = {} } = held
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  return {
    ...held,
    metadata: {
      ...metadata,
      annotations: { ...metadata.annotations, [ACCOUNT_UID]: account.metadata.uid ?? '' },
    },
    data: {
      ...data,
      'ca.crt': base64(issuing.authority.certificatePem),
      namespace: base64(metadata.namespace ?? ''),
      token: data['token'] ?? base64(await issuing.issueToken(account, metadata.name)),
    },
  }
}
