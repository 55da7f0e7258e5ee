// Writes to a store until it is killed, and prints each acknowledgement: "<writer> <n> <revision>".
// Every transaction writes the same number under two keys, so that a torn one would show.
import { writeSync } from 'node:fs'
import { openEmbeddedStore } from '../../dist/apiserver/store/embedded.js'
import { createEnv } from '../../dist/base/env.js'

const [directory, from] = process.argv.slice(2)
const store = await openEmbeddedStore(createEnv(), { directory })
const padding = 'x'.repeat(1_500)
say('ready\n')

/** Before anything else happens: what was acknowledged and not said would be missed by nobody. */
function say(line) {
  for (;;) {
    try {
      writeSync(1, line)
      return
    } catch (error) {
      // The reader is behind, and the pipe full.
      if (error.code !== 'EAGAIN') throw error
    }
  }
}

async function write(writer) {
  for (let n = Number(from); ; n += 1) {
    const value = { n, padding }
    const extra = `/extra/${writer}/${n % 7}`
    const { revision } = await store.txn({
      conditions: [],
      writes: [
        { type: 'put', key: `/left/${writer}`, value },
        { type: 'put', key: `/right/${writer}`, value },
        n % 2 === 0 ? { type: 'put', key: extra, value } : { type: 'delete', key: extra },
      ],
    })
    say(`${writer} ${n} ${revision}\n`)
    if (n % 20 === 0) await store.compact(revision)
  }
}

await Promise.all([0, 1, 2, 3].map(write))
