import { describe, expect, test } from 'vitest'
import type { V1DeploymentSpec, V1DeploymentStatus } from '../generated/types.ts'
import { type Deployment, deployment } from './deployment.ts'

const NOW = Date.UTC(2026, 0, 2)
const make = (
  spec: Partial<V1DeploymentSpec> = {},
  metadata: object = {},
  status?: V1DeploymentStatus,
): Deployment => ({
  ...deployment.example,
  metadata: { ...deployment.example.metadata, ...metadata },
  spec: { ...deployment.example.spec, ...spec },
  ...(status ? { status } : {}),
})
const defaulted = (spec: Partial<V1DeploymentSpec> = {}) => deployment.setDefaults(make(spec))
const faults = (spec: Partial<V1DeploymentSpec>) =>
  deployment.validate(defaulted(spec)).map(({ field, message }) => `${field}: ${message}`)
const rolling = (maxSurge: number | string, maxUnavailable: number | string) => ({
  strategy: { rollingUpdate: { maxSurge, maxUnavailable } },
})

describe('Deployment is given', () => {
  test('all defaults', () =>
    expect(defaulted().spec).toMatchObject({
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      template: { spec: { restartPolicy: 'Always' } },
    }))
  test('no replicas when it says 0', () => expect(defaulted({ replicas: 0 }).spec.replicas).toBe(0))
  test('the other half of a rolling update', () =>
    expect(defaulted({ strategy: { rollingUpdate: { maxSurge: 1 } } }).spec.strategy?.rollingUpdate).toEqual({
      maxSurge: 1,
      maxUnavailable: '25%',
    }))
  test('no rolling update when it recreates', () =>
    expect(defaulted({ strategy: { type: 'Recreate' } }).spec.strategy).toEqual({ type: 'Recreate' }))
  test('an empty status when it is made', () =>
    expect(deployment.prepareForCreate(make({}, {}, { replicas: 9 })).status).toEqual({}))
  test('a new generation for a new annotation', () => {
    const old = make({}, { generation: 4 })
    expect(
      deployment.prepareForUpdate(make({}, { generation: 4, annotations: { a: 'b' } }), old).metadata
        .generation,
    ).toBe(5)
    expect(
      deployment.prepareForUpdate(make({}, { generation: 4, labels: { a: 'b' } }), old).metadata.generation,
    ).toBe(4)
  })
})

describe('Deployment', () => {
  const U = 'spec.strategy.rollingUpdate.maxUnavailable'
  test.each<[string, Partial<V1DeploymentSpec>, string[]]>([
    ['is fine as it is', {}, []],
    [
      'has no negative replicas',
      { replicas: -1 },
      ['spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'has no negative minReadySeconds',
      { minReadySeconds: -1 },
      ['spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'has no negative history',
      { revisionHistoryLimit: -1 },
      ['spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'selects something',
      { selector: {} },
      ['spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
    ],
    [
      'selects its own pods',
      { selector: { matchLabels: { app: 'db' } } },
      [
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
      ],
    ],
    [
      'has a deadline after pods are ready',
      { progressDeadlineSeconds: 10, minReadySeconds: 10 },
      ['spec.progressDeadlineSeconds: Invalid value: 10: must be greater than minReadySeconds'],
    ],
    [
      'has a known strategy',
      { strategy: { type: 'BlueGreen' } },
      ['spec.strategy.type: Unsupported value: "BlueGreen": supported values: "Recreate", "RollingUpdate"'],
    ],
    [
      'does not roll when it recreates',
      { strategy: { type: 'Recreate', rollingUpdate: {} } },
      ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ],
    ['moves somehow', rolling(0, 0), [`${U}: Invalid value: 0: may not be 0 when \`maxSurge\` is 0`]],
    [
      'moves somehow, in percent',
      rolling('0%', '0%'),
      [`${U}: Invalid value: "0%": may not be 0 when \`maxSurge\` is 0`],
    ],
    ['may surge to more than double', rolling('250%', 0), []],
    [
      'is at most unavailable in whole',
      rolling(0, '101%'),
      [`${U}: Invalid value: "101%": must not be greater than 100%`],
    ],
    [
      'has no negative surge',
      rolling(-1, 1),
      ['spec.strategy.rollingUpdate.maxSurge: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'has numbers or percentages',
      rolling(1, 'half'),
      [
        `${U}: Invalid value: "half": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')`,
      ],
    ],
    [
      'keeps its pods running',
      {
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'a' }] },
        },
      },
      ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ],
    [
      'gives its pods no deadline',
      {
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { activeDeadlineSeconds: 5, containers: [{ name: 'a', image: 'a' }] },
        },
      },
      [
        'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported',
      ],
    ],
    [
      'is judged down to its containers',
      { template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'a' }] } } },
      ['spec.template.spec.containers[0].image: Required value'],
    ],
  ])('%s', (_, spec, expected) => expect(faults(spec)).toEqual(expected))

  test('keeps its selector', () => {
    const other = { selector: { matchLabels: { app: 'db' } } }
    expect(deployment.validateUpdate(make(other), make())).toEqual([
      {
        reason: 'FieldValueInvalid',
        field: 'spec.selector',
        message: 'Invalid value: {"matchLabels":{"app":"db"}}: field is immutable',
      },
    ])
    expect(deployment.validateUpdate(make({ replicas: 5 }), make())).toEqual([])
  })
})

describe('Deployment health', () => {
  const full = {
    observedGeneration: 2,
    replicas: 3,
    updatedReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
  }
  const late = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }
  test.each<[string, Partial<V1DeploymentSpec>, V1DeploymentStatus, object]>([
    ['is good when all is done', {}, full, { status: 'Healthy' }],
    [
      'is suspended while paused',
      { paused: true },
      full,
      { status: 'Suspended', message: 'Deployment is paused' },
    ],
    [
      'waits to be seen',
      {},
      { ...full, observedGeneration: 1 },
      { status: 'Progressing', message: 'Waiting for deployment spec update to be observed...' },
    ],
    [
      'waits to be seen before it is blamed',
      {},
      { ...full, observedGeneration: 1, conditions: [late] },
      { status: 'Progressing', message: 'Waiting for deployment spec update to be observed...' },
    ],
    [
      'is bad past its deadline',
      {},
      { ...full, conditions: [late] },
      { status: 'Degraded', message: 'Deployment "web" exceeded its progress deadline' },
    ],
    [
      'waits for new pods',
      {},
      { ...full, updatedReplicas: 1 },
      {
        status: 'Progressing',
        message:
          'Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated...',
      },
    ],
    [
      'waits for old pods',
      {},
      { ...full, replicas: 4 },
      {
        status: 'Progressing',
        message: 'Waiting for deployment "web" rollout to finish: 1 old replicas are pending termination...',
      },
    ],
    [
      'waits for pods to be available',
      {},
      { ...full, availableReplicas: 2 },
      {
        status: 'Progressing',
        message: 'Waiting for deployment "web" rollout to finish: 2 of 3 updated replicas are available...',
      },
    ],
    ['is good with nothing to run', { replicas: 0 }, { observedGeneration: 2 }, { status: 'Healthy' }],
  ])('%s', (_, spec, status, expected) =>
    expect(deployment.health(make({ replicas: 3, ...spec }, { generation: 2 }, status), NOW)).toEqual(
      expected,
    ),
  )
})

test('kubectl get deployments prints what Kubernetes prints', () => {
  const one = make(
    {
      replicas: 3,
      template: {
        spec: {
          containers: [
            { name: 'a', image: 'a:1' },
            { name: 'b', image: 'b:2' },
          ],
        },
      },
    },
    { creationTimestamp: '2026-01-01T23:55:00Z' },
    { readyReplicas: 2, updatedReplicas: 1, availableReplicas: 2 },
  )
  const cells = deployment.columns.map((column) => [
    column.name,
    column.value(one, NOW),
    column.priority ?? 0,
  ])
  expect(cells).toEqual([
    ['Name', 'web', 0],
    ['Ready', '2/3', 0],
    ['Up-to-date', 1, 0],
    ['Available', 2, 0],
    ['Age', '5m', 0],
    ['Containers', 'a,b', 1],
    ['Images', 'a:1,b:2', 1],
    ['Selector', 'app=web', 1],
  ])
})

test('kubectl scale changes the replicas alone', () => {
  const scale = deployment.subresources.scale
  const one = make({ replicas: 2 }, {}, { replicas: 1 })
  expect([scale?.specReplicas(one), scale?.statusReplicas(one), scale?.selector(one)]).toEqual([
    2,
    1,
    'app=web',
  ])
  expect(scale?.withReplicas(one, 5)).toEqual({ ...one, spec: { ...one.spec, replicas: 5 } })
})
