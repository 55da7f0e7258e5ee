/** Starts Jobs at the times of a CronJob, and keeps account of them. When and what is decided in cron-job-plan.ts. */
import { isConditionTrue } from '../api/conditions.ts'
import { formatTimeIn } from '../api/cron.ts'
import { type CronJob, cronJob } from '../api/kinds/cron-job.ts'
import { type Job, job } from '../api/kinds/job.ts'
import { apiVersionOf, controllerOf, controllerReference } from '../api/resource.ts'
import { isNamespaceTerminating, isReason } from '../api/status.ts'
import { formatTime, parseTime } from '../base/date.ts'
import { deepEqual } from '../base/json.ts'
import type { Controller, ReconcileContext } from './controller.ts'
import { jobNameOf, planCronJob } from './cron-job-plan.ts'
import { isFinished } from './job-plan.ts'

const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp'

export const cronJobController: Controller<CronJob> = {
  name: 'cronjob',
  kind: cronJob,
  owns: [job],
  async reconcile(context, found) {
    const { client, informers, events, env } = context
    const jobs = informers.of(job).byIndex('owner', found.metadata.uid ?? '')
    const now = env.clock.now()
    const plan = planCronJob(found, jobs, now)
    for (const { type, reason, message } of plan.events) events.event(found, type, reason, message)
    for (const each of plan.forget) await remove(context, found, each)
    for (const each of plan.replace) await remove(context, found, each)
    const started = plan.start === undefined ? undefined : await start(context, found, plan.start)
    const status = statusOf(context, found, { jobs, replaced: plan.replace, started, at: plan.start })
    if (!deepEqual(found.status ?? {}, status))
      await client.update(cronJob, { ...found, status }, { subresource: 'status' })
    return plan.lookAgainInMs === undefined ? undefined : { requeueAfterMs: plan.lookAgainInMs }
  },
}

async function start(
  { client, events }: ReconcileContext,
  found: CronJob,
  at: number,
): Promise<Job | undefined> {
  const { metadata, spec } = found.spec.jobTemplate
  const name = jobNameOf(found, at)
  const made: Job = {
    apiVersion: apiVersionOf(job),
    kind: job.kind,
    metadata: {
      name,
      namespace: found.metadata.namespace,
      labels: { ...metadata?.labels },
      annotations: { ...metadata?.annotations, [SCHEDULED_AT]: formatTimeIn(at, found.spec.timeZone) },
      ownerReferences: [controllerReference(found)],
    },
    spec: spec ?? { template: {} },
  }
  try {
    const created = await client.create(job, made)
    events.event(found, 'Normal', 'SuccessfulCreate', `Created job ${name}`)
    return created
  } catch (error) {
    if (isReason(error, 'AlreadyExists')) {
      const existing = await client.get(job, { namespace: found.metadata.namespace, name })
      // Somebody else's: this run is theirs.
      return controllerOf(existing)?.uid === found.metadata.uid ? existing : undefined
    }
    if (isNamespaceTerminating(error)) throw error
    events.event(found, 'Warning', 'FailedCreate', `Error creating job: ${(error as Error).message}`)
    throw error
  }
}

interface Turn {
  /** All that it owns. */
  readonly jobs: readonly Job[]
  readonly replaced: readonly Job[]
  readonly started: Job | undefined
  /** The time of the run that was to be started. */
  readonly at: number | undefined
}

/** Says what became of the jobs that ran, and lists those that run now. */
function statusOf(
  { events }: ReconcileContext,
  found: CronJob,
  { jobs, replaced, started, at }: Turn,
): NonNullable<CronJob['status']> {
  const { active: before = [], lastScheduleTime, lastSuccessfulTime } = found.status ?? {}
  const byUid = new Map(jobs.map((each) => [each.metadata.uid, each]))
  const active = before.filter(({ uid, name }) => {
    const each = byUid.get(uid)
    if (each && replaced.includes(each)) return false
    if (each && !isFinished(each)) return true
    if (!each) events.event(found, 'Normal', 'MissingJob', `Active job went missing: ${name}`)
    else {
      const end = ['Complete', 'Failed'].find((type) => isConditionTrue(each.status?.conditions, type))
      events.event(found, 'Normal', 'SawCompletedJob', `Saw completed job: ${name}, condition: ${end}`)
    }
    return false
  })
  const listed = new Set([...before.map(({ uid }) => uid), started?.metadata.uid])
  for (const each of jobs.filter(({ metadata }) => !listed.has(metadata.uid)))
    if (!isFinished(each)) {
      const message = `Saw a job that the controller did not create or forgot: ${each.metadata.name}`
      events.event(found, 'Warning', 'UnexpectedJob', message)
    }
  const isListed = active.some(({ uid }) => uid === started?.metadata.uid)
  const ends = jobs
    .filter(({ status }) => isConditionTrue(status?.conditions, 'Complete'))
    .flatMap(({ status }) => parseTime(status?.completionTime) ?? [])
  const lastSuccess = Math.max(parseTime(lastSuccessfulTime) ?? 0, ...ends)
  const scheduledAt = started && at !== undefined ? formatTime(at) : lastScheduleTime
  const all = started && !isListed && !isFinished(started) ? [...active, referenceTo(started)] : active
  return {
    ...(all.length > 0 ? { active: all } : {}),
    ...(scheduledAt ? { lastScheduleTime: scheduledAt } : {}),
    ...(lastSuccess > 0 ? { lastSuccessfulTime: formatTime(lastSuccess) } : {}),
  }
}

function referenceTo({ apiVersion, kind, metadata: { namespace, name, uid, resourceVersion } }: Job) {
  return { apiVersion, kind, namespace, name, uid, resourceVersion }
}

async function remove({ client, events }: ReconcileContext, found: CronJob, doomed: Job): Promise<void> {
  const { namespace, name, uid } = doomed.metadata
  try {
    await client.delete(job, { namespace, name }, { propagationPolicy: 'Background', preconditions: { uid } })
    events.event(found, 'Normal', 'SuccessfulDelete', `Deleted job ${name}`)
  } catch (error) {
    if (isReason(error, 'NotFound')) return
    events.event(found, 'Warning', 'FailedDelete', `Deleted job: ${(error as Error).message}`)
    throw error
  }
}
