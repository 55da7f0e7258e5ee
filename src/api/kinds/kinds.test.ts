import { describe, expect, test } from 'vitest'
import type { AnyKind, Kind } from '../kind.ts'
import type { Resource } from '../resource.ts'
import { application } from './application.ts'
import { configMap } from './config-map.ts'
import { endpointSlice } from './endpoint-slice.ts'
import { endpoints } from './endpoints.ts'
import { event } from './event.ts'
import { lease } from './lease.ts'
import { namespace } from './namespace.ts'
import { node } from './node.ts'
import { nodePool } from './node-pool.ts'
import { podDisruptionBudget } from './pod-disruption-budget.ts'
import { priorityClass } from './priority-class.ts'
import { secret } from './secret.ts'
import { simulatedImage } from './simulated-image.ts'
import { simulatedLoad } from './simulated-load.ts'
import { simulatedMetric } from './simulated-metric.ts'

const NOW = Date.UTC(2026, 0, 1, 0, 5)
const FIVE_MINUTES_AGO = '2026-01-01T00:00:00Z'

/** The example of the kind with other fields, defaulted. */
function make<R extends Resource>(kind: Kind<R>, fields: object, metadata: object = {}): R {
  return kind.setDefaults({
    ...kind.example,
    ...fields,
    metadata: { ...kind.example.metadata, creationTimestamp: FIVE_MINUTES_AGO, ...metadata },
  })
}
const faults = (causes: readonly { field?: string; message: string }[]) =>
  causes.map(({ field, message }) => `${field}: ${message}`)

describe('validation', () => {
  test.each<[string, AnyKind, object, object, readonly string[]]>([
    [
      'a taint',
      node,
      {
        spec: {
          taints: [
            { key: 'a', effect: 'Sometimes' },
            { key: '', effect: 'NoSchedule' },
          ],
        },
      },
      {},
      [
        'spec.taints[0].effect: Unsupported value: "Sometimes": supported values: "NoExecute", "NoSchedule", "PreferNoSchedule"',
        'spec.taints[1].key: Required value',
      ],
    ],
    [
      'a key in both halves',
      configMap,
      { data: { a: '' }, binaryData: { a: '' } },
      {},
      ['data.a: Invalid value: "a": duplicate of key present in binaryData'],
    ],
    [
      'a key that only looks inherited',
      configMap,
      { data: { constructor: '' }, binaryData: { b: '' } },
      {},
      [],
    ],
    [
      'a path as key',
      configMap,
      { data: { '../a': '' } },
      {},
      [expect.stringContaining("must not start with '..'")],
    ],
    [
      'a certificate without a key',
      secret,
      { type: 'kubernetes.io/tls', data: { 'tls.crt': '' } },
      {},
      ['data[tls.key]: Required value'],
    ],
    ['a type that only looks inherited', secret, { type: 'constructor' }, {}, []],
    [
      'an event in the wrong namespace',
      event,
      { involvedObject: { namespace: 'other' } },
      {},
      ['involvedObject.namespace: Invalid value: "other": does not match event.namespace'],
    ],
    [
      'a lease of no time',
      lease,
      { spec: { leaseDurationSeconds: 0 } },
      {},
      ['spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0'],
    ],
    [
      'a budget with two bounds',
      podDisruptionBudget,
      { spec: { minAvailable: 1, maxUnavailable: '10%' } },
      {},
      [expect.stringContaining('minAvailable and maxUnavailable cannot be both set')],
    ],
    [
      'a percentage beyond all',
      podDisruptionBudget,
      { spec: { maxUnavailable: '101%' } },
      {},
      ['spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
    ],
    [
      "a priority that is the system's",
      priorityClass,
      { value: 2_000_000_000 },
      {},
      ['value: Forbidden: maximum allowed value of a user defined priority is 1000000000'],
    ],
    [
      "a name that is the system's",
      priorityClass,
      { value: 1 },
      { name: 'system-mine' },
      [
        "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class",
      ],
    ],
    ["the system's own", priorityClass, { value: 2_000_001_000 }, { name: 'system-node-critical' }, []],
    [
      'a loopback endpoint',
      endpointSlice,
      { endpoints: [{ addresses: ['127.0.0.1'] }, { addresses: [] }] },
      {},
      [
        expect.stringMatching(/^endpoints\[0\]\.addresses\[0\]: Invalid value: "127\.0\.0\.1"/),
        'endpoints[1].addresses: Required value: must contain at least 1 address',
      ],
    ],
    [
      'a pool of less than nothing',
      nodePool,
      { spec: { count: -1, runtime: 'magic' } },
      {},
      [
        'spec.count: Invalid value: -1: should be greater than or equal to 0',
        'spec.runtime: Unsupported value: "magic": supported values: "containerd", "process", "simulated"',
      ],
    ],
    ['a pool of nobody knows how many', nodePool, { spec: {} }, {}, ['spec.count: Required value']],
    [
      'an image of nothing',
      simulatedImage,
      { spec: { images: [] } },
      {},
      ['spec.images: Invalid value: 0: should have at least 1 items'],
    ],
    [
      'a time without a unit',
      simulatedImage,
      { spec: { images: ['a'], pullTime: '5' } },
      {},
      ['spec.pullTime: Invalid value: "5": must be a duration of at least 0, such as "500ms" or "2s"'],
    ],
    [
      'a wave that takes no time, of a figure that is no part of a path',
      simulatedImage,
      { spec: { images: ['a'], usage: { period: '0s', metrics: [{ name: 'a/b', period: 'often' }] } } },
      {},
      [
        'spec.usage.period: Invalid value: "0s": must be a duration above 0, such as "10m" or "24h"',
        'spec.usage.metrics[0].name: Invalid value: "a/b": may not contain \'/\'',
        'spec.usage.metrics[0].period: Invalid value: "often": must be a duration above 0, such as "10m" or "24h"',
      ],
    ],
    [
      'a metric without a value, of nobody',
      simulatedMetric,
      { spec: { metric: 'a%b', describedObject: { kind: 'Ingress' }, pattern: 'circle' } },
      {},
      [
        'spec.value: Required value',
        'spec.describedObject.name: Required value',
        'spec.pattern: Unsupported value: "circle": supported values: "constant", "ramp", "sine", "step"',
        'spec.metric: Invalid value: "a%b": may not contain \'%\'',
      ],
    ],
    [
      'less than no load',
      simulatedLoad,
      { spec: { requestsPerSecond: -1, period: '1d' } },
      {},
      [
        'spec.service: Required value',
        'spec.requestsPerSecond: Invalid value: -1: should be greater than or equal to 0',
        'spec.period: Invalid value: "1d": must be a duration above 0, such as "10m" or "24h"',
      ],
    ],
    [
      'an application with two marks, outside its repository, now and then',
      application,
      { spec: { source: { branch: 'main', tag: 'v1', path: '../x' }, interval: 'often' } },
      {},
      [
        'spec.source.tag: Forbidden: may not be used together with branch',
        'spec.interval: Invalid value: "often": must be a duration greater than 0, such as "60s" or "10m"',
        'spec.source.path: Invalid value: "../x": must be a relative path inside the repository',
      ],
    ],
  ])('of %s', (_, kind, fields, metadata, expected) =>
    expect(faults(kind.validate(make(kind, fields, metadata)))).toEqual(expected),
  )
})

describe('what may not change', () => {
  test.each<[string, AnyKind, object, object, readonly string[]]>([
    [
      'the type of a Secret',
      secret,
      { type: 'a' },
      { type: 'b' },
      ['type: Invalid value: "b": field is immutable'],
    ],
    [
      'an immutable ConfigMap',
      configMap,
      { immutable: true, data: { a: '1' } },
      { data: { a: '2' } },
      [
        'immutable: Forbidden: field is immutable when `immutable` is set',
        'data: Forbidden: field is immutable when `immutable` is set',
      ],
    ],
    [
      'an immutable Secret',
      secret,
      { immutable: true, data: { a: 'YQ==' } },
      { immutable: true, data: { a: 'Yg==' } },
      ['data: Forbidden: field is immutable when `immutable` is set'],
    ],
    ['a mutable ConfigMap may', configMap, { data: { a: '1' } }, { data: { a: '2' }, immutable: true }, []],
    [
      'a priority',
      priorityClass,
      { value: 1 },
      { value: 2 },
      ['value: Forbidden: may not be changed in an update.'],
    ],
    [
      'the addresses of a slice',
      endpointSlice,
      { addressType: 'IPv4' },
      { addressType: 'IPv6', endpoints: [] },
      ['addressType: Invalid value: "IPv6": field is immutable'],
    ],
  ])('%s', (_, kind, before, after, expected) =>
    expect(faults(kind.validateUpdate(make(kind, after), make(kind, before)))).toEqual(expected),
  )
})

describe('kubectl get prints', () => {
  const ready = (status: string) => ({ conditions: [{ type: 'Ready', status }] })
  const nodeInfo = {
    kubeletVersion: 'v1.36.0',
    osImage: 'Simulated',
    kernelVersion: '6',
    containerRuntimeVersion: 's://1',
  }
  test.each<[string, AnyKind, object, object, readonly unknown[]]>([
    ['a namespace', namespace, { status: { phase: 'Active' } }, {}, ['shop', 'Active', '5m']],
    [
      'a node',
      node,
      {
        spec: { unschedulable: true },
        status: { ...ready('True'), nodeInfo, addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] },
      },
      {
        labels: {
          'node-role.kubernetes.io/worker': '',
          'node-role.kubernetes.io/edge': '',
          'kubernetes.io/role': 'x',
        },
      },
      [
        'worker-0',
        'Ready,SchedulingDisabled',
        'edge,worker,x',
        '5m',
        'v1.36.0',
        '10.0.0.1',
        '<none>',
        'Simulated',
        '6',
        's://1',
      ],
    ],
    [
      'a node that is new',
      node,
      {},
      {},
      ['worker-0', 'Unknown', '<none>', '5m', '', '<none>', '<none>', '<unknown>', '<unknown>', '<unknown>'],
    ],
    ['a config map', configMap, { data: { a: '' }, binaryData: { b: '' } }, {}, ['settings', 2, '5m']],
    ['a secret', secret, {}, {}, ['token', 'Opaque', 1, '5m']],
    ['a lease', lease, {}, {}, ['leader', 'a', '5m']],
    ['a budget', podDisruptionBudget, {}, {}, ['web', '1', 'N/A', 0, '5m']],
    ['a priority class', priorityClass, {}, {}, ['high', 1000, false, '5m', 'PreemptLowerPriority']],
    [
      'endpoints',
      endpoints,
      { subsets: [{ addresses: ['1', '2', '3', '4', '5'].map((ip) => ({ ip })), ports: [{ port: 80 }] }] },
      {},
      ['web', '1:80,2:80,3:80 + 2 more...', '5m'],
    ],
    ['no endpoints', endpoints, { subsets: [] }, {}, ['web', '<none>', '5m']],
    [
      'a slice',
      endpointSlice,
      { ports: [{ port: 80 }], endpoints: [{ addresses: ['10.0.0.1', '10.0.0.2'] }] },
      { name: 's' },
      ['s', 'IPv4', '80', '10.0.0.1,10.0.0.2', '5m'],
    ],
    [
      'an empty slice',
      endpointSlice,
      { ports: [], endpoints: [] },
      { name: 's' },
      ['s', 'IPv4', '<unset>', '<unset>', '5m'],
    ],
    [
      'an event that happened often',
      event,
      {
        count: 3,
        firstTimestamp: FIVE_MINUTES_AGO,
        lastTimestamp: '2026-01-01T00:04:30Z',
        source: { component: 'kubelet', host: 'n' },
      },
      {},
      [
        '30s (x3 over 5m)',
        'Normal',
        'Started',
        'pod/web',
        '',
        'kubelet, n',
        'Started container app',
        '5m',
        3,
        'web.1',
      ],
    ],
    ['a pool', nodePool, { status: { nodes: 3, readyNodes: 2 } }, {}, ['worker', 3, 2, 'simulated', '5m']],
    [
      'an application',
      application,
      {
        status: {
          lastAppliedCommit: '4f2c1aa0123',
          conditions: [
            { type: 'Synced', status: 'True' },
            { type: 'Ready', status: 'False', message: 'web: CrashLoopBackOff' },
          ],
        },
      },
      {},
      ['shop', 'True', 'Unknown', '4f2c1aa', 'web: CrashLoopBackOff', '5m', 'apps'],
    ],
  ])('%s', (_, kind, fields, metadata, expected) =>
    expect(kind.columns.map((column) => column.value(make(kind, fields, metadata), NOW))).toEqual(expected),
  )
})

test('stringData is written over data and never stored', () =>
  expect(
    secret.prepareForCreate(make(secret, { data: { a: 'YQ==', b: 'Yg==' }, stringData: { b: 'ü', c: '' } })),
  ).toEqual(make(secret, { data: { a: 'YQ==', b: 'w7w=', c: '' } })))

test('A namespace is labelled with its name and begins Active', () =>
  expect(namespace.prepareForCreate(make(namespace, {}))).toMatchObject({
    metadata: { labels: { 'kubernetes.io/metadata.name': 'shop' } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  }))

test('An application has every default written out', () =>
  expect(application.setDefaults({ ...application.example, spec: { source: {} } }).spec).toEqual({
    source: { path: '.' },
    render: { type: 'auto' },
    interval: '60s',
    prune: true,
    selfHeal: true,
    suspend: false,
    timeout: '10m',
    rollback: { onFailure: 'previous' },
  }))

test('What is being deleted is on its way, whatever its kind says', () =>
  expect(configMap.health(make(configMap, {}, { deletionTimestamp: FIVE_MINUTES_AGO }), NOW)).toEqual({
    status: 'Progressing',
    message: 'Pending deletion',
  }))
