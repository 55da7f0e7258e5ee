import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { describeStore, type StoreUnderTest } from '../../../test/contracts/store.ts'
import { describeStoreProperties } from '../../../test/contracts/store-properties.ts'
import { createEnv } from '../../base/env.ts'
import { openEmbeddedStore } from './embedded.ts'
import type { Store, StoreOptions } from './store.ts'

const root = mkdtempSync(join(tmpdir(), 'seamark-store-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let last: { store: Store; options: StoreOptions & { directory: string } }

async function open(options: StoreOptions & { directory: string }): Promise<Store> {
  last = { options, store: await openEmbeddedStore(createEnv(), options) }
  return last.store
}

const engine: StoreUnderTest = {
  name: 'embedded',
  open: (options = {}) => open({ ...options, directory: mkdtempSync(join(root, 'data-')) }),
  reopen: async () => {
    await last.store.close()
    return open(last.options)
  },
}

describeStore(engine)
describeStoreProperties(engine, 40)
