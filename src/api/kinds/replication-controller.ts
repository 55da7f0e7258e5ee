import { ageColumn, nameColumn } from '../age.ts'
import { notNegative } from '../field-rules.ts'
import type { V1ReplicationController } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { defaultPodTemplate } from '../pod-defaults.ts'
import { validatePodTemplate } from '../pod-validation.ts'
import type { Stored } from '../resource.ts'
import { formatLabelSelector, mapSelectorMatches } from '../selectors.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'
import { templateColumns } from '../workload.ts'

export type ReplicationController = Stored<V1ReplicationController>

const selectorText = ({ spec }: ReplicationController) =>
  formatLabelSelector({ matchLabels: spec.selector ?? {} })

export const replicationController = defineKind<ReplicationController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  scope: 'Namespaced',
  shortNames: ['rc'],
  categories: ['all'],
  schema: 'V1ReplicationController',
  applyWave: WAVE.workload,
  orphansDependents: true,
  subresources: {
    status: true,
    scale: {
      specReplicas: ({ spec }) => spec.replicas ?? 0,
      statusReplicas: ({ status }) => status?.replicas ?? 0,
      selector: selectorText,
      withReplicas: (resource, replicas) => ({ ...resource, spec: { ...resource.spec, replicas } }),
    },
  },
  fieldSelectors: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  setDefaults,
  prepareForCreate: (resource) => ({ ...resource, status: { replicas: 0 } }),
  validate,
  columns: [
    nameColumn,
    {
      name: 'Desired',
      type: 'integer',
      description: 'Replicas is the number of desired replicas.',
      value: ({ spec }) => spec.replicas ?? 0,
    },
    {
      name: 'Current',
      type: 'integer',
      description: 'Replicas is the most recently observed number of replicas.',
      value: ({ status }) => status?.replicas ?? 0,
    },
    {
      name: 'Ready',
      type: 'integer',
      description: 'The number of ready replicas for this replication controller.',
      value: ({ status }) => status?.readyReplicas ?? 0,
    },
    ageColumn,
    ...templateColumns<ReplicationController>(({ spec }) => spec.template, selectorText),
  ],
  health({ spec, status, metadata }) {
    const available = status?.availableReplicas ?? 0
    if ((status?.observedGeneration ?? 0) >= (metadata.generation ?? 0) && available >= (spec.replicas ?? 0))
      return { status: 'Healthy' }
    return { status: 'Progressing', message: `${available} of ${spec.replicas ?? 0} replicas are available` }
  },
  example: {
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas: 1,
      selector: { app: 'web' },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'app', image: 'registry.example/web:1' }] },
      },
    },
  },
})

/** The template's labels are the selector, and the object's own labels, unless given. */
function setDefaults(resource: ReplicationController): ReplicationController {
  const { metadata, spec } = resource
  const labels = spec.template?.metadata?.labels
  const hasSelector = Object.keys(spec.selector ?? {}).length > 0
  const hasLabels = Object.keys(metadata.labels ?? {}).length > 0
  return {
    ...resource,
    metadata: labels && !hasLabels ? { ...metadata, labels } : metadata,
    spec: {
      ...spec,
      replicas: spec.replicas ?? 1,
      ...(labels && !hasSelector ? { selector: labels } : {}),
      ...(spec.template ? { template: defaultPodTemplate(spec.template) } : {}),
    },
  }
}

function validate({ spec }: ReplicationController): StatusCause[] {
  const wrong = [
    ...notNegative(spec.replicas, 'spec.replicas'),
    ...notNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
  ]
  if (Object.keys(spec.selector ?? {}).length === 0) wrong.push(fault.required('spec.selector'))
  if (!spec.template) return [...wrong, fault.required('spec.template')]
  const labels = spec.template.metadata?.labels ?? {}
  if (!mapSelectorMatches(spec.selector, labels))
    wrong.push(
      fault.invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'),
    )
  wrong.push(...validatePodTemplate(spec.template, 'spec.template'))
  const policy = spec.template.spec?.restartPolicy
  if (policy !== undefined && policy !== 'Always')
    wrong.push(fault.notSupported('spec.template.spec.restartPolicy', policy, ['Always']))
  return wrong
}
