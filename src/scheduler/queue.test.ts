import { describe, expect, test } from 'vitest'
import { node, pod, snapshotOf } from '../../test/support/scheduling.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { VirtualClock } from '../base/virtual-clock.ts'
import { Heap } from './heap.ts'
import { nodeAffinity } from './plugins/node-affinity.ts'
import { resourcesFit } from './plugins/resources-fit.ts'
import { schedulingGates } from './plugins/scheduling-gates.ts'
import { podInfo } from './pod-info.ts'
import { backoffMs, SchedulingQueue } from './queue.ts'

const start = () => {
  const clock = new VirtualClock({ seed: 1 })
  const snapshot = snapshotOf([node('n')])
  const queue = new SchedulingQueue(clock, snapshot, () => [schedulingGates])
  return {
    clock,
    queue,
    put: (each: Pod) => queue.put(podInfo(each)),
    next: () => queue.tryPop()?.info.pod.metadata.name,
  }
}
const of = (name: string, priority = 0) => pod(name, {}, { priority })
const onNode = (name: string) => pod(name, {}, { nodeName: 'n' })
const FIT = [resourcesFit()]

test.each([
  [0, 0],
  [1, 1000],
  [2, 2000],
  [3, 4000],
  [4, 8000],
  [5, 10_000],
  [50, 10_000],
])('A pod backs off after attempt %d for %d ms', (attempts, ms) => {
  expect(backoffMs(attempts)).toBe(ms)
})

describe('SchedulingQueue', () => {
  test('gives the highest priority first, then who came first', async () => {
    const { clock, put, next } = start()
    put(of('early'))
    await clock.run(10)
    put(of('late'))
    put(of('high', 100))
    expect([next(), next(), next(), next()]).toEqual(['high', 'early', 'late', undefined])
  })

  test('keeps a gated pod until its last gate is gone', () => {
    const { put, next, queue } = start()
    const gated = (...gates: string[]) => pod('a', {}, { schedulingGates: gates.map((name) => ({ name })) })
    expect(put(gated('x/1', 'x/2'))).toBe('waiting for scheduling gates: [x/1 x/2]')
    expect(next()).toBeUndefined()
    put(gated('x/2'))
    expect(queue.sizes.gated).toBe(1)
    expect(put(gated())).toBeUndefined()
    expect(next()).toBe('a')
  })

  test('brings a rejected pod back when something happens that a rejecting plugin cares about', async () => {
    const { clock, queue, put, next } = start()
    put(of('a'))
    queue.giveBack(queue.tryPop()!, FIT)
    queue.notify({ type: 'pod-bound', pod: of('x') })
    queue.notify({ type: 'node-updated', node: node('n', { labels: { x: 'y' } }), previous: node('n') })
    await clock.run(60_000)
    expect(next()).toBeUndefined()
    expect(queue.sizes.unschedulable).toBe(1)
    queue.notify({ type: 'pod-removed', pod: onNode('x') })
    expect(next()).toBe('a')
  })

  test('wakes only the pods that the event may help', () => {
    const { queue, put, next } = start()
    put(pod('big', { cpu: '64' }))
    put(pod('ssd', {}, { nodeSelector: { disk: 'ssd' } }))
    const given = [queue.tryPop()!, queue.tryPop()!]
    for (const each of given)
      queue.giveBack(each, each.info.pod.metadata.name === 'big' ? FIT : [nodeAffinity()])
    queue.notify({ type: 'node-updated', node: node('n', { labels: { disk: 'ssd' } }), previous: node('n') })
    expect([next(), next()]).toEqual(['ssd', undefined])
  })

  test('hears what happened while the pod was tried', () => {
    const { queue, put, next } = start()
    put(of('a'))
    const inFlight = queue.tryPop()!
    queue.notify({ type: 'pod-removed', pod: onNode('x') })
    queue.giveBack(inFlight, FIT)
    expect(queue.sizes.backoff).toBe(1)
    expect(next()).toBe('a')
  })

  test('lets a pod out of its backoff when nothing else waits, but not one that failed by an error', async () => {
    const { clock, queue, put, next } = start()
    put(of('a'))
    queue.retry(queue.tryPop()!)
    put(of('b'))
    expect(next()).toBe('b')
    expect(next()).toBeUndefined()
    await clock.run(2000)
    expect(next()).toBe('a')
  })

  test('tries again after five minutes without any event', async () => {
    const { clock, queue, put, next } = start()
    put(of('a'))
    queue.giveBack(queue.tryPop()!, FIT)
    await clock.run(4.5 * 60_000)
    expect(next()).toBeUndefined()
    await clock.run(60_000)
    expect(next()).toBe('a')
  })

  test('forgets a pod that is gone wherever it is', async () => {
    const { clock, queue, put, next } = start()
    for (const name of ['active', 'waiting', 'failed']) put(of(name))
    const taken = [queue.tryPop()!, queue.tryPop()!, queue.tryPop()!]
    for (const each of taken) {
      if (each.info.uid === 'waiting') queue.giveBack(each, FIT)
      if (each.info.uid === 'failed') queue.retry(each)
    }
    for (const name of ['active', 'waiting', 'failed']) queue.remove(name)
    await clock.run(10 * 60_000)
    expect(next()).toBeUndefined()
    expect(queue.sizes).toMatchObject({ active: 0, backoff: 0, unschedulable: 0, gated: 0 })
  })
})

test('Heap gives the smallest, whatever was taken out between', () => {
  const heap = new Heap<number>((a, b) => a - b)
  const numbers = Array.from({ length: 200 }, (_, i) => (i * 7919) % 211)
  for (const each of numbers) heap.push(each)
  for (const each of numbers) if (each % 3 === 0) heap.remove(each)
  const out: number[] = []
  for (let each = heap.pop(); each !== undefined; each = heap.pop()) out.push(each)
  expect(out).toEqual(numbers.filter((each) => each % 3 !== 0).toSorted((a, b) => a - b))
})
