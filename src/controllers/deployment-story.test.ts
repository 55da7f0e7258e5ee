import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { startPretendKubelet, startPretendNode } from '../../test/support/pretend-kubelet.ts'
import { findCondition } from '../api/conditions.ts'
import type { KindRef } from '../api/kind.ts'
import { type Deployment, deployment } from '../api/kinds/deployment.ts'
import { event } from '../api/kinds/event.ts'
import { kinds } from '../api/kinds/index.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { type ReplicaSet, replicaSet } from '../api/kinds/replica-set.ts'
import { isPodReady } from '../api/pods.ts'
import { keyOf } from '../api/resource.ts'
import type { Running } from './controller.ts'
import { startControllers } from './index.ts'

const KEY = { namespace: 'default', name: 'web' }
const isBroken = ({ spec }: Pod) => spec.containers.some(({ image }) => image?.endsWith(':broken'))

let cluster: TestCluster
let running: Running
beforeEach(async () => {
  cluster = await createTestCluster()
  startPretendKubelet(cluster, { becomesReady: (each) => !isBroken(each) })
  await startPretendNode(cluster, make.node())
  running = startControllers(cluster.env, cluster.client, {
    informers: cluster.informers,
    kinds: () => kinds,
  })
})
afterEach(async () => {
  await running.stop()
  await cluster.close()
})

const found = () => cluster.client.get(deployment, KEY)
const sets = async () => (await cluster.client.list(replicaSet, { namespace: 'default' })).items
const pods = async () => (await cluster.client.list(pod, { namespace: 'default' })).items
const progress = async () => findCondition((await found()).status?.conditions, 'Progressing')?.reason
const isDone = async () => {
  const { status, metadata, spec } = await found()
  return (
    status?.observedGeneration === metadata.generation &&
    status?.updatedReplicas === spec.replicas &&
    status?.replicas === spec.replicas &&
    status?.availableReplicas === spec.replicas
  )
}

/** Of everything but the heartbeat of the node. */
async function versions(): Promise<string[]> {
  const lists = kinds.filter(({ kind }) => kind !== 'Lease').map((kind: KindRef) => cluster.client.list(kind))
  const items = (await Promise.all(lists)).flatMap((list) => list.items)
  return items.map(({ kind, metadata }) => `${kind} ${keyOf({ metadata })} ${metadata.resourceVersion}`)
}

async function change(with_: (spec: Deployment['spec']) => Partial<Deployment['spec']>): Promise<void> {
  const current = await found()
  await cluster.client.update(deployment, { ...current, spec: { ...current.spec, ...with_(current.spec) } })
}

const withImage = (image: string) => (spec: Deployment['spec']) => ({
  template: { ...spec.template, spec: { ...spec.template.spec, containers: [{ name: 'app', image }] } },
})

async function deploy(override: Parameters<typeof make.deployment>[0] = {}): Promise<void> {
  await cluster.client.create(deployment, make.deployment(override))
  await cluster.clock.until(isDone, 60_000)
}

/** Numbers of pods seen at every change, for promises that must hold all the time. */
function watchPods(): { most: number; fewestReady: number } {
  const seen = { most: 0, fewestReady: Number.POSITIVE_INFINITY }
  cluster.informers.of(pod).onChange(() => {
    const live = cluster.informers
      .of(pod)
      .list()
      .filter(({ metadata }) => !metadata.deletionTimestamp)
    seen.most = Math.max(seen.most, live.length)
    seen.fewestReady = Math.min(seen.fewestReady, live.filter(isPodReady).length)
  })
  return seen
}

describe('A Deployment', () => {
  test('gets its pods, says so, and then rests', async () => {
    await deploy()
    expect(await pods()).toHaveLength(3)
    const [set] = await sets()
    const { metadata } = await found()
    // The annotation comes through /status, so it is no generation of its own; managedFields say so.
    expect(metadata).toMatchObject({
      generation: 1,
      annotations: { 'deployment.kubernetes.io/revision': '1' },
    })
    expect(
      metadata.managedFields?.find(({ subresource }) => subresource === 'status')?.fieldsV1,
    ).toMatchObject({
      'f:metadata': { 'f:annotations': { 'f:deployment.kubernetes.io/revision': {} } },
    })
    expect(set?.status).toMatchObject({
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
    })
    expect((await pods())[0]?.metadata.name).toMatch(new RegExp(`^${set?.metadata.name}-[a-z0-9]{5}$`))
    await cluster.clock.run(10_000)
    const messages = (await cluster.client.list(event)).items.map(({ message }) => message)
    expect(messages).toContain(`Scaled up replica set ${set?.metadata.name} from 0 to 3`)
    expect(await progress()).toBe('NewReplicaSetAvailable')
    const before = await versions()
    // Less than events live for.
    await cluster.clock.run(3_500_000)
    expect(await versions()).toEqual(before)
  })

  test('rolls over without going below what must be available or above the surge', async () => {
    await deploy({ spec: { replicas: 10 } })
    const seen = watchPods()
    await change(withImage('registry.example/app:2'))
    await cluster.clock.until(isDone, 120_000)
    expect(seen.most).toBeLessThanOrEqual(13)
    expect(seen.fewestReady).toBeGreaterThanOrEqual(8)
    await cluster.clock.until(async () => (await pods()).length === 10, 10_000)
    const images = (await pods()).map(({ spec }) => spec.containers[0]?.image)
    expect(new Set(images)).toEqual(new Set(['registry.example/app:2']))
    expect((await sets()).map(({ spec }) => spec.replicas).toSorted()).toEqual([0, 10])
  })

  test('stops at a broken template, misses its deadline, and goes back', async () => {
    await deploy({ spec: { progressDeadlineSeconds: 60 } })
    await change(withImage('registry.example/app:broken'))
    await cluster.clock.until(async () => (await progress()) === 'ProgressDeadlineExceeded', 90_000)
    expect((await pods()).filter(isPodReady)).toHaveLength(3)
    expect(findCondition((await found()).status?.conditions, 'Available')?.status).toBe('True')
    await change(withImage('registry.example/app:1'))
    await cluster.clock.until(isDone, 60_000)
    expect((await found()).metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3')
    expect(await progress()).toBe('NewReplicaSetAvailable')
    expect(await sets()).toHaveLength(2)
  })

  test('scales up and down', async () => {
    await deploy()
    for (const replicas of [7, 2, 0]) {
      await change(() => ({ replicas }))
      await cluster.clock.until(async () => (await pods()).length === replicas && (await isDone()), 60_000)
    }
    expect(await sets()).toHaveLength(1)
  })

  test('keeps its history within the limit', async () => {
    await deploy({ spec: { revisionHistoryLimit: 2 } })
    for (const tag of [2, 3, 4, 5]) {
      await change(withImage(`registry.example/app:${tag}`))
      await cluster.clock.until(isDone, 60_000)
    }
    await cluster.clock.run(5_000)
    const revisions = (await sets()).map(
      ({ metadata }) => metadata.annotations?.['deployment.kubernetes.io/revision'],
    )
    expect(revisions.toSorted()).toEqual(['3', '4', '5'])
  })

  test('does not roll over while paused', async () => {
    await deploy()
    await change((spec) => ({ paused: true, ...withImage('registry.example/app:2')(spec) }))
    await cluster.clock.run(30_000)
    expect(await progress()).toBe('DeploymentPaused')
    expect(await sets()).toHaveLength(1)
    await change(() => ({ paused: false }))
    await cluster.clock.until(isDone, 60_000)
    expect(await sets()).toHaveLength(2)
  })

  test('with Recreate never has old and new pods at once', async () => {
    await deploy({ spec: { strategy: { type: 'Recreate' } } })
    let isMixed = false
    cluster.informers.of(pod).onChange(() => {
      const images = cluster.informers
        .of(pod)
        .list()
        .map(({ spec }) => spec.containers[0]?.image)
      isMixed ||= new Set(images).size > 1
    })
    await change(withImage('registry.example/app:2'))
    await cluster.clock.until(isDone, 60_000)
    expect(isMixed).toBe(false)
  })

  test('takes its ReplicaSets and pods with it', async () => {
    await deploy()
    await cluster.client.delete(deployment, KEY, { propagationPolicy: 'Background' })
    await cluster.clock.until(async () => (await pods()).length + (await sets()).length === 0, 60_000)
  })

  test('deleted in the foreground goes last', async () => {
    await deploy()
    await cluster.client.delete(deployment, KEY, { propagationPolicy: 'Foreground' })
    await cluster.clock.until(async () => (await pods()).length === 0, 60_000)
    await cluster.clock.until(async () => (await cluster.client.list(deployment)).items.length === 0, 60_000)
    expect(await sets()).toEqual([])
  })

  test('deleted as an orphan leaves its ReplicaSet, and one made anew adopts it', async () => {
    await deploy()
    const before = (await pods()).map(({ metadata }) => metadata.uid).toSorted()
    await cluster.client.delete(deployment, KEY, { propagationPolicy: 'Orphan' })
    await cluster.clock.until(async () => (await cluster.client.list(deployment)).items.length === 0, 60_000)
    await cluster.clock.run(60_000)
    const orphans: readonly ReplicaSet[] = await sets()
    expect(orphans.map(({ metadata }) => metadata.ownerReferences ?? [])).toEqual([[]])
    await deploy()
    expect((await pods()).map(({ metadata }) => metadata.uid).toSorted()).toEqual(before)
  })

  test('replaces a pod that is deleted, and releases one that is relabelled', async () => {
    await deploy()
    const [first, second] = await pods()
    await cluster.client.delete(pod, { namespace: 'default', name: first!.metadata.name })
    const labels = { app: 'debug' }
    await cluster.client.update(pod, { ...second!, metadata: { ...second!.metadata, labels } })
    await cluster.clock.until(async () => (await pods()).filter(isPodReady).length === 4, 60_000)
    const released = (await pods()).find(({ metadata }) => metadata.labels?.['app'] === 'debug')
    expect(released?.metadata.ownerReferences ?? []).toEqual([])
  })
})
