import { ApiError } from '../../api/status.ts'
import type { RequestInfo } from '../request-info.ts'
import type { User } from './authenticate.ts'

/** Paths that need no credentials. */
const PUBLIC = new Set(['/healthz', '/livez', '/readyz', '/version'])

/**
 * Whether the user may do this; throws Forbidden in Kubernetes' words. Members of system:masters may do everything;
 * nobody else may do anything yet but read what is public and discovery.
 */
export function authorize(user: User, info: RequestInfo, method: string): void {
  if (user.groups.includes('system:masters')) return
  if (info.type === 'other') {
    if (isPublic(info.path)) return
    const isDiscovery = /^\/(api|apis|openapi)(\/|$)/.test(info.path)
    if (isDiscovery && user.groups.includes('system:authenticated')) return
    throw new ApiError(
      'Forbidden',
      `forbidden: User ${JSON.stringify(user.name)} cannot ${method.toLowerCase()} path ${JSON.stringify(info.path)}`,
    )
  }
  const resource = info.subresource ? `${info.plural}/${info.subresource}` : info.plural
  const qualified = info.group === '' ? info.plural : `${info.plural}.${info.group}`
  const name = info.name ? ` ${JSON.stringify(info.name)}` : ''
  const where =
    info.namespace === undefined
      ? ' at the cluster scope'
      : ` in the namespace ${JSON.stringify(info.namespace)}`
  throw new ApiError(
    'Forbidden',
    `${qualified}${name} is forbidden: User ${JSON.stringify(user.name)} cannot ${info.verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(info.group)}${where}`,
    {
      details: {
        kind: info.plural,
        ...(info.group ? { group: info.group } : {}),
        ...(info.name ? { name: info.name } : {}),
      },
    },
  )
}

export function isPublic(path: string): boolean {
  return PUBLIC.has(path) || path.startsWith('/livez/') || path.startsWith('/readyz/')
}
