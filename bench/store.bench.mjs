import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { open } from 'lmdb'
import { openEmbeddedStore } from '../dist/apiserver/store/embedded.js'
import { createEnv } from '../dist/base/env.js'

export const question = 'acknowledged durable writes, 1 client / 64 clients'

const SECONDS = 3
const OBJECTS = 10_000
const WATCHERS = 1_000

/** An object of 1.75 KB, as a small Deployment is. */
function objectOf(n) {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `object-${n}` },
    data: { text: 'x'.repeat(1_650) },
  }
}

/** `clients` write one after the other, each on its own keys; answers with writes per second. */
async function rate(clients, write) {
  const started = performance.now()
  const end = started + SECONDS * 1_000
  let writes = 0
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let n = 0; performance.now() < end; n += 1) {
        await write(`/bench/${client}/${n % 100}`, n)
        writes += 1
      }
    }),
  )
  return Math.round((writes * 1_000) / (performance.now() - started))
}

/** Answers with the median time of `times` calls, in milliseconds. */
async function median(times, call) {
  const took = []
  for (let time = 0; time < times; time += 1) {
    const started = performance.now()
    await call()
    took.push(performance.now() - started)
  }
  return Number(took.sort((a, b) => a - b)[times >> 1].toFixed(2))
}

/** On the disk of this folder: a temporary folder may be memory, which flushes in no time. */
export async function run() {
  const directory = mkdtempSync(join(import.meta.dirname, '.store-'))
  const results = []
  const report = (name, value, unit, note) => results.push({ name, value, unit, ...(note ? { note } : {}) })
  try {
    await baseline(directory, report)
    await engine(directory, report)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return results
}

async function baseline(directory, report) {
  const db = open({ path: join(directory, 'baseline.lmdb'), noSubdir: true, encoding: 'binary' })
  const write = async (key, n) => {
    await db.put(key, Buffer.from(JSON.stringify(objectOf(n))))
    await db.flushed
  }
  report(
    'baseline: lmdb put and flushed, 1 client',
    await rate(1, write),
    'writes/s',
    'no revisions, no history',
  )
  report(
    'baseline: lmdb put and flushed, 64 clients',
    await rate(64, write),
    'writes/s',
    'no revisions, no history',
  )
  await db.close()
}

async function engine(directory, report) {
  const options = { directory: join(directory, 'engine') }
  const store = await openEmbeddedStore(createEnv(), options)
  const write = (key, n) => store.txn({ conditions: [], writes: [{ type: 'put', key, value: objectOf(n) }] })
  report('durable writes, 1 client', await rate(1, write), 'writes/s')
  report('durable writes, 64 clients', await rate(64, write), 'writes/s')
  await store.compact(store.revision)

  for (let from = 0; from < OBJECTS; from += 1_000)
    await Promise.all(Array.from({ length: 1_000 }, (_, n) => write(`/list/${from + n}`, from + n)))
  report(`list of ${OBJECTS}`, await median(21, () => store.range({ prefix: '/list/' })), 'ms')
  report(
    `${WATCHERS} watchers told of one write`,
    await median(21, () => fanOut(store, write)),
    'ms',
    'write included',
  )
  await store.close()

  const reopen = async () => (await openEmbeddedStore(createEnv(), options)).close()
  report(`reopen with ${OBJECTS} objects`, await median(5, reopen), 'ms')
}

async function fanOut(store, write) {
  const watchers = Array.from({ length: WATCHERS }, () =>
    store.watch({ prefix: '/fan/' })[Symbol.asyncIterator](),
  )
  const told = watchers.map((watcher) => watcher.next())
  await write('/fan/out', 1)
  await Promise.all(told)
  await Promise.all(watchers.map((watcher) => watcher.return()))
}
