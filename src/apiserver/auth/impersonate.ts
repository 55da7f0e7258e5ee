import { badRequest } from '../../api/status.ts'
import { type ResourceAttributes, resourceAttributes } from './attributes.ts'
import type { User } from './authenticate.ts'
import { type Authorizer, mustAuthorize } from './authorize.ts'
import { parseServiceAccountName, serviceAccountGroups } from './service-account-names.ts'

/** The request's headers as name and value, repeated ones repeated, names in lower case. */
export type Headers = readonly (readonly [name: string, value: string])[]

const EXTRA = 'impersonate-extra-'

/**
 * The user a request acts as: the one who asks, or the one its Impersonate-* headers name (kubectl --as, --as-group),
 * once the one who asks may impersonate each part of it. Throws Forbidden for the first part that is not allowed.
 */
export async function impersonated(authorizer: Authorizer, user: User, headers: Headers): Promise<User> {
  const wanted = readHeaders(headers)
  if (!wanted) return user
  const { name, uid, groups, extra } = wanted
  const account = parseServiceAccountName(name)
  const check = (resource: string, value: Partial<ResourceAttributes>) =>
    mustAuthorize(
      authorizer,
      resourceAttributes(user, { verb: 'impersonate', version: 'v1', resource, ...value }),
    )
  if (account) await check('serviceaccounts', account)
  else await check('users', { name })
  for (const group of groups) await check('groups', { name: group })
  const authentication = { group: 'authentication.k8s.io' }
  for (const [key, values] of Object.entries(extra))
    for (const value of values)
      await check('userextras', { ...authentication, subresource: key, name: value })
  if (uid) await check('uids', { ...authentication, name: uid })
  return {
    name,
    groups: withImplied(name, groups),
    ...(uid ? { uid } : {}),
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  }
}

interface Wanted {
  readonly name: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

function readHeaders(headers: Headers): Wanted | undefined {
  let name = ''
  let uid = ''
  const groups: string[] = []
  const extra: Record<string, string[]> = {}
  for (const [header, value] of headers) {
    if (header === 'impersonate-user') name = value
    else if (header === 'impersonate-uid') uid = value
    else if (header === 'impersonate-group') groups.push(value)
    else if (header.startsWith(EXTRA)) {
      const key = decodeKey(header.slice(EXTRA.length))
      extra[key] = [...(extra[key] ?? []), value]
    }
  }
  if (name !== '') return { name, uid, groups, extra }
  if (uid === '' && groups.length === 0 && Object.keys(extra).length === 0) return undefined
  throw badRequest('requested to impersonate groups, uid or extra without impersonating a user')
}

function decodeKey(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw badRequest(`Cannot read the header Impersonate-Extra-${text}: it is not valid percent-encoding`)
  }
}

/** Everybody but system:anonymous is authenticated; a service account without groups gets its own. */
function withImplied(name: string, groups: readonly string[]): readonly string[] {
  const account = parseServiceAccountName(name)
  if (account && groups.length === 0) return serviceAccountGroups(account.namespace)
  const implied = name === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated'
  return groups.includes(implied) || groups.includes('system:unauthenticated') ? groups : [...groups, implied]
}
