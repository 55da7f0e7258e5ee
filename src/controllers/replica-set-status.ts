import { findCondition, removeCondition, setCondition } from '../api/conditions.ts'
import type { V1ReplicaSetStatus } from '../api/generated/types.ts'
import type { Pod } from '../api/kinds/pod.ts'
import type { ReplicaSet } from '../api/kinds/replica-set.ts'
import { availableIn, isPodAvailable, isPodReady } from '../api/pods.ts'
import { isPodTerminating } from './pod-set.ts'

export interface ReplicaFailure {
  readonly reason: 'FailedCreate' | 'FailedDelete'
  readonly message: string
}

/** `all` are the ReplicaSet's own pods, finished and terminating ones included. */
export function replicaSetStatus(
  replicaSet: ReplicaSet,
  pods: { readonly active: readonly Pod[]; readonly all: readonly Pod[] },
  failure: ReplicaFailure | undefined,
  now: number,
): V1ReplicaSetStatus {
  const minReadySeconds = replicaSet.spec.minReadySeconds ?? 0
  const labels = Object.entries(replicaSet.spec.template?.metadata?.labels ?? {})
  const { active } = pods
  const count = (test: (pod: Pod) => boolean) => active.filter(test).length
  const ready = count(isPodReady)
  const before = replicaSet.status?.conditions
  // The first failure's words stay until it passes, as upstream: new words for each attempt would be endless writes.
  const known = findCondition(before, 'ReplicaFailure')
  const conditions = !failure
    ? removeCondition(before, 'ReplicaFailure')
    : known
      ? before
      : setCondition(before, { type: 'ReplicaFailure', status: 'True', ...failure }, now)
  return {
    replicas: active.length,
    fullyLabeledReplicas: count((pod) =>
      labels.every(([key, value]) => pod.metadata.labels?.[key] === value),
    ),
    readyReplicas: ready,
    availableReplicas:
      minReadySeconds === 0 ? ready : count((pod) => isPodAvailable(pod, minReadySeconds, now)),
    terminatingReplicas: pods.all.filter(isPodTerminating).length,
    observedGeneration: replicaSet.metadata.generation,
    ...(conditions && conditions.length > 0 ? { conditions } : {}),
  }
}

/** Milliseconds until the next ready pod has been ready for minReadySeconds; undefined when none is on its way. */
export function nextAvailableInMs(
  active: readonly Pod[],
  minReadySeconds: number,
  now: number,
): number | undefined {
  if (minReadySeconds === 0) return undefined
  let next: number | undefined
  for (const pod of active) {
    const ms = availableIn(pod, minReadySeconds, now)
    if (ms !== undefined && ms > 0 && (next === undefined || ms < next)) next = ms
  }
  return next
}
