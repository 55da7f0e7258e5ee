import { describe, expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { type StatefulSet, statefulSet } from '../api/kinds/stateful-set.ts'
import { formatTime } from '../base/date.ts'
import { planStatefulSet } from './stateful-plan.ts'
import { claimOwners, statefulClaims, statefulPod } from './stateful-pod.ts'

const NOW = Date.UTC(2026, 0, 1, 12)

function setOf(spec: Partial<StatefulSet['spec']> = {}, deleted = false): StatefulSet {
  const set = statefulSet.setDefaults({
    ...statefulSet.example,
    metadata: {
      name: 'db',
      namespace: 'default',
      uid: 'set',
      generation: 1,
      ...(deleted ? { deletionTimestamp: formatTime(NOW) } : {}),
    },
    spec: { ...statefulSet.example.spec, replicas: 3, ...spec },
  })
  return set
}

/** "0", "1!" not ready, "2x" failed, "3-" going, "4~" ready for 1 s, each of the old revision with "'". */
function podOf(text: string): Pod {
  const [, ordinal = '', marks = ''] = /^(\d+)(.*)$/.exec(text) ?? []
  const has = (mark: string) => marks.includes(mark)
  const ready = {
    type: 'Ready',
    status: has('!') ? 'False' : 'True',
    lastTransitionTime: formatTime(NOW - (has('~') ? 1000 : 3_600_000)),
  }
  return make.pod({
    metadata: {
      name: `db-${ordinal}`,
      labels: { app: 'db', 'controller-revision-hash': has("'") ? 'old' : 'new' },
      ...(has('-') ? { deletionTimestamp: formatTime(NOW) } : {}),
    },
    status: { phase: has('x') ? 'Failed' : 'Running', conditions: has('x') ? [] : [ready] },
  })
}

function steps(set: StatefulSet, pods: string): string {
  const plan = planStatefulSet({
    set,
    pods: pods.split(' ').filter(Boolean).map(podOf),
    currentRevision: 'old',
    updateRevision: 'new',
    now: NOW,
  })
  return plan.steps
    .map((step) =>
      step.type === 'create'
        ? `+${step.ordinal}${step.revision === 'current' ? "'" : ''}`
        : `${step.why} ${step.pod.metadata.name}`,
    )
    .join(', ')
}

describe('A StatefulSet', () => {
  const parallel = { podManagementPolicy: 'Parallel' }
  const partition = (n: number) => ({
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: n } },
  })
  test.each([
    ['makes its pods one after the other', {}, '', '+0'],
    ['waits for each', {}, '0!', ''],
    ['goes on when it is ready', {}, '0', '+1'],
    ['waits until it has been ready long enough', { minReadySeconds: 10 }, '0~', ''],
    ['makes them all at once when they are parallel', parallel, '', '+0, +1, +2'],
    ['fills only what is missing', parallel, '1!', '+0, +2'],
    ['fills a gap first', {}, '0 2', '+1'],
    ['waits for one that is going', {}, '0- 1 2', ''],
    ['replaces one that has failed, and waits', {}, '0 1x 2', 'failed db-1'],
    ['starts at its ordinal', { ordinals: { start: 5 } }, '5', '+6'],
    ['takes away what lies below its start', { ordinals: { start: 5 } }, '0 5 6 7', 'scale db-0'],
    ['scales down from the last', { replicas: 1 }, '0 1 2', 'scale db-2'],
    ['waits while one goes', { replicas: 1 }, '0 1 2-', ''],
    ['waits for the last while an earlier one is not ready either', { replicas: 1 }, '0 1! 2!', ''],
    ['takes away one that is not ready itself', { replicas: 1 }, '0 1 2!', 'scale db-2'],
    [
      'scales down all at once when they are parallel',
      { replicas: 1, ...parallel },
      '0 1 2',
      'scale db-2, scale db-1',
    ],
    ['updates the last one first', {}, "0' 1' 2'", 'update db-2'],
    ['waits for the updated one', {}, "0' 1' 2!", ''],
    ['goes on downwards', {}, "0' 1' 2", 'update db-1'],
    ['makes the updated one of the new revision', {}, "0' 1'", '+2'],
    ['leaves those below the partition', partition(2), "0' 1' 2", ''],
    ['makes those below the partition of the old revision', partition(2), "0'", "+1'"],
    ['updates nothing by itself with OnDelete', { updateStrategy: { type: 'OnDelete' } }, "0' 1' 2'", ''],
    [
      'makes new ones of the new revision with OnDelete',
      { updateStrategy: { type: 'OnDelete' } },
      "0' 1'",
      '+2',
    ],
    ['is stuck on an update that does not come up, as upstream', {}, "0' 1' 2!", ''],
    ['has nothing to do when all are there', {}, '0 1 2', ''],
    ['has nothing to do with no replicas', { replicas: 0 }, '', ''],
  ])('%s', (_, spec, pods, expected) => expect(steps(setOf(spec), pods)).toBe(expected))

  test('of two thousand million pods is made in steps of 500, and fills its gaps', () => {
    const set = setOf({ replicas: 2_000_000_000, podManagementPolicy: 'Parallel' })
    const many = steps(set, '1 700 900000000').split(', ')
    expect(many).toHaveLength(500)
    expect([many[0], many[1], many[499]]).toEqual(['+0', '+2', '+500'])
    expect(steps(setOf({ replicas: 2_000_000_000 }), '0 1 900000000')).toBe('+2')
  })

  test('that is being deleted makes nothing', () => {
    expect(steps(setOf({}, true), '0')).toBe('')
  })

  test.each([
    [
      "0' 1' 2!",
      {
        replicas: 3,
        readyReplicas: 2,
        currentReplicas: 2,
        updatedReplicas: 1,
        currentRevision: 'old',
        updateRevision: 'new',
      },
    ],
    [
      '0 1 2',
      {
        replicas: 3,
        readyReplicas: 3,
        availableReplicas: 3,
        currentReplicas: 3,
        updatedReplicas: 3,
        currentRevision: 'new',
      },
    ],
    ['0 1 2~', { readyReplicas: 3, availableReplicas: 2 }],
    ['0 1 2-', { replicas: 3, updatedReplicas: 2, currentRevision: 'old' }],
  ])('with %s reports so', (pods, expected) => {
    const { status } = planStatefulSet({
      set: setOf({ minReadySeconds: 10 }),
      pods: pods.split(' ').map(podOf),
      currentRevision: 'old',
      updateRevision: 'new',
      now: NOW,
    })
    expect(status).toMatchObject({ observedGeneration: 1, ...expected })
  })

  test('looks again when a pod has been ready for long enough', () => {
    const plan = planStatefulSet({
      set: setOf({ minReadySeconds: 10 }),
      pods: [podOf('0~')],
      currentRevision: 'new',
      updateRevision: 'new',
      now: NOW,
    })
    expect(plan.lookAgainInMs).toBe(9000)
  })
})

describe('The pod of an ordinal', () => {
  const set = setOf({
    serviceName: 'db',
    volumeClaimTemplates: [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'] },
      },
    ],
  })
  const pod = statefulPod(
    set,
    {
      ...set.spec.template,
      spec: {
        containers: [],
        volumes: [
          { name: 'data', emptyDir: {} },
          { name: 'tmp', emptyDir: {} },
        ],
      },
    },
    'db-abc',
    1,
  )

  test('has its name, host name and labels', () => {
    expect(pod.metadata).toMatchObject({
      name: 'db-1',
      labels: {
        app: 'db',
        'statefulset.kubernetes.io/pod-name': 'db-1',
        'apps.kubernetes.io/pod-index': '1',
        'controller-revision-hash': 'db-abc',
      },
    })
    expect(pod.metadata).not.toHaveProperty('generateName')
    expect(pod.spec).toMatchObject({ hostname: 'db-1', subdomain: 'db' })
  })

  test('has its claim in place of a volume of that name', () => {
    expect(pod.spec.volumes).toEqual([
      { name: 'data', persistentVolumeClaim: { claimName: 'data-db-1', readOnly: false } },
      { name: 'tmp', emptyDir: {} },
    ])
    expect(statefulClaims(set, 1)[0]?.metadata).toEqual({
      name: 'data-db-1',
      namespace: 'default',
      labels: { app: 'db' },
    })
  })

  test.each([
    ['Retain', 'Retain', false, undefined],
    ['Delete', 'Retain', false, ['StatefulSet']],
    ['Delete', 'Delete', true, ['Pod']],
    ['Retain', 'Delete', true, ['Pod']],
    ['Retain', 'Delete', false, undefined],
  ])(
    'with whenDeleted %s, whenScaled %s, scaled away %s: its claim goes with %s',
    (whenDeleted, whenScaled, isCondemned, owners) => {
      const kept = {
        ...set,
        spec: { ...set.spec, persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled } },
      }
      const [claim] = statefulClaims(kept, 1)
      if (!claim) throw new Error('no claim')
      const named = { ...pod, metadata: { ...pod.metadata, uid: 'pod' } }
      expect(claimOwners(claim, kept, named, isCondemned)?.map(({ kind }) => kind)).toEqual(owners)
    },
  )

  test.each([
    ['the pod of this name before', [{ kind: 'Pod', name: 'db-1', uid: 'before' }], undefined],
    ['the set of this name before', [{ kind: 'StatefulSet', name: 'db', uid: 'before' }], undefined],
    ['another controller', [{ kind: 'Backup', name: 'x', uid: 'x', controller: true }], undefined],
    [
      'another controller beside the set',
      [
        { kind: 'Backup', name: 'x', uid: 'x', controller: true },
        { kind: 'StatefulSet', name: 'db', uid: 'set' },
      ],
      ['Backup'],
    ],
    ['another owner', [{ kind: 'Backup', name: 'x', uid: 'x' }], ['Backup', 'StatefulSet']],
    [
      'the set, but not as its controller',
      [{ kind: 'StatefulSet', name: 'db', uid: 'set' }],
      ['StatefulSet'],
    ],
  ])('with whenDeleted Delete: a claim of %s', (_, ownerReferences, expected) => {
    const policy = { whenDeleted: 'Delete', whenScaled: 'Retain' }
    const kept = { ...set, spec: { ...set.spec, persistentVolumeClaimRetentionPolicy: policy } }
    const [claim] = statefulClaims(kept, 1)
    if (!claim) throw new Error('no claim')
    const owned = {
      ...claim,
      metadata: {
        ...claim.metadata,
        ownerReferences: ownerReferences.map((owner) => ({ apiVersion: 'v1', ...owner })),
      },
    }
    const named = { ...pod, metadata: { ...pod.metadata, uid: 'pod' } }
    expect(claimOwners(owned, kept, named, false)?.map(({ kind }) => kind)).toEqual(expected)
  })
})
