import { describe, expect, test } from 'vitest'
import type { V1Toleration } from '../api/generated/types.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { formatTime } from '../base/date.ts'
import { evictionDueAt } from './taint-eviction.ts'

const ADDED = 1_893_456_000_000
const TAINT = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: formatTime(ADDED) }

function pod(tolerations: V1Toleration[], madeAt = ADDED - 60_000): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', creationTimestamp: formatTime(madeAt) },
    spec: { containers: [], tolerations },
  }
}

const forSeconds = (tolerationSeconds?: number): V1Toleration => ({
  key: TAINT.key,
  operator: 'Exists',
  effect: 'NoExecute',
  ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
})

describe('evictionDueAt', () => {
  test.each<[string, Pod, number | undefined]>([
    ['at once without a toleration', pod([]), 0],
    ['never with one for ever', pod([forSeconds()]), undefined],
    ['after its seconds, counted from the taint', pod([forSeconds(300)]), ADDED + 300_000],
    [
      'counted from its creation when that was later',
      pod([forSeconds(300)], ADDED + 10_000),
      ADDED + 310_000,
    ],
    ['after the shortest of several', pod([forSeconds(300), forSeconds(30), forSeconds()]), ADDED + 30_000],
    ['at once with none or negative seconds', pod([forSeconds(-1)]), 0],
  ])('%s', (_, given, expected) => {
    expect(evictionDueAt(given, [TAINT])).toBe(expected)
  })
  test('at once when one of two taints is not tolerated', () => {
    expect(evictionDueAt(pod([forSeconds(300)]), [TAINT, { key: 'other', effect: 'NoExecute' }])).toBe(0)
  })
})
