import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Store, Transaction, Write } from '../../src/apiserver/store/store.ts'
import { byBytes, readWatch, StoreModel } from '../support/store-model.ts'
import { watchViolations } from '../support/watch-guarantees.ts'
import type { StoreUnderTest } from './store.ts'

/**
 * Any sequence of transactions, compactions and restarts leaves the store equal to the naive model, at every revision
 * that can still be read and for every watch that can still be resumed. Half as many deletes as puts and only a few
 * keys, because tombstones are where stores break.
 */
export function describeStoreProperties(engine: StoreUnderTest, runs: number): void {
  test(`${engine.name} store equals the model after any commands`, { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 25 }), async (commands) => {
        const model = new StoreModel()
        let store = await engine.open()
        try {
          for (const step of commands) {
            if (step.type === 'restart') store = (await engine.reopen?.()) ?? store
            else await perform(step, store, model)
            expect(store).toMatchObject({ revision: model.revision, compactedRevision: model.compacted })
            if (step.type !== 'txn') await compare(store, model)
          }
          await compare(store, model)
        } finally {
          await store.close()
        }
      }),
      { numRuns: runs, seed: 1 },
    )
  })
}

const KEYS = ['/a', '/a/b', '/b', '/\uFF5E', '/\u{1F600}']

const key = fc.constantFrom(...KEYS)
const write = fc.oneof(
  { weight: 2, arbitrary: fc.record({ type: fc.constant('put' as const), key, n: fc.nat(99) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('delete' as const), key }) },
)
const command = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('txn' as const),
      conditions: fc.array(fc.record({ key, holds: fc.boolean() }), { maxLength: 1 }),
      writes: fc.uniqueArray(write, { maxLength: 3, selector: (one) => one.key }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('compact' as const), back: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restart' as const) }) },
)

type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

async function perform(
  step: Exclude<Command, { type: 'restart' }>,
  store: Store,
  model: StoreModel,
): Promise<void> {
  if (step.type === 'compact') {
    const revision = Math.max(0, model.revision - step.back)
    await store.compact(revision)
    model.compacted = Math.max(model.compacted, revision)
    return
  }
  const state = model.at(model.revision)
  const transaction: Transaction = {
    conditions: step.conditions.map((condition) => {
      const revision = state.get(condition.key)?.revision ?? 0
      return { key: condition.key, revision: condition.holds ? revision : revision + 1 }
    }),
    writes: step.writes.map(
      (one): Write => (one.type === 'put' ? { type: 'put', key: one.key, value: { n: one.n } } : one),
    ),
  }
  const committed = model.txn(transaction)
  expect(await store.txn(transaction)).toMatchObject({ committed, revision: model.revision })
}

async function compare(store: Store, model: StoreModel): Promise<void> {
  for (let revision = 0; revision <= model.revision; revision += 1) {
    if (revision < model.compacted) {
      await expect(store.range({ prefix: '/', revision })).rejects.toMatchObject({ reason: 'Expired' })
      if (revision > 0)
        await expect(readWatch(store, '/', revision)).rejects.toMatchObject({ reason: 'Expired' })
      continue
    }
    const entries = [...model.at(revision).values()].sort(byBytes)
    expect(await store.range({ prefix: '/', revision })).toEqual({ entries, revision, count: entries.length })
    if (revision === 0) continue
    for (const prefix of ['/a', '/'])
      expect(
        watchViolations(
          { prefix, after: revision, batches: await readWatch(store, prefix, revision) },
          model.history,
        ),
      ).toEqual([])
  }
}
