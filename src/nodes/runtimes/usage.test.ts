import { describe, expect, test } from 'vitest'
import { exceedsAfter, usageAt } from './usage.ts'

const MI = 2 ** 20
const minutes = (count: number) => count * 60_000
const GROWING = { memory: '100Mi', peak: { memory: '200Mi' }, period: '10m' } as const
const LOAD = { cpu: '100m', load: { requestsPerSecond: 100, cpuPerRequest: '10m' } } as const

describe('The usage of a container', () => {
  test.each([
    ['is a part of what is requested when nothing is declared', undefined, 0, 1, 0.1, 50],
    ['stays at its base when it is constant', { cpu: '1', memory: '10Mi' }, minutes(5), 1, 1, 10],
    ['is half way up a ramp after half its period', { ...GROWING, pattern: 'ramp' }, minutes(5), 1, 0.1, 150],
    ['stays on top of a ramp', { ...GROWING, pattern: 'ramp' }, minutes(50), 1, 0.1, 200],
    ['is on top of a sine after half its period', { ...GROWING, pattern: 'sine' }, minutes(5), 1, 0.1, 200],
    ['is back after a period of a sine', { ...GROWING, pattern: 'sine' }, minutes(10), 1, 0.1, 100],
    ['bears all of a load alone', LOAD, 0, 1, 1.1, 50],
    ['shares a load with others', LOAD, 0, 4, 0.35, 50],
    [
      'follows its pattern with the load',
      { ...LOAD, pattern: 'ramp', period: '10m', load: { ...LOAD.load, follows: true } },
      minutes(5),
      1,
      0.6,
      50,
    ],
  ] as const)('%s', (_, declared, ranMs, sharers, cpu, memory) => {
    const used = usageAt(declared, { cpu: '1', memory: '100Mi' }, ranMs, sharers)
    expect(used.cpu).toBeCloseTo(cpu, 6)
    expect(used.memory / MI).toBeCloseTo(memory, 6)
  })

  test.each([
    ['at once when its base is', { memory: '300Mi' }, 0],
    ['never when it is constant', { memory: '100Mi', peak: { memory: '900Mi' } }, undefined],
    ['never when the peak is not', { ...GROWING, peak: { memory: '140Mi' }, pattern: 'ramp' }, undefined],
    ['half way up a ramp', { ...GROWING, pattern: 'ramp' }, minutes(5) + 1],
    ['a quarter through a sine', { ...GROWING, pattern: 'sine' }, minutes(2.5) + 1],
  ] as const)('is over its memory limit %s', (_, declared, after) => {
    expect(exceedsAfter(declared, undefined, 150 * MI)).toBe(after)
  })
})
