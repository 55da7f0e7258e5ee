import { describe, expect, test } from 'vitest'
import type { V1EndpointAddress, V1EndpointSubset } from '../api/generated/types.ts'
import type { EndpointSlice } from '../api/kinds/endpoint-slice.ts'
import type { Endpoints } from '../api/kinds/endpoints.ts'
import { isMirrored, mirroredAnnotations, mirroredLabels, planMirror } from './slice-mirror.ts'

const HTTP = [{ port: 80, protocol: 'TCP' }]
const SLICE_HTTP = [{ name: '', port: 80, protocol: 'TCP' }]

const source = (
  subsets: readonly V1EndpointSubset[],
  more: Partial<Pick<Endpoints['metadata'], 'labels' | 'annotations'>> = {},
): Endpoints => ({
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { name: 'web', namespace: 'default', ...more },
  subsets,
})
const addresses = (count: number, prefix = '10.0'): V1EndpointAddress[] =>
  Array.from({ length: count }, (_, i) => ({ ip: `${prefix}.${i >> 8}.${i & 255}` }))

const mirrorOf = (given: Endpoints, name = 'web-1'): EndpointSlice => {
  const [group] = planMirror(given, []).create
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, labels: mirroredLabels(given), annotations: mirroredAnnotations(given) },
    addressType: group?.addressType ?? 'IPv4',
    ports: group?.ports ?? [],
    endpoints: group?.endpoints ?? [],
  }
}

describe('The mirror of Endpoints', () => {
  test('has ready and not ready addresses, with what is said of them', () => {
    const targetRef = { kind: 'Pod', name: 'web-a' }
    const ready = { ip: '10.0.0.1', hostname: 'a', nodeName: 'node-a', targetRef }
    const given = source([{ addresses: [ready], notReadyAddresses: [{ ip: '10.0.0.2' }], ports: HTTP }])
    expect(planMirror(given, []).create).toEqual([
      {
        addressType: 'IPv4',
        ports: SLICE_HTTP,
        endpoints: [
          {
            addresses: ['10.0.0.1'],
            conditions: { ready: true },
            hostname: 'a',
            nodeName: 'node-a',
            targetRef,
          },
          { addresses: ['10.0.0.2'], conditions: { ready: false } },
        ],
      },
    ])
  })

  test.each<[string, V1EndpointSubset[], { slices: [string, number][]; invalid?: number; tooMany?: number }]>(
    [
      [
        'has a slice for each family',
        [{ addresses: [{ ip: '10.0.0.1' }, { ip: '2001:db8::1' }], ports: HTTP }],
        {
          slices: [
            ['IPv4', 1],
            ['IPv6', 1],
          ],
        },
      ],
      [
        'has a slice for each set of ports',
        [
          { addresses: addresses(2), ports: HTTP },
          { addresses: addresses(3), ports: [{ port: 81 }] },
        ],
        {
          slices: [
            ['IPv4', 2],
            ['IPv4', 3],
          ],
        },
      ],
      [
        'has 1000 addresses of a subset at most',
        [{ addresses: addresses(1500), notReadyAddresses: addresses(3, '10.1'), ports: HTTP }],
        { slices: [['IPv4', 1000]], tooMany: 503 },
      ],
      [
        'leaves out what is no address',
        [{ addresses: [{ ip: '10.0.0.1' }, { ip: 'nowhere' }], ports: HTTP }],
        { slices: [['IPv4', 1]], invalid: 1 },
      ],
      ['is nothing for no addresses', [], { slices: [] }],
    ],
  )('%s', (_, subsets, { slices, invalid = 0, tooMany = 0 }) => {
    const plan = planMirror(source(subsets), [])
    expect(plan.create.map(({ addressType, endpoints }) => [addressType, endpoints.length])).toEqual(slices)
    expect([plan.invalid, plan.tooMany]).toEqual([invalid, tooMany])
  })

  const given = source([{ addresses: addresses(2), ports: HTTP }], {
    labels: { team: 'a' },
    annotations: { note: 'b', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
  })
  const shape = ({ create, update, remove }: ReturnType<typeof planMirror>) => [
    create.length,
    update.map(({ slice }) => slice.metadata.name),
    remove.map(({ metadata }) => metadata.name),
  ]

  test('is written only when something differs', () => {
    const same = mirrorOf(given)
    expect(shape(planMirror(given, [same]))).toEqual([0, [], []])
    const relabelled = source(given.subsets ?? [], { labels: { team: 'b' } })
    expect(shape(planMirror(relabelled, [same]))).toEqual([0, ['web-1'], []])
    expect(shape(planMirror(given, [same, mirrorOf(given, 'web-2')]))).toEqual([0, [], ['web-2']])
    const moved = source([{ addresses: addresses(2), ports: [{ port: 81 }] }])
    expect(shape(planMirror(moved, [same]))).toEqual([0, ['web-1'], []])
    expect(shape(planMirror(source([]), [same]))).toEqual([0, [], ['web-1']])
  })

  test('carries labels and annotations, but what kubectl applied last', () => {
    const { labels, annotations } = mirrorOf(given).metadata
    expect(labels).toEqual({
      team: 'a',
      'kubernetes.io/service-name': 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
    })
    expect(annotations).toEqual({ note: 'b' })
  })

  test.each<[string, Endpoints, boolean]>([
    ['plain Endpoints are', given, true],
    [
      'those that say no are not',
      source([], { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } }),
      false,
    ],
    [
      'locks are not',
      source([], { annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } }),
      false,
    ],
  ])('is for what wants one: %s', (_, one, expected) => {
    expect(isMirrored(one)).toBe(expected)
  })
})
