import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { clientWith } from '../../test/support/client-with.ts'
import { createTestCluster, type TestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { findCondition } from '../api/conditions.ts'
import { type ConfigMap, configMap } from '../api/kinds/config-map.ts'
import { event } from '../api/kinds/event.ts'
import { kinds } from '../api/kinds/index.ts'
import { namespace } from '../api/kinds/namespace.ts'
import { priorityClass } from '../api/kinds/priority-class.ts'
import type { OwnerReference, Resource } from '../api/resource.ts'
import { ApiError } from '../api/status.ts'
import type { Running } from './controller.ts'
import { startControllers } from './index.ts'

let cluster: TestCluster
let running: Running
/** Set to make live reads of config maps fail. */
let readError: Error | undefined
/** Set to make lists of leases fail, as of a group whose server is away. */
let listError: Error | undefined

beforeEach(async () => {
  readError = undefined
  listError = undefined
  cluster = await createTestCluster()
  const client = clientWith(cluster.client, {
    get(kind, key) {
      if (readError && kind.kind === 'ConfigMap') throw readError
      return cluster.client.get(kind, key)
    },
    list(kind, options) {
      if (listError && kind.kind === 'Lease') throw listError
      return cluster.client.list(kind, options)
    },
  })
  running = startControllers(cluster.env, client, { informers: cluster.informers, kinds: () => kinds })
  await cluster.clock.run(1000)
})
afterEach(async () => {
  await running.stop()
  await cluster.close()
})

function ownedBy(owner: Resource, more: Partial<OwnerReference> = {}): OwnerReference {
  const { name, uid = '' } = owner.metadata
  return { apiVersion: owner.apiVersion, kind: owner.kind, name, uid, blockOwnerDeletion: true, ...more }
}

const create = (name: string, owners: OwnerReference[] = [], home = 'default'): Promise<ConfigMap> =>
  cluster.client.create(
    configMap,
    make.configMap({ metadata: { name, namespace: home, ownerReferences: owners } }),
  )

const remove = (name: string, propagationPolicy: 'Background' | 'Foreground' | 'Orphan') =>
  cluster.client.delete(configMap, { namespace: 'default', name }, { propagationPolicy })

const names = async () => (await cluster.client.list(configMap)).items.map(({ metadata }) => metadata.name)

describe('The garbage collector', () => {
  test.each(['Background', 'Foreground'] as const)('deletes a deep tree in the %s', async (policy) => {
    const root = await create('root')
    let parent = root
    for (let depth = 1; depth <= 5; depth += 1) parent = await create(`level-${depth}`, [ownedBy(parent)])
    await remove('root', policy)
    await cluster.clock.until(async () => (await names()).length === 0, 10_000)
  })

  test('keeps what has another owner, and drops the reference to the one that went', async () => {
    const [one, other] = [await create('one'), await create('other')]
    await create('child', [ownedBy(one), ownedBy(other)])
    await remove('one', 'Background')
    await cluster.clock.run(5000)
    const child = await cluster.client.get(configMap, { namespace: 'default', name: 'child' })
    expect(child.metadata.ownerReferences?.map(({ name }) => name)).toEqual(['other'])
  })

  test('deletes two that own one another', async () => {
    const egg = await create('egg')
    const hen = await create('hen', [ownedBy(egg)])
    const ownerReferences = [ownedBy(hen)]
    await cluster.client.update(configMap, { ...egg, metadata: { ...egg.metadata, ownerReferences } })
    await cluster.clock.run(1000)
    await remove('egg', 'Foreground')
    await cluster.clock.until(async () => (await names()).length === 0, 10_000)
  })

  test('sets dependents free when asked to orphan them', async () => {
    await create('child', [ownedBy(await create('root'))])
    await remove('root', 'Orphan')
    await cluster.clock.until(async () => (await names()).length === 1, 10_000)
    await cluster.clock.run(60_000)
    const child = await cluster.client.get(configMap, { namespace: 'default', name: 'child' })
    expect(child.metadata.ownerReferences ?? []).toEqual([])
  })

  test('deletes a dependent of an owner that was made anew under its name', async () => {
    const root = await create('root')
    await remove('root', 'Background')
    await create('root')
    await create('child', [ownedBy(root)])
    await cluster.clock.until(async () => (await names()).join() === 'root', 10_000)
  })

  test('deletes nothing while owners cannot be read', async () => {
    readError = new ApiError('ServiceUnavailable', 'try again')
    const root = await create('root')
    await create('child', [ownedBy(root)])
    await remove('root', 'Background')
    await cluster.clock.run(60_000)
    expect(await names()).toEqual(['child'])
    readError = undefined
    await cluster.clock.until(async () => (await names()).length === 0, 600_000)
  })

  test('tells of an owner in another namespace, and takes it for absent', async () => {
    await cluster.client.create(namespace, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop' },
      spec: {},
    })
    await create('child', [ownedBy(await create('root'))], 'shop')
    await cluster.clock.until(async () => (await names()).join() === 'root', 10_000)
    await cluster.clock.run(1000)
    const events = (await cluster.client.list(event)).items.map(({ reason }) => reason)
    expect(events).toContain('OwnerRefInvalidNamespace')
  })

  test('never deletes a cluster-scoped object over a namespaced owner', async () => {
    const root = await create('root')
    const metadata = { name: 'high', ownerReferences: [ownedBy(root)] }
    await cluster.client.create(priorityClass, {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata,
      value: 10,
    })
    await remove('root', 'Background')
    await cluster.clock.run(600_000)
    await cluster.client.get(priorityClass, { name: 'high' })
  })

  test('never deletes over an owner of a kind nobody knows', async () => {
    await create('child', [{ apiVersion: 'example.com/v1', kind: 'Widget', name: 'w', uid: 'w' }])
    await cluster.clock.run(600_000)
    expect(await names()).toEqual(['child'])
  })
})

describe('A namespace', () => {
  const phaseOf = async () => (await cluster.client.get(namespace, { name: 'shop' })).status
  const isGone = async () =>
    !(await cluster.client.list(namespace)).items.some(({ metadata }) => metadata.name === 'shop')

  beforeEach(async () => {
    await cluster.client.create(namespace, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop' },
      spec: {},
    })
  })

  test('goes with everything in it', async () => {
    await create('settings', [], 'shop')
    await cluster.client.delete(namespace, { name: 'shop' })
    await cluster.clock.until(isGone, 10_000)
    expect(await names()).toEqual([])
  })

  test('names what holds it up, and goes when that is gone', async () => {
    const metadata = { name: 'held', namespace: 'shop', finalizers: ['example.com/hold'] }
    await cluster.client.create(configMap, make.configMap({ metadata }))
    await cluster.client.delete(namespace, { name: 'shop' })
    await cluster.clock.run(5000)
    const status = await phaseOf()
    expect(status?.phase).toBe('Terminating')
    expect(findCondition(status?.conditions, 'NamespaceContentRemaining')).toMatchObject({
      status: 'True',
      reason: 'SomeResourcesRemain',
      message: 'Some resources are remaining: configmaps. has 1 resource instances',
    })
    const held = await cluster.client.get(configMap, { namespace: 'shop', name: 'held' })
    await cluster.client.update(configMap, { ...held, metadata: { ...held.metadata, finalizers: [] } })
    await cluster.clock.until(isGone, 30_000)
  })

  test('goes on with other kinds when one cannot be listed, says so, and goes when it can be again', async () => {
    await create('settings', [], 'shop')
    listError = new ApiError('ServiceUnavailable', 'the server is currently unable to handle the request')
    await cluster.client.delete(namespace, { name: 'shop' })
    await cluster.clock.run(5000)
    expect(await names()).toEqual([])
    const status = await phaseOf()
    expect(status?.phase).toBe('Terminating')
    expect(findCondition(status?.conditions, 'NamespaceDeletionContentFailure')).toMatchObject({
      status: 'True',
      reason: 'ContentDeletionFailed',
      message:
        'Failed to delete all resource types, 1 remaining: unexpected error deleting leases.coordination.k8s.io: the server is currently unable to handle the request',
    })
    listError = undefined
    await cluster.clock.until(isGone, 120_000)
  })

  test('that every cluster has comes back', async () => {
    for (const name of ['kube-public', 'kube-node-lease', 'kube-system'])
      await cluster.client.get(namespace, { name })
    await cluster.client.get(priorityClass, { name: 'system-node-critical' })
    await cluster.client.delete(priorityClass, { name: 'system-node-critical' })
    await cluster.clock.run(1000)
    expect((await cluster.client.get(priorityClass, { name: 'system-node-critical' })).value).toBe(
      2_000_001_000,
    )
  })
})
