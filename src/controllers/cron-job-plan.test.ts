import { describe, expect, test } from 'vitest'
import { type CronJob, cronJob } from '../api/kinds/cron-job.ts'
import { formatTime } from '../base/date.ts'
import { jobNameOf, planCronJob } from './cron-job-plan.ts'

const NOW = Date.UTC(2026, 5, 15, 12, 0, 30)
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

function cronJobOf(schedule: string, lastAgo: number | undefined, spec: object = {}): CronJob {
  return {
    ...cronJob.example,
    metadata: { name: 'report', namespace: 'default', creationTimestamp: formatTime(NOW - 800 * DAY) },
    spec: { ...cronJob.example.spec, schedule, ...spec },
    ...(lastAgo === undefined ? {} : { status: { lastScheduleTime: formatTime(NOW - lastAgo) } }),
  }
}

function plan(schedule: string, lastAgo: number | undefined, spec: object = {}) {
  const { start, events, lookAgainInMs } = planCronJob(cronJobOf(schedule, lastAgo, spec), [], NOW)
  return { start: start && formatTime(start), reasons: events.map(({ reason }) => reason), lookAgainInMs }
}

describe('A CronJob', () => {
  test.each([
    ['is not due before its time', '0 13 * * *', 60 * MINUTE, {}, undefined, []],
    ['starts what is due', '0 12 * * *', DAY, {}, '2026-06-15T12:00:00Z', []],
    [
      'starts only the newest of 100 it missed',
      '*/10 * * * *',
      1000 * MINUTE,
      {},
      '2026-06-15T12:00:00Z',
      [],
    ],
    [
      'starts the newest of more, and warns',
      '*/10 * * * *',
      1020 * MINUTE,
      {},
      '2026-06-15T12:00:00Z',
      ['TooManyMissedTimes'],
    ],
    [
      'starts the newest after a year of minutes',
      '* * * * *',
      365 * DAY,
      {},
      '2026-06-15T12:00:00Z',
      ['TooManyMissedTimes'],
    ],
    [
      'finds the newest also where there was none for long',
      '*/10 9-10 * * 1',
      365 * DAY,
      {},
      '2026-06-15T10:50:00Z',
      ['TooManyMissedTimes'],
    ],
    ['finds the only one of a year', '0 0 29 2 *', 900 * DAY, {}, '2024-02-29T00:00:00Z', []],
    ['keeps its pace with @every', '@every 90s', 200_000, {}, '2026-06-15T12:00:10Z', []],
    [
      'does not look further back than its deadline',
      '* * * * *',
      365 * DAY,
      { startingDeadlineSeconds: 600 },
      '2026-06-15T12:00:00Z',
      [],
    ],
    [
      'that never ran counts from when it was made',
      '0 12 * * *',
      undefined,
      {},
      '2026-06-15T12:00:00Z',
      ['TooManyMissedTimes'],
    ],
    [
      'starts nothing later than its deadline',
      '0 12 * * *',
      DAY,
      { startingDeadlineSeconds: 10 },
      undefined,
      [],
    ],
    ['starts nothing while it is suspended', '0 12 * * *', DAY, { suspend: true }, undefined, []],
    ['starts nothing again when the clock was set back', '* * * * *', -60 * MINUTE, {}, undefined, []],
  ])('%s', (_, schedule, lastAgo, spec, start, reasons) => {
    const startedAt = performance.now()
    expect(plan(schedule, lastAgo, spec)).toMatchObject({ start, reasons })
    expect(performance.now() - startedAt).toBeLessThan(500)
  })

  test('looks again a little after its next time', () => {
    expect(plan('*/10 * * * *', 30_000).lookAgainInMs).toBe(9.5 * MINUTE + 100)
  })

  test('names a run after its minute: the same run cannot be started twice', () => {
    const at = Date.UTC(2026, 5, 15, 12)
    expect(jobNameOf(cronJobOf('* * * * *', 0), at)).toBe(jobNameOf(cronJobOf('0 * * * *', 0), at + 59_999))
    expect(jobNameOf(cronJobOf('* * * * *', 0), at)).toBe(`report-${at / MINUTE}`)
  })

  test('whose schedule cannot be read says so and waits to be changed', () => {
    const { start, reasons, lookAgainInMs } = plan('at noon', DAY)
    expect([start, reasons, lookAgainInMs]).toEqual([undefined, ['UnparseableSchedule'], undefined])
  })
})
