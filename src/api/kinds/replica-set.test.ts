import { describe, expect, test } from 'vitest'
import type { V1ReplicaSetSpec, V1ReplicaSetStatus } from '../generated/types.ts'
import { type ReplicaSet, replicaSet } from './replica-set.ts'

const NOW = Date.UTC(2026, 0, 2)
const make = (
  spec: Partial<V1ReplicaSetSpec> = {},
  metadata: object = {},
  status?: V1ReplicaSetStatus,
): ReplicaSet => ({
  ...replicaSet.example,
  metadata: { ...replicaSet.example.metadata, ...metadata },
  spec: { ...replicaSet.example.spec, ...spec },
  ...(status ? { status } : {}),
})
const faults = (spec: Partial<V1ReplicaSetSpec>) =>
  replicaSet.validate(replicaSet.setDefaults(make(spec))).map(({ field, message }) => `${field}: ${message}`)

describe('ReplicaSet', () => {
  test('has one replica unless told otherwise', () => {
    expect(replicaSet.setDefaults(make()).spec.replicas).toBe(1)
    expect(replicaSet.setDefaults(make({ replicas: 0 })).spec.replicas).toBe(0)
  })
  test('has defaults in its template', () =>
    expect(replicaSet.setDefaults(make()).spec.template?.spec?.dnsPolicy).toBe('ClusterFirst'))
  test('has no pods when it is made', () =>
    expect(replicaSet.prepareForCreate(make({}, {}, { replicas: 4 })).status).toEqual({ replicas: 0 }))

  test.each<[string, Partial<V1ReplicaSetSpec>, string[]]>([
    ['is fine as it is', {}, []],
    [
      'has no negative replicas',
      { replicas: -2 },
      ['spec.replicas: Invalid value: -2: must be greater than or equal to 0'],
    ],
    [
      'selects something',
      { selector: {} },
      ['spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
    ],
    [
      'selects its own pods',
      { selector: { matchLabels: { app: 'x' } } },
      [
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
      ],
    ],
  ])('%s', (_, spec, expected) => expect(faults(spec)).toEqual(expected))

  test('keeps its selector', () =>
    expect(
      replicaSet.validateUpdate(make({ selector: { matchLabels: { app: 'x' } } }), make()),
    ).toMatchObject([
      { field: 'spec.selector', message: 'Invalid value: {"matchLabels":{"app":"x"}}: field is immutable' },
    ]))

  test.each<[string, V1ReplicaSetStatus, object]>([
    [
      'is healthy when all pods are available',
      { replicas: 2, availableReplicas: 2, observedGeneration: 1 },
      { status: 'Healthy' },
    ],
    [
      'waits for pods',
      { replicas: 2, availableReplicas: 1, observedGeneration: 1 },
      {
        status: 'Progressing',
        message: 'Waiting for rollout to finish: 1 out of 2 new replicas are available...',
      },
    ],
    [
      'waits to be seen',
      { replicas: 2, availableReplicas: 2 },
      {
        status: 'Progressing',
        message:
          'Waiting for rollout to finish: observed replica set generation less than desired generation',
      },
    ],
    [
      'is degraded when pods cannot be made',
      { replicas: 0, conditions: [{ type: 'ReplicaFailure', status: 'True', message: 'exceeded quota' }] },
      { status: 'Degraded', message: 'exceeded quota' },
    ],
  ])('%s', (_, status, expected) =>
    expect(replicaSet.health(make({ replicas: 2 }, { generation: 1 }, status), NOW)).toEqual(expected),
  )

  test('is printed as Kubernetes prints it', () => {
    const one = make(
      { replicas: 3 },
      { creationTimestamp: '2026-01-01T00:00:00Z' },
      { replicas: 2, readyReplicas: 1 },
    )
    expect(replicaSet.columns.map((column) => column.value(one, NOW))).toEqual([
      'web',
      3,
      2,
      1,
      '24h',
      'app',
      'registry.example/web:1',
      'app=web',
    ])
  })
})
