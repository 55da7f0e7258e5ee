import { describe, expect, test } from 'vitest'
import type { Pod } from '../api/kinds/pod.ts'
import type { PodDisruptionBudget } from '../api/kinds/pod-disruption-budget.ts'
import { formatTime } from '../base/date.ts'
import { decideBudget, failedBudget } from './budget.ts'

const NOW = 1_893_456_000_000

function budget(
  spec: PodDisruptionBudget['spec'],
  status: PodDisruptionBudget['status'] = {},
): PodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web', generation: 1 },
    spec,
    status,
  }
}

function pods(ready: number, unready = 0): Pod[] {
  return Array.from({ length: ready + unready }, (_, i) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `p${i}` },
    spec: { containers: [] },
    status: { conditions: [{ type: 'Ready', status: i < ready ? 'True' : 'False' }] },
  }))
}

describe('decideBudget', () => {
  test.each<[string, PodDisruptionBudget['spec'], Pod[], number, [number, number, number, number]]>([
    ['minAvailable 2 of 3', { minAvailable: 2 }, pods(3), 0, [3, 3, 2, 1]],
    ['minAvailable 50% of 3 rounds up', { minAvailable: '50%' }, pods(3), 3, [3, 3, 2, 1]],
    ['minAvailable 100%', { minAvailable: '100%' }, pods(3), 3, [3, 3, 3, 0]],
    ['maxUnavailable 1 with one that is not ready', { maxUnavailable: 1 }, pods(2, 1), 3, [3, 2, 2, 0]],
    ['maxUnavailable 25% of 10 rounds up', { maxUnavailable: '25%' }, pods(10), 10, [10, 10, 7, 3]],
    ['maxUnavailable while half are not made yet', { maxUnavailable: 1 }, pods(2), 4, [4, 2, 3, 0]],
    ['no pods', { minAvailable: 0 }, [], 0, [0, 0, 0, 0]],
    ['maxUnavailable above the scale', { maxUnavailable: 5 }, pods(3), 3, [3, 3, 0, 3]],
  ])('%s', (_, spec, given, scale, [expectedPods, currentHealthy, desiredHealthy, disruptionsAllowed]) => {
    const { status } = decideBudget({ budget: budget(spec), pods: given, scale, now: NOW })
    expect(status).toMatchObject({
      expectedPods,
      currentHealthy,
      desiredHealthy,
      disruptionsAllowed,
      observedGeneration: 1,
    })
    expect(status.conditions?.[0]).toMatchObject({
      type: 'DisruptionAllowed',
      ...(disruptionsAllowed > 0
        ? { status: 'True', reason: 'SufficientPods' }
        : { status: 'False', reason: 'InsufficientPods' }),
    })
  })

  test('counts a granted eviction as done for two minutes, then not any more', () => {
    const disruptedPods = { p0: formatTime(NOW) }
    const at = (now: number) =>
      decideBudget({ budget: budget({ minAvailable: 2 }, { disruptedPods }), pods: pods(3), scale: 0, now })
    const early = at(NOW + 119_000)
    expect(early.status).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 0, disruptedPods })
    expect(early.lookAgainAt).toBe(NOW + 120_000)
    const late = at(NOW + 120_000)
    expect(late.status).toMatchObject({ currentHealthy: 3, disruptionsAllowed: 1 })
    expect(late.notDeleted).toEqual(['p0'])
  })

  test('reports the same again when nothing changed', () => {
    const spec = { minAvailable: 2 }
    const first = decideBudget({ budget: budget(spec), pods: pods(3), scale: 0, now: NOW }).status
    const again = decideBudget({
      budget: budget(spec, first),
      pods: pods(3),
      scale: 0,
      now: NOW + 5000,
    }).status
    expect(again).toEqual(first)
  })
})

test('failedBudget allows nothing', () => {
  const status = failedBudget(budget({ maxUnavailable: 1 }, { disruptionsAllowed: 3 }), 'no controllers', NOW)
  expect(status.disruptionsAllowed).toBe(0)
  expect(status.conditions?.[0]).toMatchObject({
    status: 'False',
    reason: 'SyncFailed',
    message: 'no controllers',
  })
})
