import type { AnyResource } from '../../src/api/resource.ts'
import type { Random } from '../../src/base/random.ts'
import { pick } from './random-pods.ts'

/** Manifests of everything that a user of a small cluster runs. Names are unique by `index`. */
export interface Workload {
  readonly name: string
  readonly namespace: string
  /** Of the object that a user scales, changes and deletes; its own manifest is the first. */
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Job' | 'CronJob'
  readonly manifests: readonly Manifest[]
}

export type Manifest = AnyResource

const seamark = 'seamark.dev/v1alpha1'
const behaviour = (name: string, spec: Record<string, unknown>): Manifest => ({
  apiVersion: seamark,
  kind: 'SimulatedImage',
  metadata: { name },
  spec: { pullTime: '300ms', startTime: '200ms', ...spec },
})

/** Four nodes in three zones, how images behave, and two namespaces, one of them with a quota. */
export const FOUNDATION: readonly Manifest[] = [
  {
    apiVersion: seamark,
    kind: 'NodePool',
    metadata: { name: 'worker' },
    spec: {
      count: 4,
      zones: ['a', 'b', 'c'],
      template: { capacity: { cpu: '8', memory: '32Gi', pods: '60' } },
    },
  },
  behaviour('app', { images: ['registry.example/app:**'], readyAfter: '700ms', stopTime: '1s' }),
  behaviour('loaded', {
    images: ['registry.example/loaded:**'],
    usage: { cpu: '1m', load: { requestsPerSecond: 40, cpuPerRequest: '20m' } },
  }),
  behaviour('ok', { images: ['registry.example/task:ok'], exit: { code: 0, after: '4s' } }),
  behaviour('slow', {
    images: ['registry.example/task:slow'],
    exit: { code: 0, after: '40s' },
    stopTime: '2s',
  }),
  behaviour('bad', { images: ['registry.example/task:bad'], exit: { code: 1, after: '3s' } }),
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'tight' } },
  {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'bounds', namespace: 'tight' },
    spec: { hard: { pods: '7', 'requests.cpu': '1', persistentvolumeclaims: '3', 'count/jobs.batch': '3' } },
  },
]

export function randomWorkload(random: Random, index: number): Workload {
  const make = pick(random, [deployment, deployment, stateful, stateful, daemons, job, job, cron, scaled])
  return make(random, `w${index}`, random.int(4) === 0 ? 'tight' : 'shop')
}

function template(name: string, image: string, more: object = {}) {
  const container = { name: 'app', image, resources: { requests: { cpu: '100m', memory: '32Mi' } } }
  return {
    metadata: { labels: { app: name } },
    spec: { terminationGracePeriodSeconds: 5, containers: [container], ...more },
  }
}

const app = (name: string) => template(name, 'registry.example/app:1')
const selector = (name: string) => ({ matchLabels: { app: name } })

function service(name: string, namespace: string, spec: object = {}): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }], ...spec },
  }
}

function budget(random: Random, name: string, namespace: string): Manifest[] {
  if (random.int(2) === 0) return []
  const spec = random.int(2) === 0 ? { minAvailable: 1 + random.int(2) } : { maxUnavailable: 1 }
  return [
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name, namespace },
      spec: { ...spec, selector: selector(name) },
    },
  ]
}

function deployment(random: Random, name: string, namespace: string): Workload {
  const rollingUpdate = { maxSurge: 1 + random.int(2), maxUnavailable: random.int(2) }
  const strategy = random.int(5) === 0 ? { type: 'Recreate' } : { rollingUpdate }
  const own: Manifest = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: { replicas: 1 + random.int(4), strategy, selector: selector(name), template: app(name) },
  }
  const manifests = [own, service(name, namespace), ...budget(random, name, namespace)]
  return { name, namespace, kind: 'Deployment', manifests }
}

function stateful(random: Random, name: string, namespace: string): Workload {
  const claim = {
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  }
  const retention = {
    whenScaled: pick(random, ['Delete', 'Retain']),
    whenDeleted: pick(random, ['Delete', 'Retain']),
  }
  const own: Manifest = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, namespace },
    spec: {
      serviceName: name,
      replicas: 1 + random.int(4),
      podManagementPolicy: pick(random, ['OrderedReady', 'Parallel']),
      persistentVolumeClaimRetentionPolicy: retention,
      selector: selector(name),
      template: app(name),
      volumeClaimTemplates: random.int(2) === 0 ? [] : [claim],
    },
  }
  const headless = service(name, namespace, { clusterIP: 'None' })
  return {
    name,
    namespace,
    kind: 'StatefulSet',
    manifests: [own, headless, ...budget(random, name, namespace)],
  }
}

function daemons(random: Random, name: string, namespace: string): Workload {
  const rollingUpdate = random.int(2) === 0 ? { maxSurge: 1, maxUnavailable: 0 } : { maxUnavailable: 1 }
  const own: Manifest = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace },
    spec: { updateStrategy: { rollingUpdate }, selector: selector(name), template: app(name) },
  }
  return { name, namespace, kind: 'DaemonSet', manifests: [own, service(name, namespace)] }
}

function jobSpec(random: Random, name: string) {
  const completions = 1 + random.int(6)
  const image = `registry.example/task:${pick(random, ['ok', 'ok', 'slow', 'bad'])}`
  const isIndexed = random.int(2) === 0
  const restartPolicy = pick(random, ['Never', 'OnFailure'])
  return {
    completions,
    parallelism: 1 + random.int(4),
    backoffLimit: random.int(4),
    ...(isIndexed ? { completionMode: 'Indexed' } : {}),
    ...(isIndexed && restartPolicy === 'Never' && random.int(3) === 0 ? { backoffLimitPerIndex: 1 } : {}),
    ...(random.int(4) === 0 ? { ttlSecondsAfterFinished: 20 } : {}),
    ...(random.int(4) === 0 ? { podReplacementPolicy: 'Failed' } : {}),
    template: template(name, image, { restartPolicy }),
  }
}

function job(random: Random, name: string, namespace: string): Workload {
  const own = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace },
    spec: jobSpec(random, name),
  }
  return { name, namespace, kind: 'Job', manifests: [own] }
}

function cron(random: Random, name: string, namespace: string): Workload {
  const own: Manifest = {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name, namespace },
    spec: {
      schedule: pick(random, ['* * * * *', '*/2 * * * *']),
      concurrencyPolicy: pick(random, ['Allow', 'Forbid', 'Replace']),
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 1,
      jobTemplate: { spec: jobSpec(random, name) },
    },
  }
  return { name, namespace, kind: 'CronJob', manifests: [own] }
}

function scaled(random: Random, name: string, namespace: string): Workload {
  const own: Manifest = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: { selector: selector(name), template: template(name, 'registry.example/loaded:1') },
  }
  const minReplicas = 1 + random.int(2)
  const hpa: Manifest = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, namespace },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas,
      maxReplicas: minReplicas + random.int(4),
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
        },
      ],
    },
  }
  return { name, namespace, kind: 'Deployment', manifests: [own, hpa, service(name, namespace)] }
}
