import { describe, expect, test } from 'vitest'
import type { Deployment } from '../api/kinds/deployment.ts'
import type { ReplicaSet } from '../api/kinds/replica-set.ts'
import { beyondHistory, decideRollout, newSetSize, proportionalScale, scaleDownOld } from './rollout.ts'
import { amountsOf } from './rollout-amounts.ts'

interface SetFacts {
  readonly available?: number
  readonly revision?: number
  /** desired-replicas and max-replicas annotations. */
  readonly sizedFor?: readonly [number, number]
  readonly made?: string
}

function set(name: string, replicas: number, facts: SetFacts = {}): ReplicaSet {
  const { available = replicas, revision = 1, sizedFor, made = '2030-01-01T00:00:00Z' } = facts
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name,
      namespace: 'default',
      generation: 1,
      creationTimestamp: made,
      annotations: {
        'deployment.kubernetes.io/revision': String(revision),
        ...(sizedFor
          ? {
              'deployment.kubernetes.io/desired-replicas': String(sizedFor[0]),
              'deployment.kubernetes.io/max-replicas': String(sizedFor[1]),
            }
          : {}),
      },
    },
    spec: { replicas, selector: {} },
    status: { replicas, availableReplicas: available, observedGeneration: 1 },
  }
}

function web(spec: Partial<Deployment['spec']> = {}, status: Deployment['status'] = {}): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default', generation: 1 },
    spec: { selector: { matchLabels: { app: 'web' } }, template: {}, ...spec },
    status,
  }
}

const rolling = (maxSurge: number | string, maxUnavailable: number | string) => ({
  type: 'RollingUpdate',
  rollingUpdate: { maxSurge, maxUnavailable },
})

describe('amountsOf', () => {
  test.each([
    ['rounds surge up and unavailable down', 10, '25%', '25%', 3, 2],
    ['keeps a lone replica available', 1, '25%', '25%', 1, 0],
    ['lets one be unavailable when both round to nothing', 3, 0, '10%', 0, 1],
    ['never counts more unavailable than there are', 2, 1, 5, 1, 2],
    ['takes whole numbers as they are', 10, 4, 1, 4, 1],
    ['has nothing unavailable of none', 0, '25%', '25%', 0, 0],
  ])('%s', (_, replicas, surge, unavailable, maxSurge, maxUnavailable) => {
    const amounts = amountsOf(web({ replicas, strategy: rolling(surge, unavailable) }))
    expect(amounts).toEqual({ desired: replicas, maxSurge, maxUnavailable })
  })

  test('Recreate has neither surge nor unavailable', () => {
    const amounts = amountsOf(web({ replicas: 4, strategy: { type: 'Recreate' } }))
    expect(amounts).toEqual({ desired: 4, maxSurge: 0, maxUnavailable: 0 })
  })
})

describe('newSetSize', () => {
  const amounts = { desired: 10, maxSurge: 3, maxUnavailable: 2 }
  test.each([
    ['starts with the surge', 0, 10, 3],
    ['grows as old pods go', 3, 11, 5],
    ['waits while there is no room', 3, 13, 3],
    ['stops at what is desired', 8, 9, 10],
    ['comes down to what is desired', 12, 12, 10],
  ])('%s', (_, current, total, expected) => {
    expect(newSetSize(current, total, amounts)).toBe(expected)
  })
})

describe('scaleDownOld', () => {
  const amounts = { desired: 10, maxSurge: 3, maxUnavailable: 2 }
  const sizes = (newSet: ReplicaSet, ...old: ReplicaSet[]) =>
    scaleDownOld(newSet, old, amounts).map(({ set: { metadata }, replicas }) => [metadata.name, replicas])

  test('lets go what leaves 8 of 10 available', () => {
    expect(sizes(set('new', 3, { available: 0 }), set('old', 10))).toEqual([['old', 8]])
  })
  test('lets one old pod go for each new one that is available', () => {
    expect(sizes(set('new', 5, { available: 1 }), set('old', 8))).toEqual([['old', 7]])
  })
  test('waits when new pods do not become available', () => {
    expect(sizes(set('new', 5, { available: 0 }), set('old', 8))).toEqual([])
  })
  test('lets unhealthy pods go first, the oldest set first', () => {
    const older = set('older', 4, { available: 1, made: '2029-01-01T00:00:00Z' })
    const old = set('old', 6, { available: 6, made: '2029-06-01T00:00:00Z' })
    expect(sizes(set('new', 3, { available: 3 }), old, older)).toEqual([
      ['older', 0],
      ['old', 5],
    ])
  })
})

describe('proportionalScale', () => {
  const scale = (desired: number, maxSurge: number, ...sets: ReplicaSet[]) =>
    proportionalScale(sets, { desired, maxSurge, maxUnavailable: 0 }, 0).map(
      ({ set: { metadata }, replicas }) => [metadata.name, replicas],
    )

  test.each([
    ['shares what is added', 15, 3, [8, 5], [11, 7]],
    ['shares what is taken away', 5, 3, [8, 5], [5, 3]],
    ['gives what rounding leaves to the largest', 11, 3, [7, 6], [8, 6]],
    ['takes all at zero', 0, 3, [8, 5], [0, 0]],
  ])('%s', (_, desired, surge, before, after) => {
    const sets = before.map((size, i) => set(`s${i}`, size, { sizedFor: [10, 13] }))
    expect(scale(desired, surge, ...sets)).toEqual(after.map((size, i) => [`s${i}`, size]))
  })
})

describe('decideRollout', () => {
  const none = { oldSets: [], hasOldPods: false }
  const nothing = { scale: [], remove: [], isScaling: false }

  test('makes the first ReplicaSet with all pods', () => {
    const deployment = web({ replicas: 3 })
    expect(decideRollout({ deployment, newSet: undefined, ...none })).toEqual({
      ...nothing,
      create: { replicas: 3 },
    })
  })
  test('makes the next ReplicaSet with the surge', () => {
    const deployment = web({ replicas: 10 })
    const oldSets = [set('old', 10, { sizedFor: [10, 13] })]
    const { create } = decideRollout({ deployment, newSet: undefined, oldSets, hasOldPods: true })
    expect(create).toEqual({ replicas: 3 })
  })
  test('does not make a ReplicaSet while paused', () => {
    const deployment = web({ replicas: 3, paused: true })
    expect(decideRollout({ deployment, newSet: undefined, ...none })).toEqual({ ...nothing, isScaling: true })
  })
  test('scales in the middle of a rollout in proportion, before it goes on', () => {
    const deployment = web({ replicas: 20 })
    const newSet = set('new', 5, { sizedFor: [10, 13] })
    const oldSets = [set('old', 8, { sizedFor: [10, 13] })]
    const { scale, isScaling } = decideRollout({ deployment, newSet, oldSets, hasOldPods: true })
    expect(isScaling).toBe(true)
    expect(scale.map(({ replicas }) => replicas).reduce((a, b) => a + b)).toBe(25)
  })
  test('scales the only active ReplicaSet to what is desired', () => {
    const newSet = set('new', 3, { sizedFor: [3, 4] })
    const rollout = decideRollout({ deployment: web({ replicas: 5 }), newSet, ...none })
    expect(rollout).toEqual({ ...nothing, scale: [{ set: newSet, replicas: 5 }], isScaling: true })
  })
  test('notes a new size on a ReplicaSet that has it already', () => {
    const newSet = set('new', 5, { sizedFor: [3, 4] })
    const { scale } = decideRollout({ deployment: web({ replicas: 5 }), newSet, ...none })
    expect(scale).toEqual([{ set: newSet, replicas: 5 }])
  })
  test('has nothing to do when it is done', () => {
    const newSet = set('new', 3, { sizedFor: [3, 4] })
    expect(decideRollout({ deployment: web({ replicas: 3 }), newSet, ...none })).toEqual(nothing)
  })

  describe('with Recreate', () => {
    const deployment = web({ replicas: 3, strategy: { type: 'Recreate' } })
    const old = set('old', 3, { sizedFor: [3, 3] })
    test('takes all old pods down first', () => {
      const rollout = decideRollout({ deployment, newSet: undefined, oldSets: [old], hasOldPods: true })
      expect(rollout).toEqual({ ...nothing, scale: [{ set: old, replicas: 0 }] })
    })
    test('waits until the last old pod is gone', () => {
      const oldSets = [set('old', 0)]
      expect(decideRollout({ deployment, newSet: undefined, oldSets, hasOldPods: true })).toEqual(nothing)
    })
    test('then makes all new ones', () => {
      const oldSets = [set('old', 0)]
      const rollout = decideRollout({ deployment, newSet: undefined, oldSets, hasOldPods: false })
      expect(rollout).toEqual({ ...nothing, create: { replicas: 3 } })
    })
  })
})

describe('beyondHistory', () => {
  const history = [1, 2, 3, 4].map((revision) => set(`r${revision}`, 0, { revision }))
  const names = (limit: number | undefined, sets = history) =>
    beyondHistory(web(limit === undefined ? {} : { revisionHistoryLimit: limit }), sets).map(
      ({ metadata }) => metadata.name,
    )

  test.each([
    ['removes the lowest revisions', 2, ['r1', 'r2']],
    ['removes all at a limit of 0', 0, ['r1', 'r2', 'r3', 'r4']],
    ['keeps what is within the limit', 10, []],
    ['keeps everything without a limit', undefined, []],
  ])('%s', (_, limit, expected) => {
    expect(names(limit)).toEqual(expected)
  })
  test('never removes a ReplicaSet that has pods', () => {
    expect(names(1, [set('r1', 2, { revision: 1 }), ...history.slice(1)])).toEqual(['r2', 'r3'])
  })
})
