import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { node, type SimulatedNodes, startSimulatedNodes } from '../../../test/support/simulated-nodes.ts'
import type { FaultAction } from '../../api/kinds/fault.ts'
import { fault as faultKind } from '../../api/kinds/fault.ts'
import { nodePool } from '../../api/kinds/node-pool.ts'
import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import { startNodes } from '../nodes.ts'

const NAME = 'proxy-node-a'
const app = { name: 'app', image: 'registry.example/app:1' }
const manifest = (image = app.image) => ({
  metadata: { name: 'proxy' },
  spec: { containers: [{ ...app, image }] },
})

let cluster: SimulatedNodes
beforeEach(async () => {
  const plain = node()
  const labels = { ...plain.metadata.labels, 'seamark.dev/node-pool': 'edge' }
  cluster = await startSimulatedNodes([{ ...plain, metadata: { ...plain.metadata, labels } }])
  await cluster.client.create(nodePool, {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'NodePool',
    metadata: { name: 'edge' },
    spec: { count: 1, staticPods: [manifest()] },
  })
  await cluster.clock.run(5000)
})
afterEach(() => cluster.stop())

const strike = (action: FaultAction, duration: string, target: object = { nodes: ['node-a'] }) =>
  cluster.client.create(faultKind, {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'Fault',
    metadata: { name: action.toLowerCase() },
    spec: { action, target, duration },
  })
const shown = ({ status }: Pod) => {
  const { restartCount, containerID, state } = status?.containerStatuses?.[0] ?? {}
  return { phase: status?.phase, restartCount, containerID, isRunning: state?.running !== undefined }
}

describe('The static pods of a node', () => {
  test('are shown by a mirror that is made again when it is deleted, and run on', async () => {
    const first = await cluster.pod(NAME)
    expect(shown(first)).toMatchObject({ phase: 'Running', restartCount: 0, isRunning: true })
    await cluster.client.delete(podKind, { namespace: 'default', name: NAME })
    await cluster.clock.run(1000)
    const second = await cluster.pod(NAME)
    expect(second.metadata.uid).not.toBe(first.metadata.uid)
    expect(second.status).toEqual(first.status)
  })

  test('restart on a node that nobody hears of, who learns of it later', async () => {
    await cluster.declare('app', { exit: { code: 1, after: '20s' } })
    await strike('CrashContainer', '5s', { pod: NAME })
    await cluster.clock.run(3000)
    expect(shown(await cluster.pod(NAME))).toMatchObject({ restartCount: 1 })
    await strike('PartitionNode', '1m')
    await cluster.clock.run(50_000)
    expect(shown(await cluster.pod(NAME))).toMatchObject({ restartCount: 1 })
    await cluster.clock.run(20_000)
    expect(shown(await cluster.pod(NAME)).restartCount).toBeGreaterThan(1)
  })

  test('stay when the node is drained', async () => {
    const { uid } = (await cluster.pod(NAME)).metadata
    await strike('DrainNode', '30s')
    await cluster.clock.run(20_000)
    const { metadata } = await cluster.pod(NAME)
    expect([metadata.uid, metadata.deletionTimestamp]).toEqual([uid, undefined])
  })

  test('end with their manifest, and the mirror with them', async () => {
    await cluster.client.patch(nodePool, { name: 'edge' }, 'merge', { spec: { staticPods: [] } })
    await cluster.clock.run(1000)
    await expect(cluster.pod(NAME)).rejects.toMatchObject({ reason: 'NotFound' })
  })

  test('of which the manifest changed end before the new one begins', async () => {
    const first = await cluster.pod(NAME)
    await cluster.client.patch(nodePool, { name: 'edge' }, 'merge', {
      spec: { staticPods: [manifest('registry.example/app:2')] },
    })
    await cluster.clock.run(5000)
    const second = await cluster.pod(NAME)
    expect(second.spec.containers[0]?.image).toBe('registry.example/app:2')
    expect(second.metadata.uid).not.toBe(first.metadata.uid)
    expect(shown(second)).toMatchObject({ restartCount: 0, isRunning: true })
  })

  test('go on through a restart of this process', async () => {
    const before = shown(await cluster.pod(NAME))
    await cluster.stopNodes()
    const again = startNodes(cluster.env, cluster.client, cluster.informers)
    await cluster.clock.run(30_000)
    expect(shown(await cluster.pod(NAME))).toEqual(before)
    await again.stop()
  })

  test('start again when a killed node is back', async () => {
    await strike('KillNode', '30s')
    await cluster.clock.run(40_000)
    expect(shown(await cluster.pod(NAME))).toMatchObject({ restartCount: 1, isRunning: true })
  })

  test('are not made by anybody who says that a pod is a mirror', async () => {
    const metadata = { name: 'liar', annotations: { 'kubernetes.io/config.mirror': 'x' } }
    const spec = { nodeName: 'node-a', containers: [app] }
    await cluster.client.create(podKind, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, namespace: 'default' },
      spec,
    })
    await cluster.clock.run(1000)
    await expect(cluster.pod('liar')).rejects.toMatchObject({ reason: 'NotFound' })
  })

  test('make room on a full node, and say who had to go', async () => {
    const resources = { requests: { cpu: '3' } }
    await cluster.run({ containers: [{ ...app, resources }] }, 'large')
    await cluster.run({ containers: [{ ...app, resources: { requests: { cpu: '500m' } } }] }, 'small')
    await cluster.clock.run(5000)
    const needy = {
      metadata: { name: 'proxy' },
      spec: { containers: [{ ...app, resources: { requests: { cpu: '2' } } }] },
    }
    await cluster.client.patch(nodePool, { name: 'edge' }, 'merge', { spec: { staticPods: [needy] } })
    await cluster.clock.run(5000)
    expect(shown(await cluster.pod(NAME))).toMatchObject({ phase: 'Running', isRunning: true })
    expect((await cluster.pod('large')).status).toMatchObject({
      phase: 'Failed',
      reason: 'Preempting',
      message: 'Preempted in order to admit critical pod',
    })
    expect((await cluster.pod('small')).status?.phase).toBe('Running')
    expect(await cluster.eventsOf('large')).toContain('Preempting: Preempted in order to admit critical pod')
  })
})
