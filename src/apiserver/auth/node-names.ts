import type { User } from './authenticate.ts'

/** A kubelet as a user: system:node:NAME of the group system:nodes. */
const PREFIX = 'system:node:'

/** The node's name; empty for a kubelet that does not say which; undefined for a user that is none. */
export function nodeNameOf(user: User): string | undefined {
  if (!user.groups.includes('system:nodes')) return undefined
  return user.name.startsWith(PREFIX) ? user.name.slice(PREFIX.length) : ''
}
