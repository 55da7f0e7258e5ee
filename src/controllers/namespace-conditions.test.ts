import { expect, test } from 'vitest'
import { formatTime } from '../base/date.ts'
import { namespaceConditions } from './namespace-conditions.ts'

const NOW = 1_893_456_000_000
const NOTHING = { resources: new Map(), finalizers: new Map(), failures: [] }

test('namespaceConditions names what is left, and what holds it', () => {
  const said = namespaceConditions(
    undefined,
    {
      resources: new Map([
        ['pods.', 2],
        ['deployments.apps', 1],
      ]),
      finalizers: new Map([['example.com/hold', 1]]),
      failures: ['unexpected error deleting widgets.example.com: no answer'],
    },
    NOW,
  )
  expect(
    said.filter(({ status }) => status === 'True').map(({ reason, message }) => [reason, message]),
  ).toEqual([
    [
      'ContentDeletionFailed',
      'Failed to delete all resource types, 1 remaining: unexpected error deleting widgets.example.com: no answer',
    ],
    [
      'SomeResourcesRemain',
      'Some resources are remaining: deployments.apps has 1 resource instances, pods. has 2 resource instances',
    ],
    [
      'SomeFinalizersRemain',
      'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
    ],
  ])
})

test('namespaceConditions moves the transition time with the status alone', () => {
  const first = namespaceConditions(undefined, NOTHING, NOW)
  expect(namespaceConditions(first, NOTHING, NOW + 60_000)).toEqual(first)
  const remaining = namespaceConditions(
    first,
    { ...NOTHING, resources: new Map([['pods.', 1]]) },
    NOW + 60_000,
  )
  const moved = remaining.filter(({ lastTransitionTime }) => lastTransitionTime !== formatTime(NOW))
  expect(moved.map(({ type }) => type)).toEqual(['NamespaceContentRemaining'])
})
