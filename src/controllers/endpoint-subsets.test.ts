import { describe, expect, test } from 'vitest'
import type { Pod } from '../api/kinds/pod.ts'
import type { Service } from '../api/kinds/service.ts'
import { endpointSubsets } from './endpoint-subsets.ts'
import { servicePods } from './service-pods.ts'
import { endpointOf, portGroups } from './slice-endpoints.ts'

function pod(
  n: number,
  more: { ready?: boolean; deleted?: boolean; port?: number; phase?: string; ip?: string } = {},
): Pod {
  const { ready = true, deleted = false, port = 8080, phase = 'Running', ip = `10.244.0.${n}` } = more
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `web-${n}`,
      namespace: 'default',
      uid: `u${n}`,
      labels: { app: 'web' },
      ...(deleted ? { deletionTimestamp: '2030-01-01T00:00:00Z' } : {}),
    },
    spec: {
      nodeName: 'a',
      containers: [{ name: 'app', ports: [{ name: 'http', containerPort: port, protocol: 'TCP' }] }],
    },
    status: {
      phase,
      ...(ip ? { podIP: ip } : {}),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  }
}

function service(spec: Partial<Service['spec']> = {}): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }], ...spec },
  }
}

describe('servicePods', () => {
  test.each<[string, Pod, boolean]>([
    ['takes a ready pod', pod(1), true],
    ['takes a pod that is not ready', pod(1, { ready: false }), true],
    ['takes a terminating pod', pod(1, { deleted: true }), true],
    ['leaves out a finished pod', pod(1, { phase: 'Succeeded' }), false],
    ['leaves out a pod without an address', pod(1, { ip: '' }), false],
  ])('%s', (_, given, isTaken) => {
    expect(servicePods(service(), [given])).toHaveLength(isTaken ? 1 : 0)
  })
})

describe('endpointOf', () => {
  test.each<[string, Pod, Partial<Service['spec']>, [boolean, boolean, boolean]]>([
    ['a ready pod', pod(1), {}, [true, true, false]],
    ['a pod that is not ready', pod(1, { ready: false }), {}, [false, false, false]],
    ['a terminating pod still serves', pod(1, { deleted: true }), {}, [false, true, true]],
    [
      'not-ready addresses are published',
      pod(1, { ready: false }),
      { publishNotReadyAddresses: true },
      [true, false, false],
    ],
    [
      'also terminating ones',
      pod(1, { deleted: true }),
      { publishNotReadyAddresses: true },
      [true, true, true],
    ],
  ])('%s', (_, given, spec, [ready, serving, terminating]) => {
    const [one] = servicePods(service(spec), [given])
    const zoned = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'a', labels: { 'topology.kubernetes.io/zone': 'z' } },
      spec: {},
    }
    expect(endpointOf(service(spec), one!, 'IPv4', () => zoned)).toEqual({
      addresses: ['10.244.0.1'],
      conditions: { ready, serving, terminating },
      nodeName: 'a',
      zone: 'z',
      targetRef: { kind: 'Pod', namespace: 'default', name: 'web-1', uid: 'u1' },
    })
  })
})

const home = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' }, spec: {} }

test('portGroups keeps pods apart whose named port has another number', () => {
  const pods = servicePods(service(), [pod(1), pod(2, { port: 9090 }), pod(3)])
  const groups = portGroups(service(), pods, 'IPv4', () => home)
  expect(groups.map(({ ports, endpoints }) => [ports[0]?.port, endpoints.length])).toEqual([
    [8080, 2],
    [9090, 1],
  ])
})

describe('endpointSubsets', () => {
  test('keeps ready and not ready apart, terminating out', () => {
    const pods = servicePods(service(), [pod(1), pod(2, { ready: false }), pod(3, { deleted: true })])
    const { subsets } = endpointSubsets(service(), pods)
    expect(subsets).toHaveLength(1)
    expect(subsets[0]).toMatchObject({
      addresses: [{ ip: '10.244.0.1' }],
      notReadyAddresses: [{ ip: '10.244.0.2' }],
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    })
  })
  test('has no subset for a service without a matching port', () => {
    const given = service({ ports: [{ port: 80, targetPort: 'other' }] })
    expect(endpointSubsets(given, servicePods(given, [pod(1)])).subsets).toEqual([])
  })
  test('has addresses without ports for a headless service without ports', () => {
    const given = service({ clusterIP: 'None', ports: [] })
    const { subsets } = endpointSubsets(given, servicePods(given, [pod(1)]))
    expect(subsets).toMatchObject([{ addresses: [{ ip: '10.244.0.1' }] }])
  })
  test('cuts off at 1000 addresses, ready ones kept', () => {
    const pods = Array.from({ length: 1001 }, (_, i) => pod(i, { ready: i !== 0 }))
    const { subsets, isTruncated } = endpointSubsets(service(), servicePods(service(), pods))
    expect(isTruncated).toBe(true)
    expect(subsets[0]?.addresses).toHaveLength(1000)
    expect(subsets[0]?.notReadyAddresses).toBeUndefined()
  })
  test('keeps of each subset its part of 1000', () => {
    const pods = Array.from({ length: 1500 }, (_, i) => pod(i, { port: i < 500 ? 8080 : 9090 }))
    const { subsets } = endpointSubsets(service(), servicePods(service(), pods))
    expect(subsets.map(({ addresses, ports }) => [ports?.[0]?.port, addresses?.length])).toEqual([
      [8080, 334],
      [9090, 666],
    ])
  })
  test('keeps all that are ready, and of the others what still has room', () => {
    const pods = Array.from({ length: 1200 }, (_, i) => pod(i, { ready: i < 900 }))
    const { subsets } = endpointSubsets(service(), servicePods(service(), pods))
    expect([subsets[0]?.addresses?.length, subsets[0]?.notReadyAddresses?.length]).toEqual([900, 100])
  })
})
