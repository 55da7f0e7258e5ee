/**
 * What a CronJob does now (cronjob_controllerv2.go), as a pure function: which run is due, what becomes of the one before,
 * which finished Jobs are kept.
 */
import { type CronSchedule, parseCron } from '../api/cron.ts'
import type { CronJob } from '../api/kinds/cron-job.ts'
import type { Job } from '../api/kinds/job.ts'
import { parseTime } from '../base/date.ts'
import { isFinished } from './job-plan.ts'
import { finishedAt } from './ttl-after-finished.ts'

export interface CronJobPlan {
  /** The time of the run to start, epoch ms. */
  readonly start: number | undefined
  /** Replaced by it. */
  readonly replace: readonly Job[]
  /** Finished ones beyond the history limits. */
  readonly forget: readonly Job[]
  readonly events: readonly {
    readonly type: 'Normal' | 'Warning'
    readonly reason: string
    readonly message: string
  }[]
  /** Until the next run, a little after it is due. */
  readonly lookAgainInMs: number | undefined
}

/** Added to the wait, so that the time has surely come (upstream's nextScheduleDelta). */
const DELTA_MS = 100
/** More runs than this were missed: a clock that went astray, or a suspended CronJob. */
const MISSED_MAX = 100

export interface Missed {
  /** The newest run that is due; undefined when none is. */
  readonly due: number | undefined
  readonly tooMany: boolean
}

/** Runs since the last one (or since the CronJob was made), no older than startingDeadlineSeconds. */
export function missedRuns({ metadata, spec, status }: CronJob, now: number): Missed {
  const since = parseTime(status?.lastScheduleTime) ?? parseTime(metadata.creationTimestamp) ?? now
  const deadline = spec.startingDeadlineSeconds
  const from = deadline === undefined ? since : Math.max(since, now - deadline * 1000)
  const schedule = parseCron(spec.schedule, spec.timeZone)
  const first = schedule.next(from)
  if (first === undefined || first > now) return { due: undefined, tooMany: false }
  const second = schedule.next(first)
  if (second === undefined || second > now) return { due: first, tooMany: false }
  // As upstream: how many there were is told by the first two, however many years it is.
  const between = second - first
  const count = Math.floor((now - first) / between) + 1
  return { due: newestRun(schedule, first + (count - 2) * between, first, now), tooMany: count > MISSED_MAX }
}

/** Near `guess`, where the schedule is regular; else found by halving the time since `first`. */
function newestRun(schedule: CronSchedule, guess: number, first: number, now: number): number {
  const isDue = (at: number | undefined): at is number => at !== undefined && at <= now
  let newest: number | undefined
  for (let at = schedule.next(guess); isDue(at); at = schedule.next(at)) newest = at
  if (newest !== undefined) return newest
  let [since, until] = [first, now]
  while (until - since > 1000) {
    const middle = Math.floor((since + until) / 2)
    if (isDue(schedule.next(middle))) since = middle
    else until = middle
  }
  const found = schedule.next(since)
  return isDue(found) ? found : first
}

/** Its own jobs that run, as the status names them: one that somebody else started for it is not its concern. */
function activeOf({ status }: CronJob, jobs: readonly Job[]): readonly Job[] {
  const listed = new Set(status?.active?.map(({ uid }) => uid))
  return jobs.filter((job) => !isFinished(job) && listed.has(job.metadata.uid))
}

export function planCronJob(cronJob: CronJob, jobs: readonly Job[], now: number): CronJobPlan {
  const { spec, metadata } = cronJob
  const active = activeOf(cronJob, jobs)
  const forget = [
    ...oldest(jobs, 'Complete', spec.successfulJobsHistoryLimit ?? 3),
    ...oldest(jobs, 'Failed', spec.failedJobsHistoryLimit ?? 1),
  ]
  const idle = { start: undefined, replace: [], forget, events: [] }
  if (spec.suspend || metadata.deletionTimestamp !== undefined) return { ...idle, lookAgainInMs: undefined }
  const said = (reason: string, message: string): CronJobPlan => ({
    ...idle,
    events: [{ type: 'Warning', reason, message }],
    lookAgainInMs: undefined,
  })
  const schedule = scheduleOf(cronJob)
  if (schedule instanceof Error)
    return said(
      'UnparseableSchedule',
      `unparseable schedule: ${JSON.stringify(spec.schedule)} : ${schedule.message}`,
    )
  if (schedule.next(now) === undefined)
    return said(
      'InvalidSchedule',
      `invalid schedule: ${spec.schedule} : time difference between two schedules is less than 1 second`,
    )
  const next = schedule.next(now)
  const lookAgainInMs = next === undefined ? undefined : next - now + DELTA_MS
  const { due, tooMany } = missedRuns(cronJob, now)
  const events: CronJobPlan['events'][number][] = tooMany
    ? [
        {
          type: 'Warning',
          reason: 'TooManyMissedTimes',
          message:
            'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
        },
      ]
    : []
  if (due === undefined) return { ...idle, events, lookAgainInMs }
  const deadline = spec.startingDeadlineSeconds
  if (deadline !== undefined && due + deadline * 1000 < now) {
    const message = `Missed scheduled time to start a job: ${rfc1123(due)}`
    return {
      ...idle,
      events: [...events, { type: 'Warning', reason: 'MissSchedule', message }],
      lookAgainInMs,
    }
  }
  if (spec.concurrencyPolicy === 'Forbid' && active.length > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid'
    return {
      ...idle,
      events: [...events, { type: 'Normal', reason: 'JobAlreadyActive', message }],
      lookAgainInMs,
    }
  }
  const replace = spec.concurrencyPolicy === 'Replace' ? active : []
  return { start: due, replace, forget, events, lookAgainInMs }
}

/** "report-29380000": the CronJob and the minute of the run. */
export function jobNameOf({ metadata }: CronJob, at: number): string {
  return `${metadata.name}-${Math.floor(at / 60_000)}`
}

/** An Error says why it cannot be read: it was stored before it was checked. */
function scheduleOf({ spec }: CronJob): CronSchedule | Error {
  try {
    return parseCron(spec.schedule, spec.timeZone)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function oldest(jobs: readonly Job[], type: 'Complete' | 'Failed', keep: number): readonly Job[] {
  const ended = jobs
    .filter(({ status }) =>
      status?.conditions?.some((condition) => condition.type === type && condition.status === 'True'),
    )
    .toSorted((a, b) => startOf(a) - startOf(b) || (a.metadata.name < b.metadata.name ? -1 : 1))
  return ended.slice(0, Math.max(0, ended.length - keep))
}

function startOf(job: Job): number {
  return parseTime(job.status?.startTime) ?? finishedAt(job) ?? 0
}

function rfc1123(at: number): string {
  const parts = Object.fromEntries(RFC_1123.formatToParts(at).map(({ type, value }) => [type, value]))
  const { weekday, day, month, year, hour, minute, second } = parts
  return `${weekday}, ${day} ${month} ${year} ${hour}:${minute}:${second} +0000`
}

const RFC_1123 = new Intl.DateTimeFormat('en-US', {
  timeZone: 'UTC',
  hourCycle: 'h23',
  weekday: 'short',
  day: '2-digit',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})
