import { validateNodeSelector } from '../affinity-validation.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { atMost } from '../device-claims.ts'
import { follows, named, oneOf } from '../field-rules.ts'
import type { V1Device, V1DeviceAttribute, V1ResourceSlice, V1ResourceSliceSpec } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { dns1123Label, dns1123Subdomain, labelValue, pathSegment, qualifiedName } from '../names.ts'
import type { Stored } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type ResourceSlice = Stored<V1ResourceSlice>

const DEVICES_MAX = 128
const ATTRIBUTES_MAX = 32
const TAINTS_MAX = 16
const COUNTER_SETS_MAX = 8

export const resourceSlice = defineKind<ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  plural: 'resourceslices',
  scope: 'Cluster',
  schema: 'V1ResourceSlice',
  applyWave: WAVE.records,
  fieldSelectors: {
    'spec.driver': ({ spec }) => spec.driver,
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
  },
  prepareForCreate: (resource) => withTaintTimes(resource, resource.metadata.creationTimestamp),
  validate: ({ spec }) => [
    ...named(spec.driver, dns1123Subdomain, 'spec.driver'),
    ...validatePool(spec),
    ...validateNodes(spec),
    ...atMost(spec.sharedCounters ?? [], COUNTER_SETS_MAX, 'spec.sharedCounters'),
    ...atMost(spec.devices ?? [], DEVICES_MAX, 'spec.devices'),
    ...(spec.devices ?? []).flatMap((device, i, all) => [
      ...validateDevice(device, `spec.devices[${i}]`),
      ...(all.findIndex(({ name }) => name === device.name) < i
        ? [fault.duplicate(`spec.devices[${i}].name`, device.name)]
        : []),
    ]),
  ],
  validateUpdate: ({ spec }, { spec: old }) => [
    ...(['driver', 'nodeName'] as const).flatMap((field) =>
      spec[field] === old[field] ? [] : [fault.invalid(`spec.${field}`, spec[field], 'field is immutable')],
    ),
    ...(spec.pool.name === old.pool.name
      ? []
      : [fault.invalid('spec.pool.name', spec.pool.name, 'field is immutable')]),
  ],
  columns: [
    nameColumn,
    textColumn(
      'Node',
      'nodeName identifies the node which provides the resources in this pool.',
      ({ spec }) => spec.nodeName ?? '',
    ),
    textColumn(
      'Driver',
      'driver identifies the DRA driver providing the capacity information.',
      ({ spec }) => spec.driver,
    ),
    textColumn('Pool', 'name is used to identify the pool.', ({ spec }) => spec.pool.name),
    ageColumn,
  ],
  example: {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceSlice',
    metadata: { name: 'worker-0-gpu' },
    spec: {
      driver: 'gpu.example.com',
      nodeName: 'worker-0',
      pool: { name: 'worker-0', generation: 1, resourceSliceCount: 1 },
      devices: [
        { name: 'gpu-0', attributes: { model: { string: 'h100' } }, capacity: { memory: { value: '80Gi' } } },
      ],
    },
  },
})

/** A taint holds from when it is made, unless it says from when. */
function withTaintTimes(resource: ResourceSlice, timeAdded: string | undefined): ResourceSlice {
  if (!timeAdded || !resource.spec.devices?.some(({ taints }) => taints?.length)) return resource
  const devices = resource.spec.devices.map((device) =>
    device.taints
      ? {
          ...device,
          taints: device.taints.map((taint) => ({ ...taint, timeAdded: taint.timeAdded ?? timeAdded })),
        }
      : device,
  )
  return { ...resource, spec: { ...resource.spec, devices } }
}

function validatePool({ pool }: V1ResourceSliceSpec): StatusCause[] {
  const { name, generation, resourceSliceCount: count } = pool
  return [
    ...(name ? [] : [fault.required('spec.pool.name')]),
    ...name.split('/').flatMap((part) => follows(part, dns1123Subdomain, 'spec.pool.name')),
    ...(count > 0 ? [] : [fault.invalid('spec.pool.resourceSliceCount', count, 'must be greater than zero')]),
    ...(generation >= 0
      ? []
      : [fault.invalid('spec.pool.generation', generation, 'must be greater than or equal to zero')]),
  ]
}

function validateNodes(spec: V1ResourceSliceSpec): StatusCause[] {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection } = spec
  const set = [nodeName !== undefined, nodeSelector !== undefined, allNodes, perDeviceNodeSelection]
  const many = set.filter(Boolean).length
  const choice = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'
  return [
    ...(nodeName === undefined ? [] : named(nodeName, pathSegment, 'spec.nodeName')),
    ...(nodeSelector ? validateNodeSelector(nodeSelector, 'spec.nodeSelector') : []),
    ...(many === 0 ? [fault.required('spec', choice)] : []),
    ...(many > 1 ? [fault.invalid('spec', null, `${choice}, but multiple fields are set`)] : []),
  ]
}

function validateDevice(device: V1Device, path: string): StatusCause[] {
  const { name, attributes = {}, capacity = {}, taints = [] } = device
  const many = Object.keys(attributes).length + Object.keys(capacity).length
  return [
    ...named(name, dns1123Label, `${path}.name`),
    ...(many > ATTRIBUTES_MAX
      ? [
          fault.invalid(
            path,
            many,
            `the total number of attributes and capacities must not exceed ${ATTRIBUTES_MAX}`,
          ),
        ]
      : []),
    ...Object.entries(attributes).flatMap(([key, attribute]) => [
      ...named(key, qualifiedName, `${path}.attributes`),
      ...validateAttribute(attribute, `${path}.attributes[${key}]`),
    ]),
    ...Object.keys(capacity).flatMap((key) => named(key, qualifiedName, `${path}.capacity`)),
    ...atMost(taints, TAINTS_MAX, `${path}.taints`),
    ...taints.flatMap(({ key, value, effect }, i) => [
      ...named(key, qualifiedName, `${path}.taints[${i}].key`),
      ...follows(value, labelValue, `${path}.taints[${i}].value`),
      ...(effect
        ? oneOf(effect, ['NoExecute', 'NoSchedule', 'None'], `${path}.taints[${i}].effect`)
        : [fault.required(`${path}.taints[${i}].effect`)]),
    ]),
  ]
}

function validateAttribute(attribute: V1DeviceAttribute, path: string): StatusCause[] {
  const many = Object.values(attribute).filter((value) => value !== undefined).length
  if (many === 0) return [fault.required(path, 'exactly one value must be specified')]
  return many === 1 ? [] : [fault.invalid(path, attribute, 'exactly one value must be specified')]
}
