import { describe, expect, test } from 'vitest'
import type { AnyResource } from '../api/resource.ts'
import { decidePrune, isAllowed, isSomebodyElses, reasonToKeep } from './prune.ts'

const entries = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => ({ id: `default_c${from + i}__ConfigMap`, v: 'v1' }))
const commit = 'abcdef0123456789abcdef0123456789abcdef01'
const ask = (before: number, left: number, more: { allowed?: string; added?: number } = {}) =>
  decidePrune({
    before: entries(before),
    after: [...entries(left), ...entries(more.added ?? 0, 1000)],
    allowed: more.allowed,
    commit,
    application: 'default/demo',
  })

describe('decidePrune', () => {
  test.each([
    ['nothing gone', 5, 5, {}, 'prune', 0],
    ['one of two', 2, 1, {}, 'prune', 1],
    ['all renamed', 2, 0, { added: 2 }, 'prune', 2],
    ['the last one', 1, 0, {}, 'ask', 1],
    ['all', 30, 0, {}, 'ask', 30],
    ['ten of twelve', 12, 2, {}, 'prune', 10],
    ['eleven of twelve', 12, 1, {}, 'ask', 11],
    ['eleven of twenty-two: not more than half', 22, 11, {}, 'prune', 11],
    ['eleven of twenty-one', 21, 10, {}, 'ask', 11],
    ['all, with consent', 30, 0, { allowed: commit }, 'prune', 30],
    ['all, with consent in short', 30, 0, { allowed: 'abcdef0' }, 'prune', 30],
    ['all, with consent for another commit', 30, 0, { allowed: 'bbcdef0123' }, 'ask', 30],
  ] as const)('%s', (_, before, left, more, verdict, gone) => {
    const decision = ask(before, left, more)
    expect([decision.verdict, decision.gone.length]).toEqual([verdict, gone])
  })

  test('the refusal holds the command that allows it', () =>
    expect(ask(3, 0)).toMatchObject({
      message: expect.stringContaining(
        'kubectl annotate application demo -n default --overwrite seamark.dev/allow-mass-delete=abcdef012345',
      ),
    }))

  test.each([
    ['', false],
    ['abcdef', false],
    ['abcdef0', true],
    [undefined, false],
  ])('consent "%s" is %s', (text, is) => expect(isAllowed(text, commit)).toBe(is))
})

const object = (metadata: object, kind = 'ConfigMap') =>
  ({ apiVersion: 'v1', kind, metadata: { name: 'a', ...metadata } }) as AnyResource
const ours = { 'seamark.dev/application': 'default/demo' }
const owner = { apiVersion: 'v1', kind: 'Operator', name: 'o', uid: 'u', controller: true }

test.each([
  ['ours', object({ annotations: ours }), undefined],
  ['opted out', object({ annotations: { ...ours, 'seamark.dev/prune': 'disabled' } }), /disabled/],
  [
    'handed over',
    object({ annotations: { 'seamark.dev/application': 'default/b' } }),
    /belongs to default\/b/,
  ],
  ['unmarked by somebody', object({}), /no longer marked/],
  ['a copy that an operator made', object({ annotations: ours, ownerReferences: [owner] }), /a controller/],
  [
    'going already',
    object({ annotations: ours, deletionTimestamp: '2030-01-01T00:00:00Z' }),
    /being deleted/,
  ],
])('reasonToKeep: %s', (_, live, why) => {
  const reason = reasonToKeep(live, 'default/demo')
  if (why) expect(reason).toMatch(why)
  else expect(reason).toBeUndefined()
})

test.each([
  ['ours', object({ annotations: ours }), false],
  ['theirs', object({}), true],
  ['a pod below a ReplicaSet', object({ ownerReferences: [owner] }, 'Pod'), false],
  ['the default account', object({ name: 'default' }, 'ServiceAccount'), false],
  ['an event', object({}, 'Event'), false],
])('isSomebodyElses: %s', (_, live, is) => expect(isSomebodyElses(live, 'default/demo')).toBe(is))
