import { deepEqual } from '../../base/json.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { notNegative, oneOf } from '../field-rules.ts'
import type { V1PersistentVolumeClaim, V1PodTemplateSpec, V1StatefulSet } from '../generated/types.ts'
import { validateIntOrPercent } from '../int-or-percent.ts'
import { defineKind, type Health } from '../kind.ts'
import { defaultPodTemplate } from '../pod-defaults.ts'
import type { Stored } from '../resource.ts'
import { formatLabelSelector } from '../selectors.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'
import { containersText, imagesText, validateWorkload } from '../workload.ts'
import { validateClaimSpec } from './persistent-volume-claim.ts'

export type StatefulSet = Stored<V1StatefulSet>

export const statefulSet = defineKind<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  scope: 'Namespaced',
  shortNames: ['sts'],
  categories: ['all'],
  schema: 'V1StatefulSet',
  applyWave: WAVE.workload,
  subresources: {
    status: true,
    scale: {
      specReplicas: ({ spec }) => spec.replicas ?? 0,
      statusReplicas: ({ status }) => status?.replicas ?? 0,
      selector: ({ spec }) => formatLabelSelector(spec.selector),
      withReplicas: (resource, replicas) => ({ ...resource, spec: { ...resource.spec, replicas } }),
    },
  },
  setDefaults,
  prepareForCreate: (resource) => ({ ...resource, status: { replicas: 0, availableReplicas: 0 } }),
  validate,
  validateUpdate,
  columns: [
    nameColumn,
    {
      name: 'Ready',
      type: 'string',
      description: 'Number of the pod with ready state',
      value: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
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
  ],
  health,
  example: {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db', namespace: 'default' },
    spec: {
      serviceName: 'db',
      selector: { matchLabels: { app: 'db' } },
      template: {
        metadata: { labels: { app: 'db' } },
        spec: { containers: [{ name: 'app', image: 'registry.example/db:1' }] },
      },
    },
  },
})

function setDefaults(resource: StatefulSet): StatefulSet {
  const { spec } = resource
  const type = spec.updateStrategy?.type || 'RollingUpdate'
  const { rollingUpdate } = spec.updateStrategy ?? {}
  const retention = spec.persistentVolumeClaimRetentionPolicy
  return {
    ...resource,
    spec: {
      ...spec,
      replicas: spec.replicas ?? 1,
      podManagementPolicy: spec.podManagementPolicy || 'OrderedReady',
      revisionHistoryLimit: spec.revisionHistoryLimit ?? 10,
      persistentVolumeClaimRetentionPolicy: {
        whenDeleted: retention?.whenDeleted || 'Retain',
        whenScaled: retention?.whenScaled || 'Retain',
      },
      updateStrategy:
        type === 'RollingUpdate'
          ? { type, rollingUpdate: { ...rollingUpdate, partition: rollingUpdate?.partition ?? 0 } }
          : { ...spec.updateStrategy, type },
      template: defaultPodTemplate(spec.template),
      ...(spec.volumeClaimTemplates
        ? { volumeClaimTemplates: spec.volumeClaimTemplates.map(defaultClaim) }
        : {}),
    },
  }
}

function defaultClaim(claim: V1PersistentVolumeClaim): V1PersistentVolumeClaim {
  return {
    ...claim,
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    spec: { ...claim.spec, volumeMode: claim.spec?.volumeMode ?? 'Filesystem' },
    status: { ...claim.status, phase: claim.status?.phase ?? 'Pending' },
  }
}

/** Containers mount claims by the name of their template: each pod has a volume of that name, here one of no claim yet. */
export function withClaimVolumes({
  template,
  volumeClaimTemplates = [],
}: Pick<StatefulSet['spec'], 'template' | 'volumeClaimTemplates'>): V1PodTemplateSpec {
  if (!template.spec || volumeClaimTemplates.length === 0) return template
  const { volumes = [] } = template.spec
  const missing = volumeClaimTemplates
    .map(({ metadata }) => metadata?.name ?? '')
    .filter((name) => volumes.every((volume) => volume.name !== name))
    .map((name) => ({ name, emptyDir: {} }))
  return { ...template, spec: { ...template.spec, volumes: [...volumes, ...missing] } }
}

function validate({ spec }: StatefulSet): StatusCause[] {
  const wrong = [
    ...validateWorkload(
      { ...spec, template: withClaimVolumes(spec) },
      { selector: 'statefulset', deadline: 'StatefulSet' },
    ),
    ...notNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    ...notNegative(spec.ordinals?.start, 'spec.ordinals.start'),
    ...oneOf(spec.podManagementPolicy, ['OrderedReady', 'Parallel'], 'spec.podManagementPolicy'),
    ...validateStrategy(spec.updateStrategy),
  ]
  const { whenDeleted, whenScaled } = spec.persistentVolumeClaimRetentionPolicy ?? {}
  const retention = 'spec.persistentVolumeClaimRetentionPolicy'
  wrong.push(...oneOf(whenDeleted, ['Delete', 'Retain'], `${retention}.whenDeleted`))
  wrong.push(...oneOf(whenScaled, ['Delete', 'Retain'], `${retention}.whenScaled`))
  for (const [i, claim] of (spec.volumeClaimTemplates ?? []).entries()) {
    const at = `spec.volumeClaimTemplates[${i}]`
    if (!claim.metadata?.name) wrong.push(fault.required(`${at}.metadata.name`))
    if (claim.spec) wrong.push(...validateClaimSpec(claim.spec, `${at}.spec`))
  }
  return wrong
}

function validateStrategy(strategy: StatefulSet['spec']['updateStrategy']): StatusCause[] {
  const { type, rollingUpdate } = strategy ?? {}
  const at = 'spec.updateStrategy'
  if (type === 'OnDelete' && rollingUpdate)
    return [
      fault.invalid(`${at}.rollingUpdate`, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'"),
    ]
  if (type !== undefined && type !== 'OnDelete' && type !== 'RollingUpdate')
    return [fault.invalid(at, strategy, "must be 'RollingUpdate' or 'OnDelete'")]
  return [
    ...notNegative(rollingUpdate?.partition, `${at}.rollingUpdate.partition`),
    ...validateIntOrPercent(rollingUpdate?.maxUnavailable, `${at}.rollingUpdate.maxUnavailable`),
  ]
}

const MUTABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const

function validateUpdate({ spec }: StatefulSet, { spec: old }: StatefulSet): StatusCause[] {
  const fixed = (of: StatefulSet['spec']) =>
    Object.fromEntries(Object.entries(of).filter(([field]) => !MUTABLE.includes(field as 'replicas')))
  if (deepEqual(fixed(spec), fixed(old))) return []
  return [
    fault.forbidden(
      'spec',
      `updates to statefulset spec for fields other than ${MUTABLE.slice(0, -1)
        .map((field) => `'${field}'`)
        .join(', ')} and 'minReadySeconds' are forbidden`,
    ),
  ]
}

/** Argo CD's rule with the sentences of `kubectl rollout status`. */
function health({ metadata, spec, status }: StatefulSet): Health {
  const progressing = (message: string): Health => ({ status: 'Progressing', message })
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
    return progressing('Waiting for statefulset spec update to be observed...')
  const wanted = spec.replicas ?? 0
  const ready = status?.readyReplicas ?? 0
  if (ready < wanted) return progressing(`Waiting for ${wanted - ready} pods to be ready...`)
  if (spec.updateStrategy?.type === 'OnDelete') return { status: 'Healthy' }
  const partition = spec.updateStrategy?.rollingUpdate?.partition ?? 0
  const updated = status?.updatedReplicas ?? 0
  if (updated < wanted - partition)
    return progressing(
      `Waiting for partitioned roll out to finish: ${updated} out of ${wanted - partition} new pods have been updated...`,
    )
  const available = status?.availableReplicas ?? 0
  if (available < wanted) return progressing(`Waiting for ${wanted - available} pods to be available...`)
  return { status: 'Healthy' }
}
