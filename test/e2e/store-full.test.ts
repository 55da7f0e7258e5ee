import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { openEmbeddedStore } from '../../src/apiserver/store/embedded.ts'
import { createEnv } from '../../src/base/env.ts'

const filler = fileURLToPath(new URL('store-filler.mjs', import.meta.url))
const built = existsSync(new URL('../../dist/apiserver/store/embedded.js', import.meta.url))
/** In blocks of 1024 bytes: what the shell lets a file of its children grow to. */
const FILE_MAX = 2048

describe.runIf(built && process.platform === 'linux')('A store whose disk is full', () => {
  test('refuses writes and says why, goes on reading, closes, and has all it acknowledged when there is room again', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'seamark-full-'))
    const limited = `trap '' XFSZ; ulimit -f ${FILE_MAX}; exec "$@"`
    const ran = spawnSync('bash', ['-c', limited, 'bash', process.execPath, filler, directory], {
      encoding: 'utf8',
      timeout: 60_000,
    })
    expect(ran.status, ran.stderr).toBe(0)
    const said = JSON.parse(ran.stdout) as { written: number; count: number }
    const refused = {
      reason: 'ServiceUnavailable',
      message: expect.stringMatching(
        /could not write to its disk \((Input\/output error|No space left|File too large).*\) and refuses writes/,
      ),
    }
    expect(said).toMatchObject({ refused, again: refused, count: said.written })
    expect(said.written).toBeGreaterThan(10)

    const store = await openEmbeddedStore(createEnv(), { directory })
    expect((await store.range({ prefix: '/full/' })).count).toBeGreaterThanOrEqual(said.written)
    await store.txn({ conditions: [], writes: [{ type: 'put', key: '/full/more', value: {} }] })
    await store.close()
    rmSync(directory, { recursive: true, force: true })
  })
})
