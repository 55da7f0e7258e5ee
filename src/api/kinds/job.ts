import { parseTime } from '../../base/date.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { findCondition } from '../conditions.ts'
import { humanDuration } from '../duration.ts'
import type { V1Job } from '../generated/types.ts'
import { validateJobSelector, validateJobSpec, validateJobUpdate } from '../job-validation.ts'
import { defineKind, type Health } from '../kind.ts'
import { defaultPodTemplate } from '../pod-defaults.ts'
import type { Stored } from '../resource.ts'
import { formatLabelSelector } from '../selectors.ts'
import { WAVE } from '../waves.ts'
import { templateColumns } from '../workload.ts'

export type Job = Stored<V1Job>

const CONTROLLER_UID = 'batch.kubernetes.io/controller-uid'
const JOB_NAME = 'batch.kubernetes.io/job-name'
/** With backoffLimitPerIndex the Job as a whole has no limit of its own. */
const NO_LIMIT = 2 ** 31 - 1

export const job = defineKind<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  scope: 'Namespaced',
  categories: ['all'],
  schema: 'V1Job',
  applyWave: WAVE.workload,
  subresources: { status: true },
  orphansDependents: true,
  fieldSelectors: { 'status.successful': ({ status }) => String(status?.succeeded ?? 0) },
  setDefaults,
  prepareForCreate: (resource) => ({ ...withGeneratedSelector(resource), status: {} }),
  validate: ({ spec }) => [...validateJobSpec(spec, 'spec'), ...validateJobSelector(spec)],
  validateUpdate: (resource, old) =>
    validateJobUpdate(
      resource.spec,
      old.spec,
      old.spec.suspend === true && old.status?.startTime === undefined,
    ),
  columns: [
    nameColumn,
    textColumn('Status', 'Status of the job.', statusText),
    textColumn('Completions', 'Succeeded pods, of those that are wanted.', ({ spec, status }) => {
      const succeeded = status?.succeeded ?? 0
      if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`
      return (spec.parallelism ?? 0) > 1 ? `${succeeded}/1 of ${spec.parallelism}` : `${succeeded}/1`
    }),
    textColumn('Duration', 'Time required to complete the job.', ({ status }, now) => {
      const startedAt = parseTime(status?.startTime)
      if (startedAt === undefined) return ''
      return humanDuration((parseTime(status?.completionTime) ?? now) - startedAt)
    }),
    ageColumn,
    ...templateColumns<Job>(
      ({ spec }) => spec.template,
      ({ spec }) => formatLabelSelector(spec.selector),
    ),
  ],
  health,
  example: {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'migrate', namespace: 'default' },
    spec: {
      template: {
        spec: {
          restartPolicy: 'Never',
          containers: [{ name: 'app', image: 'registry.example/migrate:1' }],
        },
      },
    },
  },
})

function setDefaults(resource: Job): Job {
  const { metadata, spec } = resource
  const isPlain = spec.completions === undefined && spec.parallelism === undefined
  const labels = spec.template?.metadata?.labels
  const hasLabels = Object.keys(metadata.labels ?? {}).length > 0
  const rules = spec.podFailurePolicy?.rules?.map((rule) => ({
    ...rule,
    ...(rule.onPodConditions
      ? {
          onPodConditions: rule.onPodConditions.map((pattern) => ({
            ...pattern,
            status: pattern.status || 'True',
          })),
        }
      : {}),
  }))
  return {
    ...resource,
    metadata: labels && !hasLabels ? { ...metadata, labels } : metadata,
    spec: {
      ...spec,
      ...(isPlain ? { completions: 1 } : {}),
      parallelism: spec.parallelism ?? 1,
      backoffLimit: spec.backoffLimit ?? (spec.backoffLimitPerIndex === undefined ? 6 : NO_LIMIT),
      completionMode: spec.completionMode || 'NonIndexed',
      suspend: spec.suspend ?? false,
      podReplacementPolicy:
        spec.podReplacementPolicy || (spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed'),
      ...(rules ? { podFailurePolicy: { ...spec.podFailurePolicy, rules } } : {}),
      template: defaultPodTemplate(spec.template),
    },
  }
}

/** Unless manualSelector is set, a Job selects its own pods by its uid (batch/job/strategy.go generateSelector). */
function withGeneratedSelector(resource: Job): Job {
  const { metadata, spec } = resource
  if (spec.manualSelector === true) return resource
  const uid = metadata.uid ?? ''
  const labels = {
    ...spec.template.metadata?.labels,
    'controller-uid': uid,
    'job-name': metadata.name,
    [CONTROLLER_UID]: uid,
    [JOB_NAME]: metadata.name,
  }
  const template = { ...spec.template, metadata: { ...spec.template.metadata, labels } }
  const matchLabels = { ...spec.selector?.matchLabels, [CONTROLLER_UID]: uid }
  return { ...resource, spec: { ...spec, template, selector: { ...spec.selector, matchLabels } } }
}

function statusText({ metadata, status }: Job): string {
  const is = (type: string) => findCondition(status?.conditions, type)?.status === 'True'
  if (is('Complete')) return 'Complete'
  if (is('Failed')) return 'Failed'
  if (metadata.deletionTimestamp !== undefined) return 'Terminating'
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(is) ?? 'Running'
}

function health({ spec, status }: Job): Health {
  const failed = findCondition(status?.conditions, 'Failed')
  if (failed?.status === 'True')
    return { status: 'Degraded', message: `${failed.reason}: ${failed.message ?? 'Job has failed'}` }
  if (findCondition(status?.conditions, 'Complete')?.status === 'True') return { status: 'Healthy' }
  if (spec.suspend) return { status: 'Suspended', message: 'Job is suspended' }
  return {
    status: 'Progressing',
    message: `Job is running: ${status?.succeeded ?? 0} of ${spec.completions ?? 1} pods have succeeded`,
  }
}
