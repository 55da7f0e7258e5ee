import { describe, expect, test } from 'vitest'
import { every, sleep } from './clock.ts'
import { VirtualClock } from './virtual-clock.ts'

describe('VirtualClock', () => {
  test('runs timers earliest first, and what they set in turn', async () => {
    const clock = new VirtualClock({ startAt: 0 })
    const order: string[] = []
    clock.after(20, () => order.push(`b${clock.now()}`))
    clock.after(10, () => {
      order.push(`a${clock.now()}`)
      clock.after(5, () => order.push(`c${clock.now()}`))
    })
    await clock.run(100)
    expect({ order, now: clock.now() }).toEqual({ order: ['a10', 'c15', 'b20'], now: 100 })
  })

  test('lets all promises move before each timer', async () => {
    const clock = new VirtualClock({ startAt: 0 })
    const order: string[] = []
    clock.after(1, () => {
      void Promise.resolve()
        .then(() => {})
        .then(() => order.push('promise'))
    })
    clock.after(2, () => order.push('timer'))
    await clock.run(2)
    expect(order).toEqual(['promise', 'timer'])
  })

  test('orders timers due at once by the seed: replayable, and different between seeds', async () => {
    const orderOf = async (seed: number) => {
      const clock = new VirtualClock({ seed })
      const order: number[] = []
      for (let i = 0; i < 8; i += 1) clock.after(10, () => order.push(i))
      await clock.run(10)
      return order.join()
    }
    expect(await orderOf(1)).toBe(await orderOf(1))
    expect(await orderOf(1)).not.toBe(await orderOf(2))
  })

  test('until names what was pending when it gives up', async () => {
    const clock = new VirtualClock({ trace: true })
    clock.after(500, () => {})
    await expect(clock.until(() => false, 100)).rejects.toThrow(
      /Not done after 100ms of virtual time; pending:\n {2}\+400ms .*virtual-clock\.test/,
    )
  })

  test('stops a runaway', async () => {
    const clock = new VirtualClock({ timersMax: 1000 })
    const again = () => {
      clock.after(0, again)
    }
    again()
    await expect(clock.run(1)).rejects.toThrow('Runaway')
  })

  test('forgets a cancelled timer', async () => {
    const clock = new VirtualClock()
    let ran = 0
    const stop = every(clock, 10, () => {
      ran += 1
      if (ran === 3) stop()
    })
    const cancel = clock.after(1, () => {
      ran += 100
    })
    cancel()
    cancel()
    await clock.run(1000)
    expect({ ran, pending: clock.pending }).toEqual({ ran: 3, pending: 0 })
  })

  test('sleep rejects with the reason of its signal at once and leaves no timer', async () => {
    const clock = new VirtualClock()
    const stop = new AbortController()
    const slept = sleep(clock, 1000, stop.signal)
    stop.abort('enough')
    await expect(slept).rejects.toBe('enough')
    await expect(sleep(clock, 1000, stop.signal)).rejects.toBe('enough')
    expect(clock.pending).toBe(0)
  })
})
