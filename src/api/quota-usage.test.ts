import { describe, expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import { formatTime } from '../base/date.ts'
import { pod } from './kinds/pod.ts'
import { usageOf } from './quota-usage.ts'

const NOW = Date.UTC(2026, 0, 1, 12)
const containers = [{ name: 'app', image: 'x', resources: { requests: { cpu: '1' }, limits: { cpu: '2' } } }]
const going = (secondsAgo: number) => ({
  deletionTimestamp: formatTime(NOW - secondsAgo * 1000),
  deletionGracePeriodSeconds: 30,
})
const ALL = { 'count/pods': '1', pods: '1', cpu: '1', 'requests.cpu': '1', 'limits.cpu': '2' }
const OBJECT = { 'count/pods': '1' }

describe('A pod uses of a quota', () => {
  test.each([
    ['while it runs what it asks for', {}, 'Running', ALL],
    ['when it has ended only that it is there', {}, 'Succeeded', OBJECT],
    ['while it ends what it asks for', going(0), 'Running', ALL],
    ['for its grace once more, when it should be gone', going(30), 'Running', ALL],
    ['after that only that it is there', going(31), 'Running', OBJECT],
  ])('%s', (_, metadata, phase, expected) => {
    const counted = make.pod({ metadata, spec: { containers }, status: { phase } })
    expect(usageOf(pod, counted, NOW)).toEqual(expected)
  })
})
