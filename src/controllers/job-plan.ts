/**
 * One step of a Job (job_controller.go syncJob), as a pure function: what it has come to, which pods to make and delete,
 * and its status. A verdict is first SuccessCriteriaMet or FailureTarget; Complete or Failed follows when the last pod is
 * down and counted.
 */
import { findCondition, isConditionTrue, removeCondition, setCondition } from '../api/conditions.ts'
import type { V1JobCondition, V1JobStatus } from '../api/generated/types.ts'
import type { Job } from '../api/kinds/job.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { isPodActive, isPodReady, isPodTerminal, restartCount } from '../api/pods.ts'
import { isBeingDeleted } from '../api/resource.ts'
import { formatTime, parseTime } from '../base/date.ts'
import { formatIndexes, parseRuns } from './job-indexes.ts'
import type { IndexFailures } from './job-pod.ts'
import {
  type Failures,
  failuresSince,
  indexesToMake,
  indexRetryMs,
  retryLeftMs,
  toMake,
  tooMany,
} from './job-pods.ts'
import { isIndexed, type Tally, tallyOf } from './job-tally.ts'

export interface JobObserved {
  readonly job: Job
  /** All pods it controls, finished and terminating ones as well. */
  readonly pods: readonly Pod[]
  /** As the last plan has them. */
  readonly failures?: Failures | undefined
  /** Epoch ms. */
  readonly now: number
}

export interface JobEvent {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export interface JobPlan {
  /** One for each pod to make: its index and that index's failures, of an Indexed Job. */
  readonly create: readonly { readonly index?: number; readonly failures?: IndexFailures }[]
  readonly remove: readonly Pod[]
  /** The Job has failed: what is removed counts as failed as well. */
  readonly hasFailed: boolean
  /** Since the last success; to be given to the next plan. */
  readonly failures: Failures
  /** To be done when the status has been written. */
  readonly release: readonly Pod[]
  readonly status: V1JobStatus
  readonly events: readonly JobEvent[]
  readonly lookAgainInMs: number | undefined
}

const TOO_MANY: JobEvent = {
  type: 'Warning',
  reason: 'TooManySucceededPods',
  message: 'Too many succeeded pods running after completion count reached',
}

interface Verdict {
  readonly type: 'SuccessCriteriaMet' | 'FailureTarget'
  readonly reason: string
  readonly message: string
}

export function isFinished({ status }: Job): boolean {
  return isConditionTrue(status?.conditions, 'Complete') || isConditionTrue(status?.conditions, 'Failed')
}

export function planJob(observed: JobObserved): JobPlan {
  const { job, pods, now } = observed
  const tally = tallyOf(job, pods)
  const active = pods.filter(isPodActive)
  const terminating = pods.filter((pod) => isBeingDeleted(pod) && !isPodTerminal(pod))
  const startedAt = job.spec.suspend ? undefined : (parseTime(job.status?.startTime) ?? now)
  const isStarting = startedAt !== undefined && job.status?.startTime === undefined
  const verdict = verdictOf(observed, tally, active, startedAt)
  const deadlineLeftMs = deadlineIn(job, startedAt, now)
  const isGoing = isBeingDeleted(job)
  const mayMake = !verdict && !isGoing && !job.spec.suspend
  const failures = failuresSince(job, pods, observed.failures ?? new Map())
  const backoffMs = mayMake ? retryLeftMs(job, failures, now) : 0
  const wanted = { job, tally, active, terminating }
  const create =
    !mayMake || backoffMs > 0 ? [] : isIndexed(job) ? indexesToMake(wanted, pods, now) : toMake(wanted)
  const remove = verdict || job.spec.suspend ? (isGoing ? [] : active) : mayMake ? tooMany(wanted) : []
  const isDown = active.length === 0 && terminating.length === 0 && create.length === 0
  const isCounted = tally.uncounted.succeeded.length + tally.uncounted.failed.length === 0
  const { conditions, events } = conditionsOf(
    observed,
    verdict,
    isDown && isCounted && remove.length === 0,
    tally.succeeded,
  )
  const isComplete = isConditionTrue(conditions, 'Complete')
  const resumed = events.some(({ reason }) => reason === 'Resumed')
  const startTime =
    startedAt === undefined ? undefined : isStarting || resumed ? formatTime(now) : job.status?.startTime
  const retryMs = backoffMs > 0 ? backoffMs : mayMake ? indexRetryMs(job, pods, now) : undefined
  const waits = [deadlineLeftMs, retryMs].filter((ms) => ms !== undefined)
  return {
    create,
    remove,
    hasFailed: verdict?.type === 'FailureTarget',
    failures,
    release: tally.release,
    status: {
      ...(active.length - remove.length > 0 || create.length > 0
        ? { active: active.length - remove.length + create.length }
        : {}),
      ready: active.filter(isPodReady).length,
      terminating: terminating.length,
      ...(tally.succeeded > 0 ? { succeeded: tally.succeeded } : {}),
      ...(tally.failed > 0 ? { failed: tally.failed } : {}),
      ...(isIndexed(job) && tally.completed.size > 0
        ? { completedIndexes: formatIndexes(tally.completed) }
        : {}),
      ...(job.spec.backoffLimitPerIndex === undefined
        ? {}
        : { failedIndexes: formatIndexes(tally.failedIndexes) }),
      uncountedTerminatedPods: {
        ...(tally.uncounted.succeeded.length > 0 ? { succeeded: tally.uncounted.succeeded } : {}),
        ...(tally.uncounted.failed.length > 0 ? { failed: tally.uncounted.failed } : {}),
      },
      ...(startTime === undefined ? {} : { startTime }),
      ...(isComplete ? { completionTime: job.status?.completionTime ?? formatTime(now) } : {}),
      ...(conditions.length > 0 ? { conditions } : {}),
    },
    events,
    lookAgainInMs: waits.length > 0 ? Math.min(...waits) : undefined,
  }
}

function verdictOf(
  { job, pods, now }: JobObserved,
  tally: Tally,
  active: readonly Pod[],
  startedAt: number | undefined,
): Verdict | undefined {
  for (const type of ['SuccessCriteriaMet', 'FailureTarget'] as const) {
    const known = findCondition(job.status?.conditions, type)
    if (known?.status === 'True') return { type, reason: known.reason ?? '', message: known.message ?? '' }
  }
  const failed = (reason: string, message: string): Verdict => ({ type: 'FailureTarget', reason, message })
  const { spec } = job
  if (tally.failJob !== undefined) return failed('PodFailurePolicy', tally.failJob)
  if (tally.failedTotal > (spec.backoffLimit ?? 6) || restartedTooOften(job, pods))
    return failed('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  if (isPastDeadline(job, startedAt, now))
    return failed('DeadlineExceeded', 'Job was active longer than specified deadline')
  if (isIndexed(job)) {
    const count = spec.completions ?? 0
    const { completed, failedIndexes } = tally
    if (spec.maxFailedIndexes !== undefined && failedIndexes.size > spec.maxFailedIndexes)
      return failed(
        'MaxFailedIndexesExceeded',
        'Job has exceeded the specified maximal number of failed indexes',
      )
    if (failedIndexes.size > 0 && failedIndexes.size + completed.size >= count)
      return failed('FailedIndexes', 'Job has failed indexes')
    const rule = matchingSuccessRule(job, completed)
    if (rule !== undefined)
      return {
        type: 'SuccessCriteriaMet',
        reason: 'SuccessPolicy',
        message: `Matched rules at index ${rule}`,
      }
  }
  const isComplete =
    spec.completions === undefined
      ? tally.succeededTotal > 0 && active.length === 0
      : tally.succeededTotal >= spec.completions && active.length === 0
  if (!isComplete) return undefined
  const message = 'Reached expected number of succeeded pods'
  return { type: 'SuccessCriteriaMet', reason: 'CompletionsReached', message }
}

/** With restartPolicy OnFailure containers are started again in place; those count against the limit too. */
function restartedTooOften({ spec }: Job, pods: readonly Pod[]): boolean {
  if (spec.template.spec?.restartPolicy !== 'OnFailure') return false
  const running = pods.filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending')
  const restarts = running.reduce(
    (sum, pod) =>
      sum +
      restartCount(pod) +
      (pod.status?.initContainerStatuses ?? []).reduce((init, status) => init + status.restartCount, 0),
    0,
  )
  const limit = spec.backoffLimit ?? 6
  return limit === 0 ? restarts > 0 : restarts >= limit
}

function deadlineIn({ spec, status }: Job, startedAt: number | undefined, now: number): number | undefined {
  if (spec.activeDeadlineSeconds === undefined || startedAt === undefined) return undefined
  if (isConditionTrue(status?.conditions, 'FailureTarget')) return undefined
  return Math.max(0, startedAt + spec.activeDeadlineSeconds * 1000 - now)
}

function isPastDeadline({ spec, status }: Job, startedAt: number | undefined, now: number): boolean {
  if (spec.activeDeadlineSeconds === undefined || startedAt === undefined || !status?.startTime) return false
  return now - startedAt >= spec.activeDeadlineSeconds * 1000
}

/** The first rule whose indexes have all succeeded, or enough of them. */
function matchingSuccessRule({ spec }: Job, completed: ReadonlySet<number>): number | undefined {
  const rules = spec.successPolicy?.rules ?? []
  const found = rules.findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return completed.size >= (succeededCount ?? Number.POSITIVE_INFINITY)
    const runs = parseRuns(succeededIndexes, spec.completions ?? 0)
    const hits = [...completed].filter((index) =>
      runs.some(([first, last]) => index >= first && index <= last),
    )
    const all = runs.reduce((sum, [first, last]) => sum + last - first + 1, 0)
    return hits.length >= (succeededCount ?? all)
  })
  return found < 0 ? undefined : found
}

function conditionsOf(
  { job, now }: JobObserved,
  verdict: Verdict | undefined,
  isOver: boolean,
  succeeded: number,
): { conditions: readonly V1JobCondition[]; events: JobEvent[] } {
  const events: JobEvent[] = []
  let conditions: readonly V1JobCondition[] = job.status?.conditions ?? []
  const set = (type: string, status: string, reason: string, message: string) => {
    const before = findCondition(conditions, type)
    if (before?.status === status) return false
    const at = formatTime(now)
    conditions = [
      ...removeCondition(conditions, type),
      ...setCondition<V1JobCondition>([], { type, status, reason, message, lastProbeTime: at }, now),
    ]
    return true
  }
  if (verdict) {
    const { type, reason, message } = verdict
    set(type, 'True', reason, message)
    const isSuccess = type === 'SuccessCriteriaMet'
    if (isOver && set(isSuccess ? 'Complete' : 'Failed', 'True', reason, message)) {
      if (isSuccess && succeeded > (job.spec.completions ?? succeeded)) events.push(TOO_MANY)
      events.push(
        isSuccess
          ? { type: 'Normal', reason: 'Completed', message: 'Job completed' }
          : { type: 'Warning', reason, message },
      )
    }
    return { conditions, events }
  }
  const wasSuspended = isConditionTrue(conditions, 'Suspended')
  if (job.spec.suspend && set('Suspended', 'True', 'JobSuspended', 'Job suspended'))
    events.push({ type: 'Normal', reason: 'Suspended', message: 'Job suspended' })
  else if (!job.spec.suspend && wasSuspended) {
    set('Suspended', 'False', 'JobResumed', 'Job resumed')
    events.push({ type: 'Normal', reason: 'Resumed', message: 'Job resumed' })
  }
  return { conditions, events }
}
