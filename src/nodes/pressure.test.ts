import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { node, type SimulatedNodes, startSimulatedNodes } from '../../test/support/simulated-nodes.ts'
import { findCondition } from '../api/conditions.ts'
import { fault } from '../api/kinds/fault.ts'
import { node as nodeKind } from '../api/kinds/node.ts'

const app = { name: 'app', image: 'registry.example/app:1' }
const MINUTE = 60_000

let cluster: SimulatedNodes
beforeEach(async () => {
  const small = node()
  const capacity = { cpu: '4', memory: '16Gi', pods: '110', 'ephemeral-storage': '10Gi' }
  cluster = await startSimulatedNodes([{ ...small, status: { capacity, allocatable: capacity } }])
})
afterEach(() => cluster.stop())

const pressure = async () => {
  const { status } = await cluster.client.get(nodeKind, { name: 'node-a' })
  return findCondition(status?.conditions, 'DiskPressure')
}
const images = async () => {
  const { status } = await cluster.client.get(nodeKind, { name: 'node-a' })
  return status?.images?.flatMap(({ names }) => names ?? []).toSorted()
}

describe('A node whose disk fills up', () => {
  test('evicts a pod over its own limit, and is not under pressure for it', async () => {
    await cluster.declare('app', { usage: { storage: '20Mi' } })
    const resources = { limits: { 'ephemeral-storage': '10Mi' } }
    await cluster.run({ containers: [{ ...app, resources }] })
    await cluster.clock.run(15_000)
    expect((await cluster.pod()).status).toMatchObject({
      phase: 'Failed',
      reason: 'Evicted',
      message: 'Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ',
    })
    expect(await cluster.eventsOf()).toContain(
      'Evicted: Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ',
    )
    expect((await pressure())?.status).toBe('False')
  })

  test('removes images that nothing uses before it evicts anybody', async () => {
    await cluster.declare('app', { size: '4Gi' })
    await cluster.declare('big', { images: ['registry.example/big:1'], size: '4Gi', exit: { after: '1s' } })
    await cluster.declare('more', { images: ['registry.example/more:1'], usage: { storage: '1Gi' } })
    await cluster.run({ containers: [app] })
    const big = { name: 'app', image: 'registry.example/big:1' }
    await cluster.run({ containers: [big], restartPolicy: 'Never' }, 'once')
    await cluster.clock.run(3 * MINUTE)
    const { pod: podKind } = await import('../api/kinds/pod.ts')
    await cluster.client.delete(podKind, { namespace: 'default', name: 'once' })
    await cluster.run({ containers: [{ name: 'app', image: 'registry.example/more:1' }] }, 'more')
    await cluster.clock.run(30_000)
    expect(await pressure()).toMatchObject({ status: 'True', reason: 'KubeletHasDiskPressure' })
    expect((await cluster.pod('more')).status?.phase).toBe('Running')
    await cluster.clock.run(6 * MINUTE)
    expect(await images()).toEqual(['registry.example/app:1', 'registry.example/more:1'])
    expect((await pressure())?.status).toBe('False')
  })

  test('is under pressure for too many files, too', async () => {
    await cluster.declare('app', { usage: { inodes: '1M' } })
    await cluster.run({ containers: [app] })
    await cluster.clock.run(15_000)
    expect(await pressure()).toMatchObject({ status: 'True', reason: 'KubeletHasDiskPressure' })
    expect((await cluster.pod()).status).toMatchObject({
      phase: 'Failed',
      reason: 'Evicted',
      message: 'The node was low on resource: inodes. Threshold quantity: 32768, available: 0. ',
    })
  })

  test('with files of others evicts as long as the fault lasts', async () => {
    await cluster.run({ containers: [app] })
    await cluster.clock.run(5000)
    await cluster.client.create(fault, {
      apiVersion: 'seamark.dev/v1alpha1',
      kind: 'Fault',
      metadata: { name: 'files' },
      spec: { action: 'FillDisk', resource: 'inodes', duration: '30s' },
    })
    await cluster.clock.run(5000)
    expect((await cluster.pod()).status?.message).toMatch(/^The node was low on resource: inodes\./)
    await cluster.clock.run(60_000)
    expect((await pressure())?.status).toBe('False')
  })

  test('takes no new pods while it is under pressure', async () => {
    await cluster.declare('app', { usage: { storage: '9Gi' } })
    await cluster.run({ containers: [app] })
    await cluster.clock.run(15_000)
    await cluster.run({ containers: [{ ...app, image: 'registry.example/other:1' }] }, 'late')
    await cluster.clock.run(1000)
    expect((await cluster.pod('late')).status).toMatchObject({
      phase: 'Failed',
      reason: 'Evicted',
      message: 'Pod was rejected: The node had condition: [DiskPressure]. ',
    })
  })
})
