import { describe, expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import { formatTime } from '../base/date.ts'
import { DRAINING, drainStep } from './pool-drain.ts'

const NOW = 1_893_456_000_000
const TIMEOUT = 300_000
const draining = (sinceMs: number) =>
  make.node({
    metadata: { annotations: { [DRAINING]: formatTime(NOW - sinceMs) } },
    spec: { unschedulable: true },
  })
const pod = (name: string, over: object = {}) => make.pod({ metadata: { name, ...over } })
const owned = (kind: string) => ({
  ownerReferences: [{ apiVersion: 'apps/v1', kind, name: 'x', uid: 'x', controller: true }],
})
const web = pod('web')
const leaving = pod('leaving', { deletionTimestamp: formatTime(NOW) })

describe('A node that its pool gives up', () => {
  test.each([
    ['is first closed to new pods', make.node(), [], 'cordon'],
    ['is closed again when somebody opened it', { ...draining(1000), spec: {} }, [web], 'cordon'],
    ['goes when it is empty', draining(0), [], 'remove'],
    ['goes with pods that belong to it', draining(0), [pod('log', owned('DaemonSet'))], 'remove'],
    ['goes with pods that have ended', draining(0), [{ ...web, status: { phase: 'Succeeded' } }], 'remove'],
    ['is emptied as budgets allow', draining(TIMEOUT - 1000), [web, leaving], 'evict web'],
    ['waits for pods on their way out', draining(1000), [leaving], 'evict'],
    ['is emptied all the same when the time is over', draining(TIMEOUT), [web, leaving], 'delete web'],
    ['waits for the grace of its pods then', draining(TIMEOUT + 59_000), [leaving], 'delete'],
    ['goes at last even when nobody ends its pods', draining(TIMEOUT + 60_000), [leaving], 'remove'],
  ])('%s', (_, node, pods, expected) => {
    const step = drainStep(node, pods, TIMEOUT, NOW)
    const names = 'pods' in step ? step.pods.map(({ metadata }) => metadata.name) : []
    expect([step.do, ...names].join(' ')).toBe(expected)
  })

  test('keeps the time at which it began', () => {
    const again = drainStep({ ...draining(1000), spec: {} }, [], TIMEOUT, NOW)
    expect(again).toMatchObject({
      node: {
        metadata: { annotations: { [DRAINING]: formatTime(NOW - 1000) } },
        spec: { unschedulable: true },
      },
    })
  })
})
