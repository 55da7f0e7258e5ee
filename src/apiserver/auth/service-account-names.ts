import type { User } from './authenticate.ts'

/** A service account as a user: its name and groups are worked out, never stored. */
const PREFIX = 'system:serviceaccount:'

export function serviceAccountName(namespace: string, name: string): string {
  return `${PREFIX}${namespace}:${name}`
}

export function serviceAccountUser(
  namespace: string,
  name: string,
  parts: Pick<User, 'uid' | 'extra'> = {},
): User {
  return {
    name: serviceAccountName(namespace, name),
    groups: serviceAccountGroups(namespace),
    ...parts,
  }
}

export function serviceAccountGroups(namespace: string): readonly string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated']
}

/** Undefined for a user that is none. */
export function parseServiceAccountName(user: string): { namespace: string; name: string } | undefined {
  const [namespace = '', name = '', ...more] = user.startsWith(PREFIX)
    ? user.slice(PREFIX.length).split(':')
    : []
  return namespace !== '' && name !== '' && more.length === 0 ? { namespace, name } : undefined
}
