import { expect, test } from 'vitest'
import type { V2MetricSpec } from '../../src/api/generated/types.ts'
import { type Deployment, deployment } from '../../src/api/kinds/deployment.ts'
import { fault } from '../../src/api/kinds/fault.ts'
import { horizontalPodAutoscaler } from '../../src/api/kinds/horizontal-pod-autoscaler.ts'
import { nodePool } from '../../src/api/kinds/node-pool.ts'
import { service } from '../../src/api/kinds/service.ts'
import { simulatedImage } from '../../src/api/kinds/simulated-image.ts'
import { type SimulatedLoad, simulatedLoad } from '../../src/api/kinds/simulated-load.ts'
import { type SimulatedMetric, simulatedMetric } from '../../src/api/kinds/simulated-metric.ts'
import type { Resource } from '../../src/api/resource.ts'
import { createEnv } from '../../src/base/env.ts'
import { type Random, seededRandom } from '../../src/base/random.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import type { Client } from '../../src/client/client.ts'
import { startControlPlane } from '../../src/control-plane.ts'

const MINUTE = 60_000
const namespace = 'default'
const PATTERNS = ['constant', 'ramp', 'sine', 'step'] as const
/** What one pod is to bear, of each metric. */
const EACH = 10

interface Bounds {
  readonly minReplicas: number
  readonly maxReplicas: number
}

/** How much there is of what an autoscaler follows, once it does not change any more. */
type Calm = (client: Client, amount: number) => Promise<unknown>

/** Draws what it follows: requests, shown by each pod or as CPU, or a queue outside. */
async function follow(client: Client, random: Random, name: string): Promise<[V2MetricSpec, Calm]> {
  const curve = {
    pattern: PATTERNS[random.int(PATTERNS.length)] ?? 'sine',
    period: `${1 + random.int(15)}m`,
  } as const
  const [low, high] = [random.int(60), random.int(160)]
  if (random.int(3) === 0) {
    const spec = { metric: name, value: String(low), peak: String(high), ...curve }
    await client.create(simulatedMetric, seamark<SimulatedMetric>('SimulatedMetric', name, spec))
    const target = { type: 'AverageValue', averageValue: String(EACH) }
    return [
      { type: 'External', external: { metric: { name }, target } },
      (c, amount) =>
        c.patch(simulatedMetric, { namespace, name }, 'merge', {
          spec: { value: String(amount), peak: null },
        }),
    ]
  }
  const spec = { service: name, requestsPerSecond: low, peak: high, ...curve }
  await client.create(simulatedLoad, seamark<SimulatedLoad>('SimulatedLoad', name, spec))
  const byCpu = random.int(2) === 0
  return [
    byCpu
      ? {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'AverageValue', averageValue: '100m' } },
        }
      : {
          type: 'Pods',
          pods: { metric: { name: 'rps' }, target: { type: 'AverageValue', averageValue: String(EACH) } },
        },
    (c, amount) =>
      c.patch(simulatedLoad, { namespace, name }, 'merge', {
        spec: { requestsPerSecond: amount, peak: null },
      }),
  ]
}

function seamark<R extends Resource>(kind: string, name: string, spec: object): R {
  return { apiVersion: 'seamark.dev/v1alpha1', kind, metadata: { name, namespace }, spec } as unknown as R
}

async function deploy(client: Client, app: string, bounds: Bounds, metric: V2MetricSpec): Promise<void> {
  await client.create(service, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: app, namespace },
    spec: { selector: { app }, ports: [{ port: 80 }] },
  })
  const containers = [{ name: 'app', image: 'shop:1', resources: { requests: { cpu: '50m' } } }]
  await client.create(deployment, {
    ...deployment.example,
    metadata: { name: app, namespace },
    spec: {
      selector: { matchLabels: { app } },
      template: { metadata: { labels: { app } }, spec: { containers } },
    },
  } as unknown as Deployment)
  await client.create(horizontalPodAutoscaler, {
    ...horizontalPodAutoscaler.example,
    metadata: { name: app, namespace },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: app },
      metrics: [metric],
      ...bounds,
    },
  })
}

test.each([1, 2, 3, 4, 5, 6])(
  'Autoscalers stay within their bounds whatever the load and the faults, and come to rest where it is met (seed %i)',
  async (seed) => {
    const random = seededRandom(seed)
    const clock = new VirtualClock({ seed })
    const plane = await startControlPlane(createEnv({ clock, random: seededRandom(seed) }), {
      store: 'memory',
      freeze: true,
    })
    const { client, store } = plane
    await client.create(nodePool, {
      ...nodePool.example,
      metadata: { name: 'worker' },
      spec: {
        count: 4,
        runtime: 'simulated',
        template: { capacity: { cpu: '8', memory: '16Gi', pods: '110' } },
      },
    })
    await client.create(simulatedImage, {
      ...simulatedImage.example,
      metadata: { name: 'shop' },
      spec: {
        images: ['shop:1'],
        usage: { cpu: '0', load: { cpuPerRequest: '10m' }, metrics: [{ name: 'rps', perRequest: '1' }] },
      },
    })
    const bounds = new Map<string, Bounds>()
    const calms: Calm[] = []
    for (const name of ['one', 'two', 'three']) {
      const minReplicas = 1 + random.int(3)
      const own = { minReplicas, maxReplicas: minReplicas + random.int(12) }
      const [metric, calm] = await follow(client, random, name)
      bounds.set(name, own)
      calms.push(calm)
      await deploy(client, name, own, metric)
    }
    await clock.run(1000)

    const wrong: string[] = []
    const stop = new AbortController()
    const before = new Map<string, number>()
    const watching = (async () => {
      for await (const { changes } of store.watch({
        prefix: '/registry/apps/deployments/',
        after: store.revision,
        signal: stop.signal,
      })) {
        for (const { value } of changes) {
          const { metadata, spec } = value as unknown as Deployment
          const { minReplicas = 0, maxReplicas = 0 } = bounds.get(metadata.name) ?? {}
          const { replicas = 1 } = spec
          const was = before.get(metadata.name) ?? replicas
          before.set(metadata.name, replicas)
          if (replicas < minReplicas || replicas > maxReplicas)
            wrong.push(`${metadata.name}: ${replicas} are not within ${minReplicas} and ${maxReplicas}`)
          if (replicas > Math.max(4, 2 * was))
            wrong.push(`${metadata.name}: from ${was} to ${replicas} at once`)
        }
      }
    })()
    for (let i = 0; i < 4; i += 1) {
      const action = (['KillNode', 'PartitionNode', 'SlowNode'] as const)[random.int(3)] ?? 'KillNode'
      await client.create(fault, {
        ...fault.example,
        metadata: { name: `fault-${i}` },
        spec: {
          action,
          target: { nodes: [`worker-${random.int(4)}`] },
          duration: `${30 + random.int(200)}s`,
        },
      })
      await clock.run(4 * MINUTE + random.int(MINUTE))
    }
    const amounts = calms.map(() => 5 + random.int(150))
    for (const [i, calm] of calms.entries()) await calm(client, amounts[i] ?? 0)
    await clock.run(20 * MINUTE)

    for (const [i, [name, { minReplicas, maxReplicas }]] of [...bounds].entries()) {
      const { replicas = 0 } = (await client.get(deployment, { namespace, name })).spec
      const share = (amounts[i] ?? 0) / EACH / replicas
      const isMet = share <= 1.1 || replicas === maxReplicas
      const isLean = share >= 0.9 || replicas === minReplicas || Math.ceil(share * replicas) === replicas
      if (!isMet || !isLean) wrong.push(`${name}: ${replicas} bear ${amounts[i]}`)
    }
    const { revision } = store
    const written: string[] = []
    const listening = (async () => {
      for await (const { changes } of store.watch({
        prefix: '/registry/',
        after: revision,
        signal: stop.signal,
      }))
        for (const { key } of changes) if (!/\/(leases|events|core\/nodes)\//.test(key)) written.push(key)
    })()
    await clock.run(3 * MINUTE)
    stop.abort()
    const stopping = plane.stop()
    await clock.run(10_000)
    await Promise.all([watching, listening, stopping])
    expect(wrong).toEqual([])
    expect(written).toEqual([])
  },
)
