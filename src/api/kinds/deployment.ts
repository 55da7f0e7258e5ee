import { deepEqual } from '../../base/json.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { findCondition } from '../conditions.ts'
import type { V1Deployment } from '../generated/types.ts'
import { isPercent, validateIntOrPercent } from '../int-or-percent.ts'
import { defineKind, type Health } from '../kind.ts'
import { defaultPodTemplate } from '../pod-defaults.ts'
import type { Stored } from '../resource.ts'
import { formatLabelSelector } from '../selectors.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'
import { containersText, imagesText, validateWorkload } from '../workload.ts'

export type Deployment = Stored<V1Deployment>

export const deployment = defineKind<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  scope: 'Namespaced',
  shortNames: ['deploy'],
  categories: ['all'],
  schema: 'V1Deployment',
  applyWave: WAVE.workload,
  subresources: {
    status: true,
    statusAnnotations: true,
    scale: {
      specReplicas: ({ spec }) => spec.replicas ?? 0,
      statusReplicas: ({ status }) => status?.replicas ?? 0,
      selector: ({ spec }) => formatLabelSelector(spec.selector),
      withReplicas: (resource, replicas) => ({ ...resource, spec: { ...resource.spec, replicas } }),
    },
  },
  setDefaults,
  prepareForCreate: (resource) => ({ ...resource, status: {} }),
  /** A changed annotation is a new generation too, as upstream's strategy has it: controllers read some of them. */
  prepareForUpdate: (resource, old) =>
    deepEqual(resource.metadata.annotations, old.metadata.annotations)
      ? resource
      : { ...resource, metadata: { ...resource.metadata, generation: (old.metadata.generation ?? 0) + 1 } },
  validate,
  validateUpdate: (resource, old) =>
    deepEqual(resource.spec.selector, old.spec.selector)
      ? []
      : [fault.invalid('spec.selector', resource.spec.selector, 'field is immutable')],
  columns: [
    nameColumn,
    {
      name: 'Ready',
      type: 'string',
      description: 'Number of the pod with ready state',
      value: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    },
    {
      name: 'Up-to-date',
      type: 'integer',
      description:
        'Total number of non-terminating pods targeted by this deployment that have the desired template spec.',
      value: ({ status }) => status?.updatedReplicas ?? 0,
    },
    {
      name: 'Available',
      type: 'integer',
      description:
        'Total number of available non-terminating pods (ready for at least minReadySeconds) targeted by this deployment.',
      value: ({ status }) => status?.availableReplicas ?? 0,
    },
    ageColumn,
    {
      name: 'Containers',
      type: 'string',
      priority: 1,
      description: 'Names of each container in the template.',
      value: ({ spec }) => containersText(spec.template),
    },
    {
      name: 'Images',
      type: 'string',
      priority: 1,
      description: 'Images referenced by each container in the template.',
      value: ({ spec }) => imagesText(spec.template),
    },
    {
      name: 'Selector',
      type: 'string',
      priority: 1,
      description: 'Label selector for pods.',
      value: ({ spec }) => formatLabelSelector(spec.selector),
    },
  ],
  health,
  example: {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'app', image: 'registry.example/web:1' }] },
      },
    },
  },
})

function setDefaults(resource: Deployment): Deployment {
  const { spec } = resource
  const type = spec.strategy?.type || 'RollingUpdate'
  const rolling = {
    maxSurge: spec.strategy?.rollingUpdate?.maxSurge ?? '25%',
    maxUnavailable: spec.strategy?.rollingUpdate?.maxUnavailable ?? '25%',
  }
  return {
    ...resource,
    spec: {
      ...spec,
      replicas: spec.replicas ?? 1,
      revisionHistoryLimit: spec.revisionHistoryLimit ?? 10,
      progressDeadlineSeconds: spec.progressDeadlineSeconds ?? 600,
      strategy:
        type === 'RollingUpdate'
          ? { ...spec.strategy, type, rollingUpdate: rolling }
          : { ...spec.strategy, type },
      template: defaultPodTemplate(spec.template),
    },
  }
}

function validate({ spec }: Deployment): StatusCause[] {
  const wrong: StatusCause[] = [...validateWorkload(spec)]
  const { type, rollingUpdate } = spec.strategy ?? {}
  if (type !== undefined && type !== 'RollingUpdate' && type !== 'Recreate')
    wrong.push(fault.notSupported('spec.strategy.type', type, ['Recreate', 'RollingUpdate']))
  if (type === 'Recreate' && rollingUpdate)
    wrong.push(
      fault.forbidden(
        'spec.strategy.rollingUpdate',
        "may not be specified when strategy `type` is 'Recreate'",
      ),
    )
  if (type === 'RollingUpdate' && rollingUpdate) {
    const at = 'spec.strategy.rollingUpdate'
    wrong.push(...validateIntOrPercent(rollingUpdate.maxUnavailable, `${at}.maxUnavailable`))
    wrong.push(...validateSurge(rollingUpdate.maxSurge, `${at}.maxSurge`))
    if (isZero(rollingUpdate.maxUnavailable) && isZero(rollingUpdate.maxSurge)) {
      wrong.push(
        fault.invalid(
          `${at}.maxUnavailable`,
          rollingUpdate.maxUnavailable,
          'may not be 0 when `maxSurge` is 0',
        ),
      )
    }
  }
  if ((spec.revisionHistoryLimit ?? 0) < 0)
    wrong.push(
      fault.invalid(
        'spec.revisionHistoryLimit',
        spec.revisionHistoryLimit,
        'must be greater than or equal to 0',
      ),
    )
  const deadline = spec.progressDeadlineSeconds
  if (deadline !== undefined) {
    if (deadline < 0)
      wrong.push(
        fault.invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than or equal to 0'),
      )
    if (deadline <= (spec.minReadySeconds ?? 0))
      wrong.push(
        fault.invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'),
      )
  }
  return wrong
}

/** maxSurge may be more than 100 %. */
function validateSurge(value: number | string | undefined, path: string): StatusCause[] {
  const isLarge = isPercent(value) && /^\d+%$/.test(value)
  return isLarge ? [] : validateIntOrPercent(value, path)
}

function isZero(value: number | string | undefined): boolean {
  return value === 0 || (isPercent(value) && Number.parseInt(value, 10) === 0)
}

/** Argo CD's rule with the sentences of `kubectl rollout status`. */
function health({ metadata, spec, status = {} }: Deployment): Health {
  if (spec.paused) return { status: 'Suspended', message: 'Deployment is paused' }
  const progressing = (message: string): Health => ({ status: 'Progressing', message })
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0))
    return progressing('Waiting for deployment spec update to be observed...')
  const progress = findCondition(status.conditions, 'Progressing')
  if (progress?.reason === 'ProgressDeadlineExceeded')
    return { status: 'Degraded', message: `Deployment "${metadata.name}" exceeded its progress deadline` }
  const wanted = spec.replicas ?? 0
  const updated = status.updatedReplicas ?? 0
  const waiting = `Waiting for deployment "${metadata.name}" rollout to finish:`
  if (updated < wanted)
    return progressing(`${waiting} ${updated} out of ${wanted} new replicas have been updated...`)
  if ((status.replicas ?? 0) > updated)
    return progressing(
      `${waiting} ${(status.replicas ?? 0) - updated} old replicas are pending termination...`,
    )
  if ((status.availableReplicas ?? 0) < updated)
    return progressing(
      `${waiting} ${status.availableReplicas ?? 0} of ${updated} updated replicas are available...`,
    )
  return { status: 'Healthy' }
}
