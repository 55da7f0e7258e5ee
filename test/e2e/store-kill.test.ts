import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { openEmbeddedStore } from '../../src/apiserver/store/embedded.ts'
import { createEnv } from '../../src/base/env.ts'
import { seededRandom } from '../../src/base/random.ts'

// A process that writes is killed (SIGKILL) at random moments, again and again on the same data: nothing acknowledged
// is lost, no transaction is torn, revisions never go back, and the lock it leaves behind is no obstacle.

const writer = fileURLToPath(new URL('store-writer.mjs', import.meta.url))
const built = existsSync(new URL('../../dist/apiserver/store/embedded.js', import.meta.url))
const KILLS_EACH = 70

describe.runIf(built).concurrent('A store whose process is killed', () => {
  test.each([1, 2, 3])(`keeps what it acknowledged, ${KILLS_EACH} times over (seed %i)`, async (seed) => {
    const directory = mkdtempSync(join(tmpdir(), 'seamark-kill-'))
    const random = seededRandom(seed)
    const acknowledged = new Map<string, number>()
    let [revision, compacted, acknowledgements] = [1, 0, 0]
    for (let kill = 0; kill < KILLS_EACH; kill += 1) {
      const from = Math.max(0, ...acknowledged.values()) + 1
      const lines = await writeUntilKilled(directory, from, 1 + random.int(30))
      for (const [id, n, at] of lines) {
        acknowledged.set(String(id), n)
        revision = Math.max(revision, at)
      }
      acknowledgements += lines.length

      const store = await openEmbeddedStore(createEnv(), { directory })
      expect(store.revision).toBeGreaterThanOrEqual(revision)
      expect(store.compactedRevision).toBeGreaterThanOrEqual(compacted)
      for (const [id, n] of acknowledged) {
        const [left, right] = [await store.get(`/left/${id}`), await store.get(`/right/${id}`)]
        expect(left?.value).toMatchObject({ n: expect.any(Number) })
        expect((left!.value as { n: number }).n).toBeGreaterThanOrEqual(n)
        expect(left?.revision).toBe(right?.revision)
        expect(left?.value).toEqual(right?.value)
      }
      revision = store.revision
      compacted = store.compactedRevision
      await store.close()
    }
    expect(acknowledgements).toBeGreaterThan(KILLS_EACH)
    expect(compacted).toBeGreaterThan(0)
    rmSync(directory, { recursive: true, force: true })
  })
})

/** Answers with the acknowledgements: writer, number, revision. */
function writeUntilKilled(
  directory: string,
  from: number,
  afterMs: number,
): Promise<Array<[number, number, number]>> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [writer, directory, String(from)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output === '') setTimeout(() => child.kill('SIGKILL'), afterMs)
      output += text
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (signal !== 'SIGKILL') return reject(new Error(`The writer ended by itself with ${code}`))
      // The last line may have been cut by the kill.
      const lines = output.slice(0, output.lastIndexOf('\n')).split('\n').slice(1)
      resolve(lines.map((line) => line.split(' ').map(Number) as [number, number, number]))
    })
  })
}
