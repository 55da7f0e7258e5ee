import { describe, expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import type { V1Endpoint } from '../../api/generated/types.ts'
import type { EndpointSlice } from '../../api/kinds/endpoint-slice.ts'
import type { Service } from '../../api/kinds/service.ts'
import { proxyRules, targetsOf } from './rules.ts'

type Conditions = NonNullable<V1Endpoint['conditions']>
const ready: Conditions = { ready: true, serving: true, terminating: false }
const leaving: Conditions = { ready: false, serving: true, terminating: true }
const unready: Conditions = { ready: false, serving: false, terminating: false }
const leavingUnready: Conditions = { ready: false, serving: false, terminating: true }

const slice = (...endpoints: readonly (readonly [string, string, Conditions])[]): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  ports: [{ name: '', port: 8080, protocol: 'TCP' }],
  endpoints: endpoints.map(([address, nodeName, conditions]) => ({
    addresses: [address],
    nodeName,
    conditions,
  })),
})

const service = (spec: Partial<Service['spec']> = {}): Service =>
  make.service({
    spec: { clusterIP: '10.0.0.9', clusterIPs: ['10.0.0.9'], type: 'ClusterIP', ...spec } as never,
  })

const rulesOf = (one: Service, ...slices: readonly EndpointSlice[]) => proxyRules([one], () => slices)

describe('Proxy rules', () => {
  test('carry address, port, node port and affinity of each port', () => {
    const [rule] = rulesOf(
      service({
        ports: [{ port: 80, nodePort: 30080, protocol: 'TCP' }],
        externalIPs: ['192.0.2.1'],
        sessionAffinity: 'ClientIP',
      }),
      slice(['10.244.0.2', 'a', ready]),
    )
    expect(rule).toEqual({
      name: 'default/web',
      protocol: 'TCP',
      clusterIPs: ['10.0.0.9'],
      externalIPs: ['192.0.2.1'],
      port: 80,
      nodePort: 30080,
      backends: [
        {
          address: '10.244.0.2:8080',
          node: 'a',
          isReady: true,
          isLeaving: false,
          forNodes: [],
          forZones: [],
        },
      ],
      isInternalLocal: false,
      isExternalLocal: false,
      affinitySeconds: 10_800,
    })
  })

  test.each<[string, Partial<Service['spec']>]>([
    ['a headless Service', { clusterIP: 'None', clusterIPs: ['None'] }],
    ['an ExternalName', { type: 'ExternalName', externalName: 'example.com' }],
  ])('are none for %s', (_, spec) => {
    expect(rulesOf(service(spec))).toEqual([])
  })

  test('keep an endpoint once when it is in two slices, and prefer where it is ready', () => {
    const [rule] = rulesOf(service(), slice(['10.244.0.2', 'a', leaving]), slice(['10.244.0.2', 'a', ready]))
    expect(rule?.backends).toHaveLength(1)
    expect(rule?.backends[0]?.isReady).toBe(true)
  })
})

describe('Traffic', () => {
  const both = slice(['10.244.0.2', 'a', ready], ['10.244.1.2', 'b', ready])
  test.each<[string, Partial<Service['spec']>, EndpointSlice, 'inside' | 'outside', readonly string[]]>([
    ['goes to all that are ready', {}, both, 'inside', ['10.244.0.2', '10.244.1.2']],
    [
      'never to what is unready',
      {},
      slice(['10.244.0.2', 'a', unready], ['10.244.1.2', 'b', ready]),
      'inside',
      ['10.244.1.2'],
    ],
    [
      'not to what leaves while something is ready',
      {},
      slice(['10.244.0.2', 'a', leaving], ['10.244.1.2', 'b', ready]),
      'inside',
      ['10.244.1.2'],
    ],
    [
      'goes to what leaves and serves when nothing is ready',
      {},
      slice(['10.244.0.2', 'a', leaving], ['10.244.1.2', 'b', leavingUnready]),
      'inside',
      ['10.244.0.2'],
    ],
    ['stays on its node inside', { internalTrafficPolicy: 'Local' }, both, 'inside', ['10.244.0.2']],
    [
      'from outside does not mind the inner policy',
      { internalTrafficPolicy: 'Local' },
      both,
      'outside',
      ['10.244.0.2', '10.244.1.2'],
    ],
    [
      'from outside stays where it came in',
      { type: 'NodePort', externalTrafficPolicy: 'Local' },
      both,
      'outside',
      ['10.244.0.2'],
    ],
    [
      'that must stay is dropped where the node has none',
      { internalTrafficPolicy: 'Local' },
      slice(['10.244.1.2', 'b', ready]),
      'inside',
      [],
    ],
    [
      'that must stay falls back to what leaves on the node',
      { externalTrafficPolicy: 'Local' },
      slice(['10.244.0.2', 'a', leaving], ['10.244.1.2', 'b', ready]),
      'outside',
      ['10.244.0.2'],
    ],
  ])('%s', (_, spec, endpoints, from, hosts) => {
    const [rule] = rulesOf(service(spec), endpoints)
    expect(rule && targetsOf(rule, { node: 'a', zone: 'z1' }, from)).toEqual(
      hosts.map((host) => `${host}:8080`),
    )
  })
})

describe('Hints', () => {
  type Hinted = readonly [host: string, node: string, zones: readonly string[], nodes?: readonly string[]]
  const hinted = (...given: readonly Hinted[]): EndpointSlice => {
    const plain = slice(...given.map(([host, node]) => [host, node, ready] as const))
    return {
      ...plain,
      endpoints: plain.endpoints?.map((endpoint, i) => ({
        ...endpoint,
        hints: {
          forZones: given[i]?.[2].map((name) => ({ name })),
          forNodes: given[i]?.[3]?.map((name) => ({ name })),
        },
      })),
    }
  }
  const spread = hinted(['1.1.1.1', 'a', ['z1']], ['1.1.1.2', 'b', ['z1']], ['1.1.1.3', 'c', ['z2']])
  test.each<[string, Partial<Service['spec']>, EndpointSlice, { node: string; zone: string }, string[]]>([
    ['keep traffic in its zone', {}, spread, { node: 'a', zone: 'z1' }, ['1.1.1.1', '1.1.1.2']],
    [
      'are let be where a zone has no endpoint',
      {},
      spread,
      { node: 'd', zone: 'z3' },
      ['1.1.1.1', '1.1.1.2', '1.1.1.3'],
    ],
    [
      'are let be while an endpoint has none',
      {},
      hinted(['1.1.1.1', 'a', ['z1']], ['1.1.1.3', 'c', []]),
      { node: 'a', zone: 'z1' },
      ['1.1.1.1', '1.1.1.3'],
    ],
    [
      'for nodes come before those for zones',
      {},
      hinted(['1.1.1.1', 'a', ['z1'], ['a']], ['1.1.1.2', 'b', ['z1'], ['b']]),
      { node: 'b', zone: 'z1' },
      ['1.1.1.2'],
    ],
    [
      'for the zone count where the node has no endpoint of its own',
      {},
      hinted(['1.1.1.1', 'a', ['z1'], ['a']], ['1.1.1.2', 'b', ['z2'], ['b']]),
      { node: 'x', zone: 'z2' },
      ['1.1.1.2'],
    ],
    [
      'do not matter where the policy is Local',
      { internalTrafficPolicy: 'Local' },
      hinted(['1.1.1.1', 'a', ['z2']], ['1.1.1.2', 'b', ['z1']]),
      { node: 'a', zone: 'z1' },
      ['1.1.1.1'],
    ],
  ])('%s', (_, spec, endpoints, place, hosts) => {
    const [rule] = rulesOf(service(spec), endpoints)
    expect(rule && targetsOf(rule, place, 'inside')).toEqual(hosts.map((host) => `${host}:8080`))
  })
})

test('A service of two families has rules of its own for each', () => {
  const six = { ...slice(['2001:db8::1', 'a', ready]), addressType: 'IPv6' }
  const dual = service({
    ipFamilies: ['IPv4', 'IPv6'],
    clusterIPs: ['10.0.0.9', 'fd00::9'],
    ports: [{ port: 80 }],
  })
  const rules = rulesOf(dual, slice(['10.244.0.2', 'a', ready]), six)
  expect(
    rules.map(({ clusterIPs, backends }) => [clusterIPs, backends.map(({ address }) => address)]),
  ).toEqual([
    [['10.0.0.9'], ['10.244.0.2:8080']],
    [['fd00::9'], ['[2001:db8::1]:8080']],
  ])
})
