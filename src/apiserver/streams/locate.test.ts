import { describe, expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import type { V1ContainerStatus } from '../../api/generated/types.ts'
import { containerNamed, loggedContainer, logOptionsOf, runningContainer } from './locate.ts'

const two = make.pod({
  metadata: { name: 'web' },
  spec: {
    containers: [
      { name: 'a', image: 'x' },
      { name: 'b', image: 'x' },
    ],
    initContainers: [{ name: 'i', image: 'x' }],
  },
})

describe('A request on a pod', () => {
  test.each([
    [
      '',
      'a container name must be specified for pod web, choose one of: [a b] or one of the init containers: [i]',
    ],
    ['c', 'container c is not valid for pod web'],
  ])('is told which containers there are when it names %j', (name, message) => {
    expect(() => containerNamed(two, name)).toThrow(message)
  })

  test('means the only container when it names none', () => {
    expect(containerNamed(make.pod({ spec: { containers: [{ name: 'app', image: 'x' }] } }), '')).toBe('app')
  })

  const withStatus = (state: Partial<V1ContainerStatus>) =>
    make.pod({
      metadata: { name: 'web' },
      status: {
        startTime: '2026-01-01T00:00:00Z',
        containerStatuses: [{ name: 'a', image: 'x', imageID: '', ready: false, restartCount: 0, ...state }],
      },
    })
  const ended = { terminated: { exitCode: 1, containerID: 'sim://old' } }
  test.each<[string, Partial<V1ContainerStatus>, boolean, string]>([
    [
      'is being created',
      { state: { waiting: { reason: 'ContainerCreating' } } },
      false,
      'container "a" in pod "web" is waiting to start: ContainerCreating',
    ],
    [
      'cannot be pulled',
      { state: { waiting: { reason: 'ErrImagePull' } } },
      false,
      `container "a" in pod "web" is waiting to start: image can't be pulled`,
    ],
    [
      'is not pulled for now',
      { state: { waiting: { reason: 'ImagePullBackOff' } } },
      false,
      'container "a" in pod "web" is waiting to start: trying and failing to pull image',
    ],
    [
      'never ran before',
      { state: { running: {} }, containerID: 'sim://1' },
      true,
      'previous terminated container "a" in pod "web" not found',
    ],
  ])('for the log of a container that %s is refused', (_, state, previous, message) => {
    expect(() => loggedContainer(withStatus(state), 'a', previous)).toThrow(message)
  })

  test.each<[string, Partial<V1ContainerStatus>, boolean, string]>([
    ['runs', { state: { running: {} }, containerID: 'sim://1' }, false, 'sim://1'],
    ['has ended', { state: ended }, false, 'sim://old'],
    [
      'waits after a crash',
      { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: ended },
      false,
      'sim://old',
    ],
    ['ran before', { state: { running: {} }, containerID: 'sim://1', lastState: ended }, true, 'sim://old'],
  ])('for the log of a container that %s finds it', (_, state, previous, id) => {
    expect(loggedContainer(withStatus(state), 'a', previous)).toBe(id)
  })

  test('to run something in a container that does not run is refused', () => {
    expect(() => runningContainer(withStatus({ state: ended }), 'a')).toThrow('container not found ("a")')
  })

  test.each([
    ['tailLines=-1', 'tailLines: Invalid value: -1: must be greater than or equal to 0'],
    ['limitBytes=0', 'limitBytes: Invalid value: 0: must be greater than 0'],
    ['sinceSeconds=0', 'sinceSeconds: Invalid value: 0: must be greater than 0'],
    [
      'sinceSeconds=5&sinceTime=2026-01-01T00:00:00Z',
      'at most one of `sinceTime` or `sinceSeconds` may be specified',
    ],
    ['stream=Both', 'stream: Unsupported value: "Both"'],
    ['stream=Stdout&tailLines=1', '`tailLines` and specific `stream` are mutually exclusive for now'],
    ['tailLines=x', 'strconv.ParseInt: parsing "x": invalid syntax'],
  ])('with log options %s is refused', (query, message) => {
    expect(() => logOptionsOf(new URLSearchParams(query), 0)).toThrow(message)
  })
})
