import { describe, expect, test } from 'vitest'
import { formatTime, parseTime } from '../base/date.ts'
import { formatTimeIn, isTimeZone, parseCron } from './cron.ts'

function runs(text: string, timeZone: string, after: string, count: number): (string | undefined)[] {
  const schedule = parseCron(text, timeZone)
  const found: (string | undefined)[] = []
  let at = parseTime(after)
  while (found.length < count && at !== undefined) {
    at = schedule.next(at)
    found.push(at === undefined ? undefined : formatTime(at))
  }
  return found
}

describe('A cron schedule', () => {
  test.each([
    ['*/15 * * * *', '2026-01-01T00:00:00Z', ['2026-01-01T00:15:00Z', '2026-01-01T00:30:00Z']],
    [
      '5/20 * * * *',
      '2026-01-01T00:00:00Z',
      ['2026-01-01T00:05:00Z', '2026-01-01T00:25:00Z', '2026-01-01T00:45:00Z'],
    ],
    [
      '0 9-17/4 * * *',
      '2026-01-01T00:00:00Z',
      ['2026-01-01T09:00:00Z', '2026-01-01T13:00:00Z', '2026-01-01T17:00:00Z', '2026-01-02T09:00:00Z'],
    ],
    ['30 8 * JAN,feb MON-FRI', '2026-01-02T09:00:00Z', ['2026-01-05T08:30:00Z']],
    ['0 0 1 * 1', '2026-01-26T12:00:00Z', ['2026-02-01T00:00:00Z', '2026-02-02T00:00:00Z']],
    ['0 0 * * 1', '2026-01-01T00:00:00Z', ['2026-01-05T00:00:00Z']],
    ['0 0 13 * ?', '2026-01-01T00:00:00Z', ['2026-01-13T00:00:00Z']],
    ['0 0 29 2 *', '2026-01-01T00:00:00Z', ['2028-02-29T00:00:00Z']],
    ['0 0 31 2 *', '2026-01-01T00:00:00Z', [undefined]],
    ['@hourly', '2026-01-01T00:00:00Z', ['2026-01-01T01:00:00Z']],
    ['@weekly', '2026-01-01T00:00:00Z', ['2026-01-04T00:00:00Z']],
    ['@every 90s', '2026-01-01T00:00:10Z', ['2026-01-01T00:01:40Z', '2026-01-01T00:03:10Z']],
  ])('%s after %s is due at %s', (text, after, expected) =>
    expect(runs(text, 'UTC', after, expected.length)).toEqual(expected),
  )

  test.each([
    [
      'a time that is skipped does not come that day',
      '30 2 * * *',
      '2026-03-27T12:00:00Z',
      ['2026-03-28T01:30:00Z', '2026-03-30T00:30:00Z'],
    ],
    [
      'a time that is repeated comes twice',
      '30 2 * * *',
      '2026-10-24T12:00:00Z',
      ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z', '2026-10-26T01:30:00Z'],
    ],
    [
      'a day begins at its own midnight',
      '0 0 * * *',
      '2026-03-28T12:00:00Z',
      ['2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z'],
    ],
    [
      'and after the long day too',
      '0 0 * * *',
      '2026-10-24T12:00:00Z',
      ['2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z'],
    ],
  ])('of Berlin: %s', (_, text, after, expected) =>
    expect(runs(text, 'Europe/Berlin', after, expected.length)).toEqual(expected),
  )

  test.each([
    ['', /expected exactly 5 fields, found 0/],
    ['* * * *', /expected exactly 5 fields, found 4: \[\* \* \* \*\]/],
    ['60 * * * *', /end of range \(60\) above maximum \(59\): 60/],
    ['0 0 0 * *', /beginning of range \(0\) below minimum \(1\): 0/],
    ['0 0 * * 7', /end of range \(7\) above maximum \(6\): 7/],
    ['5-1 * * * *', /beginning of range \(5\) beyond end of range \(1\): 5-1/],
    ['*/0 * * * *', /step of range should be a positive number/],
    ['1/2/3 * * * *', /too many slashes/],
    ['1-2-3 * * * *', /too many hyphens/],
    ['0 0 L * *', /failed to parse int from L/],
    ['@fortnightly', /unrecognized descriptor: @fortnightly/],
    ['@every soon', /failed to parse duration @every soon/],
  ])('"%s" is refused: %s', (text, message) => expect(() => parseCron(text)).toThrow(message))

  test.each([
    ['Europe/Berlin', true],
    ['Etc/UTC', true],
    ['Mars/Olympus', false],
    ['+02:00', false],
    ['', false],
  ])('takes "%s" for a time zone: %s', (name, expected) => expect(isTimeZone(name)).toBe(expected))
})

test.each<[string, string | undefined, string]>([
  ['2030-07-01T00:30:00Z', 'Europe/Berlin', '2030-07-01T02:30:00+02:00'],
  ['2030-01-01T00:30:00Z', 'Europe/Berlin', '2030-01-01T01:30:00+01:00'],
  ['2030-01-01T00:30:00Z', 'America/St_Johns', '2029-12-31T21:00:00-03:30'],
  ['2030-01-01T00:30:00Z', 'Europe/London', '2030-01-01T00:30:00Z'],
  ['2030-01-01T00:30:00Z', undefined, '2030-01-01T00:30:00Z'],
])('%s is written in %s as %s', (time, zone, expected) => {
  expect(formatTimeIn(parseTime(time) ?? 0, zone)).toBe(expected)
})
