// One workload in a process of its own: `node bench/scheduler-run.mjs NAME [memory|embedded]` prints one line of JSON.
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { csiNode } from '../dist/api/kinds/csi-node.js'
import { deviceClass } from '../dist/api/kinds/device-class.js'
import { namespace as namespaceKind } from '../dist/api/kinds/namespace.js'
import { node as nodeKind } from '../dist/api/kinds/node.js'
import { persistentVolume } from '../dist/api/kinds/persistent-volume.js'
import { persistentVolumeClaim } from '../dist/api/kinds/persistent-volume-claim.js'
import { pod as podKind } from '../dist/api/kinds/pod.js'
import { priorityClass } from '../dist/api/kinds/priority-class.js'
import { resourceClaim } from '../dist/api/kinds/resource-claim.js'
import { resourceSlice } from '../dist/api/kinds/resource-slice.js'
import { service as serviceKind } from '../dist/api/kinds/service.js'
import { createEnv } from '../dist/base/env.js'
import { startControlPlane } from '../dist/control-plane.js'
import { startScheduler } from '../dist/scheduler/scheduler.js'
import { workloads } from './scheduler-workloads.mjs'

const [, , name, store = 'memory'] = process.argv
const workload = workloads[name]
const directory = mkdtempSync(join(import.meta.dirname, '.scheduler-'))
const CLIENTS = 64

const plane = await startControlPlane(createEnv(), {
  store,
  ...(store === 'embedded' ? { dataDirectory: directory } : {}),
  parts: { controllers: false, scheduler: false, nodes: false },
})
const { client, informers, env } = plane

async function all(count, make) {
  let next = 0
  await Promise.all(
    Array.from({ length: Math.min(CLIENTS, count) }, async () => {
      while (next < count) {
        const i = next
        next += 1
        await make(i)
      }
    }),
  )
}

/** A volume and a claim of a pod's own, bound to each other. */
async function createBoundClaim(name, source) {
  const key = { namespace: 'default', name }
  const spec = { accessModes: ['ReadWriteOnce'], storageClassName: '' }
  const { metadata } = await client.create(persistentVolumeClaim, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: key,
    spec: { ...spec, resources: { requests: { storage: '1Gi' } }, volumeName: name },
  })
  await client.create(persistentVolume, {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      ...spec,
      capacity: { storage: '1Gi' },
      ...(source === 'ebs'
        ? { awsElasticBlockStore: { volumeID: name } }
        : { csi: { driver: 'ebs.csi.aws.com', volumeHandle: name } }),
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...key, uid: metadata.uid },
    },
  })
  await client.patch(
    persistentVolumeClaim,
    key,
    'merge',
    { status: { phase: 'Bound' } },
    { subresource: 'status' },
  )
}

/** Of the pods that come next, before they come. */
async function createClaims(count, { prefix, claims, deviceClaims }) {
  if (claims) await all(count, (i) => createBoundClaim(`${prefix}-${made + i}`, claims))
  if (deviceClaims) await all(count, (i) => createDeviceClaim(`${prefix}-${made + i}`))
}

/** As the controller makes it of the pod's template. */
async function createDeviceClaim(name) {
  await client.create(resourceClaim, {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: { namespace: 'default', name },
    spec: { devices: { requests: [{ name: 'one', exactly: { deviceClassName: 'test-class' } }] } },
  })
}

/** Devices of one driver on each node. */
async function createDevices(perNode) {
  const driver = 'test-driver.cdi.k8s.io'
  await client.create(deviceClass, {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'DeviceClass',
    metadata: { name: 'test-class' },
    spec: { selectors: [{ cel: { expression: `device.driver == "${driver}"` } }] },
  })
  await all(workload.nodes, async (i) => {
    const nodeName = `node-${i}`
    await client.create(resourceSlice, {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceSlice',
      metadata: { name: nodeName },
      spec: {
        driver,
        nodeName,
        pool: { name: nodeName, generation: 1, resourceSliceCount: 1 },
        devices: Array.from({ length: perNode }, (_, device) => ({ name: `device-${device}` })),
      },
    })
  })
}

/** Each takes 39 volumes of the driver, which has taken over what was EBS in the tree. */
async function createCsiNodes() {
  await all(workload.nodes, (i) =>
    client.create(csiNode, {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSINode',
      metadata: {
        name: `node-${i}`,
        annotations: { 'storage.alpha.kubernetes.io/migrated-plugins': 'kubernetes.io/aws-ebs' },
      },
      spec: { drivers: [{ name: 'ebs.csi.aws.com', nodeID: `node-${i}`, allocatable: { count: 39 } }] },
    }),
  )
}

let made = 0
function createPods(count, { prefix, labels, namespace, spec, specOf, claims, deviceClaims, finalizers }) {
  const from = made
  made += count
  return all(count, async (i) => {
    const name = `${prefix}-${from + i}`
    const volumes = claims ? { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: name } }] } : {}
    const devices = deviceClaims ? { resourceClaims: [{ name: 'device', resourceClaimName: name }] } : {}
    await client.create(podKind, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: namespace(i), labels, ...(finalizers ? { finalizers } : {}) },
      spec: { ...spec, ...specOf?.(i), ...volumes, ...devices },
    })
  })
}

let bound = 0
let wanted = Number.POSITIVE_INFINITY
let reached = () => {}
function untilBound(count) {
  wanted = count
  return new Promise((resolve) => {
    reached = resolve
    if (bound >= wanted) resolve()
  })
}

async function setUp() {
  for (const space of ['default', ...(workload.namespaces ?? [])])
    await client.create(namespaceKind, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: space, labels: { team: 'devops' } },
      spec: {},
    })
  await client.create(priorityClass, {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'high' },
    value: 1000,
  })
  if (workload.service)
    await client.create(serviceKind, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'all', namespace: 'default' },
      spec: { selector: workload.service, ports: [{ port: 80 }] },
    })
  const capacity = workload.capacity ?? { cpu: '4', memory: '32Gi', pods: '110' }
  await all(workload.nodes, async (i) => {
    const labels = {
      'kubernetes.io/hostname': `node-${i}`,
      'topology.kubernetes.io/zone': `zone-${i % (workload.zones ?? 3)}`,
    }
    const taints =
      i < (workload.tainted ?? 0) ? { taints: [{ key: 'foo', value: '', effect: 'NoSchedule' }] } : {}
    await client.create(nodeKind, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: `node-${i}`, labels },
      spec: taints,
    })
    await client.patch(
      nodeKind,
      { name: `node-${i}` },
      'merge',
      { status: { capacity, allocatable: capacity } },
      { subresource: 'status' },
    )
  })
}

await setUp()
if (workload.devices) await createDevices(workload.devices)
if (workload.csiNodes) await createCsiNodes()
const pods = informers.of(podKind)
await pods.synced
const counted = new Set()
pods.onChange(({ type, resource }) => {
  if (type === 'deleted' || !resource.spec.nodeName || counted.has(resource.metadata.uid)) return
  counted.add(resource.metadata.uid)
  bound += 1
  if (bound >= wanted) reached()
})
let scheduler = startScheduler(env, client, informers)
for (const [count, shape] of workload.init ?? []) {
  const target = bound + count
  await createClaims(count, shape)
  await createPods(count, shape)
  await untilBound(target)
}
if (workload.deleted) {
  const [count, shape] = workload.deleted
  const target = bound + count
  const from = made
  await createPods(count, shape)
  await untilBound(target)
  await all(count, (i) =>
    client.delete(podKind, { namespace: 'default', name: `${shape.prefix}-${from + i}` }),
  )
}
if (workload.stuck) {
  await createPods(...workload.stuck)
  await new Promise((resolve) => setTimeout(resolve, Math.max(1000, workload.stuck[0] / 3)))
}
const [count, shape] = workload.measured
const target = bound + count
await createClaims(count, shape)
if (workload.waiting) {
  await scheduler.stop()
  await createPods(count, shape)
}
let churns = true
const churn = async () => {
  for (let i = 0; churns && workload.churn; i += 1) {
    const key = { namespace: 'default', name: `churn-${i}` }
    await client.create(podKind, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: key,
      spec: { containers: [{ name: 'pause', image: 'pause', resources: { requests: { cpu: '9' } } }] },
    })
    await new Promise((resolve) => setTimeout(resolve, 200))
    await client.delete(podKind, key, { gracePeriodSeconds: 0 })
  }
}
globalThis.gc?.()
const startedAt = performance.now()
const churning = churn()
if (workload.waiting) scheduler = startScheduler(env, client, informers)
const creating = workload.waiting ? undefined : createPods(count, shape)
// There is no kubelet here: what is evicted goes at once.
if (workload.evicting)
  pods.onChange(({ type, resource }) => {
    const { namespace, name } = resource.metadata
    if (type === 'updated' && resource.metadata.deletionTimestamp)
      void client.delete(podKind, { namespace, name }, { gracePeriodSeconds: 0 }).catch(() => {})
  })
await creating
const createdAt = performance.now()
await untilBound(target)
const tookMs = performance.now() - startedAt
churns = false
await churning
const memory = process.memoryUsage()
console.log(
  JSON.stringify({
    podsPerSecond: (count * 1000) / tookMs,
    createMs: workload.waiting ? 0 : createdAt - startedAt,
    tookMs,
    residentMb: memory.rss / 2 ** 20,
    heapMb: memory.heapUsed / 2 ** 20,
  }),
)
await scheduler.stop()
await plane.stop()
rmSync(directory, { recursive: true, force: true })
