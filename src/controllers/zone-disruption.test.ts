import { describe, expect, test } from 'vitest'
import { EvictionPace, evictionRates, zoneState } from './zone-disruption.ts'

describe('zoneState', () => {
  test.each([
    ['all are ready', 3, 0, 'Normal'],
    ['one of three is not', 2, 1, 'Normal'],
    ['two of three are not: fewer than three', 1, 2, 'Normal'],
    ['three of five are not (60%)', 2, 3, 'PartialDisruption'],
    ['three of six are not (50%)', 3, 3, 'Normal'],
    ['none is ready', 0, 1, 'FullDisruption'],
    ['there are no nodes', 0, 0, 'Normal'],
  ])('when %s', (_, ready, notReady, state) => {
    expect(zoneState({ ready, notReady })).toBe(state)
  })
})

describe('evictionRates', () => {
  const rates = (...zones: [number, number][]) => [
    ...evictionRates(new Map(zones.map(([ready, notReady], i) => [`z${i}`, { ready, notReady }]))).values(),
  ]
  test.each<[string, [number, number][], number[]]>([
    ['a node each 10 s normally', [[2, 1]], [0.1]],
    [
      'none in a small zone that is partly gone',
      [
        [2, 3],
        [3, 0],
      ],
      [0, 0.1],
    ],
    [
      'slowly in a large zone that is partly gone',
      [
        [20, 40],
        [3, 0],
      ],
      [0.01, 0.1],
    ],
    [
      'a whole zone when others are well',
      [
        [0, 3],
        [3, 0],
      ],
      [0.1, 0.1],
    ],
    [
      'nobody when every node is silent',
      [
        [0, 3],
        [0, 3],
      ],
      [0, 0],
    ],
  ])('%s', (_, zones, expected) => {
    expect(rates(...zones)).toEqual(expected)
  })
})

test('EvictionPace lets one go at once and the next after 10 s', () => {
  const pace = new EvictionPace()
  const taken = [0, 5_000, 9_999, 10_000, 15_000].map((now) => pace.take(0.1, now))
  expect(taken).toEqual([true, false, false, true, false])
  expect(new EvictionPace().take(0, 0)).toBe(false)
})
