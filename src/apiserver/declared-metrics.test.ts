import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import { node, type SimulatedNodes, startSimulatedNodes } from '../../test/support/simulated-nodes.ts'
import { apiService } from '../api/kinds/api-service.ts'
import { endpointSlice } from '../api/kinds/endpoint-slice.ts'
import { fault } from '../api/kinds/fault.ts'
import { pod as podKind } from '../api/kinds/pod.ts'
import { type SimulatedLoad, simulatedLoad } from '../api/kinds/simulated-load.ts'
import { type SimulatedMetric, simulatedMetric } from '../api/kinds/simulated-metric.ts'
import { customMetric, externalMetric, namespaceMetric } from '../api/metric-values.ts'
import { nodeMetrics, podMetrics } from '../api/metrics-kinds.ts'
import { startApiServices } from './api-services.ts'
import { aggregatedDiscovery, apiResourceList } from './discovery.ts'
import { discoveredIn } from './served-group.ts'

let nodes: SimulatedNodes
beforeEach(async () => {
  nodes = await startSimulatedNodes([node('node-a'), node('node-b')])
})
afterEach(() => nodes.stop())

const NAMESPACE = { namespace: 'default' }
const RPS = 'http_requests_per_second'

const run = (name: string, labels = {}, nodeName = 'node-a') =>
  nodes.client.create(
    podKind,
    make.pod({
      metadata: { name, labels: { app: name, ...labels } },
      spec: { nodeName, containers: [{ name: 'app', image: 'registry.example/app:1' }] },
    }),
  )
const declare = (name: string, spec: SimulatedMetric['spec'], namespace = 'default') =>
  nodes.client.create(simulatedMetric, {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'SimulatedMetric',
    metadata: { name, namespace },
    spec,
  })
const send = (spec: SimulatedLoad['spec']) =>
  nodes.client.create(simulatedLoad, {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'SimulatedLoad',
    metadata: { name: 'shoppers', namespace: 'default' },
    spec,
  })
/** "name=value" of each. */
async function custom(resource: string, name: string, metric: string, options = {}) {
  const { items } = await nodes.client.list(customMetric(resource, name, metric), {
    ...NAMESPACE,
    ...options,
  })
  return items.map(({ describedObject, value }) => `${describedObject.name}=${value}`).sort()
}
async function external(metric: string, options = {}) {
  const { items } = await nodes.client.list(externalMetric(metric), { ...NAMESPACE, ...options })
  return items.map(({ value }) => value)
}

describe('Custom metrics of pods', () => {
  test('are what their image declares, for those that a selector selects, by the labels of the metric', async () => {
    await nodes.declare('app', {
      usage: {
        metrics: [
          { name: RPS, value: '5', labels: { verb: 'GET' } },
          { name: RPS, value: '2', labels: { verb: 'PUT' } },
        ],
      },
    })
    await run('web-0', { app: 'web' })
    await run('web-1', { app: 'web' }, 'node-b')
    await run('other')
    await nodes.clock.run(20_000)
    const options = { labelSelector: 'app=web', metricLabelSelector: 'verb=GET' }
    expect(await custom('pods', '*', RPS, options)).toEqual(['web-0=5', 'web-1=5'])
    expect(await custom('pods', 'web-0', RPS)).toEqual(['web-0=2', 'web-0=5'])
    await expect(custom('pods', '*', 'latency')).rejects.toThrow(
      'the server could not find the metric latency for pods',
    )
    await expect(custom('pods', 'nobody', RPS)).rejects.toThrow(
      `the server could not find the metric ${RPS} for pods nobody`,
    )
  })

  test('share the requests of a Service among its ready pods, and cost what a request costs', async () => {
    await nodes.declare('app', {
      usage: { cpu: '10m', load: { cpuPerRequest: '2m' }, metrics: [{ name: RPS, perRequest: '1' }] },
    })
    const made = [await run('web-0'), await run('web-1'), await run('web-2')]
    await nodes.client.create(endpointSlice, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      endpoints: made.map(({ metadata: { name, uid } }, i) => ({
        addresses: [`10.0.0.${i + 1}`],
        conditions: { ready: i > 0 },
        targetRef: { kind: 'Pod', name, ...(uid ? { uid } : {}) },
      })),
    })
    await send({ service: 'web', requestsPerSecond: 100, peak: 300, pattern: 'step', period: '2m' })
    await nodes.clock.run(30_000)
    expect(await custom('pods', '*', RPS)).toEqual(['web-0=0', 'web-1=50', 'web-2=50'])
    expect(await custom('services', 'web', 'requests_per_second')).toEqual(['web=100'])
    const cpu = async () =>
      (await nodes.client.list(podMetrics, NAMESPACE)).items.map(({ containers }) => containers[0]?.usage.cpu)
    expect(await cpu()).toEqual(['10000000n', '110000000n', '110000000n'])
    await nodes.clock.run(60_000)
    expect(await custom('services', 'web', 'requests_per_second')).toEqual(['web=300'])
    expect(await cpu()).toEqual(['10000000n', '310000000n', '310000000n'])
  })
})

describe('Declared metrics', () => {
  test('are of an object, of the namespace, or of something outside', async () => {
    const ingress = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'main' }
    await declare('traffic', { metric: 'rps', describedObject: ingress, value: '1500' })
    await declare('whole', {
      metric: 'rps',
      describedObject: { kind: 'Namespace', name: 'default' },
      value: '7',
    })
    await declare('orders', { metric: 'queue', labels: { of: 'orders' }, value: '30' })
    await declare('mails', { metric: 'queue', labels: { of: 'mails' }, value: '12' })
    await declare('queue', { value: '99' }, 'kube-node-lease')
    expect(await custom('ingresses.networking.k8s.io', 'main', 'rps')).toEqual(['main=1500'])
    const { items } = await nodes.client.list(namespaceMetric('rps'), NAMESPACE)
    expect(items).toMatchObject([{ describedObject: { kind: 'Namespace', name: 'default' }, value: '7' }])
    expect(await external('queue')).toEqual(['12', '30'])
    expect(await external('queue', { labelSelector: 'of=orders' })).toEqual(['30'])
    expect(await external('nothing')).toEqual([])
    await expect(custom('ingresses.networking.k8s.io', 'other', 'rps')).rejects.toThrow(
      'the server could not find the metric rps for ingresses.networking.k8s.io other',
    )
  })

  test('go up and down with time, and stay what they are between two samples', async () => {
    await declare('queue', { value: '10', peak: '50', pattern: 'ramp', period: '2m' })
    const seen: string[] = []
    for (let i = 0; i < 6; i += 1) {
      await nodes.clock.run(7500)
      seen.push((await external('queue'))[0] ?? '')
    }
    expect(new Set(seen).size).toBeLessThan(seen.length)
    await nodes.clock.run(120_000)
    expect(await external('queue')).toEqual(['50'])
  })

  test('are in discovery while there are any, and else their groups are not there', async () => {
    const served = () => discoveredIn(nodes.registry)
    await expect(external('queue')).rejects.toThrow('the server could not find the requested resource')
    expect(apiResourceList(await served(), 'external.metrics.k8s.io', 'v1beta1')).toBeUndefined()
    await declare('queue', { value: '30' })
    await declare('pressure', { describedObject: { kind: 'Pod', name: 'web' }, value: '1' })
    const kinds = await served()
    expect(apiResourceList(kinds, 'external.metrics.k8s.io', 'v1beta1')).toMatchObject({
      resources: [{ name: 'queue', namespaced: true, kind: 'ExternalMetricValueList', verbs: ['get'] }],
    })
    expect(apiResourceList(kinds, 'custom.metrics.k8s.io', 'v1beta1')).toMatchObject({
      resources: [{ name: 'pods/pressure', namespaced: true, kind: 'MetricValueList', verbs: ['get'] }],
    })
    const { items } = aggregatedDiscovery(kinds, 'apis', 'v2') as {
      items: { metadata: { name: string }; versions: { version: string }[] }[]
    }
    const group = items.find(({ metadata }) => metadata.name === 'custom.metrics.k8s.io')
    expect(group?.versions.map(({ version }) => version)).toEqual(['v1beta2', 'v1beta1'])
  })
})

test('The metrics APIs have APIServices while there are metrics', async () => {
  const services = startApiServices(nodes.registry)
  const names = async () => {
    await nodes.clock.run(1000)
    const { items } = await nodes.client.list(apiService)
    return items.map(({ metadata }) => metadata.name).filter((name) => name.includes('metrics'))
  }
  expect(await names()).toEqual(['v1beta1.metrics.k8s.io'])
  await declare('queue', { value: '30' })
  await send({ service: 'web', requestsPerSecond: 1 })
  expect(await names()).toEqual([
    'v1beta1.custom.metrics.k8s.io',
    'v1beta1.external.metrics.k8s.io',
    'v1beta1.metrics.k8s.io',
    'v1beta2.custom.metrics.k8s.io',
  ])
  await nodes.client.delete(simulatedMetric, { ...NAMESPACE, name: 'queue' })
  expect(await names()).not.toContain('v1beta1.external.metrics.k8s.io')
  await services.stop()
})

describe('Resource metrics', () => {
  const shown = async () =>
    (await nodes.client.list(podMetrics, NAMESPACE)).items.map(({ metadata }) => metadata.name)

  test.each(['KillNode', 'PartitionNode'] as const)(
    'begin with the first sample of a pod that runs for ten seconds, and end with %s',
    async (action) => {
      await nodes.clock.run(15_000 - (nodes.clock.now() % 15_000) + 6000)
      await run('late')
      await run('elsewhere', {}, 'node-b')
      await nodes.clock.run(10_000)
      expect(await shown()).toEqual([])
      await nodes.clock.run(15_000)
      expect(await shown()).toEqual(['elsewhere', 'late'])
      expect((await nodes.client.list(nodeMetrics)).items).toHaveLength(2)
      await nodes.client.create(fault, {
        ...fault.example,
        spec: { action, target: { nodes: ['node-b'] }, duration: '5m' },
      })
      await nodes.clock.run(1000)
      expect(await shown()).toEqual(['elsewhere', 'late'])
      await nodes.clock.run(15_000)
      expect(await shown()).toEqual(['late'])
      const { items } = await nodes.client.list(nodeMetrics)
      expect(items.map(({ metadata }) => metadata.name)).toEqual(['node-a'])
    },
  )

  test('of a node are the sum of its pods', async () => {
    await nodes.declare('app', { usage: { cpu: '250m', memory: '32Mi' } })
    await run('one')
    await run('two')
    await nodes.clock.run(30_000)
    const usage = { cpu: '500000000n', memory: `${64 * 1024}Ki` }
    expect((await nodes.client.get(nodeMetrics, { name: 'node-a' })).usage).toEqual(usage)
  })
})
