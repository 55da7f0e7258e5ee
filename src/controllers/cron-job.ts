/** Starts Jobs at the times of a CronJob, and keeps account of them. When and what is decided in cron-job-plan.ts. */
import { formatTimeIn } from '../api/cron.ts'
import { type CronJob, cronJob } from '../api/kinds/cron-job.ts'
import { type Job, job } from '../api/kinds/job.ts'
import { apiVersionOf, controllerOf, controllerReference } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
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
    const isGone = new Set([...plan.forget, ...plan.replace])
    const left = jobs.filter((each) => !isGone.has(each))
    const started = plan.start === undefined ? undefined : await start(context, found, plan.start)
    const status = statusOf(context, found, left, started, plan.start)
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
      if (controllerOf(existing)?.uid === found.metadata.uid) return existing
    }
    events.event(found, 'Warning', 'FailedCreate', `Error creating job: ${(error as Error).message}`)
    throw error
  }
}

function statusOf(
  { events }: ReconcileContext,
  found: CronJob,
  jobs: readonly Job[],
  started: Job | undefined,
  at: number | undefined,
): NonNullable<CronJob['status']> {
  const running = [
    ...jobs,
    ...(started && !jobs.some(({ metadata }) => metadata.uid === started.metadata.uid) ? [started] : []),
  ]
  const byUid = new Map(running.map((each) => [each.metadata.uid, each]))
  for (const { uid, name } of found.status?.active ?? []) {
    const each = byUid.get(uid)
    if (!each) events.event(found, 'Normal', 'MissingJob', `Active job went missing: ${name}`)
    else if (isFinished(each)) {
      const type = each.status?.conditions?.find(
        ({ status, type }) => status === 'True' && (type === 'Complete' || type === 'Failed'),
      )?.type
      events.event(found, 'Normal', 'SawCompletedJob', `Saw completed job: ${name}, condition: ${type}`)
    }
  }
  const active = running
    .filter((each) => !isFinished(each))
    .map(({ apiVersion, kind, metadata: { namespace, name, uid, resourceVersion } }) => {
      const known = found.status?.active?.find((reference) => reference.uid === uid)
      return known ?? { apiVersion, kind, namespace, name, uid, resourceVersion }
    })
  const ends = running.flatMap(({ status }) => parseTime(status?.completionTime) ?? [])
  const lastSuccess = Math.max(parseTime(found.status?.lastSuccessfulTime) ?? 0, ...ends)
  return {
    ...(active.length > 0 ? { active } : {}),
    ...(at === undefined
      ? found.status?.lastScheduleTime
        ? { lastScheduleTime: found.status.lastScheduleTime }
        : {}
      : { lastScheduleTime: formatTime(at) }),
    ...(lastSuccess > 0 ? { lastSuccessfulTime: formatTime(lastSuccess) } : {}),
  }
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
