import { describe, expect, test } from 'vitest'
import { formatDuration, humanDuration, parseDuration } from './duration.ts'

test.each<[string, number | undefined]>([
  ['0', 0],
  ['60s', 60_000],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['300ms', 300],
  ['.5s', 500],
  ['2us', 0.002],
  ['2µs', 0.002],
  ['-5s', -5000],
  ['+5s', 5000],
  ['', undefined],
  ['60', undefined],
  ['1d', undefined],
  ['s', undefined],
  ['-', undefined],
  ['1m 30s', undefined],
  ['1m30', undefined],
])('Duration %j is %s ms', (text, ms) => expect(parseDuration(text)).toBe(ms))

test.each([
  [0, '0s'],
  [250, '250ms'],
  [1500, '1.5s'],
  [90_000, '1m30s'],
  [600_000, '10m0s'],
  [3_600_000, '1h0m0s'],
  [-90_000, '-1m30s'],
])('%d ms is printed as Go does: %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
  expect(parseDuration(text)).toBe(ms)
})

describe('an age, as kubectl prints it', () => {
  const [S, M, H, D] = [1000, 60_000, 3_600_000, 86_400_000] as const
  test.each([
    [-5 * S, '<invalid>'],
    [-S, '0s'],
    [0, '0s'],
    [119 * S, '119s'],
    [120 * S, '2m'],
    [3 * M + 20 * S, '3m20s'],
    [9 * M + 59 * S, '9m59s'],
    [10 * M + 30 * S, '10m'],
    [179 * M, '179m'],
    [180 * M, '3h'],
    [5 * H + 10 * M, '5h10m'],
    [8 * H + 10 * M, '8h'],
    [47 * H, '47h'],
    [48 * H, '2d'],
    [51 * H, '2d3h'],
    [8 * D + 3 * H, '8d'],
    [400 * D, '400d'],
    [730 * D, '2y'],
    [800 * D, '2y70d'],
    [8 * 365 * D, '8y'],
  ])('%d ms: %s', (ms, text) => expect(humanDuration(ms)).toBe(text))
})
