import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { describeStore } from '../../../test/contracts/store.ts'
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

describeStore({
  name: 'embedded',
  open: (options = {}) => open({ ...options, directory: mkdtempSync(join(root, 'data-')) }),
  reopen: async () => {
    await last.store.close()
    return open(last.options)
  },
})
