/** What of a Service's change its load balancer has to be told, and the events that say so. Pure. */
import type { Service } from '../api/kinds/service.ts'
import { deepEqual } from '../base/json.ts'

export interface BalancerNews {
  /** Whether the balancer has to be set up anew. */
  readonly isNeeded: boolean
  readonly events: readonly (readonly [reason: string, message: string])[]
}

const shown = (values: readonly string[] = []) => `[${values.join(' ')}]`

export function balancerNews({ spec: old }: Service, { spec }: Service): BalancerNews {
  const events: (readonly [string, string])[] = []
  const say = (reason: string, before: unknown, now: unknown) => {
    if (before !== now) events.push([reason, `${before} -> ${now}`])
  }
  say('Type', old.type, spec.type)
  if (events.length > 0) return { isNeeded: true, events }
  say('LoadBalancerSourceRanges', shown(old.loadBalancerSourceRanges), shown(spec.loadBalancerSourceRanges))
  say('LoadBalancerIP', old.loadBalancerIP ?? '', spec.loadBalancerIP ?? '')
  const [before, now] = [old.externalIPs ?? [], spec.externalIPs ?? []]
  if (before.length !== now.length) events.push(['ExternalIP', `Count: ${before.length} -> ${now.length}`])
  else for (const [i, ip] of now.entries()) if (before[i] !== ip) events.push(['ExternalIP', `Added: ${ip}`])
  say('ExternalTrafficPolicy', old.externalTrafficPolicy ?? '', spec.externalTrafficPolicy ?? '')
  say('HealthCheckNodePort', old.healthCheckNodePort ?? 0, spec.healthCheckNodePort ?? 0)
  const isSame = deepEqual(old.ports, spec.ports) && old.sessionAffinity === spec.sessionAffinity
  return { isNeeded: events.length > 0 || !isSame, events }
}
