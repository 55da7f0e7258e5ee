import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../../test/support/cluster.ts'
import { make } from '../../../test/support/make.ts'
import { configMap } from '../../api/kinds/config-map.ts'
import { namespace } from '../../api/kinds/namespace.ts'
import type { Resource } from '../../api/resource.ts'
import type { ListOptions, WatchEvent, WatchOptions } from '../../client/client.ts'

let cluster: TestCluster
beforeEach(async () => {
  cluster = await createTestCluster()
})
afterEach(() => cluster.close())

const add = (name: string, more: object = {}) =>
  cluster.client.create(configMap, make.configMap({ metadata: { name, ...more } }))
const label = (name: string, labels: object) =>
  cluster.client.patch(configMap, { namespace: 'default', name }, 'merge', { metadata: { labels } })
const list = (options: ListOptions = {}) => cluster.client.list(configMap, options)
const names = async (options: ListOptions = {}) =>
  (await list(options)).items.map(({ metadata }) => metadata.name)

describe('List', () => {
  test('is sorted by namespace and name', async () => {
    await cluster.client.create(namespace, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'a' },
      spec: {},
    })
    await add('b')
    await add('a')
    await add('z', { namespace: 'a' })
    expect(await names()).toEqual(['z', 'a', 'b'])
    expect(await names({ namespace: 'default' })).toEqual(['a', 'b'])
  })

  test('of a namespace leaves out one whose name only begins alike', async () => {
    await cluster.client.create(namespace, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'default-2' },
      spec: {},
    })
    await add('x', { namespace: 'default-2' })
    expect(await names({ namespace: 'default' })).toEqual([])
  })

  test('says how many remain, unless a selector makes that unknown', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await add(name, { labels: { all: 'yes' } })
    const first = await list({ limit: 2 })
    expect([first.items.length, first.remainingItemCount]).toEqual([2, 3])
    const second = await list({ limit: 2, continue: first.continue })
    expect([second.items.length, second.remainingItemCount]).toEqual([2, 1])
    const last = await list({ limit: 2, continue: second.continue })
    expect([last.items.length, last.remainingItemCount, last.continue]).toEqual([1, undefined, undefined])
    const selected = await list({ limit: 2, labelSelector: 'all=yes' })
    expect([selected.remainingItemCount, typeof selected.continue]).toEqual([undefined, 'string'])
  })

  test('at an exact revision shows what was then', async () => {
    const first = await add('a')
    await add('b')
    const exactly = {
      resourceVersion: first.metadata.resourceVersion,
      resourceVersionMatch: 'Exact',
    } as const
    expect(await list(exactly)).toMatchObject({
      resourceVersion: first.metadata.resourceVersion,
      items: [{ metadata: { name: 'a' } }],
    })
    await cluster.client.delete(configMap, { namespace: 'default', name: 'a' })
    const one = { ...exactly, namespace: 'default', fieldSelector: 'metadata.name=a' }
    expect(await names(one)).toEqual(['a'])
  })

  test('goes on after compaction only where that is asked for by a token', async () => {
    for (const name of ['a', 'b', 'c']) await add(name)
    const first = await list({ limit: 1 })
    await add('bb')
    await cluster.store.compact(cluster.store.revision)
    const error = await list({ limit: 1, continue: first.continue }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      reason: 'Expired',
      message: expect.stringContaining('The provided continue parameter is too old'),
    })
    const { continue: token } = error as { continue: string }
    expect(await names({ continue: token })).toEqual(['b', 'bb', 'c'])
  })

  test('at a revision that is compacted is Expired', async () => {
    const { metadata } = await add('a')
    await add('b')
    await cluster.store.compact(cluster.store.revision)
    await expect(
      list({ resourceVersion: metadata.resourceVersion, resourceVersionMatch: 'Exact' }),
    ).rejects.toMatchObject({
      reason: 'Expired',
      message: 'The resourceVersion for the provided list is too old.',
    })
  })

  test.each<[string, ListOptions, string, string]>([
    [
      'a match without a revision',
      { resourceVersionMatch: 'Exact' },
      'Invalid',
      'resourceVersionMatch is forbidden unless resourceVersion is provided',
    ],
    [
      'exactly revision 0',
      { resourceVersionMatch: 'Exact', resourceVersion: '0' },
      'Invalid',
      'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ],
    [
      'an unknown match',
      { resourceVersionMatch: 'Nearly' as never, resourceVersion: '1' },
      'Invalid',
      'resourceVersionMatch: Unsupported value: "Nearly": supported values: "", "Exact", "NotOlderThan"',
    ],
    [
      'a revision in the future',
      { resourceVersion: '999' },
      'Timeout',
      'Too large resource version: 999, current: ',
    ],
    ['a revision that is none', { resourceVersion: 'new' }, 'BadRequest', 'Invalid value: "new"'],
  ])('refuses %s', async (_, options, reason, message) =>
    expect(list(options)).rejects.toMatchObject({ reason, message: expect.stringContaining(message) }),
  )
})

describe('Watch', () => {
  const take = async (options: WatchOptions, wanted: number): Promise<WatchEvent<Resource>[]> => {
    const taken: WatchEvent<Resource>[] = []
    for await (const event of cluster.client.watch(configMap, options)) {
      taken.push(event)
      if (taken.length === wanted) break
    }
    return taken
  }
  const shown = (events: readonly WatchEvent<Resource>[]) =>
    events.map(({ type, object }) => `${type} ${object.metadata.name ?? object.metadata.resourceVersion}`)
  const initial = { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' } as const

  test.each([undefined, '', '0'])('from %j begins with what is there', async (resourceVersion) => {
    await add('a')
    await add('b')
    expect(shown(await take({ resourceVersion }, 2))).toEqual(['ADDED a', 'ADDED b'])
  })

  test('with sendInitialEvents but without bookmarks has no bookmark at the end of them', async () => {
    await add('a')
    const stop = new AbortController()
    const events: WatchEvent<Resource>[] = []
    const reading = (async () => {
      for await (const event of cluster.client.watch(configMap, { ...initial, signal: stop.signal }))
        events.push(event)
    })()
    await cluster.clock.run(1000)
    await add('b')
    await cluster.clock.run(1000)
    stop.abort()
    await reading
    expect(shown(events)).toEqual(['ADDED a', 'ADDED b'])
  })

  test('with sendInitialEvents: false begins with what comes', async () => {
    await add('a')
    const reading = take({ ...initial, sendInitialEvents: false }, 1)
    await cluster.clock.run(1000)
    await add('b')
    expect(shown(await reading)).toEqual(['ADDED b'])
  })

  test('shows what leaves a selection as it last was in it, at the revision that took it out', async () => {
    const made = await add('a', { labels: { tier: 'web' } })
    const left = await label('a', { tier: 'db' })
    const { resourceVersion } = made.metadata
    const options = { labelSelector: 'tier=web', resourceVersion }
    const [[one], [other]] = await Promise.all([take(options, 1), take(options, 1)])
    expect(one).toEqual({
      type: 'DELETED',
      object: {
        ...made,
        metadata: { ...made.metadata, resourceVersion: left.metadata.resourceVersion },
      },
    })
    expect(other?.object).toBe(one?.object)
  })

  test('hands the same object to all watchers', async () => {
    const made = await add('a')
    const { resourceVersion } = made.metadata
    const changed = await label('a', { x: 'y' })
    const [[one], [other]] = await Promise.all([take({ resourceVersion }, 1), take({ resourceVersion }, 1)])
    expect(one?.object).toBe(changed)
    expect(other?.object).toBe(changed)
  })

  test('says about once a minute how far it has come, and once more when its time is over', async () => {
    const { metadata } = await add('a')
    const events: WatchEvent<Resource>[] = []
    const reading = (async () => {
      const options = {
        resourceVersion: metadata.resourceVersion,
        labelSelector: 'never=true',
        allowWatchBookmarks: true,
        timeoutSeconds: 150,
      }
      for await (const event of cluster.client.watch(configMap, options)) events.push(event)
    })()
    for (let i = 0; i < 5; i += 1) {
      await cluster.clock.run(20_000)
      await add(`other-${i}`)
    }
    await cluster.clock.run(60_000)
    await reading
    const bookmarks = events.map(({ type, object }) => [type, Number(object.metadata.resourceVersion)])
    const { revision } = cluster.store
    expect(bookmarks).toEqual([
      ['BOOKMARK', revision - 2],
      ['BOOKMARK', revision],
    ])
  })

  test('from a revision that is compacted is Expired', async () => {
    const { metadata } = await add('a')
    await add('b')
    await cluster.store.compact(cluster.store.revision)
    await expect(take({ resourceVersion: metadata.resourceVersion }, 1)).rejects.toMatchObject({
      reason: 'Expired',
    })
  })

  test.each<[string, WatchOptions, string]>([
    [
      'initial events without a match',
      { sendInitialEvents: true },
      'resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    ],
    [
      'a match without initial events',
      { resourceVersionMatch: 'NotOlderThan' },
      'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    ],
    [
      'an exact match',
      { sendInitialEvents: true, resourceVersionMatch: 'Exact' },
      'Unsupported value: "Exact": supported values: "NotOlderThan"',
    ],
    ['an unknown field', { fieldSelector: 'spec.bogus=1' }, 'field label not supported: spec.bogus'],
  ])('refuses %s', async (_, options, message) => expect(take(options, 1)).rejects.toThrow(message))
})
