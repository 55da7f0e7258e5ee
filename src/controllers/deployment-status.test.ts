import { describe, expect, test } from 'vitest'
import type { V1DeploymentCondition, V1DeploymentStatus } from '../api/generated/types.ts'
import type { Deployment } from '../api/kinds/deployment.ts'
import type { ReplicaSet } from '../api/kinds/replica-set.ts'
import { formatTime } from '../base/date.ts'
import { deadlineLeftMs, deploymentStatus } from './deployment-status.ts'

const NOW = 1_893_456_000_000

function web(status: V1DeploymentStatus = {}, spec: Partial<Deployment['spec']> = {}): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default', generation: 2 },
    spec: {
      replicas: 3,
      progressDeadlineSeconds: 600,
      selector: { matchLabels: { app: 'web' } },
      template: {},
      ...spec,
    },
    status,
  }
}

function set(name: string, replicas: number, available = replicas, more: object = {}): ReplicaSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name, namespace: 'default' },
    spec: { replicas, selector: {} },
    status: { replicas, readyReplicas: available, availableReplicas: available, ...more },
  }
}

function progressing(reason: string, status = 'True', agoSeconds = 0): V1DeploymentCondition {
  const at = formatTime(NOW - agoSeconds * 1000)
  return { type: 'Progressing', status, reason, message: '', lastUpdateTime: at, lastTransitionTime: at }
}

function reported(deployment: Deployment, newSet: ReplicaSet | undefined, old: ReplicaSet[] = [], more = {}) {
  const sets = newSet ? [...old, newSet] : old
  const status = deploymentStatus({ deployment, newSet, sets, isScaling: false, now: NOW, ...more })
  const said = Object.fromEntries(
    (status.conditions ?? []).map(({ type, status, reason, message }) => [type, { status, reason, message }]),
  )
  return { status, said }
}

describe('deploymentStatus', () => {
  test('counts the pods of all ReplicaSets and the updated ones', () => {
    const { status } = reported(web(), set('web-b', 2, 1), [set('web-a', 2)])
    expect(status).toMatchObject({
      replicas: 4,
      updatedReplicas: 2,
      readyReplicas: 3,
      availableReplicas: 3,
      unavailableReplicas: 1,
      terminatingReplicas: 0,
      observedGeneration: 2,
    })
  })

  test('says that a new ReplicaSet was created', () => {
    const { said } = reported(web(), set('web-b', 3, 0, { replicas: 0 }), [], {
      news: { type: 'created', name: 'web-b' },
    })
    expect(said['Progressing']).toEqual({
      status: 'True',
      reason: 'NewReplicaSetCreated',
      message: 'Created new replica set "web-b"',
    })
    expect(said['Available']).toEqual({
      status: 'False',
      reason: 'MinimumReplicasUnavailable',
      message: 'Deployment does not have minimum availability.',
    })
  })

  test('says that it is progressing with each pod more, and moves the update time', () => {
    const before = web({ conditions: [progressing('NewReplicaSetCreated', 'True', 90)] })
    const { status, said } = reported(before, set('web-b', 3, 1))
    expect(said['Progressing']).toEqual({
      status: 'True',
      reason: 'ReplicaSetUpdated',
      message: 'ReplicaSet "web-b" is progressing.',
    })
    const condition = status.conditions?.find(({ type }) => type === 'Progressing')
    expect(condition?.lastUpdateTime).toBe(formatTime(NOW))
    expect(condition?.lastTransitionTime).toBe(formatTime(NOW - 90_000))
  })

  test('says that it has progressed when all are updated and available', () => {
    const { said } = reported(web({ conditions: [progressing('ReplicaSetUpdated')] }), set('web-b', 3))
    expect(said).toEqual({
      Progressing: {
        status: 'True',
        reason: 'NewReplicaSetAvailable',
        message: 'ReplicaSet "web-b" has successfully progressed.',
      },
      Available: {
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      },
    })
  })

  test('says that it has timed out after the deadline', () => {
    const counts = { replicas: 3, updatedReplicas: 3, readyReplicas: 1, availableReplicas: 1 }
    const before = web({ ...counts, conditions: [progressing('ReplicaSetUpdated', 'True', 601)] })
    expect(reported(before, set('web-b', 3, 1)).said['Progressing']).toEqual({
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: 'ReplicaSet "web-b" has timed out progressing.',
    })
  })

  test('does not time out a rollout that was complete when its pods are lost later', () => {
    const counts = { replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 }
    const before = web({ ...counts, conditions: [progressing('NewReplicaSetAvailable', 'True', 9000)] })
    expect(reported(before, set('web-b', 3, 0)).said['Progressing']?.reason).toBe('NewReplicaSetAvailable')
  })

  test.each([
    ['is paused', true, 'ReplicaSetUpdated', 'DeploymentPaused'],
    ['is resumed', false, 'DeploymentPaused', 'DeploymentResumed'],
    ['keeps a missed deadline while paused', true, 'ProgressDeadlineExceeded', 'ProgressDeadlineExceeded'],
  ])('says that it %s', (_, paused, before, after) => {
    const deployment = web({ conditions: [progressing(before, 'False')] }, { paused })
    const { said } = reported(deployment, set('web-b', 3, 0), [], { isScaling: true })
    expect(said['Progressing']?.reason).toBe(after)
  })

  test('passes on that pods cannot be made, and takes it back', () => {
    const failure = {
      type: 'ReplicaFailure',
      status: 'True',
      reason: 'FailedCreate',
      message: 'exceeded quota',
    }
    const { status, said } = reported(web(), set('web-b', 3, 0, { conditions: [failure] }))
    expect(said['ReplicaFailure']).toEqual({
      status: 'True',
      reason: 'FailedCreate',
      message: 'exceeded quota',
    })
    expect(reported(web(status), set('web-b', 3)).said['ReplicaFailure']).toBeUndefined()
  })

  test('has no Progressing condition without a deadline', () => {
    const deployment = web({}, { progressDeadlineSeconds: 2 ** 31 - 1 })
    const { said } = reported(deployment, set('web-b', 3), [], { news: { type: 'found', name: 'web-b' } })
    expect(said['Progressing']).toBeUndefined()
  })

  test('reports the same again when nothing changed', () => {
    const { status } = reported(web(), set('web-b', 3))
    expect(reported(web(status), set('web-b', 3)).status).toEqual(status)
  })
})

describe('deadlineLeftMs', () => {
  test.each([
    ['counts from the last sign of progress', 'ReplicaSetUpdated', 100, 500_000],
    ['is 0 when it has passed', 'ReplicaSetUpdated', 700, 0],
    ['is of no interest when all is done', 'NewReplicaSetAvailable', 100, undefined],
    ['is of no interest when it was reported', 'ProgressDeadlineExceeded', 700, undefined],
    ['does not run while paused', 'DeploymentPaused', 700, undefined],
  ])('%s', (_, reason, agoSeconds, expected) => {
    expect(deadlineLeftMs(web(), [progressing(reason, 'True', agoSeconds)], NOW)).toBe(expected)
  })
})
