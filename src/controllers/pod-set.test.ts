import { describe, expect, test } from 'vitest'
import type { Pod } from '../api/kinds/pod.ts'
import { formatTime } from '../base/date.ts'
import { podsToDelete, slowStart, slowStartBatches } from './pod-set.ts'

const NOW = 1_893_456_000_000
const ago = (seconds: number) => formatTime(NOW - seconds * 1000)

interface Facts {
  readonly node?: string | undefined
  readonly phase?: string
  /** Seconds it has been ready. */
  readonly ready?: number
  readonly cost?: string
  readonly restarts?: number
  readonly age?: number
}

function pod(name: string, facts: Facts = {}): Pod {
  const { node = 'a', phase = 'Running', ready, cost, restarts = 0, age = 1000 } = facts
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      uid: name,
      namespace: 'default',
      creationTimestamp: ago(age),
      annotations: cost === undefined ? {} : { 'controller.kubernetes.io/pod-deletion-cost': cost },
    },
    spec: { containers: [], ...('node' in facts && facts.node === undefined ? {} : { nodeName: node }) },
    status: {
      phase,
      conditions:
        ready === undefined ? [] : [{ type: 'Ready', status: 'True', lastTransitionTime: ago(ready) }],
      containerStatuses: [
        { name: 'app', image: '', imageID: '', ready: ready !== undefined, restartCount: restarts },
      ],
    },
  }
}

const order = (pods: Pod[], related = pods) =>
  podsToDelete(pods, related, pods.length - 1, NOW).map(({ metadata }) => metadata.name)[0]

describe('podsToDelete', () => {
  test.each<[string, Pod, Pod]>([
    ['a pod without a node', pod('first', { node: undefined }), pod('other', { ready: 5 })],
    ['a pending pod', pod('first', { phase: 'Pending' }), pod('other', { phase: 'Unknown' })],
    ['an unknown pod before a running one', pod('first', { phase: 'Unknown' }), pod('other')],
    ['a pod that is not ready', pod('first'), pod('other', { ready: 5 })],
    ['the cheaper pod', pod('first', { ready: 900, cost: '-5' }), pod('other', { ready: 5 })],
    ['the pod that was ready for less long', pod('first', { ready: 5 }), pod('other', { ready: 900 })],
    ['the pod with more restarts', pod('first', { restarts: 3 }), pod('other', { restarts: 1 })],
    ['the newer pod', pod('first', { age: 10 }), pod('other', { age: 1000 })],
    ['of the same age step, the lower UID', pod('first', { age: 600 }), pod('other', { age: 601 })],
  ])('deletes %s first', (_, first, other) => {
    expect(order([other, first])).toBe('first')
    expect(order([first, other])).toBe('first')
  })

  test('deletes where more related pods are', () => {
    const first = pod('first', { node: 'crowded', ready: 900 })
    const other = pod('other', { node: 'lonely', ready: 5 })
    expect(order([other, first], [first, other, pod('sibling', { node: 'crowded' })])).toBe('first')
  })

  test('takes a malformed deletion cost for none', () => {
    expect(order([pod('other', { cost: '1' }), pod('first', { cost: 'free' })])).toBe('first')
  })

  test('deletes all when asked for as many', () => {
    expect(podsToDelete([pod('a'), pod('b')], [], 2, NOW)).toHaveLength(2)
  })
})

describe('slowStartBatches', () => {
  test.each([
    [0, []],
    [1, [1]],
    [3, [1, 2]],
    [10, [1, 2, 4, 3]],
  ])('%i in %j', (count, sizes) => {
    expect(slowStartBatches(count)).toEqual(sizes)
  })
})

test('slowStart stops after the batch with a failure', async () => {
  let made = 0
  const { succeeded, error } = await slowStart(100, async () => {
    made += 1
    if (made === 3) throw new Error('quota')
  })
  expect({ succeeded, made, error }).toEqual({ succeeded: 2, made: 3, error: new Error('quota') })
})
