import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type SimulatedNodes, startSimulatedNodes } from '../../../test/support/simulated-nodes.ts'
import { configMap } from '../../api/kinds/config-map.ts'
import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'

const app = { name: 'app', image: 'registry.example/app:1' }
const key = { namespace: 'default', name: 'web' }

/** "Running app:1 running" with the restarts after the name. */
function shown({ status }: Pod): string {
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map(
    ({ name, restartCount, state }) =>
      `${name}:${restartCount} ${state?.running ? 'running' : (state?.waiting?.reason ?? state?.terminated?.reason)}`,
  )
  return [status?.phase, ...containers].join(', ')
}

const condition = ({ status }: Pod, type: string) => {
  const found = status?.conditions?.find((each) => each.type === type)
  return found && [found.status, found.reason, found.message]
}

let cluster: SimulatedNodes
beforeEach(async () => {
  cluster = await startSimulatedNodes()
})
afterEach(() => cluster.stop())

describe('A pod', () => {
  test('is pulled, created, started and ready, with everything a kubelet reports', async () => {
    const timeline = cluster.timeline(shown)
    await cluster.run({ containers: [app] })
    await cluster.clock.run(5000)
    expect(timeline).toEqual([
      '0s Pending',
      '0s Pending, app:0 ContainerCreating',
      '1.5s Running, app:0 running',
    ])
    const { status } = await cluster.pod()
    expect(status).toMatchObject({
      phase: 'Running',
      hostIP: expect.stringMatching(/^10\./),
      podIP: '10.244.0.2',
      podIPs: [{ ip: '10.244.0.2' }],
      qosClass: 'BestEffort',
      observedGeneration: 1,
      containerStatuses: [
        {
          name: 'app',
          ready: true,
          started: true,
          imageID: expect.stringMatching(/^registry\.example\/app@sha256:[0-9a-f]{64}$/),
          containerID: expect.stringMatching(/^simulated:\/\//),
        },
      ],
    })
    for (const type of [
      'PodScheduled',
      'PodReadyToStartContainers',
      'Initialized',
      'ContainersReady',
      'Ready',
    ])
      expect(condition(await cluster.pod(), type)).toEqual(['True', undefined, undefined])
    expect(await cluster.eventsOf()).toEqual([
      'Pulling: Pulling image "registry.example/app:1"',
      'Pulled: Successfully pulled image "registry.example/app:1" in 1s (1s including waiting). Image size: 52428800 bytes.',
      'Created: Container created',
      'Started: Container started',
    ])
  })

  test('that crashes restarts at once, then after 10 s, 20 s, 40 s … 300 s', async () => {
    await cluster.declare('crash', { exit: { code: 1, after: '1s' } })
    const timeline = cluster.timeline(shown)
    await cluster.run({ containers: [app] })
    await cluster.clock.run(200_000)
    expect(timeline).toEqual([
      '0s Pending',
      '0s Pending, app:0 ContainerCreating',
      '1.5s Running, app:0 running',
      '2.5s Running, app:0 Error',
      '3s Running, app:1 running',
      '4s Running, app:1 CrashLoopBackOff',
      '14.5s Running, app:2 running',
      '15.5s Running, app:2 CrashLoopBackOff',
      '36s Running, app:3 running',
      '37s Running, app:3 CrashLoopBackOff',
      '77.5s Running, app:4 running',
      '78.5s Running, app:4 CrashLoopBackOff',
      '159s Running, app:5 running',
      '160s Running, app:5 CrashLoopBackOff',
    ])
    const found = await cluster.pod()
    expect(found.status?.containerStatuses?.[0]?.state?.waiting?.message).toBe(
      `back-off 2m40s restarting failed container=app pod=web_default(${found.metadata.uid})`,
    )
    expect(found.status?.containerStatuses?.[0]?.lastState?.terminated).toMatchObject({
      exitCode: 1,
      reason: 'Error',
    })
    expect(condition(found, 'Ready')).toEqual([
      'False',
      'ContainersNotReady',
      'containers with unready status: [app]',
    ])
  })

  test('runs init containers in order, sidecars before what follows, and stops in reverse', async () => {
    await cluster.declare('one', { images: ['setup'], exit: { code: 0, after: '2s' } })
    await cluster.declare('slow', { images: ['mesh'], readyAfter: '3s' })
    const timeline = cluster.timeline(shown)
    await cluster.run({
      initContainers: [
        { name: 'setup', image: 'setup' },
        {
          name: 'mesh',
          image: 'mesh',
          restartPolicy: 'Always',
          startupProbe: { tcpSocket: { port: 1 }, periodSeconds: 1, failureThreshold: 9 },
        },
      ],
      containers: [app],
    })
    await cluster.clock.run(20_000)
    expect(timeline.slice(1)).toEqual([
      '0s Pending, setup:0 PodInitializing, mesh:0 PodInitializing, app:0 PodInitializing',
      '1.5s Pending, setup:0 running, mesh:0 PodInitializing, app:0 PodInitializing',
      '3.5s Pending, setup:0 Completed, mesh:0 PodInitializing, app:0 PodInitializing',
      '5s Pending, setup:0 Completed, mesh:0 running, app:0 PodInitializing',
      '9.5s Running, setup:0 Completed, mesh:0 running, app:0 running',
    ])
    const before = timeline.length
    await cluster.client.delete(podKind, key)
    await cluster.clock.run(5000)
    expect(timeline.slice(before)).toEqual([
      '20s Running, setup:0 Completed, mesh:0 running, app:0 Error',
      '20s Failed, setup:0 Completed, mesh:0 Error, app:0 Error',
      '20s gone',
    ])
  })

  test('with restartPolicy Never ends as its containers ended', async () => {
    await cluster.declare('job', { exit: { code: 0, after: '1s' } })
    await cluster.declare('bad', { images: ['bad'], exit: { code: 3, after: '1s' } })
    await cluster.run({ restartPolicy: 'Never', containers: [app] }, 'good')
    await cluster.run({ restartPolicy: 'Never', containers: [app, { name: 'b', image: 'bad' }] }, 'bad')
    await cluster.run({ restartPolicy: 'OnFailure', containers: [app] }, 'once')
    await cluster.clock.run(10_000)
    expect((await cluster.pod('good')).status?.phase).toBe('Succeeded')
    expect(condition(await cluster.pod('good'), 'Ready')).toEqual(['False', 'PodCompleted', undefined])
    expect((await cluster.pod('bad')).status?.phase).toBe('Failed')
    expect((await cluster.pod('once')).status?.phase).toBe('Succeeded')
  })

  test('that uses more memory than its limit is OOMKilled', async () => {
    await cluster.declare('hungry', { usage: { memory: '200Mi' } })
    await cluster.run({
      restartPolicy: 'Never',
      containers: [{ ...app, resources: { limits: { memory: '100Mi' } } }],
    })
    await cluster.clock.run(5000)
    expect((await cluster.pod()).status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({
      exitCode: 137,
      reason: 'OOMKilled',
    })
  })

  test('past its deadline is stopped and Failed', async () => {
    await cluster.run({ activeDeadlineSeconds: 10, containers: [app] })
    await cluster.clock.run(15_000)
    expect((await cluster.pod()).status).toMatchObject({
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    })
  })
})

describe('An image', () => {
  test('that cannot be pulled is tried again after 10 s, 20 s, 40 s', async () => {
    await cluster.declare('missing', { pullTime: '0s', pullError: 'not found' })
    const timeline = cluster.timeline(shown)
    await cluster.run({ containers: [app] })
    await cluster.clock.run(60_000)
    expect(timeline.slice(2)).toEqual([
      '0s Pending, app:0 ErrImagePull',
      '1s Pending, app:0 ImagePullBackOff',
      '10s Pending, app:0 ErrImagePull',
      '11s Pending, app:0 ImagePullBackOff',
      '30s Pending, app:0 ErrImagePull',
      '31s Pending, app:0 ImagePullBackOff',
    ])
    const refusal = 'failed to pull and unpack image "registry.example/app:1": not found'
    expect((await cluster.pod()).status?.containerStatuses?.[0]?.state?.waiting?.message).toBe(
      `Back-off pulling image "registry.example/app:1": ErrImagePull: ${refusal}`,
    )
  })

  test('whose name cannot be read is InvalidImageName, and is not tried again', async () => {
    await cluster.run({ containers: [{ ...app, image: 'bad image' }] })
    await cluster.clock.run(60_000)
    const why = `Failed to apply default image tag "bad image": couldn't parse image name "bad image": invalid reference format`
    expect((await cluster.pod()).status?.containerStatuses?.[0]?.state?.waiting).toEqual({
      reason: 'InvalidImageName',
      message: why,
    })
    expect(await cluster.eventsOf()).toEqual([`InspectFailed: ${why}`, 'Failed: Error: InvalidImageName'])
  })

  test('that must be there already and is not is ErrImageNeverPull', async () => {
    await cluster.run({ containers: [{ ...app, imagePullPolicy: 'Never' }] })
    await cluster.clock.run(5000)
    expect((await cluster.pod()).status?.containerStatuses?.[0]?.state?.waiting).toEqual({
      reason: 'ErrImageNeverPull',
      message: 'Container image "registry.example/app:1" is not present with pull policy of Never',
    })
  })
})

describe('A probe', () => {
  test('of readiness keeps a pod unready until it answers', async () => {
    await cluster.declare('slow', { readyAfter: '15s' })
    await cluster.run({
      containers: [{ ...app, readinessProbe: { httpGet: { path: '/ok', port: 80 }, periodSeconds: 5 } }],
    })
    await cluster.clock.run(10_000)
    expect(condition(await cluster.pod(), 'Ready')?.[0]).toBe('False')
    expect(await cluster.eventsOf()).toContain(
      'Unhealthy: Readiness probe failed: Get "http://10.244.0.2:80/ok": dial tcp 10.244.0.2:80: connect: connection refused',
    )
    await cluster.clock.run(10_000)
    expect(condition(await cluster.pod(), 'Ready')?.[0]).toBe('True')
    expect((await cluster.pod()).status?.containerStatuses?.[0]?.restartCount).toBe(0)
  })

  test('of liveness that fails three times restarts the container', async () => {
    await cluster.declare('dead', { readyAfter: '1h' })
    await cluster.run({ containers: [{ ...app, livenessProbe: { tcpSocket: { port: 80 } } }] })
    await cluster.clock.run(25_000)
    expect((await cluster.pod()).status?.containerStatuses?.[0]).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 143 } },
    })
    expect(await cluster.eventsOf()).toContain(
      'Killing: Container app failed liveness probe, will be restarted',
    )
  })

  test('of startup holds the others back', async () => {
    await cluster.declare('slow', { readyAfter: '20s' })
    const slow = {
      startupProbe: { tcpSocket: { port: 80 }, periodSeconds: 5, failureThreshold: 10 },
      livenessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1, failureThreshold: 1 },
    }
    await cluster.run({ containers: [{ ...app, ...slow }] })
    await cluster.clock.run(10_000)
    expect((await cluster.pod()).status?.containerStatuses?.[0]).toMatchObject({
      started: false,
      ready: false,
    })
    await cluster.clock.run(60_000)
    const [status] = (await cluster.pod()).status?.containerStatuses ?? []
    expect(status).toMatchObject({ started: true, ready: true, restartCount: 0 })
  })
})

describe('Deletion', () => {
  test('waits for the preStop hook and the process, and reports the end before the pod goes', async () => {
    await cluster.declare('slow', { stopTime: '4s' })
    const timeline = cluster.timeline(
      (pod) =>
        `${shown(pod)} ${condition(pod, 'Ready')?.[0]} ${pod.metadata.deletionTimestamp !== undefined}`,
    )
    await cluster.run({ containers: [{ ...app, lifecycle: { preStop: { sleep: { seconds: 3 } } } }] })
    await cluster.clock.run(10_000)
    const before = timeline.length
    await cluster.client.delete(podKind, key)
    await cluster.clock.run(20_000)
    expect(timeline.slice(before)).toEqual([
      '10s Running, app:0 running True true',
      '17s Failed, app:0 Error False true',
      '17s gone',
    ])
    expect(await cluster.eventsOf()).toContain('Killing: Stopping container app')
  })

  test('kills at the end of the grace, and a shorter grace overtakes', async () => {
    await cluster.declare('stubborn', { stopTime: '1h' })
    const timeline = cluster.timeline(({ status }) =>
      String(status?.containerStatuses?.[0]?.state?.terminated?.exitCode),
    )
    await cluster.run({ containers: [app], terminationGracePeriodSeconds: 60 })
    await cluster.clock.run(10_000)
    await cluster.client.delete(podKind, key)
    await cluster.clock.run(5000)
    await cluster.client.delete(podKind, key, { gracePeriodSeconds: 10 })
    await cluster.clock.run(60_000)
    expect(timeline.slice(-2)).toEqual(['20s 137', '20s gone'])
  })

  test('by force removes it at once and frees its address', async () => {
    await cluster.run({ containers: [app] })
    await cluster.clock.run(5000)
    await cluster.client.delete(podKind, key, { gracePeriodSeconds: 0 })
    await cluster.clock.run(1000)
    await expect(cluster.pod()).rejects.toMatchObject({ reason: 'NotFound' })
  })

  test('does not wait for a pull', async () => {
    await cluster.declare('large', { pullTime: '10m' })
    await cluster.run({ containers: [app] })
    await cluster.clock.run(5000)
    await cluster.client.delete(podKind, key)
    await cluster.clock.run(1000)
    await expect(cluster.pod()).rejects.toMatchObject({ reason: 'NotFound' })
  })

  test('of a pod that never started leaves nothing', async () => {
    await cluster.declare('missing', { pullError: 'not found' })
    await cluster.run({ containers: [app] })
    await cluster.clock.run(5000)
    await cluster.client.delete(podKind, key)
    await cluster.clock.run(1000)
    await expect(cluster.pod()).rejects.toMatchObject({ reason: 'NotFound' })
  })
})

describe('What a pod refers to', () => {
  const settings = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'default' },
  }

  test('in its environment is awaited with CreateContainerConfigError', async () => {
    const from = { configMapKeyRef: { name: 'settings', key: 'color' } }
    await cluster.run({ containers: [{ ...app, env: [{ name: 'COLOR', valueFrom: from }] }] })
    await cluster.clock.run(5000)
    const waiting = async () => (await cluster.pod()).status?.containerStatuses?.[0]?.state?.waiting
    expect(await waiting()).toEqual({
      reason: 'CreateContainerConfigError',
      message: 'configmap "settings" not found',
    })
    await cluster.client.create(configMap, { ...settings, data: {} } as never)
    await cluster.clock.run(10_000)
    expect(await waiting()).toMatchObject({
      message: "couldn't find key color in ConfigMap default/settings",
    })
    await cluster.client.patch(configMap, { namespace: 'default', name: 'settings' }, 'merge', {
      data: { color: 'blue' },
    })
    await cluster.clock.run(10_000)
    expect((await cluster.pod()).status?.phase).toBe('Running')
  })

  test('and is gone when it restarts keeps it waiting, with its end as the last state', async () => {
    await cluster.declare('crash', { exit: { code: 1, after: '5s' } })
    await cluster.client.create(configMap, { ...settings, data: {} } as never)
    await cluster.run({ containers: [{ ...app, envFrom: [{ configMapRef: { name: 'settings' } }] }] })
    await cluster.clock.run(3000)
    await cluster.client.delete(configMap, { namespace: 'default', name: 'settings' })
    await cluster.clock.run(30_000)
    expect((await cluster.pod()).status?.containerStatuses?.[0]).toMatchObject({
      restartCount: 0,
      state: { waiting: { reason: 'CreateContainerConfigError', message: 'configmap "settings" not found' } },
      lastState: { terminated: { exitCode: 1 } },
    })
    await cluster.client.create(configMap, { ...settings, data: {} } as never)
    await cluster.clock.run(4000)
    expect((await cluster.pod()).status?.containerStatuses?.[0]).toMatchObject({ restartCount: 1 })
  })

  test('in its volumes is awaited before anything is created', async () => {
    await cluster.run({
      containers: [app],
      volumes: [{ name: 'config', configMap: { name: 'settings' } }],
    })
    await cluster.clock.run(5000)
    expect(shown(await cluster.pod())).toBe('Pending, app:0 ContainerCreating')
    expect(await cluster.eventsOf()).toEqual([
      'FailedMount: MountVolume.SetUp failed for volume "config" : configmap "settings" not found',
    ])
    await cluster.client.create(configMap, { ...settings, data: {} } as never)
    await cluster.clock.run(5000)
    expect((await cluster.pod()).status?.phase).toBe('Running')
  })
})

describe('The node', () => {
  test('refuses a pod it has no room for', async () => {
    const resources = { requests: { cpu: '3' } }
    await cluster.run({ containers: [{ ...app, resources }] }, 'first')
    await cluster.clock.run(1000)
    await cluster.run({ containers: [{ ...app, resources }] }, 'second')
    await cluster.clock.run(5000)
    expect((await cluster.pod('first')).status?.phase).toBe('Running')
    expect((await cluster.pod('second')).status).toMatchObject({
      phase: 'Failed',
      reason: 'OutOfcpu',
      message:
        "Pod was rejected: Node didn't have enough resource: cpu, requested: 3000, used: 3000, capacity: 4000",
    })
  })
})
