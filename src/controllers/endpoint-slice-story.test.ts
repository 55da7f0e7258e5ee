import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { type EndpointSlice, endpointSlice } from '../api/kinds/endpoint-slice.ts'
import { endpoints } from '../api/kinds/endpoints.ts'
import { event } from '../api/kinds/event.ts'
import { kinds } from '../api/kinds/index.ts'
import { node } from '../api/kinds/node.ts'
import { pod } from '../api/kinds/pod.ts'
import { type Service, service } from '../api/kinds/service.ts'
import { serviceCidr } from '../api/kinds/service-cidr.ts'
import type { Running } from './controller.ts'
import { startControllers } from './index.ts'
import { TRIGGER_TIME } from './trigger-times.ts'

let cluster: TestCluster
let running: Running
beforeEach(async () => {
  cluster = await createTestCluster()
  const options = { informers: cluster.informers, kinds: () => kinds }
  running = startControllers(cluster.env, cluster.client, options)
  for (const zone of ['a', 'b']) {
    const labels = { 'topology.kubernetes.io/zone': zone }
    const wanted = make.node({ metadata: { name: `node-${zone}`, labels } })
    const made = await cluster.client.create(node, wanted)
    await cluster.client.update(node, { ...made, status: wanted.status }, { subresource: 'status' })
  }
})
afterEach(async () => {
  await running.stop()
  await cluster.close()
})

const WEB = { namespace: 'default', name: 'web' }

async function addPod(name: string, zone: string, ips: readonly string[]): Promise<void> {
  const made = await cluster.client.create(
    pod,
    make.pod({ metadata: { name }, spec: { nodeName: `node-${zone}` } }),
  )
  const status = {
    phase: 'Running',
    podIP: ips[0],
    podIPs: ips.map((ip) => ({ ip })),
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2030-01-01T00:00:00Z' }],
  }
  await cluster.client.update(pod, { ...made, status }, { subresource: 'status' })
}
const slices = async (): Promise<readonly EndpointSlice[]> =>
  (await cluster.client.list(endpointSlice)).items.filter(
    ({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === 'web',
  )
const hints = async () =>
  (await slices()).flatMap(({ endpoints: held = [] }) => held.map(({ hints: hint }) => hint))
const change = async (edit: (found: Service) => Service) => {
  await cluster.client.update(service, edit(await cluster.client.get(service, WEB)))
  await cluster.clock.run(2000)
}
const reasons = async () =>
  (await cluster.client.list(event)).items
    .filter(({ involvedObject }) => involvedObject.kind === 'Service' && involvedObject.name === 'web')
    .map(({ reason, message }) => `${reason}: ${message}`)

describe('Hints of a service', () => {
  beforeEach(async () => {
    await addPod('one', 'a', ['10.244.0.2'])
    await addPod('two', 'b', ['10.244.1.2'])
    await cluster.client.create(service, make.service())
    await cluster.clock.run(2000)
  })

  test('follow spec.trafficDistribution, and go with it', async () => {
    expect(await hints()).toEqual([undefined, undefined])
    await change((found) => ({ ...found, spec: { ...found.spec, trafficDistribution: 'PreferSameZone' } }))
    expect(await hints()).toEqual([{ forZones: [{ name: 'a' }] }, { forZones: [{ name: 'b' }] }])
    await change((found) => ({ ...found, spec: { ...found.spec, trafficDistribution: 'PreferSameNode' } }))
    expect((await hints())[0]).toEqual({ forZones: [{ name: 'a' }], forNodes: [{ name: 'node-a' }] })
    await change(({ spec: { trafficDistribution: _, ...spec }, ...found }) => ({ ...found, spec }))
    expect(await hints()).toEqual([undefined, undefined])
  })

  test('follow the annotation and the CPUs of zones, and say so', async () => {
    const annotate = (mode: string) => (found: Service) => ({
      ...found,
      metadata: { ...found.metadata, annotations: { 'service.kubernetes.io/topology-mode': mode } },
    })
    await change(annotate('Auto'))
    expect(await hints()).toEqual([{ forZones: [{ name: 'a' }] }, { forZones: [{ name: 'b' }] }])
    await cluster.clock.run(10_000)
    await running.stop()
    running = startControllers(cluster.env, cluster.client, {
      informers: cluster.informers,
      kinds: () => kinds,
    })
    await cluster.clock.run(2000)
    const large = await cluster.client.get(node, { name: 'node-b' })
    const allocatable = { ...large.status?.allocatable, cpu: '64' }
    await cluster.client.update(
      node,
      { ...large, status: { ...large.status, allocatable } },
      { subresource: 'status' },
    )
    await cluster.clock.run(2000)
    expect(await hints()).toEqual([undefined, undefined])
    await change(annotate('Disabled'))
    await cluster.clock.run(10_000)
    expect((await reasons()).toSorted()).toEqual([
      'TopologyAwareHintsDisabled: Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (2 endpoints, 2 zones), addressType: IPv4',
      'TopologyAwareHintsEnabled: Topology Aware Hints has been enabled, addressType: IPv4',
    ])
  })
})

test('A service of two families has slices of both, and Endpoints of its first', async () => {
  await addPod('one', 'a', ['10.244.0.2', 'fd00::2'])
  await cluster.client.create(serviceCidr, {
    ...serviceCidr.example,
    spec: { cidrs: ['fd00:10:96::/112'] },
  })
  await cluster.client.create(
    service,
    make.service({
      spec: { clusterIP: 'None', ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6', 'IPv4'] },
    }),
  )
  await cluster.clock.run(2000)
  const found = await slices()
  expect(
    found.map(({ addressType, endpoints: held }) => [addressType, held?.[0]?.addresses]).toSorted(),
  ).toEqual([
    ['IPv4', ['10.244.0.2']],
    ['IPv6', ['fd00::2']],
  ])
  const { subsets } = await cluster.client.get(endpoints, WEB)
  expect(subsets?.[0]?.addresses?.map(({ ip }) => ip)).toEqual(['fd00::2'])
})

test('What is written says when the change was that it is for', async () => {
  const made = await cluster.client.create(service, make.service())
  await cluster.clock.run(2000)
  expect((await slices())[0]?.metadata.annotations?.[TRIGGER_TIME]).toBe(made.metadata.creationTimestamp)
  await addPod('one', 'a', ['10.244.0.2'])
  await cluster.clock.run(2000)
  expect((await slices())[0]?.metadata.annotations?.[TRIGGER_TIME]).toBe('2030-01-01T00:00:00Z')
  const { metadata } = await cluster.client.get(endpoints, WEB)
  expect(metadata.annotations?.[TRIGGER_TIME]).toBe('2030-01-01T00:00:00Z')
})

test('A mirror goes with its Service, and where it gets a selector', async () => {
  const { selector, ...spec } = make.service().spec
  await cluster.client.create(service, { ...make.service(), spec })
  await cluster.client.create(endpoints, endpoints.example)
  await cluster.clock.run(2000)
  expect((await slices()).map(({ metadata }) => metadata.ownerReferences?.[0]?.kind)).toEqual(['Endpoints'])
  await change((found) => ({ ...found, spec: { ...found.spec, selector } }))
  expect((await slices()).map(({ metadata }) => metadata.ownerReferences?.[0]?.kind)).toEqual(['Service'])
  await cluster.client.delete(service, WEB)
  await cluster.clock.run(5000)
  expect(await slices()).toEqual([])
})
