/**
 * Who of a Job's pods has been counted (KEP-2307), as a pure function. A finished pod keeps the finalizer
 * batch.kubernetes.io/job-tracking until its uid stands in status.uncountedTerminatedPods; then the finalizer goes, and
 * when that is seen the uid becomes part of the number. Whatever happens in between, a pod is counted exactly once.
 * Completed indexes are a set, so that their pods need no such list.
 */

import { isConditionTrue } from '../api/conditions.ts'
import type { Job } from '../api/kinds/job.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { isPodActive } from '../api/pods.ts'
import { isBeingDeleted } from '../api/resource.ts'
import { type FailureVerdict, judgeFailure } from './job-failure-policy.ts'
import { hasFailed, indexFails, lastFailures } from './job-failures.ts'
import { parseIndexes } from './job-indexes.ts'
import { indexOf, isTracked } from './job-pod.ts'

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
  const held = heldBack(job, pods, completed, failedIndexes)
  let failJob: string | undefined
  let heldFailures = 0
  for (const pod of pods) {
    if (!isTracked(pod)) continue
    const uid = pod.metadata.uid ?? ''
    const verdict: FailureVerdict = hasFailed(job, pod) ? judgeFailure(job, pod) : { action: 'Count' }
    failJob ??= verdict.message
    if (known.has(uid)) {
      release.push(pod)
      continue
    }
    if (held.has(pod)) {
      if (verdict.action !== 'Ignore') heldFailures += 1
      continue
    }
    if (succeededUids.length + failedUids.length >= UNCOUNTED_MAX) break
    if (isIndexed(job) && indexOf(pod, count) === undefined) {
      // Of an index that is not asked for: it neither succeeds nor fails.
      if (pod.status?.phase === 'Succeeded' || hasFailed(job, pod)) release.push(pod)
    } else if (pod.status?.phase === 'Succeeded') {
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
    failedTotal: failed + failedUids.length + heldFailures,
    release,
    failJob,
  }
}

/**
 * With a limit per index, the last failed pod of an index that will be tried again: it says how often the index has
 * failed, and stays until its successor says so.
 */
function heldBack(
  job: Job,
  pods: readonly Pod[],
  completed: ReadonlySet<number>,
  failedIndexes: ReadonlySet<number>,
): ReadonlySet<Pod> {
  const isEnding = ['SuccessCriteriaMet', 'FailureTarget'].some((type) =>
    isConditionTrue(job.status?.conditions, type),
  )
  if (job.spec.backoffLimitPerIndex === undefined || isEnding || isBeingDeleted(job)) return new Set()
  const done = new Set([...completed, ...failedIndexes])
  for (const pod of pods) {
    const index = indexOf(pod, job.spec.completions ?? 0)
    if (index === undefined) continue
    const isDone = isPodActive(pod) || pod.status?.phase === 'Succeeded'
    if (isDone || (hasFailed(job, pod) && indexFails(job, pod, judgeFailure(job, pod)))) done.add(index)
  }
  const last = lastFailures(job, pods.filter(isTracked))
  return new Set([...last].filter(([index]) => !done.has(index)).map(([, pod]) => pod))
}
