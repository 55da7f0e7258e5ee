/**
 * The annotation endpoints.kubernetes.io/last-change-trigger-time: when the pod or service changed that endpoints are
 * written for, so that the delay from there to the proxies can be measured.
 */
import { findCondition } from '../api/conditions.ts'
import type { Service } from '../api/kinds/service.ts'
import { keyOf } from '../api/resource.ts'
import type { ServicePod } from './service-pods.ts'

export const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time'

interface Seen {
  readonly service: string
  readonly pods: ReadonlyMap<string, string>
}

/** What each service was made of when it was last looked at. Times are compared as they are written: whole seconds, UTC. */
export class TriggerTimes {
  readonly #seen = new Map<string, Seen>()

  /**
   * The earliest change since the service was last looked at: of a pod's readiness, or the service's making. At first
   * the latter. Undefined when nothing of it changed.
   */
  look(service: Service, pods: readonly Pick<ServicePod, 'pod'>[]): string | undefined {
    const key = keyOf(service)
    const before = this.#seen.get(key)
    const made = service.metadata.creationTimestamp ?? ''
    const times = new Map<string, string>()
    let earliest: string | undefined
    const count = (time: string, known = '') => {
      if (time > known && (earliest === undefined || time < earliest)) earliest = time
    }
    for (const { metadata, status } of pods.map(({ pod }) => pod)) {
      const time = findCondition(status?.conditions, 'Ready')?.lastTransitionTime
      if (!time) continue
      times.set(metadata.name, time)
      count(time, before?.pods.get(metadata.name))
    }
    count(made, before?.service)
    this.#seen.set(key, { service: made, pods: times })
    return before ? earliest : made || undefined
  }

  forget(key: string): void {
    this.#seen.delete(key)
  }
}

/** The annotations with the time, or without any when there is none to tell. */
export function withTriggerTime(
  annotations: Readonly<Record<string, string>> | undefined,
  time: string | undefined,
): Record<string, string> {
  const { [TRIGGER_TIME]: _, ...others } = annotations ?? {}
  return time === undefined ? others : { ...others, [TRIGGER_TIME]: time }
}
