import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { startPretendKubelet, startPretendNode } from '../../test/support/pretend-kubelet.ts'
import { controllerRevision } from '../api/kinds/controller-revision.ts'
import { type DaemonSet, daemonSet } from '../api/kinds/daemon-set.ts'
import { event } from '../api/kinds/event.ts'
import { kinds } from '../api/kinds/index.ts'
import { node } from '../api/kinds/node.ts'
import { persistentVolumeClaim } from '../api/kinds/persistent-volume-claim.ts'
import { pod } from '../api/kinds/pod.ts'
import { type StatefulSet, statefulSet } from '../api/kinds/stateful-set.ts'
import { isPodReady } from '../api/pods.ts'
import type { Running } from './controller.ts'
import { startControllers } from './index.ts'

let cluster: TestCluster
let running: Running
let broken = ''

beforeEach(async () => {
  broken = ''
  cluster = await createTestCluster()
  running = startControllers(cluster.env, cluster.client, {
    informers: cluster.informers,
    kinds: () => kinds,
  })
  await cluster.clock.run(1000)
  for (const name of ['node-a', 'node-b', 'node-c'])
    await startPretendNode(
      cluster,
      make.node({ metadata: { name, labels: { 'kubernetes.io/hostname': name } } }),
    )
})
afterEach(async () => {
  await running.stop()
  await cluster.close()
})

const imageOf = (one: {
  readonly spec: { readonly containers: readonly { readonly image?: string | undefined }[] }
}) => one.spec.containers[0]?.image ?? ''
const pods = async () =>
  (await cluster.client.list(pod)).items.filter(({ metadata }) => !metadata.deletionTimestamp)
const shown = async () =>
  (await pods()).map(
    (each) => `${each.metadata.name} ${imageOf(each).split(':')[1]}${isPodReady(each) ? '' : '!'}`,
  )
const DB = { namespace: 'default', name: 'db' }
const template = (image: string) => ({
  metadata: { labels: { app: 'db' } },
  spec: { containers: [{ name: 'app', image: `registry.example/db:${image}` }] },
})

describe('A StatefulSet', () => {
  beforeEach(() => {
    startPretendKubelet(cluster, { startMs: 1000, becomesReady: (each) => imageOf(each) !== broken })
  })
  const create = (spec: Partial<StatefulSet['spec']> = {}) =>
    cluster.client.create(statefulSet, {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db' },
      spec: {
        replicas: 3,
        serviceName: 'db',
        selector: { matchLabels: { app: 'db' } },
        template: template('1'),
        ...spec,
      },
    })
  const change = async (spec: Partial<StatefulSet['spec']>) => {
    const found = await cluster.client.get(statefulSet, DB)
    await cluster.client.update(statefulSet, { ...found, spec: { ...found.spec, ...spec } })
  }
  const settle = (count: number) =>
    cluster.clock.until(async () => (await pods()).filter(isPodReady).length === count, 120_000)

  test('comes up one by one, rolls from the last to the first, and goes back', async () => {
    await create()
    await settle(3)
    expect(await shown()).toEqual(['db-0 1', 'db-1 1', 'db-2 1'])
    const created = (await pods()).map(({ metadata }) => metadata.creationTimestamp ?? '')
    expect(created).toEqual([...new Set(created)].sort())
    await change({ template: template('2') })
    await cluster.clock.run(60_000)
    expect(await shown()).toEqual(['db-0 2', 'db-1 2', 'db-2 2'])
    const { status } = await cluster.client.get(statefulSet, DB)
    expect(status).toMatchObject({ readyReplicas: 3, updatedReplicas: 3, currentReplicas: 3 })
    expect(status?.currentRevision).toBe(status?.updateRevision)
    const numbers = async () =>
      (await cluster.client.list(controllerRevision)).items.map(({ revision }) => revision).sort()
    expect(await numbers()).toEqual([1, 2])
    await change({ template: template('1') })
    await cluster.clock.run(60_000)
    expect(await shown()).toEqual(['db-0 1', 'db-1 1', 'db-2 1'])
    // The old revision has the next number: no third one is made.
    expect(await numbers()).toEqual([2, 3])
  })

  test('stops at an ordinal that does not come up, also when it is mended, until that pod is deleted, as upstream', async () => {
    await create()
    await settle(3)
    broken = 'registry.example/db:2'
    await change({ template: template('2') })
    await cluster.clock.run(60_000)
    expect(await shown()).toEqual(['db-0 1', 'db-1 1', 'db-2 2!'])
    await change({ template: template('3') })
    await cluster.clock.run(60_000)
    expect(await shown()).toEqual(['db-0 1', 'db-1 1', 'db-2 2!'])
    await cluster.client.delete(pod, { namespace: 'default', name: 'db-2' })
    await cluster.clock.run(60_000)
    expect(await shown()).toEqual(['db-0 3', 'db-1 3', 'db-2 3'])
  })

  test('keeps its partition on the old revision', async () => {
    await create({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } })
    await settle(3)
    await change({ template: template('2') })
    await cluster.clock.run(60_000)
    expect(await shown()).toEqual(['db-0 1', 'db-1 1', 'db-2 2'])
    // What comes back below the partition is of the old revision.
    await cluster.client.delete(pod, { namespace: 'default', name: 'db-0' })
    await cluster.clock.run(60_000)
    expect(await shown()).toEqual(['db-0 1', 'db-1 1', 'db-2 2'])
  })

  const CLAIMS = [
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
  ]
  const claimOf = (name: string) => cluster.client.get(persistentVolumeClaim, { namespace: 'default', name })
  const said = async () =>
    (await cluster.client.list(event)).items.map(({ reason, message }) => `${reason} ${message}`)

  test('scaled up while a claim still goes with the pod it was scaled down by waits for a claim of its own', async () => {
    const persistentVolumeClaimRetentionPolicy = { whenScaled: 'Delete', whenDeleted: 'Retain' }
    await create({ volumeClaimTemplates: CLAIMS, persistentVolumeClaimRetentionPolicy })
    await settle(3)
    const { metadata } = await claimOf('data-db-2')
    const held = await claimOf('data-db-2')
    const finalizers = [...(held.metadata.finalizers ?? []), 'example.com/slow']
    await cluster.client.update(persistentVolumeClaim, {
      ...held,
      metadata: { ...held.metadata, finalizers },
    })
    await change({ replicas: 2 })
    await cluster.clock.until(async () => (await cluster.client.list(pod)).items.length === 2, 60_000)
    await change({ replicas: 3 })
    await cluster.clock.run(60_000)
    expect(await shown()).toEqual(['db-0 1', 'db-1 1'])
    const going = await claimOf('data-db-2')
    await cluster.client.update(persistentVolumeClaim, {
      ...going,
      metadata: { ...going.metadata, finalizers: [] },
    })
    await settle(3)
    expect((await claimOf('data-db-2')).metadata.uid).not.toBe(metadata.uid)
  })

  test('says that a pod waits for a claim that somebody deletes', async () => {
    await create({ volumeClaimTemplates: CLAIMS, replicas: 1 })
    await settle(1)
    const held = await claimOf('data-db-0')
    const { metadata } = await cluster.client.update(persistentVolumeClaim, {
      ...held,
      metadata: { ...held.metadata, finalizers: ['example.com/slow'] },
    })
    await cluster.client.delete(persistentVolumeClaim, { namespace: 'default', name: 'data-db-0' })
    await cluster.client.delete(pod, { namespace: 'default', name: 'db-0' })
    await cluster.clock.run(5000)
    expect(await said()).toContain(
      'FailedCreate create Pod db-0 in StatefulSet db failed error: pvc data-db-0 is being deleted',
    )
    const going = await claimOf('data-db-0')
    await cluster.client.update(persistentVolumeClaim, {
      ...going,
      metadata: { ...going.metadata, finalizers: [] },
    })
    await settle(1)
    expect((await claimOf('data-db-0')).metadata.uid).not.toBe(metadata.uid)
  })

  test('gives a pod back the label it is found by', async () => {
    await create({ replicas: 1 })
    await settle(1)
    const labels = { 'statefulset.kubernetes.io/pod-name': null }
    await cluster.client.patch(pod, { namespace: 'default', name: 'db-0' }, 'merge', { metadata: { labels } })
    await cluster.clock.run(2000)
    const [only] = await pods()
    expect(only?.metadata.labels?.['statefulset.kubernetes.io/pod-name']).toBe('db-0')
    expect(await said()).toContain('SuccessfulUpdate update Pod db-0 in StatefulSet db successful')
  })

  test('keeps claims when it is scaled down, or takes them along when it is told to', async () => {
    const claims = async () =>
      (await cluster.client.list(persistentVolumeClaim)).items.map(({ metadata }) => metadata.name)
    await create({ volumeClaimTemplates: CLAIMS })
    await settle(3)
    await change({ replicas: 2 })
    await cluster.clock.run(60_000)
    expect(await claims()).toEqual(['data-db-0', 'data-db-1', 'data-db-2'])
    await change({ persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete', whenDeleted: 'Delete' } })
    await change({ replicas: 1 })
    await cluster.clock.run(60_000)
    expect(await claims()).toEqual(['data-db-0', 'data-db-2'])
    await cluster.client.delete(statefulSet, DB, { propagationPolicy: 'Background' })
    await cluster.clock.run(60_000)
    expect(await shown()).toEqual([])
    expect(await claims()).toEqual(['data-db-2'])
  })

  test('comes to rest: nothing is written once all is well', async () => {
    await create()
    await settle(3)
    await cluster.clock.run(5000)
    const before = (await cluster.client.list(pod)).items.map(({ metadata }) => metadata.resourceVersion)
    const { metadata } = await cluster.client.get(statefulSet, DB)
    await cluster.clock.run(3_600_000)
    expect((await cluster.client.list(pod)).items.map((each) => each.metadata.resourceVersion)).toEqual(
      before,
    )
    expect((await cluster.client.get(statefulSet, DB)).metadata.resourceVersion).toBe(
      metadata.resourceVersion,
    )
  })
})

describe('A DaemonSet', () => {
  beforeEach(() => {
    // No scheduler here: the pod is bound to the node that it is for.
    cluster.informers.of(pod).onChange(({ type, resource }) => {
      if (type !== 'added' || resource.spec.nodeName) return
      const [term] =
        resource.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
          ?.nodeSelectorTerms ?? []
      const name = term?.matchFields?.[0]?.values?.[0]
      if (name)
        void cluster.client.createSubresource(
          pod,
          { namespace: 'default', name: resource.metadata.name },
          'binding',
          {
            apiVersion: 'v1',
            kind: 'Binding',
            metadata: { name: resource.metadata.name },
            target: { kind: 'Node', name },
          },
        )
    })
    startPretendKubelet(cluster, { startMs: 1000, becomesReady: (each) => imageOf(each) !== broken })
  })
  const create = (spec: Partial<DaemonSet['spec']> = {}) =>
    cluster.client.create(daemonSet, {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'db' },
      spec: { selector: { matchLabels: { app: 'db' } }, template: template('1'), ...spec },
    })
  const onNodes = async () =>
    (await pods())
      .map((each) => `${each.spec.nodeName} ${imageOf(each).split(':')[1]}${isPodReady(each) ? '' : '!'}`)
      .sort()

  test('runs on each node, follows nodes that come and labels that change, and rolls', async () => {
    await create()
    await cluster.clock.run(20_000)
    expect(await onNodes()).toEqual(['node-a 1', 'node-b 1', 'node-c 1'])
    await startPretendNode(cluster, make.node({ metadata: { name: 'node-d' } }))
    await cluster.clock.run(20_000)
    expect(await onNodes()).toEqual(['node-a 1', 'node-b 1', 'node-c 1', 'node-d 1'])
    const found = await cluster.client.get(daemonSet, DB)
    await cluster.client.update(daemonSet, { ...found, spec: { ...found.spec, template: template('2') } })
    await cluster.clock.run(60_000)
    expect(await onNodes()).toEqual(['node-a 2', 'node-b 2', 'node-c 2', 'node-d 2'])
    expect((await cluster.client.get(daemonSet, DB)).status).toMatchObject({
      updatedNumberScheduled: 4,
      numberAvailable: 4,
    })
    const cordoned = await cluster.client.get(node, { name: 'node-a' })
    await cluster.client.update(node, {
      ...cordoned,
      spec: { ...cordoned.spec, taints: [{ key: 'drained', effect: 'NoExecute' }] },
    })
    await cluster.clock.run(20_000)
    expect(await onNodes()).toEqual(['node-b 2', 'node-c 2', 'node-d 2'])
  })

  test('makes no history while it is deleted in the foreground, or that would never end', async () => {
    await create()
    await cluster.clock.run(20_000)
    await cluster.client.delete(daemonSet, DB, { propagationPolicy: 'Foreground' })
    await cluster.clock.run(60_000)
    expect((await cluster.client.list(daemonSet)).items).toEqual([])
    expect((await cluster.client.list(controllerRevision)).items).toEqual([])
  })

  test('stops rolling when the new pods do not come up', async () => {
    await create()
    await cluster.clock.run(20_000)
    broken = 'registry.example/db:2'
    const found = await cluster.client.get(daemonSet, DB)
    await cluster.client.update(daemonSet, { ...found, spec: { ...found.spec, template: template('2') } })
    await cluster.clock.run(120_000)
    expect((await onNodes()).filter((each) => each.endsWith(' 1'))).toHaveLength(2)
    expect((await onNodes()).filter((each) => each.endsWith(' 2!'))).toHaveLength(1)
  })
})
