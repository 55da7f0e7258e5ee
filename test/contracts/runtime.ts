import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { V1Container } from '../../src/api/generated/types.ts'
import type { ContainerHandle, Runtime } from '../../src/nodes/runtimes/runtime.ts'
import { make } from '../support/make.ts'

/** A runtime with images that behave as named, on a clock that `pass` moves. */
export interface RuntimeUnderTest {
  readonly runtime: Runtime
  /** References of images that … */
  readonly images: {
    readonly runsForEver: string
    readonly exitsWithThree: string
    readonly ignoresTerm: string
    readonly cannotBePulled: string
  }
  now(): number
  /** Lets time pass until a pull, a start or an exit of these images is over. */
  pass(): Promise<void>
  close(): Promise<void>
}

const NODE = 'node-a'
const pod = make.pod({ metadata: { uid: 'uid-1' } })
const container = (image: string): V1Container => ({ name: 'app', image })

/**
 * Every runtime promises: (1) an image is there once it has been pulled, on that node only; (2) a container has an id of
 * its own and runs until it ends or is stopped; (3) its exit is told, with code and reason, and kept until it is
 * removed; (4) stop ends with 143 what obeys and with 137 what does not, and asked twice does no harm; (5) what is not
 * known is an answer, never a throw.
 */
export function runtimeContract(name: string, open: () => Promise<RuntimeUnderTest>): void {
  describe(`Runtime ${name}`, () => {
    let subject: RuntimeUnderTest
    beforeEach(async () => {
      subject = await open()
    })
    afterEach(() => subject.close())

    async function started(image: string): Promise<ContainerHandle> {
      const start = subject.runtime.start(NODE, pod, container(image))
      await subject.pass()
      return start
    }

    test('has an image on the node that pulled it, and lists it with its size', async () => {
      const { runtime, images } = subject
      expect(runtime.hasImage(NODE, images.runsForEver)).toBe(false)
      const pull = runtime.pull(NODE, images.runsForEver)
      await subject.pass()
      const bytes = await pull
      expect(bytes).toBeGreaterThan(0)
      expect(runtime.hasImage(NODE, images.runsForEver)).toBe(true)
      expect(runtime.hasImage('node-b', images.runsForEver)).toBe(false)
      expect(runtime.images(NODE)).toMatchObject([{ name: images.runsForEver, sizeBytes: bytes }])
    })

    test('pulls once for two that ask at the same time', async () => {
      const { runtime, images } = subject
      const pulls = Promise.all([1, 2].map(() => runtime.pull(NODE, images.runsForEver)))
      await subject.pass()
      expect(new Set(await pulls).size).toBe(1)
    })

    test('says which image cannot be pulled', async () => {
      const { runtime, images } = subject
      const pull = expect(runtime.pull(NODE, images.cannotBePulled)).rejects.toThrow(images.cannotBePulled)
      await subject.pass()
      await pull
      expect(runtime.hasImage(NODE, images.cannotBePulled)).toBe(false)
    })

    test('runs containers side by side, each with its own id, the same image with the same image id', async () => {
      const [one, two] = [
        await started(subject.images.runsForEver),
        await started(subject.images.runsForEver),
      ]
      expect(one.id).not.toBe(two.id)
      expect(one.id).toMatch(/^[a-z]+:\/\//)
      expect(one.imageId).toBe(two.imageId)
      expect(one.startedAt).toBeLessThanOrEqual(subject.now())
      expect(subject.runtime.find(one.id)?.exit).toBeUndefined()
    })

    test('tells of an exit, and keeps it until the container is removed', async () => {
      const told: string[] = []
      const cancel = subject.runtime.onChange((uid) => told.push(uid))
      const { id } = await started(subject.images.exitsWithThree)
      await subject.pass()
      expect(told).toEqual(['uid-1'])
      expect(subject.runtime.find(id)?.exit).toMatchObject({ code: 3, reason: 'Error' })
      subject.runtime.remove(id)
      expect(subject.runtime.find(id)).toBeUndefined()
      cancel()
    })

    test('stops with 143 what obeys, and stays so however often it is asked', async () => {
      const { id } = await started(subject.images.runsForEver)
      const stops = Promise.all([1, 2].map(() => subject.runtime.stop(id, 30_000)))
      await subject.pass()
      await stops
      await subject.runtime.stop(id, 0)
      expect(subject.runtime.find(id)?.exit).toMatchObject({ code: 143, reason: 'Error' })
    })

    test('kills with 137 what does not obey, at the shortest grace it was given', async () => {
      const { id } = await started(subject.images.ignoresTerm)
      const from = subject.now()
      const stops = [subject.runtime.stop(id, 60_000), subject.runtime.stop(id, 1000)]
      const later = subject.runtime.stop(id, 90_000)
      await subject.pass()
      await Promise.all([...stops, later])
      const exit = subject.runtime.find(id)?.exit
      expect(exit?.code).toBe(137)
      expect((exit?.at ?? 0) - from).toBeLessThan(5000)
    })

    test('goes on with a container that ran before', async () => {
      const handle = { id: 'found://1', imageId: 'image', startedAt: subject.now() - 60_000 }
      subject.runtime.adopt(NODE, pod, container(subject.images.runsForEver), handle)
      expect(subject.runtime.find('found://1')).toMatchObject(handle)
      expect(subject.runtime.hasImage(NODE, subject.images.runsForEver)).toBe(true)
    })

    test('answers about what it does not know', async () => {
      const { runtime } = subject
      expect(runtime.find('nothing')).toBeUndefined()
      expect(runtime.probe('nothing', { tcpSocket: { port: 1 } }, '10.0.0.1').ok).toBe(false)
      expect(runtime.usage('nothing')).toMatchObject({ cpu: 0, memory: 0, figures: [] })
      expect(runtime.logs('nothing')).toBeUndefined()
      expect(runtime.dial(NODE, 'nothing', 80)).toBeUndefined()
      runtime.remove('nothing')
      await runtime.stop('nothing', 0)
    })
  })
}
