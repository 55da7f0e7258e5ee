import { describe, expect, test } from 'vitest'
import type { V2HorizontalPodAutoscalerBehavior } from '../api/generated/types.ts'
import { horizontalPodAutoscaler } from '../api/kinds/horizontal-pod-autoscaler.ts'
import { allowReplicas, remember } from './hpa-rate.ts'

const NOW = Date.UTC(2026, 0, 1, 12)

/** "5@200" was recommended 200 s ago; "+4@10" were added 10 s ago. */
function question(
  current: number,
  wanted: number,
  past = '',
  behavior?: V2HorizontalPodAutoscalerBehavior,
  limits = { minReplicas: 2, maxReplicas: 20 },
) {
  const { example } = horizontalPodAutoscaler
  const { spec } = horizontalPodAutoscaler.setDefaults({
    ...example,
    spec: { ...example.spec, ...limits, behavior },
  })
  const words = past.split(' ').filter(Boolean)
  const parsed = words.map((word) => {
    const [number = '', ago = ''] = word.split('@')
    return { isChange: /^[+-]/.test(number), number: Number(number), at: NOW - Number(ago) * 1000 }
  })
  const recommendations = parsed.flatMap(({ isChange, number, at }) =>
    isChange ? [] : [{ replicas: number, at }],
  )
  const changes = parsed.flatMap(({ isChange, number, at }) => (isChange ? [{ by: number, at }] : []))
  return { spec, current, wanted, memory: { recommendations, changes }, now: NOW }
}

describe('An autoscaler', () => {
  test.each<[string, ReturnType<typeof question>, string]>([
    ['goes where it is called', question(4, 6), '6 ReadyForNewScale DesiredWithinRange'],
    ['at most doubles', question(4, 20), '8 ReadyForNewScale ScaleUpLimit!'],
    [
      'may always have four',
      question(1, 9, '', undefined, { minReplicas: 1, maxReplicas: 9 }),
      '4 ReadyForNewScale ScaleUpLimit!',
    ],
    ['stops at its maximum', question(15, 30), '20 ReadyForNewScale TooManyReplicas!'],
    ['stops at its minimum', question(4, 1), '2 ReadyForNewScale TooFewReplicas!'],
    [
      'goes down only from the highest of five minutes',
      question(8, 3, '8@299 5@60'),
      '8 ScaleDownStabilized DesiredWithinRange',
    ],
    ['forgets what is older', question(8, 3, '8@301 5@60'), '5 ScaleDownStabilized DesiredWithinRange'],
    [
      'with behavior adds four or doubles, whichever is more',
      question(2, 20, '', { scaleUp: {} }),
      '6 ReadyForNewScale ScaleUpLimit!',
    ],
    [
      'counts what it added in the period',
      question(6, 20, '+4@10', { scaleUp: {} }),
      '6 ReadyForNewScale ScaleUpLimit!',
    ],
    [
      'takes away no more than a policy says',
      question(10, 2, '', {
        scaleDown: {
          stabilizationWindowSeconds: 0,
          policies: [{ type: 'Percent', value: 20, periodSeconds: 60 }],
        },
      }),
      '8 ReadyForNewScale ScaleDownLimit!',
    ],
    [
      'counts from where the period began',
      question(8, 2, '-2@30', {
        scaleDown: {
          stabilizationWindowSeconds: 0,
          policies: [{ type: 'Percent', value: 20, periodSeconds: 60 }],
        },
      }),
      '8 ReadyForNewScale ScaleDownLimit!',
    ],
    [
      'follows the narrowest policy when told so',
      question(10, 20, '', {
        scaleUp: {
          selectPolicy: 'Min',
          policies: [
            { type: 'Pods', value: 2, periodSeconds: 15 },
            { type: 'Percent', value: 100, periodSeconds: 15 },
          ],
        },
      }),
      '12 ReadyForNewScale ScaleUpLimit!',
    ],
    [
      'does not go where it is disabled',
      question(10, 2, '', { scaleDown: { stabilizationWindowSeconds: 0, selectPolicy: 'Disabled' } }),
      '10 ReadyForNewScale ScaleDownLimit!',
    ],
    [
      'goes up only to the lowest of its window',
      question(4, 10, '5@50 9@20', { scaleUp: { stabilizationWindowSeconds: 60 } }),
      '5 ScaleUpStabilized DesiredWithinRange',
    ],
  ])('%s', (_, asked, expected) => {
    const { replicas, able, limited } = allowReplicas(asked)
    expect(`${replicas} ${able.reason} ${limited.reason}${limited.isLimited ? '!' : ''}`).toBe(expected)
  })

  test('forgets what no window reaches', () => {
    const { recommendations, changes } = remember(question(4, 6, '8@301 5@60 +2@20 +1@5', { scaleUp: {} }))
    expect(recommendations.map(({ replicas }) => replicas)).toEqual([5, 6])
    expect(changes.map(({ by }) => by)).toEqual([1])
  })
})
