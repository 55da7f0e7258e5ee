import { deepEqual } from '../../base/json.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { findCondition } from '../conditions.ts'
import type { V1ReplicaSet } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { defaultPodTemplate } from '../pod-defaults.ts'
import type { Stored } from '../resource.ts'
import { formatLabelSelector } from '../selectors.ts'
import { fault } from '../status.ts'
import { WAVE } from '../waves.ts'
import { containersText, imagesText, validateWorkload } from '../workload.ts'

export type ReplicaSet = Stored<V1ReplicaSet>

export const replicaSet = defineKind<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  scope: 'Namespaced',
  shortNames: ['rs'],
  categories: ['all'],
  schema: 'V1ReplicaSet',
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
  fieldSelectors: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  setDefaults: (resource) => ({
    ...resource,
    spec: {
      ...resource.spec,
      replicas: resource.spec.replicas ?? 1,
      template: defaultPodTemplate(resource.spec.template),
    },
  }),
  prepareForCreate: (resource) => ({ ...resource, status: { replicas: 0 } }),
  validate: ({ spec }) => validateWorkload(spec),
  validateUpdate: (resource, old) =>
    deepEqual(resource.spec.selector, old.spec.selector)
      ? []
      : [fault.invalid('spec.selector', resource.spec.selector, 'field is immutable')],
  columns: [
    nameColumn,
    {
      name: 'Desired',
      type: 'integer',
      description: 'Replicas is the number of desired pods.',
      value: ({ spec }) => spec.replicas ?? 0,
    },
    {
      name: 'Current',
      type: 'integer',
      description: 'Replicas is the most recently observed number of non-terminating pods.',
      value: ({ status }) => status?.replicas ?? 0,
    },
    {
      name: 'Ready',
      type: 'integer',
      description: 'The number of non-terminating pods targeted by this ReplicaSet with a Ready Condition.',
      value: ({ status }) => status?.readyReplicas ?? 0,
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
      description: 'Selector is a label query over pods that should match the replica count.',
      value: ({ spec }) => formatLabelSelector(spec.selector),
    },
  ],
  health({ spec, status, metadata }) {
    const failure = findCondition(status?.conditions, 'ReplicaFailure')
    if (failure?.status === 'True')
      return { status: 'Degraded', message: failure.message ?? 'Pods cannot be created' }
    if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
      return {
        status: 'Progressing',
        message:
          'Waiting for rollout to finish: observed replica set generation less than desired generation',
      }
    const available = status?.availableReplicas ?? 0
    if (available < (spec.replicas ?? 0))
      return {
        status: 'Progressing',
        message: `Waiting for rollout to finish: ${available} out of ${spec.replicas} new replicas are available...`,
      }
    return { status: 'Healthy' }
  },
  example: {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
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
