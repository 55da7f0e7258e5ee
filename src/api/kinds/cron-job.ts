import { ageColumn, ageText, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { isTimeZone, parseCron } from '../cron.ts'
import { notNegative, oneOf } from '../field-rules.ts'
import type { V1CronJob } from '../generated/types.ts'
import { validateJobSpec } from '../job-validation.ts'
import { defineKind } from '../kind.ts'
import { defaultPodTemplate } from '../pod-defaults.ts'
import type { Stored } from '../resource.ts'
import { formatLabelSelector } from '../selectors.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'
import { templateColumns } from '../workload.ts'

export type CronJob = Stored<V1CronJob>

/** A Job's name is the CronJob's with 11 characters more, and labels its pods. */
const NAME_MAX = 52

export const cronJob = defineKind<CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  plural: 'cronjobs',
  scope: 'Namespaced',
  shortNames: ['cj'],
  categories: ['all'],
  schema: 'V1CronJob',
  applyWave: WAVE.workload,
  subresources: { status: true },
  setDefaults,
  prepareForCreate: (resource) => ({ ...resource, status: {} }),
  validate,
  columns: [
    nameColumn,
    textColumn('Schedule', 'The schedule in Cron format.', ({ spec }) => spec.schedule),
    textColumn('Timezone', 'The time zone of the schedule.', ({ spec }) => spec.timeZone ?? '<none>'),
    textColumn('Suspend', 'Whether subsequent executions are suspended.', ({ spec }) =>
      spec.suspend ? 'True' : 'False',
    ),
    {
      name: 'Active',
      type: 'integer',
      description: 'Number of currently running jobs.',
      value: ({ status }) => status?.active?.length ?? 0,
    },
    textColumn('Last Schedule', 'When the job was last successfully scheduled.', ({ status }, now) =>
      status?.lastScheduleTime ? ageText(status.lastScheduleTime, now) : '<none>',
    ),
    ageColumn,
    ...templateColumns<CronJob>(
      ({ spec }) => spec.jobTemplate.spec?.template,
      ({ spec }) => formatLabelSelector(spec.jobTemplate.spec?.selector),
    ),
  ],
  health: ({ spec }) =>
    spec.suspend ? { status: 'Suspended', message: 'CronJob is suspended' } : { status: 'Healthy' },
  example: {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'report', namespace: 'default' },
    spec: {
      schedule: '0 6 * * *',
      jobTemplate: {
        spec: {
          template: {
            spec: {
              restartPolicy: 'OnFailure',
              containers: [{ name: 'app', image: 'registry.example/report:1' }],
            },
          },
        },
      },
    },
  },
})

function setDefaults(resource: CronJob): CronJob {
  const { spec } = resource
  const { jobTemplate } = spec
  return {
    ...resource,
    spec: {
      ...spec,
      concurrencyPolicy: spec.concurrencyPolicy || 'Allow',
      suspend: spec.suspend ?? false,
      successfulJobsHistoryLimit: spec.successfulJobsHistoryLimit ?? 3,
      failedJobsHistoryLimit: spec.failedJobsHistoryLimit ?? 1,
      jobTemplate: {
        ...jobTemplate,
        spec: { ...jobTemplate?.spec, template: defaultPodTemplate(jobTemplate?.spec?.template) },
      },
    },
  }
}

function validate({ metadata, spec }: CronJob): StatusCause[] {
  const wrong = [
    ...validateSchedule(spec),
    ...notNegative(spec.startingDeadlineSeconds, 'spec.startingDeadlineSeconds'),
    ...notNegative(spec.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit'),
    ...notNegative(spec.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit'),
    ...oneOf(spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'], 'spec.concurrencyPolicy'),
  ]
  if (metadata.name.length > NAME_MAX)
    wrong.push(fault.invalid('metadata.name', metadata.name, `must be no more than ${NAME_MAX} characters`))
  const job = spec.jobTemplate.spec
  if (!job) return [...wrong, fault.required('spec.jobTemplate.spec')]
  if (job.manualSelector)
    wrong.push(fault.notSupported('spec.jobTemplate.spec.manualSelector', true, ['nil', 'false']))
  return [...wrong, ...validateJobSpec(job, 'spec.jobTemplate.spec')]
}

function validateSchedule({ schedule, timeZone }: CronJob['spec']): StatusCause[] {
  const wrong: StatusCause[] = []
  if (!schedule) wrong.push(fault.required('spec.schedule'))
  else if (/TZ/.test(schedule))
    wrong.push(
      fault.invalid(
        'spec.schedule',
        schedule,
        'cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
      ),
    )
  else {
    try {
      parseCron(schedule)
    } catch (error) {
      wrong.push(fault.invalid('spec.schedule', schedule, (error as Error).message))
    }
  }
  if (timeZone === undefined) return wrong
  if (timeZone === '')
    wrong.push(fault.invalid('spec.timeZone', timeZone, 'timeZone must be nil or non-empty string'))
  else if (timeZone.toLowerCase() === 'local')
    wrong.push(
      fault.invalid(
        'spec.timeZone',
        timeZone,
        'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
      ),
    )
  else if (!isTimeZone(timeZone))
    wrong.push(fault.invalid('spec.timeZone', timeZone, `unknown time zone ${timeZone}`))
  return wrong
}
