import { describe, expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import { node, startSimulatedNodes } from '../../test/support/simulated-nodes.ts'
import { event } from '../api/kinds/event.ts'
import { lease } from '../api/kinds/lease.ts'
import { node as nodeKind } from '../api/kinds/node.ts'
import { type Pod, pod as podKind } from '../api/kinds/pod.ts'
import { Informers } from '../client/informers.ts'
import { startNodes } from './nodes.ts'

const app = { name: 'app', image: 'registry.example/app:1' }
const leaseKey = { namespace: 'kube-node-lease', name: 'node-a' }

describe('A simulated node', () => {
  test('registers what a healthy kubelet reports, and keeps the capacity it was declared with', async () => {
    const cluster = await startSimulatedNodes()
    const { status } = await cluster.client.get(nodeKind, { name: 'node-a' })
    expect(status).toMatchObject({
      capacity: { cpu: '4', memory: '16Gi', pods: '110' },
      addresses: [
        { type: 'InternalIP', address: expect.stringMatching(/^10\./) },
        { type: 'Hostname', address: 'node-a' },
      ],
      nodeInfo: { kubeletVersion: 'v1.36.0', containerRuntimeVersion: 'simulated://1.0.0' },
    })
    expect(status?.conditions?.map((each) => [each.type, each.status, each.reason])).toEqual([
      ['Ready', 'True', 'KubeletReady'],
      ['MemoryPressure', 'False', 'KubeletHasSufficientMemory'],
      ['DiskPressure', 'False', 'KubeletHasNoDiskPressure'],
      ['PIDPressure', 'False', 'KubeletHasSufficientPID'],
    ])
    await cluster.stop()
  })

  test('renews its lease every ten seconds and posts its status every five minutes, and nothing else', async () => {
    const cluster = await startSimulatedNodes()
    await cluster.clock.run(60_000)
    const { spec } = await cluster.client.get(lease, leaseKey)
    expect(spec).toMatchObject({ holderIdentity: 'node-a', leaseDurationSeconds: 40 })
    expect(cluster.clock.now() - Date.parse(spec?.renewTime ?? '')).toBeLessThanOrEqual(10_000)
    const before = cluster.store.revision
    await cluster.clock.run(600_000)
    const leases = 60
    expect(cluster.store.revision - before).toBeLessThanOrEqual(leases + 3)
    await cluster.stop()
  })

  test('tells when it is cordoned and when no longer', async () => {
    const cluster = await startSimulatedNodes()
    for (const unschedulable of [true, true, null]) {
      await cluster.client.patch(nodeKind, { name: 'node-a' }, 'merge', { spec: { unschedulable } })
      await cluster.clock.run(15_000)
    }
    const { items } = await cluster.client.list(event, { fieldSelector: 'involvedObject.kind=Node' })
    expect(items.map(({ reason, message }) => [reason, message])).toEqual([
      ['NodeNotSchedulable', 'Node node-a status is now: NodeNotSchedulable'],
      ['NodeSchedulable', 'Node node-a status is now: NodeSchedulable'],
    ])
    await cluster.stop()
  })

  test('ends its pods and its lease when it goes', async () => {
    const cluster = await startSimulatedNodes()
    await cluster.clock.run(15_000)
    await cluster.client.delete(nodeKind, { name: 'node-a' })
    await cluster.clock.run(1000)
    const { spec } = await cluster.client.get(lease, leaseKey)
    await cluster.clock.run(60_000)
    expect((await cluster.client.get(lease, leaseKey)).spec?.renewTime).toBe(spec?.renewTime)
    await cluster.stop()
  })

  test('that names no runtime of ours is left alone', async () => {
    const real = make.node({ metadata: { name: 'real', labels: {} } })
    const cluster = await startSimulatedNodes([node(), real])
    await cluster.run({ nodeName: 'real', containers: [app] }, 'elsewhere')
    await cluster.clock.run(30_000)
    expect((await cluster.pod('elsewhere')).status?.phase).toBe('Pending')
    await cluster.stop()
  })

  test('gives each pod an address of its own and the host network its own', async () => {
    const cluster = await startSimulatedNodes([node('node-a'), node('node-b', { podCIDR: '10.244.1.0/24' })])
    for (const [name, on] of [
      ['one', 'node-a'],
      ['two', 'node-a'],
      ['three', 'node-b'],
    ] as const)
      await cluster.run({ nodeName: on, containers: [app] }, name)
    await cluster.run({ hostNetwork: true, containers: [app] }, 'host')
    await cluster.clock.run(5000)
    const ips = await Promise.all(
      ['one', 'two', 'three', 'host'].map(async (name) => (await cluster.pod(name)).status?.podIP),
    )
    const host = (await cluster.pod('host')).status?.hostIP
    expect(ips).toEqual(['10.244.0.2', '10.244.0.3', '10.244.1.2', host])
    await cluster.stop()
  })

  test('that gets its network only after it began uses it, and no other', async () => {
    const bare = make.node({
      metadata: { name: 'late', labels: { 'seamark.dev/runtime': 'simulated' } },
      spec: { podCIDR: undefined },
    })
    const cluster = await startSimulatedNodes([node(), bare])
    await cluster.clock.run(1000)
    const spec = { podCIDR: '10.244.7.0/24', podCIDRs: ['10.244.7.0/24'] }
    await cluster.client.patch(nodeKind, { name: 'late' }, 'merge', { spec })
    await cluster.clock.run(20_000)
    await cluster.run({ nodeName: 'late', containers: [app] }, 'one')
    await cluster.clock.run(5000)
    const { status } = await cluster.pod('one')
    expect([status?.podIP, status?.hostIP]).toEqual(['10.244.7.2', '10.7.7.1'])
    const found = await cluster.client.get(nodeKind, { name: 'late' })
    expect(found.status?.addresses?.[0]?.address).toBe('10.7.7.1')
    await cluster.stop()
  })
})

describe('Nodes that start again', () => {
  test('restart no container and write nothing about pods that run, wait or ended', async () => {
    const cluster = await startSimulatedNodes()
    await cluster.declare('crash', { images: ['crash'], exit: { code: 1, after: '1s' } })
    await cluster.declare('done', { images: ['done'], exit: { code: 0, after: '1s' } })
    const probes = {
      startupProbe: { tcpSocket: { port: 1 } },
      readinessProbe: { tcpSocket: { port: 1 } },
      livenessProbe: { tcpSocket: { port: 1 } },
    }
    const init = [{ name: 'setup', image: 'done' }]
    await cluster.run({ initContainers: init, containers: [{ ...app, ...probes }] }, 'running')
    await cluster.run({ containers: [{ name: 'app', image: 'crash' }] }, 'crashing')
    await cluster.run({ restartPolicy: 'Never', containers: [{ name: 'app', image: 'done' }] }, 'done')
    await cluster.clock.run(100_000)
    const seen = async () => (await cluster.client.list(podKind, { namespace: 'default' })).items
    const before = await seen()

    const informers = new Informers(cluster.env, cluster.client)
    await cluster.stopNodes()
    const again = startNodes(cluster.env, cluster.client, informers)
    await cluster.clock.run(5000)
    expect(await seen()).toEqual(before)

    const status = async () => (await cluster.pod('crashing')).status?.containerStatuses?.[0]
    const restarts = (await status())?.restartCount ?? 0
    await cluster.clock.run(160_000)
    expect((await status())?.restartCount).toBe(restarts + 1)
    expect((await cluster.pod('running')).status?.containerStatuses?.[0]?.restartCount).toBe(0)
    await again.stop()
    await informers.close()
    await cluster.close()
  })
})

describe('A pod bound while nothing ran', () => {
  /** Its name sorts before that of the pod which was there first. */
  async function lateBeside(container: object): Promise<readonly Pod[]> {
    const cluster = await startSimulatedNodes()
    await cluster.run({ containers: [{ ...app, ...container }] }, 'first')
    await cluster.clock.run(5000)
    await cluster.stopNodes()
    await cluster.run({ containers: [{ ...app, ...container }] }, 'after')
    const informers = new Informers(cluster.env, cluster.client)
    const again = startNodes(cluster.env, cluster.client, informers)
    await cluster.clock.run(5000)
    const pods = [await cluster.pod('first'), await cluster.pod('after')]
    await again.stop()
    await informers.close()
    await cluster.close()
    return pods
  }

  test('is not given the address of one that runs', async () => {
    const ips = (await lateBeside({})).map(({ status }) => status?.podIP)
    expect(ips).toEqual(['10.244.0.2', '10.244.0.3'])
  })

  test('is not given the room of one that runs', async () => {
    const pods = await lateBeside({ resources: { requests: { cpu: '3' } } })
    expect(pods.map(({ status }) => status?.reason ?? status?.phase)).toEqual(['Running', 'OutOfcpu'])
  })
})

describe('Many idle nodes', () => {
  test('with ten pods each settle in little time, and then cost only their leases', async () => {
    const nodes = Array.from({ length: 50 }, (_, i) => node(`node-${i}`, { podCIDR: `10.244.${i}.0/24` }))
    const cluster = await startSimulatedNodes(nodes)
    for (let i = 0; i < 500; i += 1)
      await cluster.run({ nodeName: `node-${i % 50}`, containers: [app] }, `web-${i}`)
    await cluster.clock.run(20_000)
    const { items } = await cluster.client.list(podKind, { namespace: 'default' })
    expect(items.every(({ status }) => status?.phase === 'Running')).toBe(true)
    expect(new Set(items.map(({ status }) => status?.podIP)).size).toBe(500)
    const before = cluster.store.revision
    await cluster.clock.run(100_000)
    expect(cluster.store.revision - before).toBeLessThanOrEqual(10 * 50 + 50)
    await cluster.stop()
  })
})
