/** How many pods a Job should have now, and which: parallelism, indexes, backoff. Pure. */
import { findCondition } from '../api/conditions.ts'
import type { Job } from '../api/kinds/job.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { isPodReady } from '../api/pods.ts'
import { parseTime } from '../base/date.ts'
import { failuresBefore, indexOf } from './job-pod.ts'
import { hasFailed, replacesOnlyFailed, type Tally } from './job-tally.ts'
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
): readonly { readonly index: number; readonly failures?: number }[] {
  const { job, tally, active, terminating } = wanted
  const count = job.spec.completions ?? 0
  const hasOwnLimit = job.spec.backoffLimitPerIndex !== undefined
  const busy = new Set(
    [...active, ...(replacesOnlyFailed(job) ? terminating : [])].map((pod) => indexOf(pod, count)),
  )
  const made: { index: number; failures?: number }[] = []
  const left = missing(wanted)
  for (let index = 0; index < count && made.length < left; index += 1) {
    if (busy.has(index) || tally.completed.has(index) || tally.failedIndexes.has(index)) continue
    if (!hasOwnLimit) made.push({ index })
    else {
      const failed = pods.filter((pod) => indexOf(pod, count) === index && hasFailed(job, pod))
      if (backoffLeft(failed, now) > 0) continue
      const failures = failed.reduce((most, pod) => Math.max(most, failuresBefore(pod) + 1), 0)
      made.push({ index, failures })
    }
  }
  return made
}

/** More than wanted: those of an index twice or of none first, then the ones that have come least far. */
export function tooMany(wanted: Wanted): readonly Pod[] {
  const { job, active } = wanted
  const indexed = job.spec.completionMode === 'Indexed'
  const count = job.spec.completions ?? 0
  const seen = new Set<number>()
  const wrong = active.filter((pod) => {
    if (!indexed) return false
    const index = indexOf(pod, count)
    if (index === undefined || seen.has(index) || wanted.tally.completed.has(index)) return true
    seen.add(index)
    return false
  })
  const rest = active.filter((pod) => !wrong.includes(pod)).toSorted(byProgress)
  const excess = Math.max(0, rest.length - wantedActive(wanted))
  return [...wrong, ...rest.slice(0, excess)].slice(0, BURST_MAX)
}

function byProgress(a: Pod, b: Pod): number {
  const ready = Number(isPodReady(a)) - Number(isPodReady(b))
  const at = ({ metadata }: Pod) => parseTime(metadata.creationTimestamp) ?? 0
  return ready || at(b) - at(a) || (a.metadata.name < b.metadata.name ? 1 : -1)
}

/** Of a Job with a limit per index: until the next of its indexes may be tried again; undefined when none waits. */
export function indexRetryMs(job: Job, pods: readonly Pod[], now: number): number | undefined {
  if (job.spec.backoffLimitPerIndex === undefined) return undefined
  const byIndex = new Map<number | undefined, Pod[]>()
  for (const pod of pods) {
    const index = indexOf(pod, job.spec.completions ?? 0)
    if (hasFailed(job, pod)) byIndex.set(index, [...(byIndex.get(index) ?? []), pod])
  }
  const waits = [...byIndex.values()].map((failed) => backoffLeft(failed, now)).filter((ms) => ms > 0)
  return waits.length > 0 ? Math.min(...waits) : undefined
}

/**
 * Until another pod may be made: 10 s after the first failure since the last success, doubling with each, at most 10
 * minutes. With a limit per index each index waits by itself, and something may be due earlier than another.
 */
export function retryLeftMs(job: Job, pods: readonly Pod[], now: number): number {
  const finished = pods.filter(({ status }) => status?.phase === 'Succeeded' || status?.phase === 'Failed')
  if (job.spec.backoffLimitPerIndex !== undefined) return 0
  const lastSuccess = Math.max(
    0,
    ...finished.filter(({ status }) => status?.phase === 'Succeeded').map(finishedAt),
  )
  return backoffLeft(
    finished.filter((pod) => pod.status?.phase === 'Failed' && finishedAt(pod) > lastSuccess),
    now,
  )
}

function backoffLeft(failed: readonly Pod[], now: number): number {
  if (failed.length === 0) return 0
  const last = Math.max(...failed.map(finishedAt))
  const waitMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** Math.min(failed.length - 1, 20))
  return Math.max(0, last + waitMs - now)
}

/** When the last container ended; else when the pod stopped being ready, or was made. */
function finishedAt({ status, metadata }: Pod): number {
  const ends = (status?.containerStatuses ?? []).flatMap(
    ({ state }) => parseTime(state?.terminated?.finishedAt) ?? [],
  )
  if (ends.length > 0) return Math.max(...ends)
  const ready = findCondition(status?.conditions, 'Ready')
  return parseTime(ready?.lastTransitionTime) ?? parseTime(metadata.creationTimestamp) ?? 0
}
