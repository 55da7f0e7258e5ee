import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { node, type SimulatedNodes, startSimulatedNodes } from '../../test/support/simulated-nodes.ts'
import { findCondition } from '../api/conditions.ts'
import { fault as faultKind } from '../api/kinds/fault.ts'
import { node as nodeKind } from '../api/kinds/node.ts'
import { nodePool } from '../api/kinds/node-pool.ts'

const app = { name: 'app', image: 'registry.example/app:1' }

let cluster: SimulatedNodes
beforeEach(async () => {
  const plain = node()
  const labels = { ...plain.metadata.labels, 'seamark.dev/node-pool': 'worker' }
  cluster = await startSimulatedNodes([{ ...plain, metadata: { ...plain.metadata, labels } }])
})
afterEach(() => cluster.stop())

const settings = (kubelet: object) =>
  cluster.client.create(nodePool, {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'NodePool',
    metadata: { name: 'worker' },
    spec: { count: 1, kubelet },
  })
const shutDown = (duration: string) =>
  cluster.client.create(faultKind, {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'Fault',
    metadata: { name: 'off' },
    spec: { action: 'ShutdownNode', target: { nodes: ['node-a'] }, duration },
  })
const ready = async () =>
  findCondition((await cluster.client.get(nodeKind, { name: 'node-a' })).status?.conditions, 'Ready')

describe('A node that shuts down', () => {
  test('says so, fails its pods with the reason, and takes no others', async () => {
    await settings({ shutdownGracePeriod: '30s' })
    await cluster.declare('app', { stopTime: '5s' })
    await cluster.run({ containers: [app] })
    await cluster.clock.run(10_000)
    await shutDown('5m')
    await cluster.clock.run(1000)
    expect(await ready()).toMatchObject({
      status: 'False',
      reason: 'KubeletNotReady',
      message: 'node is shutting down',
    })
    expect((await cluster.pod()).status?.phase).toBe('Running')
    await cluster.run({ containers: [app] }, 'late')
    await cluster.clock.run(10_000)
    const { status } = await cluster.pod()
    const message = 'Pod was terminated in response to imminent node shutdown.'
    expect(status).toMatchObject({ phase: 'Failed', reason: 'Terminated', message })
    expect(findCondition(status?.conditions, 'DisruptionTarget')).toMatchObject({
      status: 'True',
      reason: 'TerminationByKubelet',
      message,
    })
    expect((await cluster.pod('late')).status).toMatchObject({
      phase: 'Failed',
      reason: 'NodeShutdown',
      message: 'Pod was rejected: Pod was rejected as the node is shutting down.',
    })
  })

  test('without a grace period is gone at once, and its containers start again with it', async () => {
    await cluster.run({ containers: [app] })
    await cluster.clock.run(10_000)
    await shutDown('30s')
    await cluster.clock.run(20_000)
    expect((await cluster.pod()).status?.phase).toBe('Running')
    await cluster.clock.run(20_000)
    expect((await cluster.pod()).status).toMatchObject({
      phase: 'Running',
      containerStatuses: [{ restartCount: 1 }],
    })
  })

  test('stays when that is called off, without the pods that have ended', async () => {
    await settings({ shutdownGracePeriod: '2m' })
    await cluster.declare('app', { stopTime: '20s' })
    await cluster.run({ containers: [app] })
    await cluster.run({ containers: [{ ...app, image: 'registry.example/quick:1' }] }, 'quick')
    await cluster.clock.run(10_000)
    await shutDown('10m')
    await cluster.clock.run(1000)
    await cluster.client.delete(faultKind, { name: 'off' })
    await cluster.clock.run(60_000)
    expect(await ready()).toMatchObject({ status: 'True' })
    expect((await cluster.pod('quick')).status?.reason).toBe('Terminated')
    await cluster.run({ containers: [app] }, 'next')
    await cluster.clock.run(10_000)
    expect((await cluster.pod('next')).status?.phase).toBe('Running')
  })
})
