/** The pods of a Job. Pure. */
import type { V1Container } from '../api/generated/types.ts'
import type { Job } from '../api/kinds/job.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { podFromTemplate } from './pod-from-template.ts'

/** Holds a finished pod until it has been counted. */
export const TRACKING = 'batch.kubernetes.io/job-tracking'
const INDEX = 'batch.kubernetes.io/job-completion-index'
const INDEX_FAILURES = 'batch.kubernetes.io/job-index-failure-count'
const INDEX_IGNORED = 'batch.kubernetes.io/job-index-ignored-failure-count'
const INDEX_ENV = 'JOB_COMPLETION_INDEX'

export function isTracked({ metadata }: Pod): boolean {
  return metadata.finalizers?.includes(TRACKING) === true
}

/** Undefined when there is none, or it is malformed or too large. */
export function indexOf({ metadata }: Pod, count: number): number | undefined {
  const text = metadata.annotations?.[INDEX] ?? ''
  const index = /^\d{1,9}$/.test(text) ? Number(text) : -1
  return index >= 0 && index < count ? index : undefined
}

/** How often an index has failed: what counts against its limit, and what a rule ignores. */
export interface IndexFailures {
  readonly counted: number
  readonly ignored: number
}

/** As it was before the pod was made. */
export function failuresBefore({ metadata: { annotations } }: Pod): IndexFailures {
  const number = (name: string) => {
    const text = annotations?.[name] ?? ''
    return /^\d{1,9}$/.test(text) ? Number(text) : 0
  }
  return { counted: number(INDEX_FAILURES), ignored: number(INDEX_IGNORED) }
}

/** `index` for an Indexed Job; `failures` with backoffLimitPerIndex. */
export function jobPod(job: Job, index?: number, failures?: IndexFailures): Pod {
  const made = podFromTemplate(job.spec.template, job)
  const finalizers = [...new Set([...(made.metadata.finalizers ?? []), TRACKING])]
  if (index === undefined) return { ...made, metadata: { ...made.metadata, finalizers } }
  const text = String(index)
  const withEnv = (container: V1Container): V1Container =>
    container.env?.some(({ name }) => name === INDEX_ENV)
      ? container
      : { ...container, env: [...(container.env ?? []), indexFromLabel()] }
  const { initContainers } = made.spec
  return {
    ...made,
    metadata: {
      ...made.metadata,
      generateName: `${job.metadata.name}-${index}-`,
      finalizers,
      labels: { ...made.metadata.labels, [INDEX]: text },
      annotations: {
        ...made.metadata.annotations,
        [INDEX]: text,
        ...(failures === undefined ? {} : { [INDEX_FAILURES]: String(failures.counted) }),
        ...(failures?.ignored ? { [INDEX_IGNORED]: String(failures.ignored) } : {}),
      },
    },
    spec: {
      ...made.spec,
      hostname: `${job.metadata.name}-${index}`,
      containers: made.spec.containers.map(withEnv),
      ...(initContainers ? { initContainers: initContainers.map(withEnv) } : {}),
    },
  }
}

function indexFromLabel() {
  return { name: INDEX_ENV, valueFrom: { fieldRef: { fieldPath: `metadata.labels['${INDEX}']` } } }
}
