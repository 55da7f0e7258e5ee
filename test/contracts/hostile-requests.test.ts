import { connect as connectTcp } from 'node:net'
import { connect } from 'node:tls'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kinds } from '../../src/api/kinds/index.ts'
import { type SecuredCluster, startSecuredCluster } from '../support/secured-cluster.ts'

/** Whatever a client sends, it gets a Status that says what is wrong with it; the server goes on as before. */
let cluster: SecuredCluster
beforeAll(async () => {
  cluster = await startSecuredCluster()
})
afterAll(() => cluster.close())

const segments = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...kinds.map(({ plural }) => plural)) },
  fc.constantFrom('default', 'web', 'status', 'scale', 'log', 'token', 'approval', 'watch', 'namespaces'),
  fc.constantFrom('%', '%2e%2e', '..', '%00', 'a%2Fb', '', '*', 'x'.repeat(300), '%F0%9F%98%80'),
)
const groups = fc.constantFrom(
  '/api/v1',
  ...kinds.filter(({ group }) => group !== '').map(({ group, version }) => `/apis/${group}/${version}`),
  '/api/v2',
  '/apis/nobody.example/v1',
  '/openapi',
  '',
)
const queries = fc.dictionary(
  fc.constantFrom(
    'labelSelector',
    'fieldSelector',
    'limit',
    'continue',
    'resourceVersion',
    'resourceVersionMatch',
    'dryRun',
    'fieldValidation',
    'fieldManager',
    'force',
    'pretty',
    'propagationPolicy',
    'gracePeriodSeconds',
    'sendInitialEvents',
    'includeObject',
  ),
  fc.oneof(
    fc.constantFrom(
      '',
      '0',
      '-1',
      '1',
      'true',
      'All',
      'Strict',
      'Exact',
      'NotOlderThan',
      'Background',
      'a=b',
      'x in (',
      '9'.repeat(30),
    ),
    fc.string({ maxLength: 20 }),
  ),
  { maxKeys: 3 },
)
const bodies = fc.oneof(
  fc.constant(undefined),
  fc.string({ maxLength: 40 }),
  fc.json({ maxDepth: 3 }),
  fc.record({
    apiVersion: fc.constantFrom('v1', 'apps/v1', 'x', 1),
    kind: fc.constantFrom('Pod', 'ConfigMap', 'Status', '', null),
    metadata: fc.oneof(
      fc.constant(null),
      fc.record({ name: fc.constantFrom('a', '', '..', 1, {}, '__proto__') }),
    ),
    spec: fc.jsonValue({ maxDepth: 2 }),
  }),
)
const contentTypes = fc.constantFrom(
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'text/html',
  '',
)
const accepts = fc.constantFrom(
  '*/*',
  'application/json',
  'application/yaml',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/vnd.kubernetes.protobuf',
  'application/json;as=',
  ';;;,,,',
)
/** Of a kind that is there, so that the request gets as far as the handlers and the store. */
const places = fc
  .tuple(fc.constantFrom(...kinds), fc.constantFrom('', '/web', '/web/status', '/web/scale'), fc.boolean())
  .map(([{ group, version, scope, plural }, rest, isEverywhere]) => {
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
    const namespace = scope === 'Namespaced' && !isEverywhere ? '/namespaces/default' : ''
    return `${root}${namespace}/${plural}${rest}`
  })
const wild = fc
  .tuple(groups, fc.array(segments, { maxLength: 5 }))
  .map(([root, parts]) => `${root}/${parts.join('/')}`)
const requests = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'PROPFIND'),
  path: fc
    .tuple(fc.oneof({ weight: 3, arbitrary: places }, wild), queries)
    .map(([path, query]) => `${path}?${new URLSearchParams(query)}`),
  accept: accepts,
  contentType: contentTypes,
  body: bodies,
  impersonate: fc.constantFrom(undefined, 'jane', 'system:node:n1', 'system:anonymous'),
})

describe('The API over HTTP', () => {
  test('answers any request with what it asks for or a Status, never with a fault of its own', async () => {
    await fc.assert(
      fc.asyncProperty(requests, async ({ method, path, accept, contentType, body, impersonate }) => {
        const headers = {
          accept,
          'content-type': contentType,
          ...(impersonate === undefined ? {} : { 'Impersonate-User': impersonate }),
        }
        const answer = await cluster.ask(method, path, { headers, ...(body === undefined ? {} : { body }) })
        if (
          answer.code >= 400 &&
          method !== 'HEAD' &&
          answer.headers['content-type'] === 'application/json'
        ) {
          expect(answer.body).toMatchObject({ kind: 'Status', status: 'Failure', code: answer.code })
          expect(typeof answer.body.reason).toBe('string')
        }
        expect(answer.code, JSON.stringify(answer.body)).not.toBe(500)
      }),
      { numRuns: 1500 },
    )
    expect((await cluster.ask('GET', '/readyz')).code).toBe(200)
  }, 120_000)

  test.each([
    [
      'a body of more than 3 MiB',
      'application/json',
      JSON.stringify({ data: { a: 'x'.repeat(3_300_000) } }),
      413,
      'Request entity too large: limit is 3145728',
    ],
    [
      'JSON nested too deep',
      'application/json',
      `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
      400,
      'nested more than 1000 levels deep',
    ],
    [
      'YAML that stands for billions',
      'application/yaml',
      bomb(),
      400,
      'it stands for more than 1000000 values',
    ],
    ['YAML that contains itself', 'application/yaml', 'data: &a [*a]', 400, ''],
    ['a type nobody reads', 'text/html', '<p>', 415, 'was in an unknown format'],
    ['nothing', 'application/json', '', 400, 'the request body is empty'],
    ['half an object', 'application/json', '{"metadata":', 400, 'Cannot read the body as JSON'],
  ])('refuses %s', async (_, contentType, body, code, why) => {
    const answer = await cluster.ask('POST', '/api/v1/namespaces/default/configmaps', {
      headers: { 'content-type': contentType },
      body,
    })
    expect(answer.code).toBe(code)
    expect(answer.body.message).toContain(why)
  })

  test.each([
    ['not TLS at all', 'GET / HTTP/1.1\r\n\r\n'],
    ['bytes that mean nothing', '\x00\x01\x02\x03'.repeat(100)],
  ])('closes a connection that sends %s', async (_, bytes) => {
    const { hostname, port } = new URL(cluster.connection.server)
    await new Promise<void>((resolve) => {
      const socket = connectTcp(Number(port), hostname, () => socket.write(bytes))
      socket.on('error', () => {})
      socket.on('close', () => resolve())
    })
  })

  test.each([
    ['a request line that is none', 'HELLO\r\n\r\n'],
    ['two lengths', 'POST /api HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
    [
      'a length and chunks',
      'POST /api HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['headers without an end', `GET /api HTTP/1.1\r\nx: ${'y'.repeat(100_000)}\r\n`],
  ])('closes a connection with %s', async (_, text) => {
    const { hostname, port } = new URL(cluster.connection.server)
    await new Promise<void>((resolve) => {
      const socket = connect(
        { host: hostname, port: Number(port), ca: cluster.connection.authorityPem ?? '' },
        () => {
          socket.write(text)
          socket.resume()
        },
      )
      socket.on('error', () => {})
      socket.on('close', () => resolve())
    })
    expect((await cluster.ask('GET', '/livez')).code).toBe(200)
  })
})

function bomb(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let i = 1; i < 10; i += 1)
    lines.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(', ')}]`)
  return lines.join('\n')
}
