import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { startPretendKubelet, startPretendNode } from '../../test/support/pretend-kubelet.ts'
import { deployment } from '../api/kinds/deployment.ts'
import { event } from '../api/kinds/event.ts'
import {
  type HorizontalPodAutoscaler,
  horizontalPodAutoscaler,
} from '../api/kinds/horizontal-pod-autoscaler.ts'
import { kinds as builtIn } from '../api/kinds/index.ts'
import { pod } from '../api/kinds/pod.ts'
import { metricsKinds, podMetrics } from '../api/metrics-kinds.ts'
import { isPodReady } from '../api/pods.ts'
import type { AnyResource } from '../api/resource.ts'
import { formatTime } from '../base/date.ts'
import type { Running } from './controller.ts'
import { startControllers } from './index.ts'

const kinds = [...builtIn, ...metricsKinds]
const WEB = { namespace: 'default', name: 'web' }
let cluster: TestCluster
let running: Running
/** Cores, shared by the pods that are ready. */
let load = 0

beforeEach(async () => {
  load = 1
  cluster = await createTestCluster({ kinds })
  const { registry, client, clock } = cluster
  registry.computed.set(podMetrics, async () => {
    const ready = (await client.list(pod)).items.filter(isPodReady)
    return ready.map(
      ({ metadata: { name, namespace, labels } }): AnyResource => ({
        apiVersion: 'metrics.k8s.io/v1beta1',
        kind: 'PodMetrics',
        metadata: { name, namespace, labels },
        timestamp: formatTime(clock.now()),
        window: '15s',
        containers: [
          { name: 'app', usage: { cpu: `${Math.round((load * 1000) / ready.length)}m`, memory: '64Mi' } },
        ],
      }),
    )
  })
  startPretendKubelet(cluster)
  await startPretendNode(cluster, make.node())
  running = startControllers(cluster.env, client, { informers: cluster.informers, kinds: () => kinds })
})
afterEach(async () => {
  await running.stop()
  await cluster.close()
})

async function deploy(replicas: number): Promise<void> {
  const containers = [{ name: 'app', image: 'web', resources: { requests: { cpu: '1', memory: '64Mi' } } }]
  await cluster.client.create(
    deployment,
    make.deployment({ spec: { replicas, template: { spec: { containers } } } }),
  )
}
const autoscale = (spec: Partial<HorizontalPodAutoscaler['spec']> = {}) =>
  cluster.client.create(horizontalPodAutoscaler, {
    ...horizontalPodAutoscaler.example,
    metadata: WEB,
    spec: { ...horizontalPodAutoscaler.example.spec, minReplicas: 2, maxReplicas: 10, ...spec },
  })
const replicas = async () => (await cluster.client.get(deployment, WEB)).spec.replicas
const status = async () => (await cluster.client.get(horizontalPodAutoscaler, WEB)).status
const conditions = async () =>
  (await status())?.conditions?.map(({ type, status: is, reason }) => `${type}=${is} ${reason}`)
const events = async () =>
  (await cluster.client.list(event)).items
    .filter(({ involvedObject }) => involvedObject.kind === 'HorizontalPodAutoscaler')
    .map(({ reason, message }) => `${reason}: ${message}`)

describe('A HorizontalPodAutoscaler', () => {
  test('follows the load up, waits five minutes, follows it down, and then rests', async () => {
    await deploy(2)
    await cluster.clock.run(400_000)
    load = 3
    await autoscale()
    await cluster.clock.run(60_000)
    // 3 cores of 60% of a core each are 5 pods.
    expect(await replicas()).toBe(5)
    expect(await events()).toContain(
      'SuccessfulRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target',
    )
    await cluster.clock.run(400_000)
    expect(await replicas()).toBe(5)
    expect(await status()).toMatchObject({
      currentReplicas: 5,
      desiredReplicas: 5,
      currentMetrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', current: { averageUtilization: 60, averageValue: '600m' } },
        },
      ],
    })
    load = 1
    await cluster.clock.run(240_000)
    expect(await replicas()).toBe(5)
    expect(await conditions()).toContain('AbleToScale=True ScaleDownStabilized')
    await cluster.clock.run(180_000)
    expect(await replicas()).toBe(2)
    expect(await events()).toContain('SuccessfulRescale: New size: 2; reason: All metrics below target')
    await cluster.clock.run(400_000)
    const { revision } = cluster.store
    const before = await status()
    await cluster.clock.run(60_000)
    expect(await status()).toEqual(before)
    // The node's heartbeat is all that is written.
    expect(cluster.store.revision - revision).toBeLessThanOrEqual(7)
  })

  test('wants no other size because a rollout has twice as many pods for a while', async () => {
    load = 2.4
    await deploy(4)
    await cluster.clock.run(400_000)
    await autoscale({ maxReplicas: 20 })
    await cluster.clock.run(60_000)
    expect(await replicas()).toBe(4)
    const rollingUpdate = { maxSurge: '100%', maxUnavailable: 0 }
    await cluster.client.patch(deployment, WEB, 'merge', {
      spec: {
        strategy: { type: 'RollingUpdate', rollingUpdate },
        template: { metadata: { annotations: { again: 'yes' } } },
      },
    })
    for (let s = 0; s < 240; s += 5) {
      await cluster.clock.run(5000)
      expect(await replicas()).toBe(4)
    }
  })

  test('never leaves its bounds, whatever the load, and says what holds it', async () => {
    await deploy(1)
    await autoscale({ minReplicas: 3, maxReplicas: 6 })
    await cluster.clock.run(1000)
    expect(await replicas()).toBe(3)
    expect(await events()).toEqual([
      'SuccessfulRescale: New size: 3; reason: Current number of replicas below Spec.MinReplicas',
    ])
    load = 100
    const seen = new Set<number | undefined>()
    for (let i = 0; i < 60; i += 1) {
      await cluster.clock.run(15_000)
      seen.add(await replicas())
    }
    expect([...seen].at(-1)).toBe(6)
    expect(Math.max(...[...seen].map(Number))).toBe(6)
    expect(await conditions()).toContain('ScalingLimited=True TooManyReplicas')
  })

  test('says what it cannot measure, and leaves the pods as they are', async () => {
    await deploy(3)
    await autoscale({
      metrics: [
        {
          type: 'Pods',
          pods: { metric: { name: 'rps' }, target: { type: 'AverageValue', averageValue: '5' } },
        },
      ],
    })
    await cluster.clock.run(30_000)
    expect(await replicas()).toBe(3)
    const found = (await status())?.conditions?.find(({ type }) => type === 'ScalingActive')
    expect(found).toMatchObject({
      status: 'False',
      reason: 'FailedGetPodsMetric',
      message:
        'the HPA was unable to compute the replica count: unable to get metric rps: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered',
    })
  })

  test('without a target says so, and scales it once it is there', async () => {
    await autoscale()
    await cluster.clock.run(1000)
    expect(await conditions()).toEqual(['AbleToScale=False FailedGetScale'])
    await deploy(1)
    await cluster.clock.run(20_000)
    expect(await replicas()).toBe(2)
  })
})
