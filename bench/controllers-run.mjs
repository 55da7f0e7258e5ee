// One workload of bench/controllers.bench.mjs in a process of its own: `node bench/controllers-run.mjs NAME` prints a line
// of JSON. The whole plane on its store on disk, simulated nodes, real time.
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { configMap } from '../dist/api/kinds/config-map.js'
import { deployment as deploymentKind } from '../dist/api/kinds/deployment.js'
import { endpointSlice } from '../dist/api/kinds/endpoint-slice.js'
import { job as jobKind } from '../dist/api/kinds/job.js'
import { namespace as namespaceKind } from '../dist/api/kinds/namespace.js'
import { node as nodeKind } from '../dist/api/kinds/node.js'
import { nodePool } from '../dist/api/kinds/node-pool.js'
import { pod as podKind } from '../dist/api/kinds/pod.js'
import { service as serviceKind } from '../dist/api/kinds/service.js'
import { createEnv } from '../dist/base/env.js'
import { startControlPlane } from '../dist/control-plane.js'

const namespace = 'default'
const metadata = (name) => ({ name, namespace })
const template = (app, image = 'registry.example/app:1') => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'app', image, resources: { requests: { cpu: '10m', memory: '16Mi' } } }] },
})
const deployment = (name, replicas) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: metadata(name),
  spec: { replicas, selector: { matchLabels: { app: name } }, template: template(name) },
})

/** EndpointSlices that somebody else manages, written as fast as 64 writers can; every watcher and proxy follows. */
async function writeSlices(client, count) {
  const slice = (n, ready) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...metadata(`other-${n}`), labels: { 'kubernetes.io/service-name': `s-${n}` } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 80, protocol: 'TCP' }],
    endpoints: Array.from({ length: 10 }, (_, i) => ({
      addresses: [address(n * 10 + i)],
      conditions: { ready },
    })),
  })
  await all(count, (n) => client.create(endpointSlice, slice(n, true)))
  const startedAt = performance.now()
  let next = 0
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      while (since(startedAt) < 3) {
        next += 1
        await client.update(endpointSlice, slice(next % count, Math.floor(next / count) % 2 === 1))
      }
    }),
  )
  return next / since(startedAt)
}

/** Each is given the plane and `until`; returns what it measured. */
const workloads = {
  async deployments({ client, informers }) {
    const startedAt = performance.now()
    await all(5_000, (n) => client.create(deploymentKind, deployment(`one-${n}`, 1)))
    await until(informers, deploymentKind, (each) => each.status?.availableReplicas === 1, 5_000)
    return { seconds: since(startedAt) }
  },
  async upAndDown({ client, informers }) {
    const startedAt = performance.now()
    await client.create(deploymentKind, deployment('large', 10_000))
    await until(informers, deploymentKind, (each) => each.status?.availableReplicas === 10_000)
    const up = since(startedAt)
    const turnedAt = performance.now()
    await client.patch(deploymentKind, metadata('large'), 'merge', { spec: { replicas: 0 } })
    await gone(informers, podKind)
    return { up, down: since(turnedAt) }
  },
  async rollingUpdate({ client, informers }) {
    await client.create(deploymentKind, deployment('large', 10_000))
    await until(informers, deploymentKind, (each) => each.status?.availableReplicas === 10_000)
    const startedAt = performance.now()
    const containers = template('large', 'registry.example/app:2').spec.containers
    const patch = { spec: { template: { spec: { containers } } } }
    await client.patch(deploymentKind, metadata('large'), 'strategic', patch)
    await until(
      informers,
      deploymentKind,
      ({ metadata, spec, status }) =>
        spec.template.spec.containers[0].image.endsWith(':2') &&
        status?.observedGeneration === metadata.generation &&
        status.updatedReplicas === 10_000 &&
        status.availableReplicas === 10_000,
    )
    return { seconds: since(startedAt) }
  },
  async jobs({ client, informers }) {
    const startedAt = performance.now()
    await all(1_000, (n) =>
      client.create(jobKind, {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: metadata(`job-${n}`),
        spec: {
          template: { ...template('job'), spec: { ...template('job').spec, restartPolicy: 'Never' } },
        },
      }),
    )
    await until(informers, jobKind, (each) => each.status?.succeeded === 1, 1_000)
    return { seconds: since(startedAt) }
  },
  /** Pods become ready and unready as fast as 64 writers can say so; every change is one of a slice. */
  async endpointSlices({ client, informers }) {
    const SERVICES = 200
    const each = (n) => ({ app: `s-${n % SERVICES}` })
    await all(SERVICES, (n) =>
      client.create(serviceKind, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: metadata(`s-${n}`),
        spec: { selector: each(n), ports: [{ port: 80 }] },
      }),
    )
    const setReady = (n, status) =>
      client.patch(
        podKind,
        metadata(`p-${n}`),
        'merge',
        {
          status: {
            phase: 'Running',
            podIP: address(n),
            podIPs: [{ ip: address(n) }],
            conditions: [{ type: 'Ready', status }],
          },
        },
        { subresource: 'status' },
      )
    await all(SERVICES * 10, async (n) => {
      const spec = { ...template('p').spec, nodeName: 'alone' }
      await client.create(podKind, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...metadata(`p-${n}`), labels: each(n) },
        spec,
      })
      await setReady(n, 'True')
    })
    const ready = ({ endpoints }) => endpoints.filter(({ conditions }) => conditions?.ready).length === 10
    await until(informers, endpointSlice, ready, SERVICES)
    let written = 0
    informers.of(endpointSlice).onChange(() => {
      written += 1
    })
    written = 0
    const startedAt = performance.now()
    const end = startedAt + 4_000
    let next = 0
    await Promise.all(
      Array.from({ length: 64 }, async () => {
        while (performance.now() < end) {
          next += 1
          await setReady(
            next % (SERVICES * 10),
            Math.floor(next / (SERVICES * 10)) % 2 === 0 ? 'False' : 'True',
          )
        }
      }),
    )
    const carried = { perSecond: written / since(startedAt), changesPerSecond: next / since(startedAt) }
    return { ...carried, writtenPerSecond: await writeSlices(client, SERVICES) }
  },
  async namespace({ client, informers }) {
    await client.create(namespaceKind, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'full' } })
    await all(10_000, (n) =>
      client.create(configMap, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: `c-${n}`, namespace: 'full' },
        data: { n: String(n) },
      }),
    )
    const startedAt = performance.now()
    await client.delete(namespaceKind, { name: 'full' })
    await until(informers, namespaceKind, () => informers.of(namespaceKind).get('full') === undefined)
    return { seconds: since(startedAt) }
  },
}

const address = (n) => `10.244.${Math.floor(n / 250)}.${(n % 250) + 1}`
const since = (startedAt) => (performance.now() - startedAt) / 1000

async function all(count, make) {
  let next = 0
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      while (next < count) {
        next += 1
        await make(next - 1)
      }
    }),
  )
}

/** Resolves when so many of the kind meet `is`; counted as they change. */
function until(informers, kind, is, count = 1) {
  const informer = informers.of(kind)
  const met = new Set()
  return new Promise((resolve) => {
    const cancel = informer.onChange(({ resource }) => {
      if (is(resource)) met.add(resource.metadata.uid)
      else met.delete(resource.metadata.uid)
      if (met.size < count) return
      resolve()
      // Not before onChange has returned.
      queueMicrotask(() => cancel())
    })
  })
}

function gone(informers, kind) {
  const informer = informers.of(kind)
  return new Promise((resolve) => {
    informer.onChange(() => informer.size === 0 && resolve())
  })
}

const workload = workloads[process.argv[2]]
const directory = mkdtempSync(join(import.meta.dirname, '.controllers-'))
const alone = process.argv[2] === 'endpointSlices'
const plane = await startControlPlane(createEnv(), {
  store: 'embedded',
  dataDirectory: directory,
  parts: { nodes: !alone },
})
try {
  const { client, informers } = plane
  const capacity = { cpu: '32', memory: '64Gi', pods: '250' }
  if (alone)
    await client.create(nodeKind, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'alone' },
      status: { capacity },
    })
  else
    await client.create(nodePool, {
      apiVersion: 'seamark.dev/v1alpha1',
      kind: 'NodePool',
      metadata: { name: 'worker' },
      spec: {
        count: 100,
        runtime: 'simulated',
        template: { capacity },
      },
    })
  const isReady = ({ status }) =>
    status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
  if (!alone) await until(informers, nodeKind, isReady, 100)
  const before = process.cpuUsage()
  const measured = await workload(plane)
  const { user, system } = process.cpuUsage(before)
  const rss = process.resourceUsage().maxRSS / 1024
  console.log(JSON.stringify({ ...measured, cpu: (user + system) / 1e6, rss }))
} finally {
  await plane.stop()
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
