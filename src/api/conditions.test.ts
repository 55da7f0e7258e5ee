import { expect, test } from 'vitest'
import {
  type Condition,
  findCondition,
  isConditionTrue,
  removeCondition,
  setCondition,
} from './conditions.ts'

const THEN = Date.UTC(2026, 0, 1)
const NOW = Date.UTC(2026, 0, 2)
const ready: Condition = {
  type: 'Ready',
  status: 'True',
  reason: 'Up',
  lastTransitionTime: '2026-01-01T00:00:00Z',
}
const other: Condition = { type: 'Other', status: 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }

test.each<[string, readonly Condition[] | undefined, Condition, readonly Condition[]]>([
  [
    'is added with its time',
    undefined,
    { type: 'Ready', status: 'True', reason: 'Up' },
    [{ ...ready, lastTransitionTime: '2026-01-02T00:00:00Z' }],
  ],
  [
    'moves its time with its status',
    [ready, other],
    { type: 'Ready', status: 'False', reason: 'Down' },
    [{ type: 'Ready', status: 'False', reason: 'Down', lastTransitionTime: '2026-01-02T00:00:00Z' }, other],
  ],
  [
    'keeps its time when only words change',
    [other, ready],
    { type: 'Ready', status: 'True', reason: 'Better', message: 'm' },
    [other, { ...ready, reason: 'Better', message: 'm' }],
  ],
  [
    'loses the words it no longer has',
    [{ ...ready, message: 'old', observedGeneration: 3 }],
    { type: 'Ready', status: 'True', reason: 'Up' },
    [ready],
  ],
])('A condition %s', (_, before, condition, after) =>
  expect(setCondition(before, condition, NOW)).toEqual(after),
)

test('A list in which nothing changes is the same list', () => {
  const list = [ready, other]
  expect(setCondition(list, { type: 'Ready', status: 'True', reason: 'Up' }, NOW)).toBe(list)
  const once = setCondition(undefined, { type: 'A', status: 'True' }, THEN)
  expect(setCondition(once, { type: 'A', status: 'True' }, NOW)).toBe(once)
})

test('Conditions are found and removed by type', () => {
  expect(findCondition([ready, other], 'Other')).toBe(other)
  expect(findCondition(undefined, 'Other')).toBeUndefined()
  expect([isConditionTrue([ready, other], 'Ready'), isConditionTrue([ready, other], 'Other')]).toEqual([
    true,
    false,
  ])
  expect(removeCondition([ready, other], 'Ready')).toEqual([other])
})
