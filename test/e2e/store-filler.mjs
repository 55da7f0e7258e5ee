// Writes to a store until its disk is full, and says what became of it: a line of JSON.
import { openEmbeddedStore } from '../../dist/apiserver/store/embedded.js'
import { createEnv } from '../../dist/base/env.js'

const [directory] = process.argv.slice(2)
const store = await openEmbeddedStore(createEnv(), { directory })
const put = (n) =>
  store.txn({
    conditions: [],
    writes: [{ type: 'put', key: `/full/${n}`, value: { n, text: 'x'.repeat(10_000) } }],
  })
const refusal = async (n) => {
  try {
    await put(n)
    return undefined
  } catch ({ reason, message }) {
    return { reason, message }
  }
}
let written = 0
let refused
while (!refused) {
  refused = await refusal(written)
  if (!refused) written += 1
}
// Whatever lmdb leaves unsettled has had its chance to end the process.
await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
const again = await refusal(written)
const { count } = await store.range({ prefix: '/full/' })
await store.close()
console.log(JSON.stringify({ written, refused, again, count }))
