import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../../test/support/cluster.ts'
import { make } from '../../../test/support/make.ts'
import { configMap } from '../../api/kinds/config-map.ts'
import { pod } from '../../api/kinds/pod.ts'
import type { DeleteOptions } from '../../client/client.ts'

let cluster: TestCluster
beforeEach(async () => {
  cluster = await createTestCluster()
})
afterEach(() => cluster.close())
const web = { namespace: 'default', name: 'web' }
const settings = { namespace: 'default', name: 'settings' }
const START = Date.UTC(2030, 0, 1)
const at = (seconds: number) => `${new Date(START + seconds * 1000).toISOString().slice(0, 19)}Z`

async function addPod({ node = 'a', phase = 'Running', spec = {} } = {}) {
  await cluster.client.create(pod, make.pod({ spec }))
  if (node)
    await cluster.client.createSubresource(pod, web, 'binding', { target: { kind: 'Node', name: node } })
  await cluster.client.patch(pod, web, 'merge', { status: { phase } }, { subresource: 'status' })
}
const deletePod = async (options: DeleteOptions = {}) => {
  const { metadata } = await cluster.client.delete(pod, web, options)
  return [metadata.deletionTimestamp, metadata.deletionGracePeriodSeconds]
}
const isThere = async () => (await cluster.client.list(pod)).items.length === 1

describe('Deleting a pod', () => {
  test.each<[string, Parameters<typeof addPod>[0], DeleteOptions, unknown[]]>([
    ['its own grace period', {}, {}, [at(30), 30]],
    ['the grace period of its spec', { spec: { terminationGracePeriodSeconds: 5 } }, {}, [at(5), 5]],
    ['the grace period of the request', {}, { gracePeriodSeconds: 7 }, [at(7), 7]],
    ['one second for a negative period', {}, { gracePeriodSeconds: -1 }, [at(1), 1]],
  ])('that runs gives it %s', async (_, state, options, wanted) => {
    await addPod(state)
    expect([...(await deletePod(options)), await isThere()]).toEqual([...wanted, true])
  })

  test.each<[string, Parameters<typeof addPod>[0], DeleteOptions]>([
    ['has no node', { node: '' }, {}],
    ['has succeeded', { phase: 'Succeeded' }, {}],
    ['has failed', { phase: 'Failed' }, {}],
    ['is given no time', {}, { gracePeriodSeconds: 0 }],
  ])('that %s takes it at once', async (_, state, options) => {
    await addPod(state)
    await deletePod(options)
    expect(await isThere()).toBe(false)
  })

  test.each<[string, number, DeleteOptions, unknown[]]>([
    ['shortens it, counted from the first', 4, { gracePeriodSeconds: 10 }, [at(10), 10]],
    ['that is overdue means now', 20, { gracePeriodSeconds: 10 }, [at(20), 10]],
    ['does not lengthen it', 4, { gracePeriodSeconds: 60 }, [at(30), 30]],
    ['that says nothing changes nothing', 4, {}, [at(30), 30]],
  ])('a second time %s', async (_, afterSeconds, options, wanted) => {
    await addPod()
    await deletePod()
    await cluster.clock.run(afterSeconds * 1000)
    expect(await deletePod(options)).toEqual(wanted)
  })

  test('a second time with nothing new writes nothing', async () => {
    await addPod()
    await deletePod()
    const before = cluster.store.revision
    await deletePod()
    expect(cluster.store.revision).toBe(before)
  })

  test('a second time without grace takes it', async () => {
    await addPod()
    await deletePod()
    await deletePod({ gracePeriodSeconds: 0 })
    expect(await isThere()).toBe(false)
  })

  test('keeps it for a finalizer, also without grace', async () => {
    await addPod()
    await cluster.client.patch(pod, web, 'merge', { metadata: { finalizers: ['example.com/hold'] } })
    await deletePod({ gracePeriodSeconds: 0 })
    expect(await isThere()).toBe(true)
    await cluster.client.patch(pod, web, 'merge', { metadata: { finalizers: null } })
    expect(await isThere()).toBe(false)
  })
})

describe('Deleting', () => {
  test.each<[NonNullable<DeleteOptions['propagationPolicy']>, string[] | undefined]>([
    ['Foreground', ['foregroundDeletion']],
    ['Orphan', ['orphan']],
    ['Background', undefined],
  ])('with policy %s leaves the finalizers %j', async (propagationPolicy, finalizers) => {
    await cluster.client.create(configMap, make.configMap())
    const deleted = await cluster.client.delete(configMap, settings, { propagationPolicy })
    expect(deleted.metadata.finalizers).toEqual(finalizers)
    expect(deleted.metadata.deletionTimestamp).toBe(finalizers && at(0))
  })

  test('changes from one policy to another', async () => {
    await cluster.client.create(configMap, make.configMap())
    await cluster.client.delete(configMap, settings, { propagationPolicy: 'Foreground' })
    const { metadata } = await cluster.client.delete(configMap, settings, { propagationPolicy: 'Orphan' })
    expect(metadata.finalizers).toEqual(['orphan'])
  })

  test('shows watchers what was, at the revision of the delete', async () => {
    const made = await cluster.client.create(configMap, make.configMap())
    const events = cluster.client.watch(configMap, { resourceVersion: made.metadata.resourceVersion })
    await cluster.client.delete(configMap, settings)
    for await (const { type, object } of events) {
      expect([type, object]).toEqual([
        'DELETED',
        { ...made, metadata: { ...made.metadata, resourceVersion: String(cluster.store.revision) } },
      ])
      break
    }
  })

  test('with an old resourceVersion as precondition is a Conflict', async () => {
    const made = await cluster.client.create(configMap, make.configMap())
    const stale = { resourceVersion: '1' }
    await expect(cluster.client.delete(configMap, settings, { preconditions: stale })).rejects.toMatchObject({
      reason: 'Conflict',
      message: `Operation cannot be fulfilled on configmaps "settings": Precondition failed: ResourceVersion in precondition: 1, ResourceVersion in object meta: ${made.metadata.resourceVersion}`,
    })
  })

  test('in a dry run deletes nothing', async () => {
    await cluster.client.create(configMap, make.configMap({ metadata: { finalizers: ['example.com/hold'] } }))
    const before = cluster.store.revision
    const would = await cluster.client.delete(configMap, settings, { dryRun: true })
    expect([would.metadata.deletionTimestamp, cluster.store.revision]).toEqual([at(0), before])
  })
})
