/**
 * Who of a Job's pods has been counted (KEP-2307), as a pure function. A finished pod keeps the finalizer
 * batch.kubernetes.io/job-tracking until its uid stands in status.uncountedTerminatedPods; then the finalizer goes, and
 * when that is seen the uid becomes part of the number. Whatever happens in between, a pod is counted exactly once.
 * Completed indexes are a set, so that their pods need no such list.
 */
import type { Job } from '../api/kinds/job.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { isBeingDeleted } from '../api/resource.ts'
import { type FailureVerdict, judgeFailure } from './job-failure-policy.ts'
import { parseIndexes } from './job-indexes.ts'
import { failuresBefore, indexOf, isTracked } from './job-pod.ts'

export interface Tally {
  /** What the status says from now on. */
  readonly succeeded: number
  readonly failed: number
  readonly uncounted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] }
  /** Of an Indexed Job. */
  readonly completed: ReadonlySet<number>
  readonly failedIndexes: ReadonlySet<number>
  /** With those on the list: what decisions are made by. */
  readonly succeededTotal: number
  readonly failedTotal: number
  /** Their finalizer may go once the status is written. */
  readonly release: readonly Pod[]
  /** What a rule with FailJob says of a pod. */
  readonly failJob: string | undefined
}

/** In one step, as upstream. */
const UNCOUNTED_MAX = 500

export function isIndexed({ spec }: Job): boolean {
  return spec.completionMode === 'Indexed'
}

/** Whether only pods in phase Failed are failures; else one that is being deleted is one as well. */
export function replacesOnlyFailed({ spec }: Job): boolean {
  return spec.podReplacementPolicy === 'Failed'
}

export function hasFailed(job: Job, pod: Pod): boolean {
  if (pod.status?.phase === 'Failed') return true
  if (replacesOnlyFailed(job)) return false
  return isBeingDeleted(pod) && pod.status?.phase !== 'Succeeded'
}

export function tallyOf(job: Job, pods: readonly Pod[]): Tally {
  const { status = {}, spec } = job
  const count = spec.completions ?? 0
  const byUid = new Map(pods.map((pod) => [pod.metadata.uid ?? '', pod]))
  const isHeld = (uid: string) => {
    const pod = byUid.get(uid)
    return pod !== undefined && isTracked(pod)
  }
  const before = status.uncountedTerminatedPods ?? {}
  const done = (uids: readonly string[] | undefined) => (uids ?? []).filter((uid) => !isHeld(uid)).length
  const still = (uids: readonly string[] | undefined) => (uids ?? []).filter(isHeld)
  const succeededUids = still(before.succeeded)
  const failedUids = still(before.failed)
  const known = new Set([...(before.succeeded ?? []), ...(before.failed ?? [])])
  const completed = isIndexed(job) ? parseIndexes(status.completedIndexes, count) : new Set<number>()
  const failedIndexes = parseIndexes(status.failedIndexes, count)
  const release: Pod[] = []
  let failJob: string | undefined
  for (const pod of pods) {
    if (!isTracked(pod)) continue
    const uid = pod.metadata.uid ?? ''
    const verdict: FailureVerdict = hasFailed(job, pod) ? judgeFailure(job, pod) : { action: 'Count' }
    failJob ??= verdict.message
    if (known.has(uid)) {
      release.push(pod)
      continue
    }
    if (succeededUids.length + failedUids.length >= UNCOUNTED_MAX) break
    if (pod.status?.phase === 'Succeeded') {
      if (isIndexed(job)) {
        const index = indexOf(pod, count)
        if (index !== undefined) completed.add(index)
      } else succeededUids.push(uid)
      release.push(pod)
    } else if (hasFailed(job, pod)) {
      // One that goes by itself is waited for, but it may still be on a node: only a terminal one lets go.
      const isOver = pod.status?.phase === 'Failed'
      const index = indexOf(pod, count)
      if (index !== undefined && indexFails(job, pod, verdict)) failedIndexes.add(index)
      if (verdict.action !== 'Ignore') failedUids.push(uid)
      if (isOver || isBeingDeleted(pod)) release.push(pod)
    }
  }
  const succeeded = isIndexed(job) ? completed.size : (status.succeeded ?? 0) + done(before.succeeded)
  const failed = (status.failed ?? 0) + done(before.failed)
  for (const index of completed) failedIndexes.delete(index)
  return {
    succeeded,
    failed,
    uncounted: { succeeded: succeededUids, failed: failedUids },
    completed,
    failedIndexes,
    succeededTotal: succeeded + succeededUids.length,
    failedTotal: failed + failedUids.length,
    release,
    failJob,
  }
}

/** No more is tried for the index: its own limit is reached, or a rule says so. */
function indexFails({ spec }: Job, pod: Pod, { action }: FailureVerdict): boolean {
  if (spec.backoffLimitPerIndex === undefined || action === 'Ignore') return false
  return action === 'FailIndex' || failuresBefore(pod) >= spec.backoffLimitPerIndex
}
