import { describe, expect, test } from 'vitest'
import type { V1ContainerState, V1ContainerStatus } from './generated/types.ts'
import { podColumns, podReason } from './pod-columns.ts'
import type { Pod } from './pods.ts'

const NOW = Date.UTC(2026, 0, 2)
const at = (minutesAgo: number) => new Date(NOW - minutesAgo * 60_000).toISOString().replace('.000', '')

type Over = Omit<Partial<V1ContainerStatus>, 'state'>
const status = (name: string, state: V1ContainerState, over: Over = {}): V1ContainerStatus => ({
  name,
  image: 'app:1',
  imageID: '',
  ready: state.running !== undefined,
  restartCount: 0,
  state,
  ...over,
})
const running = { running: {} }
const waiting = (reason: string) => ({ waiting: { reason } })
const ended = (exitCode: number, reason?: string) => ({
  terminated: { exitCode, ...(reason ? { reason } : {}) },
})
const killed = (signal: number) => ({ terminated: { exitCode: 128 + signal, signal } })

interface Given {
  readonly spec?: Partial<Pod['spec']>
  readonly status?: Pod['status']
  readonly deleted?: boolean
}
const podOf = ({ spec, status: now, deleted }: Given): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web',
    namespace: 'default',
    creationTimestamp: at(90),
    ...(deleted ? { deletionTimestamp: at(0) } : {}),
  },
  spec: { containers: [{ name: 'a' }], ...spec },
  ...(now ? { status: now } : {}),
})
const init = (...names: string[]) => names.map((name) => ({ name }))
const sidecar = { name: 's', restartPolicy: 'Always' }
const ready = [{ type: 'Ready', status: 'True' }]

describe('podReason', () => {
  test.each<[string, Given, string]>([
    ['a pod nobody has looked at', {}, 'Pending'],
    ['the phase', { status: { phase: 'Running' } }, 'Running'],
    ['the reason of the pod over its phase', { status: { phase: 'Failed', reason: 'Evicted' } }, 'Evicted'],
    [
      'scheduling gates',
      {
        status: {
          phase: 'Pending',
          conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
        },
      },
      'SchedulingGated',
    ],
    [
      'a container being made',
      { status: { phase: 'Pending', containerStatuses: [status('a', waiting('ContainerCreating'))] } },
      'ContainerCreating',
    ],
    [
      'a crash loop',
      { status: { phase: 'Running', containerStatuses: [status('a', waiting('CrashLoopBackOff'))] } },
      'CrashLoopBackOff',
    ],
    [
      'an image that cannot be pulled',
      { status: { phase: 'Pending', containerStatuses: [status('a', waiting('ImagePullBackOff'))] } },
      'ImagePullBackOff',
    ],
    [
      'the first container that has something to say',
      {
        status: {
          phase: 'Running',
          containerStatuses: [status('a', waiting('First')), status('b', waiting('Second'))],
        },
      },
      'First',
    ],
    [
      'one bad container among good ones',
      {
        status: {
          phase: 'Running',
          containerStatuses: [status('a', running), status('b', ended(1, 'Error'))],
        },
      },
      'Error',
    ],
    [
      'completion',
      { status: { phase: 'Succeeded', containerStatuses: [status('a', ended(0, 'Completed'))] } },
      'Completed',
    ],
    [
      'an exit code without a reason',
      { status: { phase: 'Failed', containerStatuses: [status('a', ended(3))] } },
      'ExitCode:3',
    ],
    [
      'a signal without a reason',
      { status: { phase: 'Failed', containerStatuses: [status('a', killed(9))] } },
      'Signal:9',
    ],
    [
      'a completed container beside a running one of a ready pod',
      {
        status: {
          phase: 'Running',
          conditions: ready,
          containerStatuses: [status('a', ended(0, 'Completed')), status('b', running)],
        },
      },
      'Running',
    ],
    [
      'a completed container beside a running one of a pod that is not ready',
      {
        status: {
          phase: 'Running',
          containerStatuses: [status('a', ended(0, 'Completed')), status('b', running)],
        },
      },
      'NotReady',
    ],
    [
      'init progress',
      {
        spec: { initContainers: init('i', 'j') },
        status: {
          phase: 'Pending',
          initContainerStatuses: [status('i', running), status('j', waiting('PodInitializing'))],
        },
      },
      'Init:0/2',
    ],
    [
      'further init progress',
      {
        spec: { initContainers: init('i', 'j') },
        status: {
          phase: 'Pending',
          initContainerStatuses: [status('i', ended(0)), status('j', waiting('PodInitializing'))],
        },
      },
      'Init:1/2',
    ],
    [
      'an init container in a crash loop',
      {
        spec: { initContainers: init('i') },
        status: { phase: 'Pending', initContainerStatuses: [status('i', waiting('CrashLoopBackOff'))] },
      },
      'Init:CrashLoopBackOff',
    ],
    [
      'an init container that failed',
      {
        spec: { initContainers: init('i') },
        status: { phase: 'Pending', initContainerStatuses: [status('i', ended(1, 'Error'))] },
      },
      'Init:Error',
    ],
    [
      'an init container that failed without a reason',
      {
        spec: { initContainers: init('i') },
        status: { phase: 'Pending', initContainerStatuses: [status('i', ended(2))] },
      },
      'Init:ExitCode:2',
    ],
    [
      'an init container that was killed',
      {
        spec: { initContainers: init('i') },
        status: { phase: 'Pending', initContainerStatuses: [status('i', killed(15))] },
      },
      'Init:Signal:15',
    ],
    [
      'a sidecar that has started',
      {
        spec: { initContainers: [sidecar] },
        status: {
          phase: 'Running',
          initContainerStatuses: [status('s', running, { started: true })],
          containerStatuses: [status('a', running)],
        },
      },
      'Running',
    ],
    [
      'a sidecar that is starting',
      {
        spec: { initContainers: [sidecar] },
        status: {
          phase: 'Pending',
          initContainerStatuses: [status('s', running, { started: false })],
          containerStatuses: [status('a', waiting('PodInitializing'))],
        },
      },
      'Init:0/1',
    ],
    [
      'containers once the pod was initialised, whatever an init container does now',
      {
        spec: { initContainers: [sidecar] },
        status: {
          phase: 'Running',
          conditions: [{ type: 'Initialized', status: 'True' }],
          initContainerStatuses: [status('s', waiting('CrashLoopBackOff'))],
          containerStatuses: [status('a', ended(137, 'OOMKilled'))],
        },
      },
      'OOMKilled',
    ],
    [
      'deletion',
      { deleted: true, status: { phase: 'Running', containerStatuses: [status('a', running)] } },
      'Terminating',
    ],
    [
      'deletion of what has ended',
      {
        deleted: true,
        status: { phase: 'Succeeded', containerStatuses: [status('a', ended(0, 'Completed'))] },
      },
      'Completed',
    ],
    [
      'deletion on a lost node',
      { deleted: true, status: { phase: 'Running', reason: 'NodeLost' } },
      'Unknown',
    ],
  ])('shows %s', (_, given, expected) => expect(podReason(podOf(given))).toBe(expected))
})

describe('kubectl get pods', () => {
  const row = (given: Given) => podColumns.map((column) => column.value(podOf(given), NOW))
  const cell = (name: string, given: Given) =>
    podColumns.find((column) => column.name === name)?.value(podOf(given), NOW)

  test('has the columns of Kubernetes', () =>
    expect(podColumns.map(({ name, priority = 0 }) => `${name} ${priority}`)).toEqual([
      'Name 0',
      'Ready 0',
      'Status 0',
      'Restarts 0',
      'Age 0',
      'IP 1',
      'Node 1',
      'Nominated Node 1',
      'Readiness Gates 1',
    ]))

  test('prints a pod that runs', () =>
    expect(
      row({
        spec: { nodeName: 'n1', readinessGates: [{ conditionType: 'x/a' }, { conditionType: 'x/b' }] },
        status: {
          phase: 'Running',
          podIP: '10.1.0.1',
          podIPs: [{ ip: '10.1.0.1' }],
          conditions: [...ready, { type: 'x/a', status: 'True' }],
          containerStatuses: [status('a', running)],
        },
      }),
    ).toEqual(['web', '1/1', 'Running', '0', '90m', '10.1.0.1', 'n1', '<none>', '1/2']))

  test('prints a pod that waits', () =>
    expect(row({ status: { phase: 'Pending', nominatedNodeName: 'n2' } })).toEqual([
      'web',
      '0/1',
      'Pending',
      '0',
      '90m',
      '<none>',
      '<none>',
      'n2',
      '<none>',
    ]))

  const last = (minutes: number) => ({ lastState: { terminated: { exitCode: 1, finishedAt: at(minutes) } } })
  test.each<[string, Given, string]>([
    [
      'with the time of the last',
      { status: { containerStatuses: [status('a', running, { restartCount: 3, ...last(5) })] } },
      '3 (5m ago)',
    ],
    [
      'without a time when it is not known',
      { status: { containerStatuses: [status('a', running, { restartCount: 3 })] } },
      '3',
    ],
    [
      'of all containers, the latest time',
      {
        status: {
          containerStatuses: [
            status('a', running, { restartCount: 1, ...last(9) }),
            status('b', running, { restartCount: 2, ...last(7) }),
          ],
        },
      },
      '3 (7m ago)',
    ],
    [
      'of init containers while they run',
      {
        spec: { initContainers: init('i') },
        status: {
          initContainerStatuses: [status('i', waiting('CrashLoopBackOff'), { restartCount: 4, ...last(2) })],
        },
      },
      '4 (2m ago)',
    ],
    [
      'not of init containers afterwards',
      {
        spec: { initContainers: init('i') },
        status: {
          initContainerStatuses: [status('i', ended(0), { restartCount: 4 })],
          containerStatuses: [status('a', running, { restartCount: 1 })],
        },
      },
      '1',
    ],
    [
      'of sidecars too',
      {
        spec: { initContainers: [sidecar] },
        status: {
          initContainerStatuses: [status('s', running, { started: true, restartCount: 2 })],
          containerStatuses: [status('a', running, { restartCount: 1 })],
        },
      },
      '3',
    ],
  ])('counts restarts %s', (_, given, expected) => expect(cell('Restarts', given)).toBe(expected))

  test.each<[string, Given, string]>([
    [
      'a sidecar counts',
      {
        spec: { initContainers: [sidecar] },
        status: {
          initContainerStatuses: [status('s', running, { started: true })],
          containerStatuses: [status('a', running)],
        },
      },
      '2/2',
    ],
    [
      'an init container does not',
      {
        spec: { initContainers: init('i') },
        status: { initContainerStatuses: [status('i', ended(0))], containerStatuses: [status('a', running)] },
      },
      '1/1',
    ],
    [
      'what runs and is not ready does not',
      { status: { containerStatuses: [status('a', running, { ready: false })] } },
      '0/1',
    ],
  ])('counts ready containers: %s', (_, given, expected) => expect(cell('Ready', given)).toBe(expected))
})
