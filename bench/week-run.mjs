// The simulation of bench/week.bench.mjs in a process of its own: `node --expose-gc bench/week-run.mjs DAYS` prints a line
// of JSON. The whole plane on a virtual clock: up to 500 pods on five nodes, load by day, jobs by the hour.
import { performance } from 'node:perf_hooks'
import { cronJob } from '../dist/api/kinds/cron-job.js'
import { deployment } from '../dist/api/kinds/deployment.js'
import { horizontalPodAutoscaler } from '../dist/api/kinds/horizontal-pod-autoscaler.js'
import { job } from '../dist/api/kinds/job.js'
import { nodePool } from '../dist/api/kinds/node-pool.js'
import { pod } from '../dist/api/kinds/pod.js'
import { service } from '../dist/api/kinds/service.js'
import { simulatedImage } from '../dist/api/kinds/simulated-image.js'
import { simulatedLoad } from '../dist/api/kinds/simulated-load.js'
import { createEnv } from '../dist/base/env.js'
import { seededRandom } from '../dist/base/random.js'
import { VirtualClock } from '../dist/base/virtual-clock.js'
import { startControlPlane } from '../dist/control-plane.js'

const DAYS = Number(process.argv[2] ?? 7)
const HOUR_MS = 3_600_000
const NODES = 5
const NODE = { cpu: '32', memory: '64Gi', pods: '110' }
const STEADY = { deployments: 12, replicas: 16 }
const SCALED = 5
const [MIN, MAX] = [5, 60]

const namespace = 'default'
const metadata = (name) => ({ name, namespace })
const seamark = (kind, name, spec, scope = {}) => ({
  apiVersion: 'seamark.dev/v1alpha1',
  kind,
  metadata: { name, ...scope },
  spec,
})
const containers = (image) => [
  { name: 'app', image, resources: { requests: { cpu: '200m', memory: '64Mi' } } },
]
const deploymentOf = (name, replicas) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: metadata(name),
  spec: {
    ...(replicas ? { replicas } : {}),
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: containers('registry.example/app:1') },
    },
  },
})
const serviceOf = (app) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadata(app),
  spec: { selector: { app }, ports: [{ port: 80 }] },
})
/** 60 % of 200m are 30 requests of 4m: from five pods at night to sixty by day. */
const loadOf = (app) =>
  seamark(
    'SimulatedLoad',
    app,
    { service: app, requestsPerSecond: 140, peak: 1800, pattern: 'sine', period: '24h' },
    { namespace },
  )
const autoscalerOf = (name) => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: metadata(name),
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
    minReplicas: MIN,
    maxReplicas: MAX,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } },
      },
    ],
  },
})
const cronJobOf = (name, schedule) => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: metadata(name),
  spec: {
    schedule,
    jobTemplate: {
      spec: {
        completions: 2,
        parallelism: 2,
        template: { spec: { restartPolicy: 'Never', containers: containers('registry.example/batch:1') } },
      },
    },
  },
})
const SCHEDULES = ['*/15 * * * *', '*/15 * * * *', '0 * * * *', '20 * * * *', '40 */2 * * *', '30 3 * * *']

const clock = new VirtualClock({ seed: 1, timersMax: Number.POSITIVE_INFINITY })
const env = createEnv({ clock, random: seededRandom(1) })
const plane = await startControlPlane(env, { store: 'memory' })
const { client, store } = plane
await client.create(
  nodePool,
  seamark('NodePool', 'worker', { count: NODES, runtime: 'simulated', template: { capacity: NODE } }),
)
await client.create(
  simulatedImage,
  seamark('SimulatedImage', 'app', {
    images: ['registry.example/app:1'],
    usage: { cpu: '1m', load: { cpuPerRequest: '4m' } },
  }),
)
await client.create(
  simulatedImage,
  seamark('SimulatedImage', 'batch', { images: ['registry.example/batch:1'], exit: { after: '2m' } }),
)
for (let n = 0; n < STEADY.deployments; n += 1)
  await client.create(deployment, deploymentOf(`steady-${n}`, STEADY.replicas))
for (let n = 0; n < SCALED; n += 1) {
  await client.create(deployment, deploymentOf(`shop-${n}`))
  await client.create(service, serviceOf(`shop-${n}`))
  await client.create(simulatedLoad, loadOf(`shop-${n}`))
  await client.create(horizontalPodAutoscaler, autoscalerOf(`shop-${n}`))
}
for (const [n, schedule] of SCHEDULES.entries())
  await client.create(cronJob, cronJobOf(`batch-${n}`, schedule))
await clock.run(60_000)

const startedAt = performance.now()
const firstRevision = store.revision
const sizes = []
/** MB in use at the end of each day. */
const heap = []
const inUse = () => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed / 1024 / 1024
}
let jobsEnded = 0
const jobs = plane.informers.of(job)
const stopCounting = jobs.onChange(({ type }) => {
  if (type === 'deleted') jobsEnded += 1
})
for (let hour = 0; hour < DAYS * 24; hour += 1) {
  await clock.run(HOUR_MS)
  sizes.push(plane.informers.of(pod).size)
  if ((hour + 1) % 24 === 0) heap.push(Math.round(inUse()))
}
const seconds = (performance.now() - startedAt) / 1000
const writes = store.revision - firstRevision
const scaled = (await client.list(deployment)).items.filter(({ metadata: { name } }) =>
  name.startsWith('shop-'),
)
stopCounting()
const line = {
  seconds,
  ratio: (DAYS * 24 * 3600) / seconds,
  writes,
  jobs: jobsEnded + jobs.size,
  pods: [Math.min(...sizes), Math.max(...sizes)],
  replicas: scaled.map(({ spec }) => spec.replicas),
  heapMb: inUse(),
  heapByDay: heap,
  residentMb: process.memoryUsage().rss / 1024 / 1024,
}
const stopping = plane.stop()
await clock.run(10_000)
await stopping
console.log(JSON.stringify(line))
