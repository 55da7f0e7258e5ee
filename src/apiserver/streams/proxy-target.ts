import type { EndpointSlice } from '../../api/kinds/endpoint-slice.ts'
import type { Service } from '../../api/kinds/service.ts'
import type { Pod } from '../../api/pods.ts'
import { ApiError, badRequest } from '../../api/status.ts'

/** Where a proxied request goes. Pure. */
export interface ProxyTarget {
  readonly pod: string
  readonly port: number
}

/** "web", "web:8080", "https:web:8080", "https:web:" -> its parts (utilnet.SplitSchemeNamePort). */
export function parseProxyName(name: string): { readonly name: string; readonly port: string } {
  const parts = name.split(':')
  const [first = '', second = '', third = ''] = parts
  if (parts.length === 1) return { name: first, port: '' }
  if (parts.length === 2 && first !== '') return { name: first, port: second }
  if (parts.length === 3 && (first === 'http' || first === 'https') && second !== '')
    return { name: second, port: third }
  throw badRequest(`invalid pod or service request ${JSON.stringify(name)}`)
}

/** The port of a pod: its number or name; its first container's first one when none is named. */
export function podPort(pod: Pod, port: string): number {
  const ports = pod.spec.containers.flatMap((container) => container.ports ?? [])
  if (port === '') return ports[0]?.containerPort ?? 80
  if (/^\d+$/.test(port)) return Number(port)
  const named = ports.find(({ name }) => name === port)
  if (named) return named.containerPort
  throw badRequest(`pod ${JSON.stringify(pod.metadata.name)} has no port ${JSON.stringify(port)}`)
}

/** All ready endpoints of a service's port. Throws when there is no such port, or nobody behind it. */
export function serviceTargets(
  service: Pick<Service, 'metadata' | 'spec'>,
  port: string,
  slices: readonly EndpointSlice[],
): readonly ProxyTarget[] {
  const { name } = service.metadata
  const ports = service.spec.ports ?? []
  const found =
    port === ''
      ? ports.length === 1
        ? ports[0]
        : undefined
      : ports.find((each) => each.name === port || String(each.port) === port)
  if (!found)
    throw new ApiError(
      'ServiceUnavailable',
      `no service port ${JSON.stringify(port)} found for service ${JSON.stringify(name)}`,
    )
  const targets = slices.flatMap((slice) => {
    const number = slice.ports?.find((each) => (each.name ?? '') === (found.name ?? ''))?.port
    if (number === undefined) return []
    return (slice.endpoints ?? []).flatMap(({ conditions, targetRef }) =>
      conditions?.ready !== false && targetRef?.kind === 'Pod' && targetRef.name
        ? [{ pod: targetRef.name, port: number }]
        : [],
    )
  })
  if (targets.length > 0) return targets
  throw new ApiError('ServiceUnavailable', `no endpoints available for service ${JSON.stringify(name)}`)
}
