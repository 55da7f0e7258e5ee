import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { node, type SimulatedNodes, startSimulatedNodes } from '../../../test/support/simulated-nodes.ts'
import { configMap } from '../../api/kinds/config-map.ts'
import { pod as podKind } from '../../api/kinds/pod.ts'
import { podReason } from '../../api/pod-columns.ts'

const app = { name: 'app', image: 'registry.example/app:1' }
const side = { name: 'side', image: 'registry.example/side:1' }
const key = { namespace: 'default', name: 'web' }

let cluster: SimulatedNodes
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifecycle-'))
  cluster = await startSimulatedNodes([node()], folder)
})
afterEach(async () => {
  await cluster.stop()
  await rm(folder, { recursive: true })
})

const first = async () => (await cluster.pod()).status?.containerStatuses?.[0]

describe('The end of a container is told', () => {
  const fallback = { ...app, terminationMessagePolicy: 'FallbackToLogsOnError' }
  test.each([
    ['by what its image declares', app, { code: 1, after: '1s', message: 'no licence' }, [], 'no licence'],
    ['by the end of its log where its policy says so', fallback, { code: 1, after: '1s' }, ['bad'], /bad\n$/],
    ['by nothing of its log where it succeeded', fallback, { code: 0, after: '1s' }, ['bad'], undefined],
  ])('%s', async (_, container, exit, logs, message) => {
    await cluster.declare('app', { exit, logs })
    await cluster.run({ containers: [container], restartPolicy: 'Never' })
    await cluster.clock.run(10_000)
    const said = (await first())?.state?.terminated?.message
    if (message instanceof RegExp) expect(said).toMatch(message)
    else expect(said).toBe(message)
  })

  test('by what somebody wrote where its terminationMessagePath is', async () => {
    await cluster.declare('app', { exit: { code: 3, after: '20s' } })
    await cluster.run({ containers: [{ ...app, terminationMessagePath: '/tmp/why' }] })
    await cluster.clock.run(5000)
    await cluster.exec(['sh', '-c', 'echo -n out of paper > /tmp/why'])
    await cluster.clock.run(20_000)
    expect((await first())?.lastState?.terminated).toMatchObject({ exitCode: 3, message: 'out of paper' })
  })
})

describe('Logs', () => {
  test('of a container that ended, and of the one before, can be read after a restart of the process', async () => {
    await cluster.declare('app', { exit: { code: 1, after: '5s' }, logs: ['hello'] })
    await cluster.run({ containers: [app] })
    await cluster.run({ containers: [app], restartPolicy: 'Never' }, 'once')
    await cluster.clock.run(9000)
    await cluster.restartNodes()
    const { containerID = '', lastState } = (await first()) ?? {}
    const once = (await cluster.pod('once')).status?.containerStatuses?.[0]
    for (const id of [containerID, lastState?.terminated?.containerID ?? '', once?.containerID ?? ''])
      expect(await cluster.logs(id)).toContain('hello')
    await cluster.client.delete(podKind, { namespace: 'default', name: 'once' })
    await cluster.clock.run(2000)
    expect(await cluster.logs(once?.containerID ?? '')).toMatch('unable to retrieve container logs')
  })
})

describe('A process that its spec names', () => {
  const volumes = [{ name: 'data', emptyDir: {} }]
  const loop = (script: string) => ({
    ...app,
    command: ['sh', '-c', script],
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  })

  test('writes nothing twice when this process begins again, and goes on', async () => {
    const script =
      'echo 1 >> /data/a; sleep 5; test -f /data/lock && exit 1; touch /data/lock; sleep 100; echo 2 >> /data/a; sleep 1000'
    await cluster.run({ containers: [loop(script)], volumes })
    await cluster.clock.run(30_000)
    await cluster.restartNodes()
    await cluster.clock.run(10_000)
    expect(await cluster.exec(['cat', '/data/a'])).toBe('1\n')
    await cluster.clock.run(100_000)
    expect(await cluster.exec(['cat', '/data/a'])).toBe('1\n2\n')
    expect((await first())?.restartCount).toBe(0)
  })

  test('that ended has its log again after a restart of this process', async () => {
    await cluster.run({
      containers: [{ ...loop('echo $WHO; sleep 3; echo two; exit 4'), env: [{ name: 'WHO', value: 'one' }] }],
      restartPolicy: 'Never',
      volumes,
    })
    await cluster.clock.run(10_000)
    const { containerID = '' } = (await first()) ?? {}
    const before = await cluster.logs(containerID)
    await cluster.restartNodes()
    expect(before).toBe('one\ntwo\n')
    const again = cluster.logs(containerID)
    await cluster.clock.run(1000)
    expect(await again).toBe(before)
  })
})

test('A mounted ConfigMap follows its changes, a part of it stays as it was when the container started', async () => {
  const settings = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'default' },
    data: { color: 'blue' },
  }
  await cluster.client.create(configMap, settings)
  const volumeMounts = [
    { name: 's', mountPath: '/all' },
    { name: 's', mountPath: '/part/color', subPath: 'color' },
  ]
  await cluster.run({
    containers: [{ ...app, volumeMounts }],
    volumes: [{ name: 's', configMap: { name: 'settings' } }],
  })
  await cluster.clock.run(5000)
  await cluster.client.patch(configMap, { namespace: 'default', name: 'settings' }, 'merge', {
    data: { color: 'red' },
  })
  await cluster.clock.run(1000)
  expect(await cluster.exec(['cat', '/all/color', '/part/color'])).toBe('redblue')
})

describe('A pod with several containers', () => {
  test('pulls and starts one after the other, and is pending until each has started', async () => {
    const timeline = cluster.timeline(({ status }) => `${status?.phase} ${cluster.ready(status)}`)
    await cluster.run({ containers: [app, side] })
    await cluster.clock.run(10_000)
    expect(timeline).toEqual(['0s Pending ', '0s Pending 0/2', '1.5s Pending 1/2', '3s Running 2/2'])
  })

  test('starts the next one when the postStart hook of the one before is over, and shows none of it before', async () => {
    const lifecycle = { postStart: { sleep: { seconds: 5 } } }
    const timeline = cluster.timeline((pod) => `${podReason(pod)} ${cluster.ready(pod.status)}`)
    await cluster.run({ containers: [{ ...app, lifecycle }, side] })
    await cluster.clock.run(15_000)
    expect(timeline.slice(1)).toEqual([
      '0s ContainerCreating 0/2',
      '6.5s ContainerCreating 1/2',
      '8s Running 2/2',
    ])
  })

  test('tells its sidecars of the end at once: their hooks run beside the main containers, they end after them', async () => {
    await cluster.declare('app', { stopTime: '10s' })
    const sidecar = { ...side, restartPolicy: 'Always', lifecycle: { preStop: { sleep: { seconds: 8 } } } }
    await cluster.run({ initContainers: [sidecar], containers: [app] })
    await cluster.clock.run(10_000)
    const timeline = cluster.timeline(({ status }) => cluster.ready(status))
    await cluster.client.delete(podKind, key)
    await cluster.clock.run(30_000)
    expect(timeline.at(-1)).toBe('10s gone')
    const killed = (await cluster.eventsOf()).filter((event) => event.startsWith('Killing'))
    expect(killed).toEqual(['Killing: Stopping container app', 'Killing: Stopping container side'])
  })
})

describe('An image', () => {
  test('that can have no such name is InvalidImageName', async () => {
    await cluster.run({ containers: [{ ...app, image: 'registry.example/App:1' }] })
    await cluster.clock.run(60_000)
    const message =
      'Failed to apply default image tag "registry.example/App:1": couldn\'t parse image name "registry.example/App:1": invalid reference format: repository name (App) must be lowercase'
    expect((await first())?.state?.waiting).toEqual({ reason: 'InvalidImageName', message })
    expect(await cluster.eventsOf()).toEqual([`InspectFailed: ${message}`, 'Failed: Error: InvalidImageName'])
    await cluster.client.patch(podKind, key, 'strategic', {
      spec: { containers: [{ name: 'app', image: 'registry.example/app:1' }] },
    })
    await cluster.clock.run(5000)
    expect((await cluster.pod()).status?.phase).toBe('Running')
  })
})

describe('A pod whose image is changed', () => {
  test.each([['Always'], ['Never']])(
    'has its container started anew, with restartPolicy %s',
    async (restartPolicy) => {
      await cluster.declare('app', { exit: { after: '1h' } })
      await cluster.declare('next', { images: ['registry.example/app:2'], exit: { after: '1h' } })
      await cluster.run({ containers: [app], restartPolicy })
      await cluster.clock.run(5000)
      const { imageID } = (await first()) ?? {}
      await cluster.client.patch(podKind, key, 'strategic', {
        spec: { containers: [{ name: 'app', image: 'registry.example/app:2' }] },
      })
      await cluster.clock.run(10_000)
      expect(await first()).toMatchObject({ image: 'registry.example/app:2', restartCount: 1, ready: true })
      expect((await first())?.imageID).not.toBe(imageID)
      const events = await cluster.eventsOf()
      expect(events).toContain('Killing: Container app definition changed, will be restarted')
      expect(events).toContain('Pulling: Pulling image "registry.example/app:2"')
      await cluster.restartNodes()
      await cluster.clock.run(5000)
      expect((await first())?.restartCount).toBe(1)
    },
  )
})

describe('A probe by a command', () => {
  test.each([
    ['that takes too long', { takes: '5s' }, 'command timed out: "check -v" timed out after 1s'],
    ['that fails', { exitCode: 2, error: 'no disk' }, 'no disk'],
  ])('%s says so', async (_, declared, message) => {
    await cluster.declare('app', { commands: [{ name: 'check', ...declared }] })
    const livenessProbe = { exec: { command: ['check', '-v'] }, periodSeconds: 10, failureThreshold: 2 }
    await cluster.run({ containers: [{ ...app, livenessProbe }] })
    await cluster.clock.run(13_000)
    const events = await cluster.eventsOf()
    expect(events).toContain(`Unhealthy: Liveness probe failed: ${message}`)
    expect(events).toContain('Killing: Container app failed liveness probe, will be restarted')
    expect((await first())?.restartCount).toBe(1)
  })
})

test('A pod that asks for resources as a whole is told what it has of them', async () => {
  const resources = { requests: { cpu: '500m', memory: '64Mi' }, limits: { memory: '128Mi' } }
  await cluster.run({ containers: [app, side], resources })
  await cluster.clock.run(5000)
  expect((await cluster.pod()).status).toMatchObject({
    allocatedResources: { cpu: '500m', memory: '64Mi' },
    resources,
    qosClass: 'Burstable',
  })
})

describe('A volume that is an image', () => {
  const mounted = { ...app, volumeMounts: [{ name: 'data', mountPath: '/data' }] }
  const volumes = [{ name: 'data', image: { reference: 'registry.example/data:1' } }]

  test('is pulled before the container that mounts it, and can only be read', async () => {
    await cluster.run({ containers: [mounted], volumes })
    await cluster.clock.run(5000)
    const pulls = (await cluster.eventsOf()).filter((event) => event.startsWith('Pulling'))
    expect(pulls).toEqual([
      'Pulling: Pulling image "registry.example/data:1"',
      'Pulling: Pulling image "registry.example/app:1"',
    ])
    expect(await cluster.exec(['sh', '-c', 'echo x > /data/x'])).toMatch('Read-only file system')
  })

  test('that cannot be pulled holds its container up', async () => {
    await cluster.declare('data', { images: ['registry.example/data:1'], pullError: 'not found' })
    await cluster.run({ containers: [mounted], volumes })
    await cluster.clock.run(5000)
    expect((await first())?.state?.waiting).toEqual({
      reason: 'ImagePullBackOff',
      message:
        'Back-off pulling image "registry.example/data:1": ErrImagePull: failed to pull and unpack image "registry.example/data:1": not found',
    })
  })
})

test('A container that does not end in time is killed, and one that does is not', async () => {
  await cluster.declare('slow', { images: ['slow'], stopTime: '1m' })
  await cluster.declare('quick', { images: ['quick'], stopTime: '1s' })
  const containers = ['slow', 'quick'].map((name) => ({ name, image: name }))
  await cluster.run({ containers, terminationGracePeriodSeconds: 5 })
  await cluster.clock.run(10_000)
  await cluster.client.patch(podKind, key, 'merge', { metadata: { finalizers: ['example.com/hold'] } })
  await cluster.client.delete(podKind, key)
  await cluster.clock.run(10_000)
  const { status } = await cluster.pod()
  expect(status?.phase).toBe('Failed')
  expect(status?.containerStatuses?.map(({ state }) => state?.terminated?.exitCode)).toEqual([137, 143])
  await cluster.client.patch(podKind, key, 'merge', { metadata: { finalizers: null } })
})
