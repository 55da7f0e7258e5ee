import { describe, expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import type { V1PodSpec, V1PodStatus } from '../../api/generated/types.ts'
import { formatTime } from '../../base/date.ts'
import { podStatusOf } from './pod-status.ts'
import { type ContainerRecord, newContainer, type PodRecord, restoreRecord } from './record.ts'

const NOW = 1_893_456_000_000
const running: Partial<ContainerRecord> = { phase: 'running', id: 'c1', startedAt: NOW }
const ended = (code: number): Partial<ContainerRecord> => ({
  phase: 'exited',
  id: 'c1',
  exit: { code, reason: code === 0 ? 'Completed' : 'Error', startedAt: NOW, finishedAt: NOW, id: 'c1' },
})

function statusOf(
  states: Readonly<Record<string, Partial<ContainerRecord>>>,
  spec: Partial<V1PodSpec> = {},
  more: { status?: V1PodStatus; isDeleted?: boolean; record?: Partial<PodRecord> } = {},
): V1PodStatus {
  const pod = make.pod({
    metadata: {
      uid: 'u1',
      generation: 2,
      ...(more.isDeleted ? { deletionTimestamp: formatTime(NOW) } : {}),
    },
    spec: { containers: [{ name: 'app', image: 'app' }], ...spec } as never,
    status: { ...more.status, conditions: [SCHEDULED, ...(more.status?.conditions ?? [])] } as never,
  })
  const names = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ name }) => name)
  const containers = new Map(names.map((name) => [name, { ...newContainer(name), ...states[name] }]))
  return podStatusOf(pod, { containers, podIP: '10.0.0.2', startTime: NOW, ...more.record }, '10.1.0.1', NOW)
}

const SCHEDULED = { type: 'PodScheduled', status: 'True' }

const told = ({ conditions = [] }: V1PodStatus) =>
  Object.fromEntries(
    conditions.map(({ type, status, reason, message }) => [
      type,
      [status, reason, message].filter((part) => part !== undefined).join(' '),
    ]),
  )

describe('The phase', () => {
  const two = {
    containers: [
      { name: 'app', image: 'a' },
      { name: 'b', image: 'b' },
    ],
  }
  test.each<[string, Parameters<typeof statusOf>, string]>([
    ['is Pending until a container has started', [{}], 'Pending'],
    [
      'is Running while one runs',
      [
        { app: ended(0), b: running },
        { ...two, restartPolicy: 'Never' },
      ],
      'Running',
    ],
    ['is Running while a crashed one waits', [{ app: ended(1) }], 'Running'],
    [
      'is Succeeded when all have, and none restarts',
      [{ app: ended(0) }, { restartPolicy: 'OnFailure' }],
      'Succeeded',
    ],
    [
      'is Failed when one has',
      [
        { app: ended(0), b: ended(2) },
        { ...two, restartPolicy: 'Never' },
      ],
      'Failed',
    ],
    [
      'is Failed at the end of a deleted pod that was killed',
      [{ app: ended(143) }, {}, { isDeleted: true }],
      'Failed',
    ],
    [
      'is Succeeded at the end of one that ended well',
      [{ app: ended(0) }, {}, { isDeleted: true }],
      'Succeeded',
    ],
    [
      'stays while a deleted pod stops',
      [{ app: { ...running, phase: 'stopping' } }, {}, { isDeleted: true }],
      'Running',
    ],
    [
      'stays Running while a sidecar still runs',
      [
        { app: ended(0), mesh: running },
        { restartPolicy: 'Never', initContainers: [{ name: 'mesh', image: 'm', restartPolicy: 'Always' }] },
      ],
      'Running',
    ],
  ])('%s', (_, state, phase) => {
    expect(statusOf(...state).phase).toBe(phase)
  })
})

describe('Conditions', () => {
  test('name the containers that are not ready and those that are not initialized', () => {
    const spec = {
      initContainers: [
        { name: 'setup', image: 's' },
        { name: 'more', image: 's' },
      ],
    }
    expect(told(statusOf({ setup: ended(0), more: running }, spec))).toEqual({
      PodReadyToStartContainers: 'True',
      Initialized: 'False ContainersNotInitialized containers with incomplete status: [more]',
      Ready: 'False ContainersNotReady containers with unready status: [app]',
      ContainersReady: 'False ContainersNotReady containers with unready status: [app]',
    })
  })

  test('wait for readiness gates, and say what is missing', () => {
    const spec = { readinessGates: [{ conditionType: 'lb' }, { conditionType: 'dns' }] }
    const status = { conditions: [{ type: 'dns', status: 'False' }] }
    expect(told(statusOf({ app: running }, spec, { status }))).toMatchObject({
      ContainersReady: 'True',
      Ready:
        'False ReadinessGatesNotReady corresponding condition of pod readiness gate "lb" does not exist., the status of pod readiness gate "dns" is not "True", but False',
    })
  })

  test('of a pod that succeeded say PodCompleted', () => {
    expect(told(statusOf({ app: ended(0) }, { restartPolicy: 'Never' }))).toEqual({
      PodReadyToStartContainers: 'False',
      Initialized: 'True PodCompleted',
      Ready: 'False PodCompleted',
      ContainersReady: 'False PodCompleted',
    })
  })

  test('keep their time while they stay, and leave those of others alone', () => {
    const before = formatTime(NOW - 60_000)
    const status = {
      conditions: [
        { type: 'Ready', status: 'True', lastTransitionTime: before },
        { type: 'PodScheduled', status: 'True', lastTransitionTime: before },
      ],
    }
    const { conditions } = statusOf({ app: running }, {}, { status })
    const at = Object.fromEntries((conditions ?? []).map((each) => [each.type, each.lastTransitionTime]))
    expect(at).toMatchObject({ Ready: before, ContainersReady: formatTime(NOW) })
    expect(at['PodScheduled']).toBeUndefined()
  })
})

describe('A status', () => {
  test('of a refused pod says why, and nothing of containers', () => {
    const failure = { reason: 'OutOfcpu', message: 'Pod was rejected: …', isRejected: true }
    expect(statusOf({}, {}, { record: { failure } })).toEqual({
      observedGeneration: 2,
      phase: 'Failed',
      ...{ reason: 'OutOfcpu', message: 'Pod was rejected: …' },
      startTime: formatTime(NOW),
      qosClass: 'BestEffort',
    })
  })

  test.each<[string, Partial<ContainerRecord>]>([
    ['runs', running],
    ['has ended', ended(3)],
    ['waits for its restart', { ...ended(1), restarts: 4, backoffMs: 80_000, notBefore: NOW + 80_000 }],
    ['cannot be pulled', { reason: 'ImagePullBackOff', message: 'Back-off pulling image "app": no' }],
    ['ran before and runs again', { ...running, restarts: 1, lastExit: ended(1).exit }],
  ])('of a container that %s is the same after the kubelet was restored from it', (_, state) => {
    const status = statusOf({ app: { ...state, imageId: 'app@sha256:1' } })
    const pod = make.pod({
      spec: { containers: [{ name: 'app', image: 'app' }] },
      status: { ...status, conditions: [SCHEDULED, ...(status.conditions ?? [])] } as never,
    })
    const restored = podStatusOf(
      { ...pod, metadata: { ...pod.metadata, uid: 'u1', generation: 2 } },
      restoreRecord(pod, NOW + 5000),
      '10.1.0.1',
      NOW + 5000,
    )
    expect(restored).toEqual({ ...status, conditions: restored.conditions })
    expect(told(restored)).toEqual(told(status))
  })
})
