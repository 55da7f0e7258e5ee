import { describe, expect, test } from 'vitest'
import {
  availableIn,
  isPodActive,
  isPodAvailable,
  isPodReady,
  isPodTerminal,
  type Pod,
  podPriority,
  restartCount,
  sidecarsOf,
  unschedulableSince,
} from './pods.ts'

const NOW = Date.UTC(2026, 0, 1, 0, 1)
const pod = (status?: Pod['status'], spec: Partial<Pod['spec']> = {}, metadata: object = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', ...metadata },
  spec: { containers: [], ...spec },
  ...(status ? { status } : {}),
})
const ready = (status: string, lastTransitionTime?: string) =>
  pod({ conditions: [{ type: 'Ready', status, ...(lastTransitionTime ? { lastTransitionTime } : {}) }] })

describe('A pod', () => {
  test.each<[string, Pod, number, number | undefined]>([
    ['is available at once when ready', ready('True'), 0, 0],
    ['is available when ready for long enough', ready('True', '2026-01-01T00:00:50Z'), 10, 0],
    ['becomes available after minReadySeconds', ready('True', '2026-01-01T00:00:55Z'), 10, 5000],
    ['is not available when not ready', ready('False', '2026-01-01T00:00:00Z'), 0, undefined],
    ['is not available when nobody knows since when', ready('True'), 10, undefined],
    ['is not available when nothing is known', pod(), 0, undefined],
  ])('%s', (_, given, minReadySeconds, expected) => {
    expect(availableIn(given, minReadySeconds, NOW)).toBe(expected)
    expect(isPodAvailable(given, minReadySeconds, NOW)).toBe(expected === 0)
  })

  test.each<[string, Pod, boolean, boolean]>([
    ['runs', pod({ phase: 'Running' }), false, true],
    ['waits', pod({ phase: 'Pending' }), false, true],
    ['succeeded', pod({ phase: 'Succeeded' }), true, false],
    ['failed', pod({ phase: 'Failed' }), true, false],
    [
      'is being deleted',
      pod({ phase: 'Running' }, {}, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
      false,
      false,
    ],
  ])('that %s counts accordingly', (_, given, terminal, active) =>
    expect([isPodTerminal(given), isPodActive(given)]).toEqual([terminal, active]),
  )

  test('is ready by its condition alone', () =>
    expect([ready('True'), ready('Unknown'), pod()].map(isPodReady)).toEqual([true, false, false]))

  test('has priority 0 unless it has another', () =>
    expect([podPriority(pod()), podPriority(pod(undefined, { priority: -5 }))]).toEqual([0, -5]))

  test('has restarted as often as its containers', () => {
    const status = { name: 'a', image: '', imageID: '', ready: true, restartCount: 2 }
    expect(restartCount(pod({ containerStatuses: [status, status] }))).toBe(4)
    expect(restartCount(pod())).toBe(0)
  })

  test('has as sidecars the init containers that keep running', () => {
    const initContainers = [{ name: 'i' }, { name: 's', restartPolicy: 'Always' }]
    expect(sidecarsOf({ containers: [], initContainers }).map(({ name }) => name)).toEqual(['s'])
  })

  test.each<[string, string, number | undefined]>([
    ['Unschedulable', 'False', Date.UTC(2026, 0, 1)],
    ['SchedulingGated', 'False', undefined],
    ['Unschedulable', 'True', undefined],
  ])('%s %s is unschedulable since then or not', (reason, status, expected) => {
    const condition = { type: 'PodScheduled', status, reason, lastTransitionTime: '2026-01-01T00:00:00Z' }
    expect(unschedulableSince(pod({ conditions: [condition] }))).toBe(expected)
  })
})
