// The API over HTTPS, as a client elsewhere meets it, beside the in-process client; watches by the thousand.
import { fork } from 'node:child_process'
import http2 from 'node:http2'
import { join } from 'node:path'
import { configMap } from '../dist/api/kinds/config-map.js'
import { namespace } from '../dist/api/kinds/namespace.js'
import { pod } from '../dist/api/kinds/pod.js'
import { HttpClient } from '../dist/client/http-client.js'
import { readKubeconfig } from '../dist/client/kubeconfig.js'

export const question = 'requests per second over HTTPS, lists of 10,000 pods (p99 150 ms), 1,000 watchers'

const PODS = 10_000
const WATCHERS = 1_000
const SECONDS = 2

export async function run() {
  const child = fork(join(import.meta.dirname, 'api-server.mjs'), { execArgv: ['--expose-gc'] })
  const heard = () => new Promise((resolve) => child.once('message', ({ answer }) => resolve(answer)))
  const ask = (question) => {
    child.send(question)
    return heard()
  }
  const results = []
  const report = (name, value, unit, note) => results.push({ name, value, unit, ...(note ? { note } : {}) })
  try {
    const connection = await readKubeconfig(await heard())
    const client = new HttpClient(connection)
    await client
      .create(namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } })
      .catch(() => {})
    const map = (name, n = 0) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'default' },
      data: { n: String(n) },
    })
    await client.create(configMap, map('one'))
    const key = { namespace: 'default', name: 'one' }
    // Connections are opened, and the code is compiled, before anything counts.
    await rate(() => client.get(configMap, key))
    report('get', await rate(() => client.get(configMap, key)), '/s', '64 callers')
    report('get, in process', await ask('get'), '/s')
    report(
      'create',
      await rate((caller, n) => client.create(configMap, map(`http-${caller}-${n}`, n))),
      '/s',
      'durable',
    )
    report('create, in process', await ask('create'), '/s', 'durable')
    const each = (caller) => ({ namespace: 'default', name: `http-${caller}-0` })
    report(
      'merge patch',
      await rate((caller, n) => client.patch(configMap, each(caller), 'merge', { data: { n: String(n) } })),
      '/s',
    )
    report(
      'server-side apply',
      await rate((caller, n) =>
        client.apply(configMap, map(`http-${caller}-0`, n), { fieldManager: 'bench', force: true }),
      ),
      '/s',
    )
    await createPods(client)
    await lists(connection, report)
    await watches(connection, client, report, ask)
  } finally {
    child.send('stop')
    await new Promise((resolve) => child.once('exit', resolve))
  }
  return results
}

async function rate(call) {
  const startedAt = performance.now()
  const end = startedAt + SECONDS * 1_000
  let calls = 0
  await Promise.all(
    Array.from({ length: 64 }, async (_, caller) => {
      for (let n = 0; performance.now() < end; n += 1, calls += 1) await call(caller, n)
    }),
  )
  return (calls * 1_000) / (performance.now() - startedAt)
}

async function createPods(client) {
  let next = 0
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      while (next < PODS) {
        next += 1
        await client.create(pod, {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: {
            name: `pod-${next}-${Math.trunc(performance.now())}`,
            namespace: 'default',
            labels: { app: `app-${next % 100}` },
          },
          spec: { containers: [{ name: 'app', image: 'registry.example/app:1' }] },
        })
      }
    }),
  )
}

async function lists(connection, report) {
  const session = connect(connection)
  for (const [name, accept] of [
    ['JSON', 'application/json'],
    ['Table', 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'],
  ]) {
    const took = []
    let bytes = 0
    for (let time = 0; time < 20; time += 1) {
      const startedAt = performance.now()
      bytes = await read(session, '/api/v1/namespaces/default/pods', accept)
      took.push(performance.now() - startedAt)
    }
    took.sort((a, b) => a - b)
    const note = `${(bytes / 1024 / 1024).toFixed(1)} MB; budget 150`
    report(`list ${PODS} pods, ${name}, p99 of 20`, took.at(-1), 'ms', note)
    report(`list ${PODS} pods, ${name}, median`, took[10], 'ms')
  }
  session.close()
}

function connect(connection) {
  return http2.connect(connection.server, {
    ca: connection.authorityPem,
    cert: connection.certificatePem,
    key: connection.keyPem,
  })
}

function read(session, path, accept) {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path, accept })
    let bytes = 0
    stream.on('data', (chunk) => {
      bytes += chunk.length
    })
    stream.on('end', () => resolve(bytes))
    stream.on('error', reject)
  })
}

/** All of them see each of 1,000 changes a second. */
async function watches(connection, client, report, ask) {
  const before = await ask('memory')
  const sessions = Array.from({ length: 10 }, () => connect(connection))
  let events = 0
  const list = await client.list(configMap, { limit: 1 })
  const from = list.metadata?.resourceVersion ?? ''
  const path = `/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=${from}&labelSelector=watched%3Dyes`
  const streams = Array.from({ length: WATCHERS }, (_, i) => {
    const stream = sessions[i % sessions.length].request({ ':path': path })
    stream.on('data', (chunk) => {
      for (const byte of chunk) if (byte === 10) events += 1
    })
    return stream
  })
  await Promise.all(streams.map((stream) => new Promise((resolve) => stream.once('response', resolve))))
  report(
    `memory of a watcher (${WATCHERS} of them)`,
    (((await ask('memory')) - before) * 1024) / WATCHERS,
    'KB',
  )
  const startedAt = performance.now()
  const CHANGES = 300
  await Promise.all(
    Array.from({ length: 10 }, async (_, caller) => {
      for (let n = 0; n < CHANGES / 10; n += 1)
        await client.create(configMap, {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: `watched-${caller}-${n}`, namespace: 'default', labels: { watched: 'yes' } },
          data: { text: 'x'.repeat(1_000) },
        })
    }),
  )
  while (events < CHANGES * WATCHERS) await new Promise((resolve) => setTimeout(resolve, 5))
  const seconds = (performance.now() - startedAt) / 1_000
  report(
    `events to ${WATCHERS} watchers`,
    events / seconds,
    '/s',
    `${CHANGES} changes in ${seconds.toFixed(2)} s`,
  )
  for (const session of sessions) session.destroy()
}
