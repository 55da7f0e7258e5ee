import { afterEach, beforeEach, expect, test } from 'vitest'
import { node, type SimulatedNodes, startSimulatedNodes } from '../../../test/support/simulated-nodes.ts'
import { findCondition } from '../../api/conditions.ts'
import { node as nodeKind } from '../../api/kinds/node.ts'

let cluster: SimulatedNodes
beforeEach(async () => {
  const small = node()
  const capacity = { cpu: '4', memory: '1Gi', pods: '110' }
  cluster = await startSimulatedNodes([{ ...small, status: { capacity, allocatable: capacity } }])
})
afterEach(() => cluster.stop())

test('A volume in memory is the memory of its container: it is OOMKilled for what is written there', async () => {
  await cluster.declare('app', { usage: { memory: '20Mi', emptyDir: '60Mi' } })
  const app = {
    name: 'app',
    image: 'registry.example/app:1',
    resources: { limits: { memory: '64Mi' } },
    volumeMounts: [{ name: 'cache', mountPath: '/cache' }],
  }
  const cache = (sizeLimit: string) => [{ name: 'cache', emptyDir: { medium: 'Memory', sizeLimit } }]
  await cluster.run({ containers: [app], volumes: cache('1Gi') }, 'large')
  await cluster.run({ containers: [app], volumes: cache('40Mi') }, 'small')
  await cluster.clock.run(5000)
  const killed = (await cluster.pod('large')).status?.containerStatuses?.[0]
  expect(killed?.state?.terminated ?? killed?.lastState?.terminated).toMatchObject({
    exitCode: 137,
    reason: 'OOMKilled',
  })
  // What does not fit is not written.
  expect((await cluster.pod('small')).status?.containerStatuses?.[0]).toMatchObject({
    restartCount: 0,
    ready: true,
  })
})

test('A node short of memory says so, and evicts who uses more than was asked for until it is not', async () => {
  await cluster.declare('app', {
    usage: { memory: '100Mi', pattern: 'ramp', peak: { memory: '700Mi' }, period: '5m' },
  })
  const app = { name: 'app', image: 'registry.example/app:1' }
  const fits = { ...app, resources: { requests: { memory: '700Mi' } } }
  await cluster.run({ containers: [fits] }, 'promised')
  await cluster.run({ containers: [app] }, 'greedy')
  const pressure = async () =>
    findCondition(
      (await cluster.client.get(nodeKind, { name: 'node-a' })).status?.conditions,
      'MemoryPressure',
    )
  await cluster.clock.run(60_000)
  expect((await pressure())?.status).toBe('False')
  await cluster.clock.run(150_000)
  expect(await pressure()).toMatchObject({ status: 'True', reason: 'KubeletHasInsufficientMemory' })
  const { status } = await cluster.pod('greedy')
  expect(status).toMatchObject({ phase: 'Failed', reason: 'Evicted' })
  expect(status?.message).toMatch(
    /^The node was low on resource: memory\. Threshold quantity: 100Mi, available: \d+Ki\. Container app was using \d+Ki, request is 0, has larger consumption of memory\. $/,
  )
  expect((await cluster.pod('promised')).status?.phase).toBe('Running')
  await cluster.clock.run(6 * 60_000)
  expect((await pressure())?.status).toBe('False')
})
