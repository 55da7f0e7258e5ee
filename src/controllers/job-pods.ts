/** How many pods a Job should have now, and which: parallelism, indexes, backoff. Pure. */
import { findCondition } from '../api/conditions.ts'
import type { Job } from '../api/kinds/job.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { isPodReady } from '../api/pods.ts'
import { parseTime } from '../base/date.ts'
import {
  failuresOf,
  failuresWith,
  finishedAt,
  hasFailed,
  lastFailures,
  replacesOnlyFailed,
} from './job-failures.ts'
import { type IndexFailures, indexOf, isTracked } from './job-pod.ts'
import type { Tally } from './job-tally.ts'
import { BURST_MAX } from './pod-set.ts'

export interface Wanted {
  readonly job: Job
  readonly tally: Tally
  readonly active: readonly Pod[]
  readonly terminating: readonly Pod[]
}

const BACKOFF_MS = 10_000
const BACKOFF_MAX_MS = 600_000

/** Without completions the first success ends the work: what runs may finish, nothing new begins. */
function wantedActive({ job, tally, active }: Wanted): number {
  const { completions, parallelism = 1 } = job.spec
  if (completions === undefined) return tally.succeededTotal > 0 ? active.length : parallelism
  const left = completions - tally.succeededTotal - tally.failedIndexes.size
  return Math.max(0, Math.min(left, parallelism))
}

/** Those that are going are waited for where only failed ones are replaced. */
function missing(wanted: Wanted): number {
  const going = replacesOnlyFailed(wanted.job) ? wanted.terminating.length : 0
  return Math.min(BURST_MAX, Math.max(0, wantedActive(wanted) - wanted.active.length - going))
}

export function toMake(wanted: Wanted): readonly object[] {
  return Array.from({ length: missing(wanted) }, () => ({}))
}

/** The lowest indexes that nobody works on and that may be tried; each has a backoff of its own with a limit per index. */
export function indexesToMake(
  wanted: Wanted,
  pods: readonly Pod[],
  now: number,
): readonly { readonly index: number; readonly failures?: IndexFailures }[] {
  const { job, tally, active, terminating } = wanted
  const count = job.spec.completions ?? 0
  const hasOwnLimit = job.spec.backoffLimitPerIndex !== undefined
  const last = hasOwnLimit ? lastFailures(job, pods) : new Map<number, Pod>()
  const busy = new Set(
    [...active, ...(replacesOnlyFailed(job) ? terminating : [])].map((pod) => indexOf(pod, count)),
  )
  const made: { index: number; failures?: IndexFailures }[] = []
  const left = missing(wanted)
  for (let index = 0; index < count && made.length < left; index += 1) {
    if (busy.has(index) || tally.completed.has(index) || tally.failedIndexes.has(index)) continue
    if (!hasOwnLimit) made.push({ index })
    else {
      const failed = last.get(index)
      if (failed && indexBackoffLeft(failed, now) > 0) continue
      made.push({ index, failures: failed ? failuresWith(job, failed) : { counted: 0, ignored: 0 } })
    }
  }
  return made
}

function indexBackoffLeft(failed: Pod, now: number): number {
  return backoffLeft(failuresOf(failed) + 1, finishedAt(failed), now)
}

/** More than wanted: those of an index twice or of none first, then the ones that have come least far. */
export function tooMany(wanted: Wanted): readonly Pod[] {
  const { job, active } = wanted
  const indexed = job.spec.completionMode === 'Indexed'
  const count = job.spec.completions ?? 0
  const taken = new Set<number>()
  const ordered = active.toSorted(byProgress)
  const wrong = ordered.toReversed().filter((pod) => {
    if (!indexed) return false
    const index = indexOf(pod, count)
    if (index === undefined || taken.has(index) || wanted.tally.completed.has(index)) return true
    taken.add(index)
    return false
  })
  const rest = ordered.filter((pod) => !wrong.includes(pod))
  const excess = Math.max(0, rest.length - wantedActive(wanted))
  return [...wrong, ...rest.slice(0, excess)].slice(0, BURST_MAX)
}

/** Upstream's ActivePods: first those without a node, pending, not ready, ready for less long, restarted, newer. */
function byProgress(a: Pod, b: Pod): number {
  const hasNode = ({ spec }: Pod) => (spec.nodeName ? 1 : 0)
  const isRunning = ({ status }: Pod) => (status?.phase === 'Running' ? 1 : 0)
  const readyAt = (pod: Pod) =>
    isPodReady(pod)
      ? -(parseTime(findCondition(pod.status?.conditions, 'Ready')?.lastTransitionTime) ?? 0)
      : Number.NEGATIVE_INFINITY
  const restarts = ({ status }: Pod) =>
    Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount))
  const madeAt = ({ metadata }: Pod) => parseTime(metadata.creationTimestamp) ?? 0
  const difference = (of: (pod: Pod) => number) => (of(a) === of(b) ? 0 : of(a) - of(b))
  return (
    difference(hasNode) ||
    difference(isRunning) ||
    difference(readyAt) ||
    -difference(restarts) ||
    -difference(madeAt) ||
    (a.metadata.name < b.metadata.name ? 1 : -1)
  )
}

/** Of a Job with a limit per index: until the next of its indexes may be tried again; undefined when none waits. */
export function indexRetryMs(job: Job, pods: readonly Pod[], now: number): number | undefined {
  if (job.spec.backoffLimitPerIndex === undefined) return undefined
  const waits = [...lastFailures(job, pods).values()]
    .map((failed) => indexBackoffLeft(failed, now))
    .filter((ms) => ms > 0)
  return waits.length > 0 ? Math.min(...waits) : undefined
}

/** When each failed pod ended (epoch ms), by uid. */
export type Failures = ReadonlyMap<string, number>

/** The failures since the last success; those of `before` count also when their pods are gone. */
export function failuresSince(job: Job, pods: readonly Pod[], before: Failures): Failures {
  const lastSuccess = Math.max(
    0,
    ...pods.filter(({ status }) => status?.phase === 'Succeeded').map(finishedAt),
  )
  // One that is being deleted, and not because it is not wanted any more, counts from then on.
  const failed = pods.filter(
    (pod) => pod.status?.phase === 'Failed' || (hasFailed(job, pod) && isTracked(pod)),
  )
  const all = [...failed.map((pod) => [pod.metadata.uid ?? '', finishedAt(pod)] as const), ...before]
  return new Map(all.filter(([, at]) => at > lastSuccess))
}

/**
 * Until another pod may be made: 10 s after the first failure since the last success, doubling with each, at most 10
 * minutes. With a limit per index each index waits by itself, and something may be due earlier than another.
 */
export function retryLeftMs({ spec }: Job, failures: Failures, now: number): number {
  if (spec.backoffLimitPerIndex !== undefined) return 0
  return backoffLeft(failures.size, Math.max(0, ...failures.values()), now)
}

function backoffLeft(failures: number, lastAt: number, now: number): number {
  if (failures === 0) return 0
  const waitMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** Math.min(failures - 1, 20))
  return Math.max(0, lastAt + waitMs - now)
}
