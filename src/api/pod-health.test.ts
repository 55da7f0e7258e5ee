import { describe, expect, test } from 'vitest'
import type { V1ContainerStatus } from './generated/types.ts'
import { containerTroubles, podHealth } from './pod-health.ts'
import type { Pod } from './pods.ts'

const status = (over: Partial<V1ContainerStatus>): V1ContainerStatus => ({
  name: 'app',
  image: 'app:1',
  imageID: '',
  ready: false,
  restartCount: 0,
  ...over,
})
const pod = (now: Pod['status'], restartPolicy = 'Always', deletionTimestamp?: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', ...(deletionTimestamp ? { deletionTimestamp } : {}) },
  spec: { restartPolicy, containers: [{ name: 'app' }] },
  ...(now ? { status: now } : {}),
})
const waiting = (reason: string, message?: string) => ({
  waiting: { reason, ...(message ? { message } : {}) },
})
const crashed = { lastState: { terminated: { exitCode: 1, reason: 'Error' } } }
const ready = [{ type: 'Ready', status: 'True' }]

describe('podHealth', () => {
  test.each<[string, Pod, string, string | undefined]>([
    [
      'a crash loop, with exit code and restarts',
      pod({
        phase: 'Running',
        containerStatuses: [status({ restartCount: 3, state: waiting('CrashLoopBackOff'), ...crashed })],
      }),
      'Degraded',
      'CrashLoopBackOff: container "app" exited 1 (3 restarts)',
    ],
    [
      'a single restart in the singular',
      pod({
        phase: 'Running',
        containerStatuses: [status({ restartCount: 1, state: waiting('CrashLoopBackOff'), ...crashed })],
      }),
      'Degraded',
      'CrashLoopBackOff: container "app" exited 1 (1 restart)',
    ],
    [
      'an image that cannot be pulled, with the words of the runtime',
      pod({
        phase: 'Pending',
        containerStatuses: [status({ state: waiting('ImagePullBackOff', 'Back-off pulling image "app:2"') })],
      }),
      'Degraded',
      'ImagePullBackOff: container "app": Back-off pulling image "app:2"',
    ],
    [
      'ErrImagePull',
      pod({ phase: 'Pending', containerStatuses: [status({ state: waiting('ErrImagePull') })] }),
      'Degraded',
      'ErrImagePull: container "app"',
    ],
    [
      'a missing secret',
      pod({
        phase: 'Pending',
        containerStatuses: [status({ state: waiting('CreateContainerConfigError', 'secret "x" not found') })],
      }),
      'Degraded',
      'CreateContainerConfigError: container "app": secret "x" not found',
    ],
    [
      'a name that is no image',
      pod({ phase: 'Pending', containerStatuses: [status({ state: waiting('InvalidImageName') })] }),
      'Degraded',
      'InvalidImageName: container "app"',
    ],
    [
      'an init container',
      pod({
        phase: 'Pending',
        initContainerStatuses: [status({ name: 'init', state: { terminated: { exitCode: 2 } } })],
      }),
      'Degraded',
      'Error: container "init" exited 2 (0 restarts)',
    ],
    [
      'a container that crashed and is up again',
      pod({
        phase: 'Running',
        containerStatuses: [status({ restartCount: 1, state: { running: {} }, ...crashed })],
      }),
      'Degraded',
      'Error: container "app" exited 1 (1 restart)',
    ],
    ['failure', pod({ phase: 'Failed', message: 'Node is gone' }), 'Degraded', 'Node is gone'],
    ['failure without a word', pod({ phase: 'Failed' }), 'Degraded', 'Pod failed'],
    ['eviction', pod({ phase: 'Failed', reason: 'Evicted' }, 'Never'), 'Degraded', 'Evicted'],
    [
      'a task that failed',
      pod(
        {
          phase: 'Failed',
          containerStatuses: [status({ state: { terminated: { exitCode: 7, reason: 'Error' } } })],
        },
        'Never',
      ),
      'Degraded',
      'Error: container "app" exited 7 (0 restarts)',
    ],
    ['success', pod({ phase: 'Succeeded' }, 'Never'), 'Healthy', undefined],
    ['readiness', pod({ phase: 'Running', conditions: ready }), 'Healthy', undefined],
    [
      'readiness after a crash',
      pod({
        phase: 'Running',
        conditions: ready,
        containerStatuses: [status({ state: { running: {} }, ...crashed })],
      }),
      'Healthy',
      undefined,
    ],
    [
      'a task that runs',
      pod({ phase: 'Running', conditions: ready }, 'OnFailure'),
      'Progressing',
      'Running to completion',
    ],
    [
      'a container being made',
      pod({ phase: 'Pending', containerStatuses: [status({ state: waiting('ContainerCreating') })] }),
      'Progressing',
      'Pending',
    ],
    [
      'what is not ready yet, and why',
      pod({
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'False', message: 'containers with unready status: [app]' }],
      }),
      'Progressing',
      'containers with unready status: [app]',
    ],
    [
      'what finds no node, and why',
      pod({
        phase: 'Pending',
        conditions: [
          { type: 'PodScheduled', status: 'False', message: '0/3 nodes are available: 3 Insufficient cpu.' },
        ],
      }),
      'Progressing',
      '0/3 nodes are available: 3 Insufficient cpu.',
    ],
    [
      'deletion',
      pod({ phase: 'Running', conditions: ready }, 'Always', '2026-01-01T00:00:00Z'),
      'Progressing',
      'Pending deletion',
    ],
    ['nothing known', pod(undefined), 'Progressing', 'Pending'],
  ])('judges %s', (_, given, expected, message) =>
    expect(podHealth(given)).toEqual({ status: expected, ...(message === undefined ? {} : { message }) }),
  )
})

test('containerTroubles names init containers first and what does not come up only', () => {
  const troubles = containerTroubles(
    pod({
      containerStatuses: [
        status({ name: 'ok', state: { running: {} } }),
        status({ name: 'done', state: { terminated: { exitCode: 0 } } }),
        status({
          name: 'bad',
          restartCount: 2,
          state: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
        }),
      ],
      initContainerStatuses: [status({ name: 'init', state: waiting('RunContainerError') })],
    }),
  )
  expect(troubles).toEqual([
    {
      container: 'init',
      reason: 'RunContainerError',
      restarts: 0,
      init: true,
      message: 'RunContainerError: container "init"',
    },
    {
      container: 'bad',
      reason: 'OOMKilled',
      exitCode: 137,
      restarts: 2,
      init: false,
      message: 'OOMKilled: container "bad" exited 137 (2 restarts)',
    },
  ])
})
