import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { node, type SimulatedNodes, startSimulatedNodes } from '../../../test/support/simulated-nodes.ts'
import { findCondition } from '../../api/conditions.ts'
import { event as eventKind } from '../../api/kinds/event.ts'
import { type Fault, fault as faultKind } from '../../api/kinds/fault.ts'
import { lease as leaseKind } from '../../api/kinds/lease.ts'
import { node as nodeKind } from '../../api/kinds/node.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { podDisruptionBudget } from '../../api/kinds/pod-disruption-budget.ts'

const app = { name: 'app', image: 'registry.example/app:1' }

let cluster: SimulatedNodes
beforeEach(async () => {
  cluster = await startSimulatedNodes([node(), node('node-b', { podCIDR: '10.245.0.0/24' })])
})
afterEach(() => cluster.stop())

const begin = (
  action: Fault['spec']['action'],
  target: NonNullable<Fault['spec']['target']>,
  duration = '1m',
) =>
  cluster.client.create(faultKind, {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'Fault',
    metadata: { name: 'trouble' },
    spec: { action, target, duration },
  })
const shown = ({ status }: Pod) => {
  const { state, restartCount, lastState } = status?.containerStatuses?.[0] ?? {}
  const now = state?.running ? 'running' : (state?.waiting?.reason ?? state?.terminated?.reason)
  return `${status?.phase} ${now} ${restartCount} ${lastState?.terminated?.exitCode ?? ''}`.trim()
}

describe('A fault', () => {
  test('has a beginning and an end, in its status and in events', async () => {
    await begin('SlowNode', { nodes: ['node-a'] })
    await cluster.clock.run(1000)
    expect((await cluster.client.get(faultKind, { name: 'trouble' })).status).toMatchObject({
      phase: 'Active',
      affected: ['node-a'],
    })
    await cluster.clock.run(60_000)
    expect((await cluster.client.get(faultKind, { name: 'trouble' })).status?.phase).toBe('Ended')
    const { items } = await cluster.client.list(eventKind)
    const said = items.filter(({ involvedObject }) => involvedObject.kind === 'Fault')
    expect(said.map(({ reason, message }) => `${reason}: ${message}`).sort()).toEqual([
      'FaultBegan: SlowNode on node-a for 1m',
      'FaultEnded: SlowNode is over',
    ])
  })

  test('that kills a node stops its heartbeat, and its containers start again when it is back', async () => {
    await cluster.run({ containers: [app] })
    await cluster.clock.run(10_000)
    const timeline = cluster.timeline(shown)
    await begin('KillNode', { nodes: ['node-a'] })
    await cluster.clock.run(1000)
    const renewed = async () =>
      (await cluster.client.get(leaseKind, { namespace: 'kube-node-lease', name: 'node-a' })).spec.renewTime
    const last = await renewed()
    await cluster.clock.run(50_000)
    expect(await renewed()).toBe(last)
    await cluster.clock.run(30_000)
    expect(await renewed()).not.toBe(last)
    expect(timeline.at(-1)).toMatch(/Running running 1 255$/)
  })

  test('that partitions a node keeps its status from the API until it is over', async () => {
    await cluster.declare('app', { exit: { code: 1, after: '20s' } })
    await cluster.run({ containers: [app], restartPolicy: 'Never' })
    await cluster.clock.run(10_000)
    await begin('PartitionNode', { nodes: ['node-a'] })
    await cluster.clock.run(50_000)
    expect((await cluster.pod()).status?.phase).toBe('Running')
    await cluster.clock.run(20_000)
    expect((await cluster.pod()).status?.phase).toBe('Failed')
  })

  test('that crashes a container does it once', async () => {
    await cluster.run({ containers: [app] })
    await cluster.clock.run(10_000)
    await begin('CrashContainer', { namespace: 'default', pod: 'web', container: 'app' })
    await cluster.clock.run(90_000)
    expect(shown(await cluster.pod())).toBe('Running running 1 137')
    expect((await cluster.client.get(faultKind, { name: 'trouble' })).status?.affected).toEqual([
      'default/web',
    ])
  })

  test('that fails a pull holds up the pod until it is over', async () => {
    await begin('FailPull', { image: app.image }, '30s')
    await cluster.run({ containers: [app] })
    await cluster.clock.run(20_000)
    expect(shown(await cluster.pod())).toMatch(/^Pending (ImagePullBackOff|ErrImagePull)/)
    await cluster.clock.run(60_000)
    expect(shown(await cluster.pod())).toBe('Running running 0')
  })

  test('on one image names the pods that have it, and of many only the first few', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await cluster.run({ containers: [app] }, name)
    await cluster.run({ containers: [{ ...app, image: 'other:1' }] }, 'other')
    await cluster.clock.run(5000)
    await begin('FailPull', { image: app.image })
    await cluster.clock.run(1000)
    const { status } = await cluster.client.get(faultKind, { name: 'trouble' })
    expect(status?.affected?.toSorted()).toEqual(['default/a', 'default/b', 'default/c', 'default/d'])
    const { items } = await cluster.client.list(eventKind, { fieldSelector: 'reason=FaultBegan' })
    expect(items[0]?.message).toMatch(/^FailPull on (default\/[a-d], ){2}default\/[a-d] and 1 more for 1m$/)
  })

  test('that flaps a probe makes the pod ready and unready in turn', async () => {
    await begin('FlapProbe', { podLabels: {} }, '2m')
    const timeline = cluster.timeline(
      ({ status }) => findCondition(status?.conditions, 'Ready')?.status ?? '',
    )
    const readinessProbe = { tcpSocket: { port: 80 }, periodSeconds: 5, failureThreshold: 1 }
    await cluster.run({ containers: [{ ...app, readinessProbe }] })
    await cluster.clock.run(100_000)
    expect(timeline.filter((line) => line.endsWith('True')).length).toBeGreaterThan(2)
    expect(timeline.filter((line) => line.endsWith('False')).length).toBeGreaterThan(2)
  })

  test('that fills a disk shows pressure and evicts, the least important first', async () => {
    await cluster.run({ containers: [app] }, 'cheap')
    await cluster.run({ containers: [{ ...app, resources: { requests: { cpu: '1m' } } }] }, 'dear')
    await cluster.clock.run(10_000)
    await begin('FillDisk', { nodes: ['node-a'] }, '8s')
    await cluster.clock.run(5000)
    expect((await cluster.pod('cheap')).status).toMatchObject({ phase: 'Failed', reason: 'Evicted' })
    expect((await cluster.pod('dear')).status?.phase).toBe('Running')
    const pressure = async () =>
      findCondition(
        (await cluster.client.get(nodeKind, { name: 'node-a' })).status?.conditions,
        'DiskPressure',
      )?.status
    expect(await pressure()).toBe('True')
    await cluster.clock.run(5000)
    expect(await pressure()).toBe('False')
  })

  test('that drains a node leaves what a budget protects, and uncordons it in the end', async () => {
    await cluster.run({ containers: [app] })
    await cluster.run({ containers: [app] }, 'kept')
    const labels = { app: 'kept' }
    await cluster.client.create(podDisruptionBudget, {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'all', namespace: 'default' },
      spec: { minAvailable: 1, selector: { matchLabels: labels } },
    })
    const { pod: podKind } = await import('../../api/kinds/pod.ts')
    await cluster.client.patch(podKind, { namespace: 'default', name: 'kept' }, 'merge', {
      metadata: { labels },
    })
    await cluster.clock.run(10_000)
    await begin('DrainNode', { nodes: ['node-a'] })
    await cluster.clock.run(50_000)
    expect((await cluster.client.get(nodeKind, { name: 'node-a' })).spec.unschedulable).toBe(true)
    const left = await cluster.client.list(podKind)
    expect(left.items.map(({ metadata }) => metadata.name)).toEqual(['kept'])
    await cluster.clock.run(20_000)
    expect((await cluster.client.get(nodeKind, { name: 'node-a' })).spec.unschedulable).toBeUndefined()
  })
})
