import { afterEach, describe, expect, test } from 'vitest'
import type { Store, StoreOptions, WatchBatch } from '../../src/apiserver/store/store.ts'
import { readWatch } from '../support/store-model.ts'
import { watchViolations } from '../support/watch-guarantees.ts'

/** One engine under test. */
export interface StoreUnderTest {
  readonly name: string
  /** A store on something empty. */
  open(options?: StoreOptions): Promise<Store>
  /** Closes the store of the last `open` and opens what it left; absent for an engine that leaves nothing. */
  readonly reopen?: () => Promise<Store>
}

/** What every engine guarantees; numbers are those of src/apiserver/store/store.ts. */
export function describeStore(engine: StoreUnderTest): void {
  describe(`${engine.name} store`, () => {
    const opened: Store[] = []
    const open = async (options?: StoreOptions) => {
      const store = await engine.open(options)
      opened.push(store)
      return store
    }
    const reopen = async () => {
      const store = await engine.reopen?.()
      if (store) opened.push(store)
      return store
    }
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close()
    })

    test('1: begins at revision 1, and each transaction adds one that all its changes carry', async () => {
      const store = await open()
      expect(store.revision).toBe(1)
      const result = await write(store, put('/a', 1), put('/b', 2))
      expect(result).toMatchObject({
        committed: true,
        revision: 2,
        entries: [{ revision: 2 }, { revision: 2 }],
      })
      expect(await write(store, put('/a', 3))).toMatchObject({
        revision: 3,
        entries: [{ createRevision: 2 }],
      })
    })

    test('1: writing nothing adds no revision', async () => {
      const store = await open()
      expect(await write(store)).toEqual({ committed: true, revision: 1, entries: [] })
      expect(await write(store, remove('/none'))).toEqual({ committed: true, revision: 1, entries: [] })
    })

    test.runIf(engine.reopen)(
      '1: revisions do not go back when the newest change was a delete and is compacted',
      async () => {
        const store = await open()
        await write(store, put('/only', 1))
        await write(store, remove('/only'))
        await store.compact(3)
        const again = await reopen()
        expect(again).toMatchObject({ revision: 3, compactedRevision: 3 })
        expect(await write(again!, put('/only', 2))).toMatchObject({
          revision: 4,
          entries: [{ createRevision: 4 }],
        })
      },
    )

    test('2: a failed condition writes nothing and shows the state that failed it', async () => {
      const store = await open()
      await write(store, put('/a', 1))
      const transaction = {
        conditions: [
          { key: '/a', revision: 0 },
          { key: '/b', revision: 0 },
        ],
        writes: [put('/b', 1)],
      }
      const entry = { key: '/a', value: { n: 1 }, revision: 2, createRevision: 2 }
      expect(await store.txn(transaction)).toEqual({
        committed: false,
        revision: 2,
        failed: [{ key: '/a', entry }],
      })
      expect(await store.get('/b')).toBeUndefined()
      expect(await store.txn({ conditions: [{ key: '/c', revision: 9 }], writes: [] })).toEqual({
        committed: false,
        revision: 2,
        failed: [{ key: '/c', entry: undefined }],
      })
    })

    test('2: of many who create one key at once, one wins', async () => {
      const store = await open()
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          store.txn({ conditions: [{ key: '/a', revision: 0 }], writes: [put('/a', n)] }),
        ),
      )
      expect(results.filter((result) => result.committed)).toHaveLength(1)
      expect(store.revision).toBe(2)
    })

    test('2: a counter that many raise at once loses nothing', async () => {
      const store = await open()
      await write(store, put('/a', 0))
      const raise = async (): Promise<void> => {
        const entry = (await store.get('/a'))!
        const next = put('/a', (entry.value as { n: number }).n + 1)
        const result = await store.txn({
          conditions: [{ key: '/a', revision: entry.revision }],
          writes: [next],
        })
        if (!result.committed) await raise()
      }
      await Promise.all(Array.from({ length: 12 }, raise))
      expect((await store.get('/a'))?.value).toEqual({ n: 12 })
    })

    test('2: a key written twice in one transaction is refused, and so is a key that no engine can hold', async () => {
      const store = await open()
      await expect(write(store, put('/a', 1), remove('/a'))).rejects.toMatchObject({ reason: 'BadRequest' })
      for (const key of ['', 'a\0b', 'k'.repeat(2000)])
        await expect(write(store, put(key, 1))).rejects.toMatchObject({ reason: 'BadRequest' })
      expect(store.revision).toBe(1)
    })

    test.runIf(engine.reopen)(
      '3: what was acknowledged is there after a restart, with its history',
      async () => {
        const store = await open()
        await write(store, put('/a', 1), put('/z', 1), put('/b', 1))
        await write(store, put('/a', 2))
        await write(store, remove('/b', { n: 1, last: true }))
        const [entries, batches] = [await store.range({ prefix: '/' }), await readWatch(store, '/', 1)]
        const again = (await reopen())!
        expect(await again.range({ prefix: '/' })).toEqual(entries)
        expect((await readWatch(again, '/', 1)).flatMap((batch) => batch.changes)).toEqual(
          batches.flatMap((batch) => batch.changes),
        )
      },
    )

    test('4: a read sees what was acknowledged, and at a revision exactly that one', async () => {
      const store = await open()
      await write(store, put('/a', 1))
      await write(store, put('/a', 2))
      await write(store, remove('/a'))
      const values = async (revision: number) =>
        (await store.range({ prefix: '/', revision })).entries.map((entry) => entry.value)
      expect(await store.get('/a')).toBeUndefined()
      expect([await values(1), await values(2), await values(3), await values(4)]).toEqual([
        [],
        [{ n: 1 }],
        [{ n: 2 }],
        [],
      ])
    })

    test('5: ranges sort by bytes, match exactly, and count from the start', async () => {
      const store = await open()
      const keys = [
        '/p/a_b',
        '/p/a%',
        '/p/axb',
        '/p/Z',
        '/p/é',
        '/p/\u{1F600}',
        '/p/\uFF5E',
        '/p',
        '/q/a',
        '/p.',
      ]
      for (const key of keys) await write(store, put(key, 1))
      const found = await store.range({ prefix: '/p/' })
      expect(found.entries.map((entry) => entry.key)).toEqual([
        '/p/Z',
        '/p/a%',
        '/p/a_b',
        '/p/axb',
        '/p/é',
        '/p/\uFF5E',
        '/p/\u{1F600}',
      ])
      expect(found).toMatchObject({ count: 7, revision: 11 })
      const page = await store.range({ prefix: '/p/', start: '/p/a_', limit: 2 })
      expect(page.entries.map((entry) => entry.key)).toEqual(['/p/a_b', '/p/axb'])
      expect(page.count).toBe(5)
      expect((await store.range({ prefix: '/p/', start: '/q' })).count).toBe(0)
    })

    test('5: pages at one revision make up the whole while others write', async () => {
      const store = await open()
      for (let n = 0; n < 10; n += 1) await write(store, put(`/p/${n}`, n))
      const whole = await store.range({ prefix: '/p/' })
      const paged: unknown[] = []
      let start: string | undefined = '/p/'
      while (start !== undefined) {
        const page = await store.range({ prefix: '/p/', start, limit: 3, revision: whole.revision })
        paged.push(...page.entries)
        start = page.count > page.entries.length ? `${page.entries.at(-1)!.key}\u0001` : undefined
        await write(store, remove(`/p/${paged.length}`), put(`/p/new${paged.length}`, 1))
      }
      expect(paged).toEqual(whole.entries)
    })

    test('5: reads below the compacted revision are Expired, beyond the newest a Timeout', async () => {
      const store = await open()
      for (let n = 0; n < 4; n += 1) await write(store, put('/a', n))
      await store.compact(3)
      await expect(store.range({ prefix: '/', revision: 2 })).rejects.toMatchObject({ reason: 'Expired' })
      expect((await store.range({ prefix: '/', revision: 3 })).entries).toMatchObject([{ value: { n: 1 } }])
      await expect(store.range({ prefix: '/', revision: 6 })).rejects.toMatchObject({
        reason: 'Timeout',
        message: expect.stringContaining('Too large resource version'),
      })
      for (const revision of [-1, 0.5, Number.NaN])
        await expect(store.range({ prefix: '/', revision })).rejects.toMatchObject({ reason: 'BadRequest' })
    })

    test('6: a watch tells all of its prefix, from now, from a revision, and from zero as from now', async () => {
      const store = await open()
      await write(store, put('/p/old', 1))
      const live = [undefined, 0, 1].map((after) => store.watch({ prefix: '/p/', after }))
      await write(store, put('/p/a', 1), put('/q/b', 1))
      await write(store, remove('/p/a'))
      const keys = async (watch: AsyncIterable<WatchBatch>, count: number) =>
        (await take(watch, count)).map((change) => `${change.type} ${change.key}`)
      expect(await keys(live[0]!, 2)).toEqual(['put /p/a', 'delete /p/a'])
      expect(await keys(live[1]!, 2)).toEqual(['put /p/a', 'delete /p/a'])
      expect(await keys(live[2]!, 3)).toEqual(['put /p/old', 'put /p/a', 'delete /p/a'])
    })

    test('6: a watch of the future is silent until its revision has passed', async () => {
      const store = await open()
      const watch = store.watch({ prefix: '/', after: 3, progress: 1 })[Symbol.asyncIterator]()
      const first = watch.next()
      for (let n = 0; n < 3; n += 1) await write(store, put('/a', n))
      expect(await first).toMatchObject({ value: { revision: 4, changes: [{ revision: 4 }] } })
      await watch.return?.()
    })

    test('6: progress comes without changes, at most one at a time, and never when not asked for', async () => {
      const store = await open()
      const watch = store.watch({ prefix: '/p/', progress: 1 })[Symbol.asyncIterator]()
      for (let n = 0; n < 5; n += 1) await write(store, put('/q/a', n))
      expect(await watch.next()).toEqual({ done: false, value: { changes: [], revision: 6 } })
      await write(store, put('/p/a', 1))
      expect(await watch.next()).toMatchObject({ value: { changes: [{ key: '/p/a' }], revision: 7 } })
      const quiet = store.watch({ prefix: '/p/' })[Symbol.asyncIterator]()
      await write(store, put('/q/a', 1))
      await write(store, put('/p/a', 2))
      expect(await quiet.next()).toMatchObject({ value: { changes: [{ key: '/p/a', revision: 9 }] } })
      await Promise.all([watch.return?.(), quiet.return?.()])
    })

    test('6: progress can wait until the store has moved on by so much, whatever is compacted meanwhile', async () => {
      const store = await open()
      const watch = store.watch({ prefix: '/p/', progress: 3 })[Symbol.asyncIterator]()
      const next = watch.next()
      for (let n = 0; n < 2; n += 1) await write(store, put('/q/a', n))
      await store.compact(3)
      await write(store, put('/q/a', 2))
      expect(await next).toEqual({ done: false, value: { changes: [], revision: 4 } })
      const quiet = watch.next()
      for (let n = 0; n < 2; n += 1) await write(store, put('/q/a', n))
      await store.compact(6)
      await write(store, put('/p/a', 1))
      expect(await quiet).toMatchObject({ value: { changes: [{ key: '/p/a' }], revision: 7 } })
      await watch.return?.()
    })

    test('4: a prefix is empty when no key with it is there any more', async () => {
      const store = await open()
      const empty = () => ['/', '/p/', '/p/a/', '/p/b/'].filter((prefix) => store.isEmpty(prefix))
      expect(empty()).toHaveLength(4)
      await write(store, put('/p/a/x', 1), put('/pa', 1))
      await write(store, put('/p/a/x', 2))
      expect(empty()).toEqual(['/p/b/'])
      await write(store, remove('/p/a/x'))
      expect(empty()).toEqual(['/p/', '/p/a/', '/p/b/'])
      await store.compact(store.revision)
      await write(store, put('/p/a/x', 3))
      expect(empty()).toEqual(['/p/b/'])
    })

    test('6: watchers of any speed keep all promises while many write', async () => {
      const store = await open()
      const history: WatchBatch[] = []
      const all = store.watch({ prefix: '', after: 1 })
      const watches = ['/a', '/b', '/'].map((prefix) => ({ prefix, after: 1, batches: [] as WatchBatch[] }))
      const readers = watches.map(async (watch, slow) => {
        for await (const batch of store.watch({ ...watch, progress: 1 })) {
          watch.batches.push(batch)
          for (let turn = 0; turn < slow * 3; turn += 1) await store.get('/a')
          if (batch.revision >= 61) return
        }
      })
      const writers = [0, 1, 2].map(async (writer) => {
        for (let n = 0; n < 20; n += 1) await write(store, put(`/a${writer}`, n), put(`/b${writer}`, n))
      })
      await Promise.all(writers)
      for await (const batch of all) if (history.push(batch) && batch.revision >= 61) break
      await Promise.all(readers)
      const changes = history.flatMap((batch) => batch.changes)
      expect(changes).toHaveLength(120)
      expect(watches.flatMap((watch) => watchViolations(watch, changes))).toEqual([])
    })

    test('6: a large transaction and a long log come in batches of whole revisions', async () => {
      const store = await open()
      await write(store, ...Array.from({ length: 700 }, (_, n) => put(`/a/${n}`, n)))
      await Promise.all(
        Array.from({ length: 600 }, (_, n) => write(store, put(`/a/${n}`, -n), put(`/b/${n}`, n))),
      )
      const batches = await readWatch(store, '/a', 1)
      expect(batches.length).toBeGreaterThan(1)
      const everything = (await readWatch(store, '', 1)).flatMap((batch) => batch.changes)
      expect(everything).toHaveLength(1900)
      expect(watchViolations({ prefix: '/a', after: 1, batches }, everything)).toEqual([])
    })

    test('6: a watch ends when aborted, returned or closed, also while it waits', async () => {
      const store = await open()
      const abort = new AbortController()
      const aborted = store.watch({ prefix: '/', signal: abort.signal })[Symbol.asyncIterator]()
      const returned = store.watch({ prefix: '/' })[Symbol.asyncIterator]()
      const closed = store.watch({ prefix: '/' })[Symbol.asyncIterator]()
      const ends = [aborted.next(), returned.next(), closed.next()]
      abort.abort()
      await returned.return?.()
      await store.close()
      expect(await Promise.all(ends)).toEqual(ends.map(() => ({ done: true, value: undefined })))
    })

    test('7: a watcher that compaction overtakes is Expired, and one that kept up is not', async () => {
      const store = await open()
      const slow = store.watch({ prefix: '/' })[Symbol.asyncIterator]()
      const keptUp = store.watch({ prefix: '/' })[Symbol.asyncIterator]()
      await write(store, put('/a', 1))
      expect(await keptUp.next()).toMatchObject({ value: { revision: 2 } })
      await store.compact(2)
      await write(store, put('/a', 2))
      await expect(slow.next()).rejects.toMatchObject({ reason: 'Expired' })
      expect(await slow.next()).toMatchObject({ done: true })
      expect(await keptUp.next()).toMatchObject({ value: { revision: 3 } })
      await keptUp.return?.()
    })

    describe.each([1, 2, 3, 4])('7: around a compaction at %i', (compactAt) => {
      test.each(['put', 'delete'] as const)(
        'a watch is whole or Expired, where revision 3 is a %s',
        async (type) => {
          for (const restart of engine.reopen ? [false, true] : [false]) {
            let store = await open()
            await write(store, put('/a', 1))
            await write(store, type === 'put' ? put('/a', 2) : remove('/a'))
            await write(store, put('/b', 1))
            const everything = (await readWatch(store, '', 1)).flatMap((batch) => batch.changes)
            await store.compact(compactAt)
            if (restart) store = (await reopen())!
            for (const after of [1, 2, 3]) {
              const reading = readWatch(store, '/', after)
              if (after < compactAt) await expect(reading).rejects.toMatchObject({ reason: 'Expired' })
              else
                expect(watchViolations({ prefix: '/', after, batches: await reading }, everything)).toEqual(
                  [],
                )
            }
            expect(store.revision).toBe(4)
          }
        },
      )
    })

    test('8: a change carries the value before it, also right after compaction', async () => {
      const store = await open()
      for (let n = 1; n < 4; n += 1) await write(store, put('/a', n))
      await write(store, remove('/a', { n: 9 }))
      await store.compact(3)
      const changes = (await readWatch(store, '/', 3)).flatMap((batch) => batch.changes)
      expect(changes).toEqual([
        { type: 'put', key: '/a', value: { n: 3 }, previous: { n: 2 }, revision: 4, createRevision: 2 },
        { type: 'delete', key: '/a', value: { n: 9 }, previous: { n: 3 }, revision: 5, createRevision: 2 },
      ])
    })

    test('9: compaction keeps the newest values and refuses impossible revisions', async () => {
      const store = await open()
      await write(store, put('/a', 1), put('/b', 1), put('/c', 1))
      await write(store, put('/b', 2), remove('/c'))
      const before = await store.range({ prefix: '/' })
      await store.compact(3)
      await store.compact(2)
      expect(await store.range({ prefix: '/' })).toEqual(before)
      expect(store.compactedRevision).toBe(3)
      await expect(store.compact(4)).rejects.toMatchObject({ reason: 'Timeout' })
      for (const revision of [-1, 1.5, Number.NaN])
        await expect(store.compact(revision)).rejects.toMatchObject({ reason: 'BadRequest' })
    })

    test('10: values are stamped with their revision, and frozen where asked', async () => {
      const store = await open({ freeze: true, stamp: (value, revision) => ({ ...value, at: revision }) })
      await write(store, put('/a', 1))
      await write(store, remove('/a'))
      const changes = (await readWatch(store, '/', 1)).flatMap((batch) => batch.changes)
      expect(changes.map((change) => change.value)).toEqual([
        { n: 1, at: 2 },
        { n: 1, at: 3 },
      ])
      expect(changes.every((change) => Object.isFrozen(change.value))).toBe(true)
    })

    test('after close everything is refused, and closing again is harmless', async () => {
      const store = await open()
      const last = write(store, put('/a', 1))
      await store.close()
      expect(await last).toMatchObject({ committed: true })
      const refused = { reason: 'ServiceUnavailable' }
      await expect(write(store, put('/a', 1))).rejects.toMatchObject(refused)
      await expect(store.get('/a')).rejects.toMatchObject(refused)
      await expect(store.range({ prefix: '/' })).rejects.toMatchObject(refused)
      await expect(store.compact(1)).rejects.toMatchObject(refused)
      expect(() => store.watch({ prefix: '/' })).toThrow(expect.objectContaining(refused))
      await store.close()
    })
  })
}

function put(key: string, n: number) {
  return { type: 'put', key, value: { n } } as const
}

function remove(key: string, value?: object) {
  return value ? ({ type: 'delete', key, value } as const) : ({ type: 'delete', key } as const)
}

type AnyWrite = ReturnType<typeof put> | ReturnType<typeof remove>

function write(store: Store, ...writes: readonly AnyWrite[]) {
  return store.txn({ conditions: [], writes })
}

/** The first `count` changes of a watch. */
async function take(watch: AsyncIterable<WatchBatch>, count: number) {
  const changes: WatchBatch['changes'][number][] = []
  for await (const batch of watch) {
    changes.push(...batch.changes)
    if (changes.length >= count) break
  }
  return changes
}
