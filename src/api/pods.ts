import { parseTime } from '../base/date.ts'
import { findCondition } from './conditions.ts'
import type { V1Container, V1Pod, V1PodSpec } from './generated/types.ts'
import type { Stored } from './resource.ts'
import { type ResourceList, requestsOf } from './resource-requests.ts'

/** What is pure about pods; kubelet, controllers, scheduler and sync read them in the same way. */
export type Pod = Stored<V1Pod>

/** See requestsOf. A spec is immutable: its sum is worked out once. */
export function podRequests({ spec }: Pod): ResourceList {
  let requests = known.get(spec)
  if (!requests) {
    requests = requestsOf(spec)
    known.set(spec, requests)
  }
  return requests
}

const known = new WeakMap<Pod['spec'], ResourceList>()

/** Who it is and what it wants: of a pod that is held on to, what does not become an old version of its status. */
export function withoutStatus({ apiVersion, kind, metadata, spec }: Pod): Pod {
  const { managedFields: _, ...kept } = metadata
  return { apiVersion, kind, metadata: kept, spec }
}

export function podPriority(pod: Pod): number {
  return pod.spec.priority ?? 0
}

export function isPodReady(pod: Pod): boolean {
  return findCondition(pod.status?.conditions, 'Ready')?.status === 'True'
}

/** Ready for at least `minReadySeconds`. `now` in epoch ms. */
export function isPodAvailable(pod: Pod, minReadySeconds: number, now: number): boolean {
  return availableIn(pod, minReadySeconds, now) === 0
}

/** Milliseconds until a ready pod counts as available: 0 when it does, undefined when it is not ready. */
export function availableIn(pod: Pod, minReadySeconds: number, now: number): number | undefined {
  const ready = findCondition(pod.status?.conditions, 'Ready')
  if (ready?.status !== 'True') return undefined
  if (minReadySeconds === 0) return 0
  const since = parseTime(ready.lastTransitionTime)
  return since === undefined ? undefined : Math.max(0, since + minReadySeconds * 1000 - now)
}

/** Succeeded or Failed: it will never run again. */
export function isPodTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

/** Not terminal and not being deleted: controllers count it. */
export function isPodActive(pod: Pod): boolean {
  return !isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined
}

/** An init container that keeps running beside the others. */
export function isSidecar(container: V1Container): boolean {
  return container.restartPolicy === 'Always'
}

/** Init containers that are no sidecars, and containers that nothing would start again after a success. */
export function isMeantToEnd({ spec }: Pod, container: V1Container): boolean {
  if (spec.initContainers?.some(({ name }) => name === container.name)) return !isSidecar(container)
  return (container.restartPolicy ?? spec.restartPolicy ?? 'Always') !== 'Always'
}

export function sidecarsOf(spec: V1PodSpec): readonly V1Container[] {
  return (spec.initContainers ?? []).filter(isSidecar)
}

/** Of the regular containers, as controllers compare pods by. */
export function restartCount(pod: Pod): number {
  return (pod.status?.containerStatuses ?? []).reduce((sum, status) => sum + status.restartCount, 0)
}

/** Unschedulable since this time (epoch ms); undefined when it has a node or has not been tried. */
export function unschedulableSince(pod: Pod): number | undefined {
  const scheduled = findCondition(pod.status?.conditions, 'PodScheduled')
  if (scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable') return undefined
  return parseTime(scheduled.lastTransitionTime)
}
