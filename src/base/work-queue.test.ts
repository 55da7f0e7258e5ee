import { describe, expect, test } from 'vitest'
import { VirtualClock } from './virtual-clock.ts'
import { WorkQueue, type WorkQueueOptions } from './work-queue.ts'

function queueOf(options: Partial<WorkQueueOptions> = {}) {
  const clock = new VirtualClock()
  const started: { key: string; at: number }[] = []
  const startedAt = clock.now()
  const queue = new WorkQueue(clock, {
    ...options,
    work: async (key) => {
      started.push({ key, at: clock.now() - startedAt })
      await options.work?.(key)
    },
  })
  return { clock, queue, started, keys: () => started.map(({ key }) => key) }
}

const block = (clock: VirtualClock, ms: number) => () =>
  new Promise<void>((resolve) => clock.after(ms, resolve))

describe('WorkQueue', () => {
  test('works on a key once however often it is added before that', async () => {
    const { clock, queue, keys } = queueOf()
    for (let i = 0; i < 5; i += 1) queue.add('a')
    queue.add('b')
    await clock.run(1)
    expect(keys()).toEqual(['a', 'b'])
    expect(queue.idle).toBe(true)
  })

  test('brings back a key that was added while it was being worked on, never twice at once', async () => {
    const clock = new VirtualClock()
    const running = new Map<string, number>()
    let most = 0
    let worked = 0
    const queue = new WorkQueue(clock, {
      concurrency: 4,
      work: async (key) => {
        running.set(key, (running.get(key) ?? 0) + 1)
        most = Math.max(most, running.get(key) ?? 0)
        await block(clock, 10)()
        running.set(key, (running.get(key) ?? 0) - 1)
        worked += 1
      },
    })
    queue.add('a')
    await clock.run(5)
    queue.add('a')
    queue.add('a')
    await clock.run(100)
    expect({ most, worked }).toEqual({ most: 1, worked: 2 })
  })

  test('lets the earlier of two delays win', async () => {
    const { clock, queue, started } = queueOf()
    queue.addAfter('a', 50)
    queue.addAfter('a', 20)
    queue.addAfter('a', 80)
    await clock.run(100)
    expect(started).toEqual([{ key: 'a', at: 20 }])
  })

  test('doubles the backoff of a failing key up to the maximum and forgets it at the first success', async () => {
    let failures = 5
    const retries: number[] = []
    const { clock, queue, started } = queueOf({
      backoffMinMs: 10,
      backoffMaxMs: 60,
      work: async () => {
        if (failures-- > 0) throw new Error('not yet')
      },
      onError: (_key, _error, retryInMs) => retries.push(retryInMs),
    })
    queue.add('a')
    await clock.run(1000)
    expect(retries).toEqual([10, 20, 40, 60, 60])
    expect(started.map(({ at }) => at)).toEqual([0, 10, 30, 70, 130, 190])
    failures = 1
    queue.add('a')
    await clock.run(1000)
    expect(retries.at(-1)).toBe(10)
  })

  test('works on at most `concurrency` keys at once', async () => {
    const clock = new VirtualClock()
    let now = 0
    let most = 0
    const queue = new WorkQueue(clock, {
      concurrency: 3,
      work: async () => {
        most = Math.max(most, ++now)
        await block(clock, 10)()
        now -= 1
      },
    })
    for (let i = 0; i < 10; i += 1) queue.add(`k${i}`)
    await clock.run(1000)
    expect(most).toBe(3)
  })

  test('starts nothing after close, and close waits for what runs', async () => {
    const clock = new VirtualClock()
    let ended = false
    const queue = new WorkQueue(clock, {
      work: async () => {
        await block(clock, 10)()
        ended = true
      },
    })
    queue.add('a')
    queue.add('b')
    queue.addAfter('c', 5)
    await clock.run(1)
    const closed = queue.close().then(() => ended)
    queue.add('d')
    await clock.run(100)
    expect(await closed).toBe(true)
    expect(clock.pending).toBe(0)
  })
})
