import type { V1TokenRequestSpec } from '../../api/generated/types.ts'
import { serviceAccount } from '../../api/kinds/service-account.ts'
import type { AnyResource } from '../../api/resource.ts'
import { badRequest, fault, forbidden, invalid, notFound } from '../../api/status.ts'
import { formatTime } from '../../base/date.ts'
import { isObject } from '../../base/json.ts'
import type { Access } from '../auth/access.ts'
import { nodeNameOf } from '../auth/node-names.ts'
import { findBound } from '../auth/tokens/bound-objects.ts'
import { ISSUER } from '../auth/tokens/service-account-tokens.ts'
import type { Answer, Registry } from '../registry.ts'
import type { Answering } from './review.ts'

const DEFAULT_SECONDS = 3600
const MIN_SECONDS = 600
const MAX_SECONDS = 2 ** 32
const GROUP = 'authentication.k8s.io'

/** POST serviceaccounts/NAME/token: a token for the account (kubectl create token). */
export const requestToken: Answering = async ({ registry, access, context, body, namespace, name }) => {
  if (body.apiVersion !== undefined && body.apiVersion !== `${GROUP}/v1`)
    throw badRequest(
      `the API version in the data (${body.apiVersion}) does not match the expected API version (${GROUP}/v1)`,
    )
  const spec = (body.spec ?? {}) as Partial<V1TokenRequestSpec>
  const { expirationSeconds = DEFAULT_SECONDS, boundObjectRef } = spec
  const path = 'spec.expirationSeconds'
  if (!Number.isInteger(expirationSeconds) || expirationSeconds < MIN_SECONDS)
    throw invalid({ group: GROUP, kind: 'TokenRequest' }, '', [
      fault.invalid(path, expirationSeconds, 'may not specify a duration less than 10 minutes'),
    ])
  if (expirationSeconds > MAX_SECONDS)
    throw invalid({ group: GROUP, kind: 'TokenRequest' }, '', [
      fault.invalid(path, expirationSeconds, 'may not specify a duration larger than 2^32 seconds'),
    ])
  if (nodeNameOf(context.user) !== undefined && boundObjectRef?.kind !== 'Pod')
    throw forbidden(serviceAccount, name, 'node requested token not bound to a pod')
  const account = await registry.reader.find(serviceAccount, { namespace, name })
  if (!account) throw notFound(serviceAccount, name)
  const audiences = Array.isArray(spec.audiences) && spec.audiences.length > 0 ? spec.audiences : [ISSUER]
  const bound = boundObjectRef && (await findBound(registry.reader, boundObjectRef, { namespace, name }))
  const { token, expiresAt } = await access.tokens.issue({ account, audiences, expirationSeconds, bound })
  return {
    kind: 'TokenRequest',
    apiVersion: `${GROUP}/v1`,
    metadata: { name, namespace, creationTimestamp: formatTime(registry.env.clock.now()) },
    spec: { audiences, expirationSeconds, boundObjectRef: boundObjectRef ?? null },
    status: { token, expirationTimestamp: formatTime(expiresAt) },
  }
}

/** The same question for parts of this process: the kubelets. */
export function tokensOf(registry: Registry, access: Access): Answer {
  return async ({ namespace = '', name }, sent, context) => {
    const body = isObject(sent) ? (sent as AnyResource) : undefined
    if (!body) throw badRequest('the request body is not an object')
    return requestToken({ registry, access, context, namespace, name, body })
  }
}
