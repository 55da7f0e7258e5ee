import { describe, expect, test } from 'vitest'
import { type DiskFault, emptyDisk, SimulatedDisk } from '../../../test/support/simulated-disk.ts'
import { byBytes, readWatch, StoreModel } from '../../../test/support/store-model.ts'
import { watchViolations } from '../../../test/support/watch-guarantees.ts'
import { createEnv } from '../../base/env.ts'
import { seededRandom } from '../../base/random.ts'
import { EmbeddedStore } from './embedded.ts'
import type { Transaction } from './store.ts'

// Power is lost around every single flush of a run of creates, deletes and compactions; what is left is reopened.

const env = createEnv()

/** 60 % creates and 40 % deletes of few keys: only such traffic finds faults with tombstones. */
function script(seed: number): Array<Transaction | 'compact'> {
  const random = seededRandom(seed)
  return Array.from({ length: 24 }, (_, n) => {
    if (n % 6 === 5) return 'compact'
    const key = `/k${random.int(3)}`
    const write =
      random.float() < 0.6
        ? ({ type: 'put', key, value: { n } } as const)
        : ({ type: 'delete', key, value: { n } } as const)
    return { conditions: [], writes: [write] }
  })
}

/** Runs the script until the disk breaks. */
async function runUntilBroken(disk: SimulatedDisk, seed: number) {
  const store = new EmbeddedStore(env, {}, disk)
  const model = new StoreModel()
  const acknowledged = { revision: 1, compacted: 0 }
  const seen: number[] = []
  const abort = new AbortController()
  const watcher = (async () => {
    for await (const batch of store.watch({ prefix: '/', signal: abort.signal })) {
      seen.push(batch.revision)
      expect(batch.revision).toBeLessThanOrEqual(disk.durable.revision)
    }
  })().catch((error: unknown) => expect(error).toMatchObject({ reason: 'Expired' }))
  for (const step of script(seed)) {
    if (step === 'compact') await settled(store.compact(store.revision))
    else {
      model.txn(step)
      await settled(store.txn(step))
    }
    expect(store.revision).toBeLessThanOrEqual(disk.durable.revision)
    if (disk.broken) break
    acknowledged.revision = store.revision
    acknowledged.compacted = store.compactedRevision
  }
  abort.abort()
  await watcher
  return { model, acknowledged, store }
}

/** Waits a few turns: after a power cut no answer ever comes. */
async function settled(answer: Promise<unknown>): Promise<void> {
  let done = false
  answer.then(
    () => {
      done = true
    },
    () => {
      done = true
    },
  )
  for (let turn = 0; turn < 50 && !done; turn += 1) await Promise.resolve()
}

async function expectWhole(disk: SimulatedDisk, model: StoreModel) {
  const store = new EmbeddedStore(env, {}, disk)
  const entries = [...model.at(store.revision).values()].sort(byBytes)
  expect((await store.range({ prefix: '/' })).entries).toEqual(entries)
  for (let after = Math.max(1, store.compactedRevision); after <= store.revision; after += 1) {
    const batches = await readWatch(store, '/', after)
    expect(watchViolations({ prefix: '/', after, batches }, model.history)).toEqual([])
  }
  const before = store.revision
  const next = await store.txn({ conditions: [], writes: [{ type: 'put', key: '/next', value: {} }] })
  expect(next.revision).toBe(before + 1)
}

describe.each([1, 2, 3, 4])('Script %i', (seed) => {
  test.each<DiskFault>(['lostBeforeFlush', 'lostAfterFlush', 'failing'])(
    'keeps all that was acknowledged when every flush in turn is %s',
    async (fault) => {
      const whole = new SimulatedDisk()
      await runUntilBroken(whole, seed)
      expect(whole.writes).toBeGreaterThan(12)
      for (let at = 0; at < whole.writes; at += 1) {
        const disk = new SimulatedDisk(emptyDisk(), fault, at)
        const { model, acknowledged } = await runUntilBroken(disk, seed)
        const after = new SimulatedDisk(disk.durable)
        expect(disk.durable.revision).toBeGreaterThanOrEqual(acknowledged.revision)
        expect(disk.durable.compactedRevision).toBeGreaterThanOrEqual(acknowledged.compacted)
        await expectWhole(after, model)
      }
    },
  )
})

test('What a compaction cut short left on disk is removed by the next start', async () => {
  const disk = new SimulatedDisk()
  const store = new EmbeddedStore(env, {}, disk)
  for (let n = 0; n < 10; n += 1)
    await store.txn({ conditions: [], writes: [{ type: 'put', key: '/a', value: { n } }] })
  const cut = new SimulatedDisk(disk.durable, 'lostAfterFlush', 0)
  await settled(new EmbeddedStore(env, {}, cut).compact(11))
  expect(cut.durable.records.size).toBe(10)
  const again = new EmbeddedStore(env, {}, new SimulatedDisk(cut.durable))
  await again.txn({ conditions: [], writes: [{ type: 'put', key: '/b', value: {} }] })
  await again.close()
  expect([...cut.durable.records.keys()]).toEqual(['11 /a', '12 /b'])
})

test('A key that was deleted and compacted leaves nothing behind on disk', async () => {
  const disk = new SimulatedDisk()
  const store = new EmbeddedStore(env, {}, disk)
  await store.txn({ conditions: [], writes: [{ type: 'put', key: '/a', value: {} }] })
  await store.txn({ conditions: [], writes: [{ type: 'delete', key: '/a' }] })
  await store.compact(3)
  await store.close()
  expect(disk.durable).toEqual({ revision: 3, compactedRevision: 3, records: new Map() })
})

test('11: after a failed write the store refuses writes, keeps reading, and publishes nothing of it', async () => {
  const disk = new SimulatedDisk(emptyDisk(), 'failing', 1)
  const store = new EmbeddedStore(env, {}, disk)
  const put = (n: number) => store.txn({ conditions: [], writes: [{ type: 'put', key: '/a', value: { n } }] })
  await put(1)
  const refused = {
    reason: 'ServiceUnavailable',
    message: expect.stringContaining('no space left on device'),
  }
  const [second, third] = [put(2), put(3)]
  await expect(second).rejects.toMatchObject(refused)
  await expect(third).rejects.toMatchObject(refused)
  await expect(put(4)).rejects.toMatchObject(refused)
  await expect(store.compact(2)).rejects.toMatchObject(refused)
  expect(store.revision).toBe(2)
  expect((await store.get('/a'))?.value).toEqual({ n: 1 })
  expect(disk.writes).toBe(2)
  await store.close()
})

test('3: transactions that wait for one flush share the next', async () => {
  const disk = new SimulatedDisk()
  const store = new EmbeddedStore(env, {}, disk)
  await Promise.all(
    Array.from({ length: 64 }, (_, n) =>
      store.txn({ conditions: [], writes: [{ type: 'put', key: `/${n}`, value: { n } }] }),
    ),
  )
  expect(store.revision).toBe(65)
  expect(disk.writes).toBeLessThanOrEqual(2)
})
