import { expect, test } from 'vitest'
import { describeStore, type StoreUnderTest } from '../../../test/contracts/store.ts'
import { describeStoreProperties } from '../../../test/contracts/store-properties.ts'
import { createEnv } from '../../base/env.ts'
import { VirtualClock } from '../../base/virtual-clock.ts'
import { openMemoryStore } from './memory.ts'

const engine: StoreUnderTest = {
  name: 'memory',
  open: async (options) => openMemoryStore(createEnv(), options),
}
describeStore(engine)
describeStoreProperties(engine, 300)

test('A store forgets what is older than five minutes, and keeps what is younger', async () => {
  const clock = new VirtualClock()
  const store = openMemoryStore(createEnv({ clock }))
  for (let minute = 0; minute < 10; minute += 1) {
    await store.txn({ conditions: [], writes: [{ type: 'put', key: '/a', value: { minute } }] })
    await clock.run(60_000)
  }
  expect(store.revision).toBe(11)
  expect(store.compactedRevision).toBe(6)
})
