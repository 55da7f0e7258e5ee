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
      backends: [{ address: '10.244.0.2:8080', node: 'a', isReady: true, isLeaving: false }],
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
    expect(rule && targetsOf(rule, 'a', from)).toEqual(hosts.map((host) => `${host}:8080`))
  })
})
