import { deepEqual } from '../../base/json.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { notNegative } from '../field-rules.ts'
import type { V1DaemonSet } from '../generated/types.ts'
import { isPercent, validateIntOrPercent } from '../int-or-percent.ts'
import { type Column, defineKind, type Health } from '../kind.ts'
import { defaultPodTemplate } from '../pod-defaults.ts'
import type { Stored } from '../resource.ts'
import { formatLabelSelector } from '../selectors.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'
import { templateColumns, validateWorkload } from '../workload.ts'

export type DaemonSet = Stored<V1DaemonSet>

const count = (
  name: string,
  description: string,
  value: (status: NonNullable<DaemonSet['status']>) => number | undefined,
): Column<DaemonSet> => ({
  name,
  type: 'integer',
  description,
  value: ({ status }) => (status && value(status)) ?? 0,
})

export const daemonSet = defineKind<DaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  scope: 'Namespaced',
  shortNames: ['ds'],
  categories: ['all'],
  schema: 'V1DaemonSet',
  applyWave: WAVE.workload,
  subresources: { status: true },
  setDefaults,
  prepareForCreate: (resource) => ({
    ...resource,
    status: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
  }),
  validate,
  validateUpdate: (resource, old) =>
    deepEqual(resource.spec.selector, old.spec.selector)
      ? []
      : [fault.invalid('spec.selector', resource.spec.selector, 'field is immutable')],
  columns: [
    nameColumn,
    count(
      'Desired',
      'The total number of nodes that should be running the daemon pod.',
      (status) => status.desiredNumberScheduled,
    ),
    count(
      'Current',
      'The number of nodes that are running at least 1 daemon pod and are supposed to run the daemon pod.',
      (status) => status.currentNumberScheduled,
    ),
    count(
      'Ready',
      'The number of nodes that should be running the daemon pod and have one or more of the daemon pod running with a Ready Condition.',
      (status) => status.numberReady,
    ),
    count(
      'Up-to-date',
      'The total number of nodes that are running updated daemon pod',
      (status) => status.updatedNumberScheduled,
    ),
    count(
      'Available',
      'The number of nodes that should be running the daemon pod and have one or more of the daemon pod running and available.',
      (status) => status.numberAvailable,
    ),
    {
      name: 'Node Selector',
      type: 'string',
      description: 'NodeSelector is a selector which must be true for the pod to fit on a node.',
      value: ({ spec }) => formatLabelSelector({ matchLabels: spec.template.spec?.nodeSelector ?? {} }),
    },
    ageColumn,
    ...templateColumns<DaemonSet>(
      ({ spec }) => spec.template,
      ({ spec }) => formatLabelSelector(spec.selector),
    ),
  ],
  health,
  example: {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent', namespace: 'default' },
    spec: {
      selector: { matchLabels: { app: 'agent' } },
      template: {
        metadata: { labels: { app: 'agent' } },
        spec: { containers: [{ name: 'app', image: 'registry.example/agent:1' }] },
      },
    },
  },
})

function setDefaults(resource: DaemonSet): DaemonSet {
  const { spec } = resource
  const type = spec.updateStrategy?.type || 'RollingUpdate'
  const rollingUpdate = {
    maxUnavailable: spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1,
    maxSurge: spec.updateStrategy?.rollingUpdate?.maxSurge ?? 0,
  }
  return {
    ...resource,
    spec: {
      ...spec,
      revisionHistoryLimit: spec.revisionHistoryLimit ?? 10,
      updateStrategy: type === 'RollingUpdate' ? { type, rollingUpdate } : { ...spec.updateStrategy, type },
      template: defaultPodTemplate(spec.template),
    },
  }
}

function validate({ spec }: DaemonSet): StatusCause[] {
  const wrong = [
    ...validateWorkload(spec, { selector: 'daemonset', deadline: 'DaemonSet' }),
    ...notNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
  ]
  const { type, rollingUpdate } = spec.updateStrategy ?? {}
  if (type !== undefined && type !== 'OnDelete' && type !== 'RollingUpdate')
    wrong.push(fault.notSupported('spec.updateStrategy.type', type, ['RollingUpdate', 'OnDelete']))
  if (type !== 'RollingUpdate' || !rollingUpdate) return wrong
  const at = 'spec.updateStrategy.rollingUpdate'
  const { maxUnavailable, maxSurge } = rollingUpdate
  wrong.push(...validateIntOrPercent(maxUnavailable, `${at}.maxUnavailable`))
  wrong.push(...validateIntOrPercent(maxSurge, `${at}.maxSurge`))
  if (!isZero(maxUnavailable) && !isZero(maxSurge))
    wrong.push(fault.invalid(`${at}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'))
  if (isZero(maxUnavailable) && isZero(maxSurge))
    wrong.push(fault.required(`${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'))
  return wrong
}

function isZero(value: number | string | undefined): boolean {
  return value === undefined || value === 0 || (isPercent(value) && Number.parseInt(value, 10) === 0)
}

/** Argo CD's rule with the sentences of `kubectl rollout status`. */
function health({ metadata, spec, status }: DaemonSet): Health {
  const progressing = (message: string): Health => ({ status: 'Progressing', message })
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
    return progressing('Waiting for daemon set spec update to be observed...')
  if (spec.updateStrategy?.type === 'OnDelete') return { status: 'Healthy' }
  const desired = status?.desiredNumberScheduled ?? 0
  const updated = status?.updatedNumberScheduled ?? 0
  const available = status?.numberAvailable ?? 0
  const waiting = `Waiting for daemon set "${metadata.name}" rollout to finish:`
  if (updated < desired)
    return progressing(`${waiting} ${updated} out of ${desired} new pods have been updated...`)
  if (available < desired)
    return progressing(`${waiting} ${available} of ${desired} updated pods are available...`)
  return { status: 'Healthy' }
}
