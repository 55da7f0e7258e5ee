import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { startPretendKubelet, startPretendNode } from '../../test/support/pretend-kubelet.ts'
import { findCondition } from '../api/conditions.ts'
import { deployment } from '../api/kinds/deployment.ts'
import { endpointSlice } from '../api/kinds/endpoint-slice.ts'
import { kinds } from '../api/kinds/index.ts'
import { node } from '../api/kinds/node.ts'
import { nodePool } from '../api/kinds/node-pool.ts'
import { pod } from '../api/kinds/pod.ts'
import { podDisruptionBudget } from '../api/kinds/pod-disruption-budget.ts'
import { service } from '../api/kinds/service.ts'
import { isPodReady } from '../api/pods.ts'
import type { Running } from './controller.ts'
import { startControllers } from './index.ts'

let cluster: TestCluster
let running: Running
const alive = new Map<string, boolean>()

beforeEach(async () => {
  cluster = await createTestCluster()
  running = startControllers(cluster.env, cluster.client, {
    informers: cluster.informers,
    kinds: () => kinds,
  })
  await cluster.clock.run(1000)
  alive.clear()
})
afterEach(async () => {
  await running.stop()
  await cluster.close()
})

async function startNode(name: string, zone = 'z'): Promise<void> {
  alive.set(name, true)
  const labels = { 'topology.kubernetes.io/zone': zone }
  await startPretendNode(cluster, make.node({ metadata: { name, labels } }), () => alive.get(name) ?? false)
}

const nodeOf = (name: string) => cluster.client.get(node, { name })
const pods = async () => (await cluster.client.list(pod)).items
const readiness = async (name: string) => findCondition((await nodeOf(name)).status?.conditions, 'Ready')
const taints = async (name: string) =>
  ((await nodeOf(name)).spec.taints ?? [])
    .map(({ key, effect }) => `${key.split('/')[1]}:${effect}`)
    .toSorted()

describe('A node', () => {
  beforeEach(async () => {
    for (const name of ['node-a', 'node-b', 'node-c']) await startNode(name)
    startPretendKubelet(cluster)
    await cluster.client.create(deployment, make.deployment({ spec: { replicas: 2 } }))
    await cluster.clock.until(async () => (await pods()).filter(isPodReady).length === 2, 30_000)
  })

  test('that renews its lease stays ready and untainted', async () => {
    await cluster.clock.run(600_000)
    expect((await readiness('node-a'))?.status).toBe('True')
    expect(await taints('node-a')).toEqual([])
  })

  test('that falls silent is unknown, tainted, its pods not ready, and evicted after 300 s', async () => {
    alive.set('node-a', false)
    await cluster.clock.run(45_000)
    expect((await readiness('node-a'))?.status).toBe('True')
    await cluster.clock.run(30_000)
    expect(await readiness('node-a')).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
    })
    expect(await taints('node-a')).toEqual(['unreachable:NoExecute', 'unreachable:NoSchedule'])
    expect((await pods()).filter(isPodReady)).toEqual([])
    const before = (await pods()).map(({ metadata }) => metadata.name)
    await cluster.clock.run(310_000)
    const after = (await pods()).map(({ metadata }) => metadata.name)
    expect(after.filter((name) => before.includes(name))).toEqual([])
  })

  test('that comes back loses its taints, and its pods stay', async () => {
    alive.set('node-a', false)
    await cluster.clock.run(120_000)
    const before = (await pods()).map(({ metadata }) => metadata.name)
    alive.set('node-a', true)
    const current = await nodeOf('node-a')
    const conditions = current.status?.conditions?.map((each) =>
      each.type === 'Ready' ? { ...each, status: 'True', lastHeartbeatTime: '2030-01-01T01:00:00Z' } : each,
    )
    await cluster.client.update(
      node,
      { ...current, status: { ...current.status, conditions } },
      { subresource: 'status' },
    )
    await cluster.clock.run(600_000)
    expect(await taints('node-a')).toEqual([])
    expect((await pods()).map(({ metadata }) => metadata.name)).toEqual(before)
  })

  test('is not evicted when all fell silent together', async () => {
    for (const name of alive.keys()) alive.set(name, false)
    await cluster.clock.run(1_200_000)
    expect((await readiness('node-a'))?.status).toBe('Unknown')
    expect(await taints('node-a')).toEqual(['unreachable:NoSchedule'])
    expect((await pods()).filter(({ metadata }) => metadata.deletionTimestamp)).toEqual([])
  })

  test('is not evicted because this process was paused: time went on and nobody renewed a lease', async () => {
    await running.stop()
    let pausedMs = 0
    const { clock } = cluster
    const env = {
      ...cluster.env,
      clock: { now: () => clock.now() + pausedMs, after: clock.after.bind(clock) },
    }
    running = startControllers(env, cluster.client, { informers: cluster.informers, kinds: () => kinds })
    await clock.run(60_000)
    const before = (await pods()).map(({ metadata }) => metadata.uid)
    pausedMs = 600_000
    await clock.run(60_000)
    for (const name of alive.keys()) expect(await taints(name)).toEqual([])
    expect((await pods()).map(({ metadata }) => metadata.uid)).toEqual(before)
  })

  test('has its pods marked not ready also by a process that begins after the node was', async () => {
    await running.stop()
    const [name = ''] = (await pods()).map(({ spec }) => spec.nodeName ?? '')
    alive.set(name, false)
    const { status } = await nodeOf(name)
    const conditions = (status?.conditions ?? []).map((each) =>
      each.type === 'Ready' ? { ...each, status: 'Unknown', reason: 'NodeStatusUnknown' } : each,
    )
    await cluster.client.patch(node, { name }, 'merge', { status: { conditions } }, { subresource: 'status' })
    running = startControllers(cluster.env, cluster.client, {
      informers: cluster.informers,
      kinds: () => kinds,
    })
    await cluster.clock.run(10_000)
    const there = (await pods()).filter(({ spec }) => spec.nodeName === name)
    expect(there.length).toBeGreaterThan(0)
    expect(there.filter(isPodReady)).toEqual([])
  })

  test('that is deleted gives its pods back after 40 s', async () => {
    const before = (await pods()).map(({ metadata }) => metadata.uid)
    await cluster.client.delete(node, { name: 'node-a' })
    await cluster.clock.run(30_000)
    expect((await pods()).map(({ metadata }) => metadata.uid)).toEqual(before)
    await cluster.clock.run(60_000)
    expect((await pods()).filter(({ metadata }) => before.includes(metadata.uid))).toEqual([])
  })

  test('that is cordoned is tainted', async () => {
    const current = await nodeOf('node-b')
    await cluster.client.update(node, { ...current, spec: { ...current.spec, unschedulable: true } })
    await cluster.clock.run(1000)
    expect(await taints('node-b')).toEqual(['unschedulable:NoSchedule'])
  })
})

describe('A node pool', () => {
  const pool = { apiVersion: 'seamark.dev/v1alpha1', kind: 'NodePool', metadata: { name: 'worker' } }
  const names = async () => (await cluster.client.list(node)).items.map(({ metadata }) => metadata.name)

  test('is scaled, changed and deleted with its nodes; others stay', async () => {
    await cluster.client.create(node, make.node({ metadata: { name: 'mine' } }))
    const made = await cluster.client.create(nodePool, { ...pool, spec: { count: 3, zones: ['a', 'b'] } })
    await cluster.clock.run(1000)
    expect(await names()).toEqual(['mine', 'worker-0', 'worker-1', 'worker-2'])
    expect(await taints('worker-0')).toEqual(['not-ready:NoSchedule'])
    const current = await cluster.client.get(nodePool, { name: 'worker' })
    expect(current.status).toEqual({ nodes: 3, readyNodes: 0, observedGeneration: made.metadata.generation })
    const template = { labels: { tier: 'db' }, capacity: { cpu: '8' } }
    await cluster.client.update(nodePool, { ...current, spec: { ...current.spec, count: 1, template } })
    await cluster.clock.run(1000)
    expect(await names()).toEqual(['mine', 'worker-0'])
    const first = await nodeOf('worker-0')
    expect([first.metadata.labels?.['tier'], first.status?.allocatable?.['cpu']]).toEqual(['db', '8'])
    await cluster.client.delete(nodePool, { name: 'worker' })
    await cluster.clock.run(5000)
    expect(await names()).toEqual(['mine'])
  })
})

describe('A service and a disruption budget', () => {
  test('follow the pods of a Deployment', async () => {
    await startNode('node-a')
    startPretendKubelet(cluster)
    const spec = { maxUnavailable: 1, selector: { matchLabels: { app: 'web' } } }
    const metadata = { name: 'web', namespace: 'default' }
    await cluster.client.create(podDisruptionBudget, {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata,
      spec,
    })
    await cluster.client.create(service, make.service())
    await cluster.client.create(deployment, make.deployment())
    const slices = async () => (await cluster.client.list(endpointSlice)).items
    const ready = async () =>
      (await slices()).flatMap(({ endpoints = [] }) =>
        endpoints.filter(({ conditions }) => conditions?.ready),
      ).length
    await cluster.clock.until(async () => (await ready()) === 3, 30_000)
    const budget = async () => (await cluster.client.get(podDisruptionBudget, metadata)).status
    expect(await budget()).toMatchObject({
      expectedPods: 3,
      currentHealthy: 3,
      desiredHealthy: 2,
      disruptionsAllowed: 1,
    })

    const [first, second] = await pods()
    const evict = (name: string) =>
      cluster.client.createSubresource(pod, { namespace: 'default', name }, 'eviction', {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name, namespace: 'default' },
      })
    await evict(first!.metadata.name)
    await expect(evict(second!.metadata.name)).rejects.toThrow("would violate the pod's disruption budget")
    await cluster.clock.until(
      async () => (await ready()) === 3 && (await budget())?.disruptionsAllowed === 1,
      30_000,
    )

    const [slice] = await slices()
    await cluster.client.update(endpointSlice, { ...slice!, endpoints: [] })
    await cluster.clock.run(1000)
    expect(await ready()).toBe(3)
    await cluster.client.delete(endpointSlice, { namespace: 'default', name: slice!.metadata.name })
    await cluster.clock.run(1000)
    expect(await ready()).toBe(3)
  })
})
