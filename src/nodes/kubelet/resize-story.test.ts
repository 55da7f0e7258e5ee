import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type SimulatedNodes, startSimulatedNodes } from '../../../test/support/simulated-nodes.ts'
import { findCondition } from '../../api/conditions.ts'
import { pod as podKind } from '../../api/kinds/pod.ts'

const app = {
  name: 'app',
  image: 'registry.example/app:1',
  resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
}
const key = { namespace: 'default', name: 'web' }

let cluster: SimulatedNodes
beforeEach(async () => {
  cluster = await startSimulatedNodes()
})
afterEach(() => cluster.stop())

const resize = (resources: object) =>
  cluster.client.patch(
    podKind,
    key,
    'strategic',
    { spec: { containers: [{ name: 'app', resources }] } },
    { subresource: 'resize' },
  )
const state = async () => (await cluster.pod()).status?.containerStatuses?.[0]
const pending = async () => {
  const found = findCondition((await cluster.pod()).status?.conditions, 'PodResizePending')
  return found && [found.reason, found.message]
}

describe('A pod that is resized', () => {
  test('has its new sizes without a restart', async () => {
    await cluster.run({ containers: [app] })
    await cluster.clock.run(10_000)
    expect(await state()).toMatchObject({ allocatedResources: { cpu: '100m', memory: '64Mi' } })
    await resize({ requests: { cpu: '200m' } })
    await cluster.clock.run(5000)
    expect(await state()).toMatchObject({
      allocatedResources: { cpu: '200m', memory: '64Mi' },
      resources: { limits: { memory: '128Mi' } },
      restartCount: 0,
    })
    expect(await pending()).toBeUndefined()
  })

  test('is restarted where its policy says so', async () => {
    const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }]
    await cluster.run({ containers: [{ ...app, resizePolicy }] })
    await cluster.clock.run(10_000)
    await resize({ requests: { cpu: '200m' } })
    await cluster.clock.run(5000)
    expect((await state())?.restartCount).toBe(0)
    await resize({ limits: { memory: '256Mi' } })
    await cluster.clock.run(10_000)
    expect(await state()).toMatchObject({ restartCount: 1, resources: { limits: { memory: '256Mi' } } })
  })

  test('waits for what others have, and says so', async () => {
    await cluster.run({ containers: [{ ...app, resources: { requests: { cpu: '3500m' } } }] }, 'big')
    await cluster.run({ containers: [app] })
    await cluster.clock.run(10_000)
    await resize({ requests: { cpu: '3' } })
    await cluster.clock.run(5000)
    expect(await pending()).toEqual([
      'Deferred',
      "Node didn't have enough resource: cpu, requested: 3000, used: 3500, capacity: 4000",
    ])
    expect((await state())?.allocatedResources).toMatchObject({ cpu: '100m' })
    await cluster.client.delete(podKind, { namespace: 'default', name: 'big' }, { gracePeriodSeconds: 0 })
    await cluster.clock.run(20_000)
    expect(await pending()).toBeUndefined()
    expect((await state())?.allocatedResources).toMatchObject({ cpu: '3' })
  })

  test('is told when the node could never do it', async () => {
    await cluster.run({ containers: [app] })
    await cluster.clock.run(10_000)
    await resize({ requests: { cpu: '400' } })
    await cluster.clock.run(5000)
    const why = "Node didn't have enough capacity: cpu, requested: 400000, capacity: 4000"
    expect(await pending()).toEqual(['Infeasible', why])
    expect((await cluster.eventsOf()).at(-1)).toBe(
      `ResizeInfeasible: Pod resize Infeasible: {"containers":[{"name":"app","resources":{"limits":{"memory":"128Mi"},"requests":{"cpu":"400","memory":"64Mi"}}}],"generation":2,"error":"${why}"}`,
    )
  })

  test('says when it begins and when it is over', async () => {
    const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }]
    await cluster.declare('app', { stopTime: '3s' })
    await cluster.run({ containers: [{ ...app, resizePolicy }] })
    await cluster.clock.run(10_000)
    await resize({ limits: { memory: '256Mi' } })
    await cluster.clock.run(1000)
    const inProgress = async () =>
      findCondition((await cluster.pod()).status?.conditions, 'PodResizeInProgress')?.status
    expect(await inProgress()).toBe('True')
    await cluster.clock.run(10_000)
    expect(await inProgress()).toBeUndefined()
    const sizes =
      '{"containers":[{"name":"app","resources":{"limits":{"memory":"256Mi"},"requests":{"cpu":"100m","memory":"64Mi"}}}],"generation":2}'
    expect((await cluster.eventsOf()).slice(2)).toEqual([
      `ResizeStarted: Pod resize started: ${sizes}`,
      'Killing: Container app resize requires restart',
      'Pulled: Container image "registry.example/app:1" already present on machine and can be accessed by the pod',
      'Created: Container created',
      'Started: Container started',
      `ResizeCompleted: Pod resize completed: ${sizes}`,
    ])
  })

  test('keeps its memory limit as long as it uses more than the new one', async () => {
    await cluster.declare('app', {
      usage: { memory: '100Mi', pattern: 'step', peak: { memory: '60Mi' }, period: '2m' },
    })
    await cluster.run({ containers: [app] })
    await cluster.clock.run(10_000)
    await resize({ limits: { memory: '80Mi' } })
    await cluster.clock.run(1000)
    const inProgress = async () =>
      findCondition((await cluster.pod()).status?.conditions, 'PodResizeInProgress')
    expect(await inProgress()).toMatchObject({
      reason: 'Error',
      message: 'attempting to set container "app" memory limit (83886080) below current usage (104857600)',
    })
    expect(await state()).toMatchObject({ resources: { limits: { memory: '128Mi' } }, restartCount: 0 })
    await cluster.clock.run(90_000)
    expect(await inProgress()).toBeUndefined()
    expect(await state()).toMatchObject({ resources: { limits: { memory: '80Mi' } }, restartCount: 0 })
  })
})
