import { describe, expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import type { V1PodSpec } from '../../api/generated/types.ts'
import { formatTime } from '../../base/date.ts'
import { nextPullBackoffMs, nextSteps } from './next-step.ts'
import { type ContainerRecord, newContainer, type PodRecord } from './record.ts'

const NOW = 1_893_456_000_000
const NEVER = Number.POSITIVE_INFINITY
const ended = (code: number, ranMs = 1000) => ({
  code,
  reason: code === 0 ? 'Completed' : 'Error',
  startedAt: NOW - ranMs,
  finishedAt: NOW,
  id: 'c1',
})
const running: Partial<ContainerRecord> = { phase: 'running', id: 'c1', startedAt: NOW - 1000 }
const exited = (code: number, more: Partial<ContainerRecord> = {}): Partial<ContainerRecord> => ({
  phase: 'exited',
  id: 'c1',
  exit: ended(code),
  ...more,
})
const app = { name: 'app', image: 'app' }
const setup = { name: 'setup', image: 'setup' }
const mesh = { name: 'mesh', image: 'mesh', restartPolicy: 'Always' }

const onCode = (action: string, operator: string, code: number) => ({
  ...app,
  restartPolicy: 'Never',
  restartPolicyRules: [{ action, exitCodes: { operator, values: [code] } }],
})

const mounting: Case = {
  spec: {
    containers: [{ ...app, volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
    volumes: [{ name: 'data', image: { reference: 'data:1', pullPolicy: 'IfNotPresent' } }],
  },
}

interface Case {
  readonly spec?: Partial<V1PodSpec>
  readonly states?: Readonly<Record<string, Partial<ContainerRecord>>>
  readonly deletedInMs?: number
  readonly record?: Partial<PodRecord>
  readonly images?: readonly string[]
  readonly backoffMaxMs?: number
}

function plan({
  spec = {},
  states = {},
  deletedInMs,
  record = {},
  images = ['app', 'setup', 'mesh'],
  backoffMaxMs,
}: Case) {
  const metadata = deletedInMs === undefined ? {} : { deletionTimestamp: formatTime(NOW + deletedInMs) }
  const pod = make.pod({ metadata, spec: { containers: [app], ...spec } as never })
  const names = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ name }) => name)
  return nextSteps({
    pod,
    record: {
      containers: new Map(names.map((name) => [name, { ...newContainer(name), ...states[name] }])),
      podIP: '10.0.0.2',
      startTime: NOW - 60_000,
      ...record,
    },
    hasImage: (image) => images.includes(image),
    now: NOW,
    backoffMaxMs,
  })
}

/** "start app", "stop app 30000", "fail-pod DeadlineExceeded" */
const told = (one: Case): readonly string[] =>
  plan(one).steps.map((step) => {
    if (step.do === 'release' || step.do === 'restart-all') return step.do
    if (step.do === 'fail-pod') return `fail-pod ${step.reason}`
    const more = step.do === 'stop' ? ` ${step.graceMs}` : step.do === 'back-off' ? ` ${step.ms}` : ''
    const image = step.do === 'pull' && step.image !== step.container.image ? ` ${step.image}` : ''
    return `${step.do} ${step.container.name}${image}${more}`
  })

describe('The next step', () => {
  const never = { restartPolicy: 'Never' }
  const withInit = { initContainers: [setup, mesh] }
  test.each<[string, Case, readonly string[]]>([
    ['is to pull what is not there', { images: [] }, ['pull app']],
    ['is to start what is there', {}, ['start app']],
    [
      'is to pull and start one main container after the other',
      { spec: { containers: [app, setup] }, images: [] },
      ['pull app'],
    ],
    [
      'is not to start a main container while the one before starts',
      { spec: { containers: [app, setup] }, states: { app: { phase: 'starting' } } },
      [],
    ],
    [
      'is not to start a main container while the postStart hook of another runs',
      { spec: { containers: [app, setup] }, states: { app: { ...running, isStarting: true } } },
      [],
    ],
    [
      'is to start a main container although the one before waits for its image',
      {
        spec: { containers: [app, setup] },
        states: { app: { reason: 'ImagePullBackOff', notBefore: NOW + 1000, backoffMs: 10_000 } },
      },
      ['start setup'],
    ],
    [
      'is to restart a container whose own policy says so in a pod that never restarts',
      { spec: { ...never, containers: [{ ...app, restartPolicy: 'Always' }] }, states: { app: exited(0) } },
      ['back-off app 0'],
    ],
    [
      'is nothing when the own policy of the only container is Never',
      { spec: { containers: [{ ...app, restartPolicy: 'Never' }] }, states: { app: exited(1) } },
      [],
    ],
    [
      'is to restart a container for an exit code that one of its rules names',
      { spec: { ...never, containers: [onCode('Restart', 'In', 42)] }, states: { app: exited(42) } },
      ['back-off app 0'],
    ],
    [
      'is not to restart a container for another exit code',
      { spec: { ...never, containers: [onCode('Restart', 'In', 42)] }, states: { app: exited(1) } },
      [],
    ],
    [
      'is to restart a container for any exit code but those that a rule names',
      { spec: { ...never, containers: [onCode('Restart', 'NotIn', 42)] }, states: { app: exited(1) } },
      ['back-off app 0'],
    ],
    [
      'is to fail a pod that restarts when its init container does not',
      { spec: { initContainers: [{ ...setup, restartPolicy: 'Never' }] }, states: { setup: exited(1) } },
      ['fail-pod '],
    ],
    [
      'is to kill what runs when an end starts all containers anew',
      {
        spec: { initContainers: [setup], containers: [onCode('RestartAllContainers', 'In', 42), mesh] },
        states: { setup: exited(0), app: exited(42), mesh: running },
      },
      ['kill mesh'],
    ],
    [
      'is to hold back all containers as long as the one that starts them anew',
      {
        spec: { initContainers: [setup], containers: [onCode('RestartAllContainers', 'In', 42), mesh] },
        states: { setup: exited(0), app: exited(42, { restarts: 2, backoffMs: 10_000 }), mesh: exited(137) },
      },
      ['back-off app 20000'],
    ],
    [
      'is to start all containers anew when that wait is over',
      {
        spec: { initContainers: [setup], containers: [onCode('RestartAllContainers', 'In', 42), mesh] },
        states: { setup: exited(0), app: exited(42, { notBefore: NOW }), mesh: exited(137) },
      },
      ['restart-all'],
    ],
    [
      'is the first init container when all were set back',
      {
        spec: { initContainers: [setup] },
        states: { app: { restarts: 1, isReset: true, lastExit: ended(42) } },
      },
      ['start setup'],
    ],
    [
      'is to pull what is mounted as a volume before its own image',
      { ...mounting, images: [] },
      ['pull app data:1'],
    ],
    ['is to pull its own image then', { ...mounting, images: ['data:1'] }, ['pull app']],
    ['is to start when both are there', { ...mounting, images: ['data:1', 'app'] }, ['start app']],
    [
      'is to pull again before a restart when the policy is Always',
      {
        spec: { containers: [{ ...app, imagePullPolicy: 'Always' }] },
        states: { app: exited(1, { notBefore: NOW }) },
      },
      ['pull app'],
    ],
    [
      'is to hold back no longer than the settings say',
      { states: { app: exited(1, { restarts: 1 }) }, backoffMaxMs: 2000 },
      ['back-off app 2000'],
    ],
    [
      'is to tell sidecars of the end while main containers end',
      { spec: { initContainers: [mesh] }, states: { app: running, mesh: running }, deletedInMs: 30_000 },
      ['stop app 30000', 'announce-stop mesh'],
    ],
    [
      'is to pull although it is there when the policy is Always',
      { spec: { containers: [{ ...app, imagePullPolicy: 'Always' }] } },
      ['pull app'],
    ],
    [
      'is to start once that pull is done',
      {
        spec: { containers: [{ ...app, imagePullPolicy: 'Always' }] },
        states: { app: { reason: 'ImagePulled' } },
      },
      ['start app'],
    ],
    [
      'is to refuse what may not be pulled',
      { spec: { containers: [{ ...app, imagePullPolicy: 'Never' }] }, images: [] },
      ['refuse-pull app'],
    ],
    [
      'is to refuse an image name that cannot be read',
      { spec: { containers: [{ ...app, image: 'Not An Image' }] } },
      ['refuse-name app'],
    ],
    ['is to wait while it is pulled', { states: { app: { phase: 'pulling' } } }, []],
    ['is nothing while it runs', { states: { app: running } }, []],
    ['is the first init container alone', { spec: withInit }, ['start setup']],
    ['is the sidecar when init is done', { spec: withInit, states: { setup: exited(0) } }, ['start mesh']],
    [
      'is the main container when the sidecar runs',
      { spec: withInit, states: { setup: exited(0), mesh: running } },
      ['start app'],
    ],
    [
      'waits for the startup probe of a sidecar',
      {
        spec: { initContainers: [{ ...mesh, startupProbe: { tcpSocket: { port: 1 } } }] },
        states: {
          mesh: {
            ...running,
            probes: { startup: { successes: 0, failures: 0, nextAt: NOW + 1, passed: false } },
          },
        },
      },
      [],
    ],
    [
      'is to restart a failed init container',
      { spec: withInit, states: { setup: exited(1) } },
      ['back-off setup 0'],
    ],
    [
      'is to fail the pod when init may not be tried again',
      { spec: { ...withInit, ...never }, states: { setup: exited(1) } },
      ['fail-pod '],
    ],
    [
      'is to restart a sidecar without holding up what runs',
      { spec: withInit, states: { setup: exited(0), mesh: exited(1), app: exited(1) } },
      ['back-off mesh 0', 'back-off app 0'],
    ],
    ['is to wait for the backoff', { states: { app: exited(1, { notBefore: NOW + 1 }) } }, []],
    ['is to start when it is over', { states: { app: exited(1, { notBefore: NOW }) } }, ['start app']],
    [
      'is nothing when it completed and only failures restart',
      { spec: { restartPolicy: 'OnFailure' }, states: { app: exited(0) } },
      [],
    ],
    [
      'is to restart a failure then',
      { spec: { restartPolicy: 'OnFailure' }, states: { app: exited(1) } },
      ['back-off app 0'],
    ],
    [
      'is to stop the sidecars when the main containers are done',
      { spec: { ...withInit, ...never }, states: { setup: exited(0), mesh: running, app: exited(0) } },
      ['stop mesh 30000'],
    ],
    [
      'is to fail the pod at its deadline',
      { spec: { activeDeadlineSeconds: 60 }, states: { app: running } },
      ['fail-pod DeadlineExceeded'],
    ],
    [
      'is to end what runs of a failed pod',
      { record: { failure: { reason: 'DeadlineExceeded', message: '' } }, states: { app: running } },
      ['stop app 30000'],
    ],
    [
      'is to stop a deleted pod by its deadline',
      { deletedInMs: 20_000, states: { app: running } },
      ['stop app 20000'],
    ],
    [
      'is to stop main containers before sidecars',
      { spec: withInit, deletedInMs: 20_000, states: { setup: exited(0), mesh: running, app: running } },
      ['stop app 20000', 'announce-stop mesh'],
    ],
    [
      'is to stop the last sidecar first',
      {
        spec: { initContainers: [mesh, { ...mesh, name: 'logs' }] },
        deletedInMs: 20_000,
        states: { mesh: running, logs: running, app: exited(143) },
      },
      ['stop logs 20000', 'announce-stop mesh'],
    ],
    [
      'is to wait for what is stopping',
      { deletedInMs: 20_000, states: { app: { ...running, phase: 'stopping', stopBy: NOW + 20_000 } } },
      [],
    ],
    [
      'is to stop it sooner when the grace got shorter',
      { deletedInMs: 5000, states: { app: { ...running, phase: 'stopping', stopBy: NOW + 20_000 } } },
      ['stop app 5000'],
    ],
    ['is to let go what never started', { deletedInMs: 20_000 }, ['release']],
    [
      'is to let go what is still being pulled',
      { deletedInMs: 20_000, states: { app: { phase: 'pulling' } } },
      ['release'],
    ],
    [
      'is to wait for a start that is under way, for what it starts must be stopped',
      { deletedInMs: 20_000, states: { app: { phase: 'starting' } } },
      [],
    ],
    [
      'is to wait for a start that is under way before it lets go',
      { deletedInMs: 0, states: { app: { phase: 'starting' } } },
      [],
    ],
  ])('%s', (_, one, steps) => {
    expect(told(one)).toEqual(steps)
  })

  test('after a failed pull shows the error a second, then waits', () => {
    const failed = { reason: 'ErrImagePull', backoffMs: 10_000 }
    expect(plan({ states: { app: { ...failed, notBefore: NOW + 10_000 } } })).toEqual({
      steps: [],
      lookAt: NOW + 1000,
    })
    expect(told({ states: { app: { ...failed, notBefore: NOW + 9000 } } })).toEqual(['pull-back-off app'])
  })

  test('says when to look again: at the deadline, the backoff or the next probe', () => {
    const probes = { readiness: { successes: 1, failures: 0, nextAt: NOW + 700, passed: true } }
    expect(plan({ states: { app: { ...running, probes } } }).lookAt).toBe(NOW + 700)
    expect(plan({ states: { app: exited(1, { notBefore: NOW + 500 }) } }).lookAt).toBe(NOW + 500)
    expect(plan({ spec: { activeDeadlineSeconds: 90 }, states: { app: running } }).lookAt).toBe(NOW + 30_000)
    expect(plan({ states: { app: running } }).lookAt).toBe(NEVER)
  })

  test('of a lost liveness probe uses the grace that the probe names', () => {
    const livenessProbe = { tcpSocket: { port: 1 }, terminationGracePeriodSeconds: 3 }
    const probes = { liveness: { successes: 0, failures: 3, nextAt: NOW, passed: false } }
    expect(
      told({ spec: { containers: [{ ...app, livenessProbe }] }, states: { app: { ...running, probes } } }),
    ).toEqual(['stop app 3000'])
  })
})

describe('The backoff', () => {
  test.each([
    ['of the first restart is none', 0, 0, 1000, 0],
    ['then 10 s', 1, 0, 1000, 10_000],
    ['doubles', 3, 20_000, 1000, 40_000],
    ['ends at 300 s', 9, 160_000, 1000, 300_000],
    ['stays there', 20, 300_000, 1000, 300_000],
    ['begins anew after ten minutes of running', 20, 300_000, 600_001, 0],
  ])('%s', (_, restarts, backoffMs, ranMs, next) => {
    const app = exited(1, { restarts, backoffMs, exit: ended(1, ranMs) })
    expect(told({ states: { app } })).toEqual([`back-off app ${next}`])
  })

  test('of pulls is 10 s from the first failure and doubles to 300 s', () => {
    const steps = [0, 10_000, 160_000, 300_000].map((backoffMs) =>
      nextPullBackoffMs({ ...newContainer('a'), backoffMs }),
    )
    expect(steps).toEqual([10_000, 20_000, 300_000, 300_000])
  })
})
