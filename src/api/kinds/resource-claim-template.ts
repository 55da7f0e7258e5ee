import { deepEqual } from '../../base/json.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { defaultDeviceClaim, validateDeviceClaim } from '../device-claims.ts'
import type { V1ResourceClaimTemplate } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { validateAnnotations, validateLabels } from '../names.ts'
import type { Stored } from '../resource.ts'
import { fault } from '../status.ts'
import { WAVE } from '../waves.ts'

export type ResourceClaimTemplate = Stored<V1ResourceClaimTemplate>

export const resourceClaimTemplate = defineKind<ResourceClaimTemplate>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaimTemplate',
  plural: 'resourceclaimtemplates',
  scope: 'Namespaced',
  schema: 'V1ResourceClaimTemplate',
  hasGeneration: false,
  applyWave: WAVE.configuration,
  setDefaults: ({ spec: { spec, ...template }, ...resource }) => ({
    ...resource,
    spec: {
      ...template,
      spec: spec?.devices ? { ...spec, devices: defaultDeviceClaim(spec.devices) } : (spec ?? {}),
    },
  }),
  validate: ({ spec }) => [
    ...validateLabels(spec.metadata?.labels, 'spec.metadata.labels'),
    ...validateAnnotations(spec.metadata?.annotations, 'spec.metadata.annotations'),
    ...validateDeviceClaim(spec.spec.devices ?? {}, 'spec.spec.devices'),
  ],
  validateUpdate: ({ spec }, { spec: old }) =>
    deepEqual(spec, old) ? [] : [fault.invalid('spec', spec, 'field is immutable')],
  columns: [nameColumn, ageColumn],
  example: {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaimTemplate',
    metadata: { name: 'gpu', namespace: 'default' },
    spec: {
      spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu.example.com' } }] } },
    },
  },
})
