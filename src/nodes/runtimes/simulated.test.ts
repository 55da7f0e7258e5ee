import { describe, expect, test } from 'vitest'
import { type RuntimeUnderTest, runtimeContract } from '../../../test/contracts/runtime.ts'
import { createTestCluster } from '../../../test/support/cluster.ts'
import { make } from '../../../test/support/make.ts'
import { type SimulatedImage, simulatedImage } from '../../api/kinds/simulated-image.ts'
import { SimulatedRuntime } from './simulated.ts'

const pod = make.pod({ metadata: { uid: 'uid-1' } })

async function open(images: Readonly<Record<string, SimulatedImage['spec']>>) {
  const cluster = await createTestCluster()
  for (const [name, spec] of Object.entries(images))
    await cluster.client.create(simulatedImage, {
      apiVersion: 'seamark.dev/v1alpha1',
      kind: 'SimulatedImage',
      metadata: { name },
      spec,
    })
  const runtime = new SimulatedRuntime(cluster.env, cluster.informers)
  await cluster.informers.synced()
  return { ...cluster, runtime }
}

runtimeContract('simulated', async (): Promise<RuntimeUnderTest> => {
  const { runtime, clock, close } = await open({
    exits: { images: ['exits'], exit: { code: 3, after: '1s' } },
    deaf: { images: ['deaf'], stopTime: '1h' },
    missing: { images: ['missing'], pullError: 'not found' },
  })
  return {
    runtime,
    images: { runsForEver: 'app', exitsWithThree: 'exits', ignoresTerm: 'deaf', cannotBePulled: 'missing' },
    now: () => clock.now(),
    pass: () => clock.run(2000),
    close,
  }
})

describe('A simulated image', () => {
  test('takes the defaults when nothing is declared: a second to pull, half a second to start', async () => {
    const { runtime, clock, close } = await open({})
    const at = clock.now()
    const pull = runtime.pull('a', 'x').then(() => clock.now() - at)
    const start = runtime.start('a', pod, { name: 'app', image: 'x' }).then(() => clock.now() - at)
    await clock.run(5000)
    expect([await pull, await start]).toEqual([1000, 500])
    await close()
  })

  test.each([
    ['an init container', {}, 'init', 0],
    ['a sidecar', {}, 'sidecar', undefined],
    ['a container of a pod that is restarted always', {}, 'app', undefined],
    ['a container of a pod that is not', { restartPolicy: 'OnFailure' }, 'app', 0],
    ['a container that is restarted by its own policy', { restartPolicy: 'Never' }, 'own', undefined],
  ] as const)('ends by itself, undeclared, only as %s would', async (_, spec, name, code) => {
    const { runtime, clock, close } = await open({})
    const containers = [
      { name: 'app', image: 'x' },
      { name: 'own', image: 'x', restartPolicy: 'Always' },
    ]
    const initContainers = [
      { name: 'init', image: 'x' },
      { name: 'sidecar', image: 'x', restartPolicy: 'Always' },
    ]
    const whole = make.pod({ spec: { ...spec, containers, initContainers } })
    const container = [...containers, ...initContainers].find((each) => each.name === name)
    if (!container) throw new Error(name)
    const start = runtime.start('a', whole, container)
    await clock.run(5000)
    expect(runtime.find((await start).id)?.exit?.code).toBe(code)
    await close()
  })

  test.each([
    ['the exact reference before any glob', 'shop/web:2', 3],
    ['globs in the order of their names', 'shop/web:1', 1],
    ['a star within one part of the path only', 'shop/deep/web:1', 0],
    ['two stars across them', 'deep/er/web:1', 2],
  ])('is found by %s', async (_, image, code) => {
    const { runtime, clock, close } = await open({
      'a-shop': { images: ['shop/*'], exit: { code: 1 } },
      'b-web': { images: ['shop/web:*', 'deep/**'], exit: { code: 2 } },
      'c-two': { images: ['shop/web:2'], exit: { code: 3 } },
    })
    const start = runtime.start('a', pod, { name: 'app', image })
    await clock.run(5000)
    expect(runtime.find((await start).id)?.exit?.code ?? 0).toBe(code)
    await close()
  })

  test('uses what is declared, a part of what is requested otherwise, and nothing once it has ended', async () => {
    const { runtime, clock, close } = await open({
      busy: { images: ['busy'], usage: { cpu: '250m', memory: '64Mi' } },
    })
    const resources = { requests: { cpu: '1', memory: '100Mi' } }
    const starts = ['busy', 'idle'].map((image) => runtime.start('a', pod, { name: 'app', image, resources }))
    await clock.run(1000)
    const [busy = '', idle = ''] = (await Promise.all(starts)).map(({ id }) => id)
    expect(runtime.usage(busy)).toMatchObject({ cpu: 0.25, memory: 64 * 2 ** 20, figures: [] })
    expect(runtime.usage(idle)).toMatchObject({ cpu: 0.1, memory: 50 * 2 ** 20, figures: [] })
    await runtime.stop(idle, 0)
    expect(runtime.usage(idle)).toMatchObject({ cpu: 0, memory: 0, figures: [] })
    await close()
  })

  test('writes its lines when it starts, readable after its end', async () => {
    const { runtime, clock, close } = await open({
      loud: { images: ['loud'], logs: ['ready', 'bye'], exit: { code: 0, after: '1s' } },
    })
    const start = runtime.start('a', pod, { name: 'app', image: 'loud' })
    await clock.run(5000)
    const { id, startedAt } = await start
    expect(runtime.find(id)?.exit?.reason).toBe('Completed')
    expect(runtime.logs(id)?.lines).toEqual([
      { at: startedAt, line: 'seamark: container app started, simulating loud' },
      { at: startedAt, line: 'ready' },
      { at: startedAt, line: 'bye' },
      { at: startedAt + 1000, line: 'seamark: container app exited with code 0' },
    ])
    await close()
  })
})
