import { describe, expect, test } from 'vitest'
import { exceedsAfter, figuresAt, usageAt } from './usage.ts'

const MI = 2 ** 20
const minutes = (count: number) => count * 60_000
const GROWING = { memory: '100Mi', peak: { memory: '200Mi' }, period: '10m' } as const
const LOAD = { cpu: '100m', load: { cpuPerRequest: '10m' } } as const

describe('The usage of a container', () => {
  test.each([
    ['is a part of what is requested when nothing is declared', undefined, 0, 0, 0.1, 50],
    ['stays at its base when it is constant', { cpu: '1', memory: '10Mi' }, minutes(5), 0, 1, 10],
    ['is half way up a ramp after half its period', { ...GROWING, pattern: 'ramp' }, minutes(5), 0, 0.1, 150],
    ['stays on top of a ramp', { ...GROWING, pattern: 'ramp' }, minutes(50), 0, 0.1, 200],
    ['is on top of a sine after half its period', { ...GROWING, pattern: 'sine' }, minutes(5), 0, 0.1, 200],
    ['is back after a period of a sine', { ...GROWING, pattern: 'sine' }, minutes(10), 0, 0.1, 100],
    ['is low in the first half of a step', { ...GROWING, pattern: 'step' }, minutes(4), 0, 0.1, 100],
    ['is high in the second half of a step', { ...GROWING, pattern: 'step' }, minutes(6), 0, 0.1, 200],
    ['is low again in the next step', { ...GROWING, pattern: 'step' }, minutes(12), 0, 0.1, 100],
    ['grows with the requests it serves', LOAD, 0, 100, 1.1, 50],
    ['is its own where a request costs nothing', { cpu: '1' }, 0, 100, 1, 50],
  ] as const)('%s', (_, declared, ranMs, perSecond, cpu, memory) => {
    const used = usageAt(declared, { cpu: '1', memory: '100Mi' }, ranMs, perSecond)
    expect(used.cpu).toBeCloseTo(cpu, 6)
    expect(used.memory / MI).toBeCloseTo(memory, 6)
  })

  test.each([
    ['at once when its base is', { memory: '300Mi' }, 0],
    ['never when it is constant', { memory: '100Mi', peak: { memory: '900Mi' } }, undefined],
    ['never when the peak is not', { ...GROWING, peak: { memory: '140Mi' }, pattern: 'ramp' }, undefined],
    ['half way up a ramp', { ...GROWING, pattern: 'ramp' }, minutes(5) + 1],
    ['half way through a step', { ...GROWING, pattern: 'step' }, minutes(5)],
    ['a quarter through a sine', { ...GROWING, pattern: 'sine' }, minutes(2.5) + 1],
  ] as const)('is over its memory limit %s', (_, declared, after) => {
    expect(exceedsAfter(declared, undefined, 150 * MI)).toBe(after)
  })

  const FILLING = {
    memory: '100Mi',
    emptyDir: '0',
    pattern: 'ramp',
    period: '10m',
    peak: { emptyDir: '100Mi' },
  } as const
  test.each([
    ['half way up, the volume being large enough', FILLING, 200, minutes(5) + 1],
    ['never, the volume being full before', FILLING, 40, undefined],
    ['never, the volume being on a disk', FILLING, 0, undefined],
    [
      'when the rest has grown beside a full volume',
      { ...FILLING, peak: { memory: '200Mi', emptyDir: '100Mi' } },
      20,
      minutes(3) + 1,
    ],
    [
      'when both have grown',
      { ...FILLING, peak: { memory: '200Mi', emptyDir: '100Mi' } },
      40,
      minutes(2.5) + 1,
    ],
  ] as const)('with a volume in memory is over its limit %s', (_, declared, volumeMi, after) => {
    expect(exceedsAfter(declared, undefined, 150 * MI, volumeMi * MI)).toBe(after)
  })

  test('is beside the figures it exposes', () => {
    const metrics = [
      { name: 'queued', value: '10', peak: '30', pattern: 'ramp', period: '10m', labels: { queue: 'mail' } },
      { name: 'http_requests_per_second', perRequest: '1' },
    ] as const
    expect(figuresAt({ metrics }, minutes(5), 12.5)).toEqual([
      { name: 'queued', labels: { queue: 'mail' }, value: 20 },
      { name: 'http_requests_per_second', value: 12.5 },
    ])
  })
})
