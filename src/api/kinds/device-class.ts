import { ageColumn, nameColumn } from '../age.ts'
import { atMost, validateConfiguration, validateDeviceSelectors } from '../device-claims.ts'
import { follows } from '../field-rules.ts'
import type { V1DeviceClass } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { qualifiedName } from '../names.ts'
import type { Stored } from '../resource.ts'
import { fault } from '../status.ts'
import { WAVE } from '../waves.ts'

export type DeviceClass = Stored<V1DeviceClass>

const CONFIG_MAX = 32

export const deviceClass = defineKind<DeviceClass>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'DeviceClass',
  plural: 'deviceclasses',
  scope: 'Cluster',
  schema: 'V1DeviceClass',
  applyWave: WAVE.classes,
  validate: ({ spec: { selectors, config = [], extendedResourceName: name } }) => [
    ...validateDeviceSelectors(selectors, 'spec.selectors'),
    ...atMost(config, CONFIG_MAX, 'spec.config'),
    ...config.flatMap(({ opaque }, i) => validateConfiguration(opaque, `spec.config[${i}]`)),
    ...(name !== undefined && !/^[^/]+\/[^/]+$/.test(name)
      ? [fault.invalid('spec.extendedResourceName', name, 'must be a valid extended resource name')]
      : follows(name, qualifiedName, 'spec.extendedResourceName')),
  ],
  columns: [nameColumn, ageColumn],
  example: {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'DeviceClass',
    metadata: { name: 'gpu.example.com' },
    spec: { selectors: [{ cel: { expression: "device.driver == 'gpu.example.com'" } }] },
  },
})
