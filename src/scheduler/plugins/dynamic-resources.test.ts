import { describe, expect, test } from 'vitest'
import { node, pod, snapshotOf, verdicts } from '../../../test/support/scheduling.ts'
import type { V1DeviceRequest } from '../../api/generated/types.ts'
import type { Resource } from '../../api/resource.ts'
import { objectsOf } from '../cluster-objects.ts'
import { podInfo } from '../pod-info.ts'
import { dynamicResources } from './dynamic-resources.ts'

const made = (kind: string, name: string, rest: object, metadata: object = {}) =>
  ({ apiVersion: 'resource.k8s.io/v1', kind, metadata: { name, ...metadata }, ...rest }) as Resource
const gpuClass = made('DeviceClass', 'gpu', {
  spec: { selectors: [{ cel: { expression: 'device.driver == "gpu.example.com"' } }] },
})
const device = (name: string, model: string, memory: string, cores = 8) => ({
  name,
  attributes: { model: { string: model }, cores: { int: cores } },
  capacity: { memory: { value: memory } },
})
const slice = (nodeName: string, ...devices: object[]) =>
  made('ResourceSlice', `slice-${nodeName}`, {
    spec: {
      driver: 'gpu.example.com',
      nodeName,
      pool: { name: nodeName, generation: 1, resourceSliceCount: 1 },
      devices,
    },
  })
const claim = (name: string, requests: readonly V1DeviceRequest[], rest: object = {}) =>
  made(
    'ResourceClaim',
    name,
    { spec: { devices: { requests } }, ...rest },
    { namespace: 'default', uid: name },
  )
const exactly = (more: object = {}): V1DeviceRequest => ({
  name: 'gpu',
  exactly: { deviceClassName: 'gpu', ...more },
})
const cel = (expression: string) => ({ selectors: [{ cel: { expression } }] })
const asking = (name: string, ...claims: string[]) =>
  pod(
    name,
    {},
    { resourceClaims: claims.map((resourceClaimName) => ({ name: resourceClaimName, resourceClaimName })) },
  )
const NODES = [node('a'), node('b')]
const SLICES = [
  slice('a', device('0', 'small', '16Gi')),
  slice('b', device('0', 'big', '80Gi', 32), device('1', 'big', '80Gi', 32)),
]

describe('DynamicResources', () => {
  const NO = 'cannot allocate all claims'
  const allocated = (host: string) => ({
    status: {
      allocation: {
        devices: { results: [{ request: 'gpu', driver: 'gpu.example.com', pool: host, device: '0' }] },
        nodeSelector: {
          nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [host] }] }],
        },
      },
    },
  })
  const cases: readonly [string, readonly Resource[], ReturnType<typeof verdicts>][] = [
    ['a claim that is not there', [], 'resourceclaim.resource.k8s.io "one" not found'],
    ['any device of a class', [claim('one', [exactly()])], { a: 'fits', b: 'fits' }],
    ['more devices than one node has', [claim('one', [exactly({ count: 2 })])], { a: NO, b: 'fits' }],
    [
      'an attribute',
      [claim('one', [exactly(cel('device.attributes["gpu.example.com"].model == "big"'))])],
      { a: NO, b: 'fits' },
    ],
    [
      'a number',
      [claim('one', [exactly(cel('device.attributes["gpu.example.com"].cores < 16'))])],
      { a: 'fits', b: NO },
    ],
    [
      'a capacity',
      [
        claim('one', [
          exactly(cel('device.capacity["gpu.example.com"].memory.compareTo(quantity("40Gi")) >= 0')),
        ]),
      ],
      { a: NO, b: 'fits' },
    ],
    [
      'an attribute no device has',
      [claim('one', [exactly(cel('device.attributes["gpu.example.com"].none == 1'))])],
      { a: NO, b: NO },
    ],
    [
      'all devices of the node',
      [claim('one', [exactly({ allocationMode: 'All' })])],
      { a: 'fits', b: 'fits' },
    ],
    [
      'the first alternative that is there',
      [
        claim('one', [
          {
            name: 'gpu',
            firstAvailable: [
              { name: 'two', deviceClassName: 'gpu', count: 2 },
              { name: 'one', deviceClassName: 'gpu' },
            ],
          },
        ]),
      ],
      { a: 'fits', b: 'fits' },
    ],
    [
      'a class that is not there',
      [claim('one', [{ name: 'x', exactly: { deviceClassName: 'fpga' } }])],
      'device class fpga does not exist',
    ],
    [
      'a claim that has its devices',
      [claim('one', [exactly()], allocated('b'))],
      { a: 'resourceclaim not available on the node', b: 'fits' },
    ],
    [
      'devices another claim has',
      [claim('one', [exactly()]), claim('other', [exactly()], allocated('a'))],
      { a: NO, b: 'fits' },
    ],
  ]
  test.each(cases)('%s', (_, claims, expected) => {
    const objects = objectsOf([gpuClass, ...SLICES, ...claims])
    expect(verdicts(dynamicResources(), asking('p', 'one'), snapshotOf(NODES, {}, objects))).toEqual(expected)
  })

  const tolerant = { tolerations: [{ key: 'hot', operator: 'Exists' }] }
  test.each([
    ['has a device without the taint', 'NoSchedule', exactly({ count: 1 }), { a: NO, b: 'fits' }],
    ['tolerates the taint', 'NoExecute', exactly(tolerant), { a: 'fits', b: 'fits' }],
    [
      'does not tolerate the taint on one of all',
      'NoExecute',
      exactly({ allocationMode: 'All' }),
      { a: NO, b: NO },
    ],
    ['is only told of the taint', 'None', exactly(), { a: 'fits', b: 'fits' }],
  ])('a claim that %s', (_, effect, request, expected) => {
    const taints = [{ key: 'hot', effect }]
    const hot = { ...device('0', 'small', '16Gi'), taints }
    const objects = objectsOf([
      gpuClass,
      slice('a', hot),
      slice('b', hot, device('1', 'big', '80Gi')),
      claim('one', [request]),
    ])
    expect(verdicts(dynamicResources(), asking('p', 'one'), snapshotOf(NODES, {}, objects))).toEqual(expected)
  })

  test('promises a device to one pod only, and gives it back', () => {
    const plugin = dynamicResources()
    const objects = objectsOf([gpuClass, ...SLICES, claim('one', [exactly()]), claim('two', [exactly()])])
    const snapshot = snapshotOf(NODES, {}, objects)
    const first = podInfo(asking('p', 'one'))
    expect(plugin.reserve?.(first, snapshot.node('a')!, snapshot)).toBeUndefined()
    expect(verdicts(plugin, asking('q', 'two'), snapshot)).toEqual({ a: NO, b: 'fits' })
    plugin.unreserve?.(first)
    expect(verdicts(plugin, asking('q', 'two'), snapshot)).toEqual({ a: 'fits', b: 'fits' })
  })

  test('waits for the claim of a template', () => {
    const templated = pod('p', {}, { resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 't' }] })
    expect(verdicts(dynamicResources(), templated, snapshotOf(NODES))).toBe(
      'pod "default/p": ResourceClaim not created yet',
    )
  })
})
