// The API server of bench/api.bench.mjs in a process of its own; asked over IPC for the in-process figures and its memory.
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { configMap } from '../dist/api/kinds/config-map.js'
import { createEnv } from '../dist/base/env.js'
import { startControlPlane } from '../dist/control-plane.js'

const directory = mkdtempSync(join(import.meta.dirname, '.api-'))
const plane = await startControlPlane(createEnv(), {
  store: 'embedded',
  dataDirectory: directory,
  listen: { host: '127.0.0.1', port: 0 },
  parts: { controllers: false, scheduler: false, nodes: false },
})
const { client } = plane

/** Calls a second, of 64 callers. */
async function rate(seconds, call) {
  const startedAt = performance.now()
  const end = startedAt + seconds * 1_000
  let calls = 0
  await Promise.all(
    Array.from({ length: 64 }, async (_, caller) => {
      for (let n = 0; performance.now() < end; n += 1, calls += 1) await call(caller, n)
    }),
  )
  return (calls * 1_000) / (performance.now() - startedAt)
}

const questions = {
  /** MB that are in use. */
  memory: () => {
    globalThis.gc()
    const { heapUsed, external } = process.memoryUsage()
    return (heapUsed + external) / 1024 / 1024
  },
  get: () => rate(2, () => client.get(configMap, { namespace: 'default', name: 'one' })),
  create: () =>
    rate(2, (caller, n) =>
      client.create(configMap, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: `local-${caller}-${n}`, namespace: 'default' },
        data: { n: String(n) },
      }),
    ),
}

process.on('message', async (question) => {
  if (question === 'stop') {
    await plane.stop()
    rmSync(directory, { recursive: true, force: true })
    process.exit(0)
  }
  process.send({ answer: await questions[question]() })
})
process.send({ answer: plane.kubeconfigPath })
