import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type SimulatedNodes, startSimulatedNodes } from '../../../test/support/simulated-nodes.ts'
import { event as eventKind } from '../../api/kinds/event.ts'
import { pod as podKind } from '../../api/kinds/pod.ts'

const app = { name: 'app', image: 'registry.example/app:1' }
const key = { namespace: 'default', name: 'web' }

let cluster: SimulatedNodes
beforeEach(async () => {
  cluster = await startSimulatedNodes()
})
afterEach(() => cluster.stop())

describe('A container with hooks', () => {
  test('is restarted when its postStart hook fails', async () => {
    await cluster.declare('app', { commands: [{ name: 'warm-up', exitCode: 1 }] })
    await cluster.run({
      containers: [{ ...app, lifecycle: { postStart: { exec: { command: ['/bin/warm-up'] } } } }],
    })
    await cluster.clock.run(8000)
    expect(await cluster.eventsOf()).toContain('FailedPostStartHook: PostStartHook failed')
    const { status } = await cluster.pod()
    expect(status?.containerStatuses?.[0]?.restartCount).toBe(1)
  })

  test.each([
    ['a command nobody declares', ['/bin/nginx', '-s', 'quit'], 0],
    ['a declared command, for as long as it takes', ['drain'], 5],
    ['a command of the small shell', ['sh', '-c', 'sleep 3'], 3],
  ])('ends after its preStop hook: %s', async (_, command, seconds) => {
    await cluster.declare('app', { commands: [{ name: 'drain', takes: '5s' }] })
    await cluster.run({ containers: [{ ...app, lifecycle: { preStop: { exec: { command } } } }] })
    await cluster.clock.run(10_000)
    const timeline = cluster.timeline(({ status }) => status?.phase ?? '')
    await cluster.client.delete(podKind, key)
    await cluster.clock.run(30_000)
    expect(timeline.at(-1)).toBe(`${seconds}s gone`)
    expect((await cluster.eventsOf()).filter((event) => event.startsWith('FailedPreStopHook'))).toEqual([])
  })

  test('is given up waiting for a hook when its grace is over', async () => {
    await cluster.declare('app', { commands: [{ name: 'drain', takes: '1h' }] })
    const lifecycle = { preStop: { exec: { command: ['drain'] } } }
    await cluster.run({ containers: [{ ...app, lifecycle }], terminationGracePeriodSeconds: 5 })
    await cluster.clock.run(10_000)
    const timeline = cluster.timeline(({ status }) => status?.phase ?? '')
    await cluster.client.delete(podKind, key)
    await cluster.clock.run(30_000)
    expect(timeline.at(-1)).toBe('5s gone')
  })

  test('is judged by what its image declares for the path of its probe', async () => {
    await cluster.declare('app', { http: [{ port: 80, path: '/ready', status: 503 }] })
    await cluster.run({
      containers: [{ ...app, readinessProbe: { httpGet: { port: 80, path: '/ready' }, periodSeconds: 1 } }],
    })
    await cluster.clock.run(10_000)
    expect(await cluster.eventsOf()).toContain(
      'Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503',
    )
    expect((await cluster.pod()).status?.containerStatuses?.[0]?.ready).toBe(false)
  })
})

test('Events name the container they are about', async () => {
  await cluster.run({ containers: [app], initContainers: [{ name: 'first', image: 'init' }] })
  await cluster.clock.run(10_000)
  const { items } = await cluster.client.list(eventKind)
  const started = items.filter(({ reason }) => reason === 'Started')
  expect(started.map(({ involvedObject }) => involvedObject.fieldPath).sort()).toEqual([
    'spec.containers{app}',
    'spec.initContainers{first}',
  ])
})
