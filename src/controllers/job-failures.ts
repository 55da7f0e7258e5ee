/** Which pods of a Job have failed, when, and how often an index had before. Pure. */
import { findCondition } from '../api/conditions.ts'
import type { Job } from '../api/kinds/job.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { isBeingDeleted } from '../api/resource.ts'
import { parseTime } from '../base/date.ts'
import { type FailureVerdict, judgeFailure } from './job-failure-policy.ts'
import { failuresBefore, type IndexFailures, indexOf } from './job-pod.ts'

/** Whether only pods in phase Failed are failures; else one that is being deleted is one as well. */
export function replacesOnlyFailed({ spec }: Job): boolean {
  return spec.podReplacementPolicy === 'Failed'
}

export function hasFailed(job: Job, pod: Pod): boolean {
  if (pod.status?.phase === 'Failed') return true
  if (replacesOnlyFailed(job)) return false
  return isBeingDeleted(pod) && pod.status?.phase !== 'Succeeded'
}

/** Of each index, the pod that failed last: the one before which it had failed most often. */
export function lastFailures(job: Job, pods: readonly Pod[]): ReadonlyMap<number, Pod> {
  const last = new Map<number, Pod>()
  for (const pod of pods) {
    const index = hasFailed(job, pod) ? indexOf(pod, job.spec.completions ?? 0) : undefined
    if (index === undefined) continue
    const known = last.get(index)
    const isLater =
      !known ||
      failuresOf(pod) > failuresOf(known) ||
      (failuresOf(pod) === failuresOf(known) && finishedAt(pod) >= finishedAt(known))
    if (isLater) last.set(index, pod)
  }
  return last
}

/** All failures of its index before the pod was made. */
export function failuresOf(pod: Pod): number {
  const { counted, ignored } = failuresBefore(pod)
  return counted + ignored
}

/** With its own failure, which a rule may ignore: then it tells against the pause, but not against the limit. */
export function failuresWith(job: Job, pod: Pod): IndexFailures {
  const { counted, ignored } = failuresBefore(pod)
  return judgeFailure(job, pod).action === 'Ignore'
    ? { counted, ignored: ignored + 1 }
    : { counted: counted + 1, ignored }
}

/** No more is tried for the index: its own limit is reached, or a rule says so. */
export function indexFails({ spec }: Job, pod: Pod, { action }: FailureVerdict): boolean {
  if (spec.backoffLimitPerIndex === undefined || action === 'Ignore') return false
  return action === 'FailIndex' || failuresBefore(pod).counted >= spec.backoffLimitPerIndex
}

/** When the last container ended; else when the pod stopped being ready, was told to go, or was made. */
export function finishedAt({ status, metadata }: Pod): number {
  const states = (status?.containerStatuses ?? []).map(({ state }) =>
    parseTime(state?.terminated?.finishedAt),
  )
  const ends = states.filter((at) => at !== undefined)
  if (ends.length > 0 && ends.length === states.length) return Math.max(...ends)
  const ready = findCondition(status?.conditions, 'Ready')
  const unreadyAt = ready?.status === 'False' ? parseTime(ready.lastTransitionTime) : undefined
  const graceMs = (metadata.deletionGracePeriodSeconds ?? 0) * 1000
  const goneAt =
    metadata.deletionTimestamp !== undefined
      ? (parseTime(metadata.deletionTimestamp) ?? 0) - graceMs
      : undefined
  return unreadyAt ?? goneAt ?? parseTime(metadata.creationTimestamp) ?? 0
}
