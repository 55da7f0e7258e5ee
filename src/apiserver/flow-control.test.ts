import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../base/virtual-clock.ts'
import { FlowControl, type Leave } from './flow-control.ts'

function flow(limits = { seats: 1, queueMax: 3, waitMs: 1000 }) {
  const clock = new VirtualClock({ seed: 1 })
  const control = new FlowControl(clock, limits)
  const served: string[] = []
  const leaves: Leave[] = []
  const enter = (user: string, name = user) =>
    control.enter(user).then(
      (leave) => {
        served.push(name)
        leaves.push(leave)
      },
      (error: Error) => void served.push(`${name}: ${error.message}`),
    )
  return { clock, control, served, leaves, enter }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 10; i += 1) await Promise.resolve()
}

describe('FlowControl', () => {
  test('serves users in turn, not in the order of arrival', async () => {
    const { served, leaves, enter } = flow()
    const all = ['a1', 'a2', 'a3', 'b1', 'c1', 'b2'].map((name) => enter(name.charAt(0), name))
    for (let i = 0; i < all.length; i += 1) {
      await settle()
      leaves[i]?.()
    }
    await Promise.all(all)
    expect(served).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2'])
  })

  test('turns away who comes when their own queue is full, and nobody else', async () => {
    const { served, enter, control } = flow()
    for (let i = 0; i < 5; i += 1) void enter('a', `a${i}`)
    void enter('b')
    await settle()
    expect(served).toEqual(['a0', 'a4: Too many requests, please try again later.'])
    expect([control.taken, control.waiting]).toEqual([1, 4])
  })

  test('turns away who has waited too long', async () => {
    const { served, enter, clock, control } = flow()
    void enter('a')
    void enter('b')
    await clock.run(1001)
    expect(served).toEqual(['a', 'b: Too many requests, please try again later.'])
    expect(control.waiting).toBe(0)
  })

  test('takes a seat back once, however often it is given', async () => {
    const { leaves, enter, control } = flow({ seats: 2, queueMax: 1, waitMs: 1000 })
    await enter('a')
    await enter('b')
    leaves[0]?.()
    leaves[0]?.()
    expect(control.taken).toBe(1)
  })

  test('forgets who went away while waiting', async () => {
    const { control, enter, leaves, served } = flow()
    await enter('a')
    const gone = new AbortController()
    const waiting = control.enter('b', gone.signal).catch((error: Error) => error.message)
    void enter('c')
    gone.abort()
    expect(await waiting).toBe('the client went away while its request waited')
    leaves[0]?.()
    await settle()
    expect(served).toEqual(['a', 'c'])
  })
})
