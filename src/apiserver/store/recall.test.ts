import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { SimulatedDisk } from '../../../test/support/simulated-disk.ts'
import { createEnv } from '../../base/env.ts'
import { EmbeddedStore } from './embedded.ts'
import type { Change, Store } from './store.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** More than are kept young, over a few keys that are put and deleted in turn. */
const WRITES = 2_600
const KEYS = 7

class CountingDisk extends SimulatedDisk {
  reads = 0
  override read(record: { readonly key: string; readonly revision: number }): object {
    this.reads += 1
    return super.read(record)
  }
}

async function writeAll(store: Store): Promise<void> {
  for (let n = 0; n < WRITES; n += 1) {
    const key = `/k/${n % KEYS}`
    const isDelete = n % 11 === 10
    await store.txn({
      conditions: [],
      writes: [isDelete ? { type: 'delete', key } : { type: 'put', key, value: { n } }],
    })
  }
}

async function history(store: Store): Promise<readonly Change[]> {
  const changes: Change[] = []
  for await (const batch of store.watch({ prefix: '/k/', after: 1 })) {
    changes.push(...batch.changes)
    if (batch.revision === store.revision) break
  }
  return changes
}

test('What nobody holds is let go, and read again from the disk as it was', async () => {
  const disk = new CountingDisk()
  const store = new EmbeddedStore(createEnv(), {}, disk)
  await writeAll(store)
  // A turn of the loop: until its end everything that was looked at counts as held.
  await new Promise((resolve) => setImmediate(resolve))
  collectGarbage()
  const changes = await history(store)
  expect(disk.reads).toBeGreaterThan(400)
  expect(disk.reads).toBeLessThan(WRITES)
  const state = new Map<string, object>()
  for (const change of changes) {
    expect(change.previous, `${change.key} at ${change.revision}`).toEqual(state.get(change.key))
    if (change.type === 'put') state.set(change.key, change.value)
    else state.delete(change.key)
  }
  const { entries } = await store.range({ prefix: '/k/' })
  expect(entries.map(({ key, value }) => [key, value])).toEqual([...state].sort())
  await store.close()
})

test('After a restart the same is told without anything having been read before it is asked for', async () => {
  const first = new SimulatedDisk()
  const before = new EmbeddedStore(createEnv(), {}, first)
  await writeAll(before)
  const told = await history(before)
  await before.close()
  const disk = new CountingDisk(first.durable)
  const store = new EmbeddedStore(createEnv(), {}, disk)
  expect(disk.reads).toBe(0)
  expect(await history(store)).toEqual(told)
  const [entry] = (await store.range({ prefix: '/k/', revision: 1_000 })).entries
  expect(entry?.value).toEqual(
    told.findLast(({ key, revision }) => key === '/k/0' && revision <= 1_000)?.value,
  )
  await store.close()
})

test('What somebody holds stays the same object', async () => {
  const store = new EmbeddedStore(createEnv(), {}, new SimulatedDisk())
  await store.txn({ conditions: [], writes: [{ type: 'put', key: '/held', value: { n: 0 } }] })
  const held = (await store.get('/held'))?.value
  await writeAll(store)
  await new Promise((resolve) => setImmediate(resolve))
  collectGarbage()
  expect((await store.get('/held'))?.value).toBe(held)
  await store.close()
})
