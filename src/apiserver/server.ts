import { type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http'
import { createSecureServer } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { ApiError, badRequest } from '../api/status.ts'
import { sleep } from '../base/clock.ts'
import type { Env } from '../base/env.ts'
import { formatKubeconfig } from '../client/kubeconfig.ts'
import type { NodeConnections } from '../client/node-connection.ts'
import type { AuditLog, AuditRecord } from './audit/audit-log.ts'
import type { Access } from './auth/access.ts'
import { attributesOf } from './auth/attributes.ts'
import { ANONYMOUS, authenticate, type User } from './auth/authenticate.ts'
import { isPublic, mustAuthorize } from './auth/authorize.ts'
import { impersonated } from './auth/impersonate.ts'
import type { Pki } from './auth/pki.ts'
import { Exchange, type Request, type Response } from './exchange.ts'
import { FlowControl, type Leave } from './flow-control.ts'
import { handleResource } from './handlers.ts'
import { OpenApi } from './openapi.ts'
import type { Registry } from './registry.ts'
import { type RequestInfo, readRequest } from './request-info.ts'
import { answerGroup } from './served-group.ts'
import { handleSpecial } from './special-paths.ts'
import { PodStreams } from './streams/pod-streams.ts'

export interface ApiServerOptions {
  readonly registry: Registry
  readonly access: Access
  /** How to reach the nodes that pods run on. */
  readonly connections: NodeConnections
  readonly pki: Pki
  /** Absent: nothing is written down. */
  readonly audit?: AuditLog | undefined
  readonly host: string
  /** 0: any free port. */
  readonly port: number
}

export interface ApiServer {
  /** https://127.0.0.1:6443 */
  readonly url: string
  /** The administrator's, as text. */
  readonly kubeconfig: string
  close(): Promise<void>
}

/** Like watches, these do not count: they last as long as somebody looks at them. */
const LONG_RUNNING: ReadonlySet<string> = new Set(['log', 'proxy'])
/** Subresources of pods that give whoever opens them a hold of the pod. */
const SESSIONS: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward'])
/** A connection that has not said who it is by then is closed. */
const HANDSHAKE_MS = 10_000
/** Dead peers are found out by asking after this long. */
const KEEP_ALIVE_MS = 30_000
const CONNECTIONS_MAX = 20_000
/** Open sockets get this long to end by themselves. */
const CLOSE_MS = 500

/**
 * The HTTPS listener: HTTP/2 and HTTP/1.1 on one port. A request's way: read the URL once, authenticate, authorize,
 * answer; every failure becomes a Status. A request can fail; the process cannot.
 */
export async function startApiServer(env: Env, options: ApiServerOptions): Promise<ApiServer> {
  const { registry, pki, access, audit } = options
  const streams = new PodStreams(registry, options.connections)
  const openApi = new OpenApi(() => registry.kinds.list)
  const sockets = new Set<Socket>()
  let isStopping = false
  const flow = new FlowControl(env.clock)
  let address = `${options.host}:${options.port}`
  const special = { registry, access, openApi, address: () => address, isStopping: () => isStopping }
  const total = env.metrics.counter(
    'apiserver_request_total',
    'Counter of apiserver requests by verb, resource and code',
    ['verb', 'resource', 'code'],
  )
  const seconds = env.metrics.histogram(
    'apiserver_request_duration_seconds',
    'Response latency distribution in seconds by verb and resource',
    ['verb', 'resource'],
  )
  env.metrics.gauge(
    'apiserver_current_inflight_requests',
    'Requests that are being answered, watches not counted',
    [],
    () => flow.taken,
  )
  env.metrics.gauge(
    'apiserver_flowcontrol_current_inqueue_requests',
    'Requests that wait for their turn',
    [],
    () => flow.waiting,
  )

  const server = createSecureServer(
    {
      allowHTTP1: true,
      cert: pki.server.certificatePem,
      key: pki.server.keyPem,
      ca: pki.authority.certificatePem,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      handshakeTimeout: HANDSHAKE_MS,
      settings: { maxConcurrentStreams: 1000 },
    },
    (request, response) => void answer(request, response),
  )

  async function answer(request: Request, response: Response): Promise<void> {
    const exchange = new Exchange(env.clock, request, response)
    const startedAt = env.clock.now()
    let label = { verb: request.method ?? '', resource: '' }
    const visit: Visit = {}
    response.on('error', () => {})
    request.on('error', () => {})
    try {
      const info = readRequest(request.method ?? 'GET', request.url ?? '/')
      // Labels come from what is served, never from what a client sends.
      if (info.type === 'resource') {
        const isKnown = registry.kinds.byPlural(info.group, info.version, info.plural) !== undefined
        label = { verb: info.verb, resource: isKnown ? info.plural : 'unknown' }
      } else label = { verb: 'other', resource: '' }
      const user = await letIn(exchange, info, visit)
      const isLong =
        info.type === 'resource' && (info.verb === 'watch' || LONG_RUNNING.has(info.subresource ?? ''))
      if (isLong) visit.record?.write('ResponseStarted')
      else if (!user.groups.includes('system:masters') && !isPublic(info.path))
        visit.leave = await flow.enter(user.name, goneSignal(response))
      if (info.type === 'resource') {
        if (await streams.handle(exchange, info)) return
        if (await answerGroup(registry.groups.get(info.group), exchange, info)) return
        await handleResource({ registry, access, exchange, user }, info)
      } else await handleSpecial(special, exchange, info.path, info.query)
    } catch (error) {
      await report(exchange, error)
    } finally {
      visit.leave?.()
      visit.record?.write('ResponseComplete', visit.verdict)
      total.inc({ ...label, code: String(response.statusCode) })
      if (label.verb !== 'watch') seconds.observe(label, (env.clock.now() - startedAt) / 1000)
    }
  }

  async function authenticated(exchange: Exchange, info: RequestInfo, visit: Visit): Promise<User> {
    const authorization = exchange.header('authorization')
    const user = await authenticate({ socket: exchange.socket, authorization }, (token) =>
      access.authenticateToken(token),
    )
    if (user === 'refused' || (user === undefined && !isPublic(info.path))) {
      visit.record = audit?.begin(
        exchange,
        attributesOf(NOBODY, info, exchange.request.method ?? 'GET'),
        NOBODY,
      )
      throw new ApiError('Unauthorized', 'Unauthorized')
    }
    return user ?? ANONYMOUS
  }

  /** Who asks, if that user may do this; throws Unauthorized or Forbidden. */
  async function letIn(exchange: Exchange, info: RequestInfo, visit: Visit): Promise<User> {
    const method = exchange.request.method ?? 'GET'
    const asker = await authenticated(exchange, info, visit)
    let attributes = attributesOf(asker, info, method)
    try {
      const user = await impersonated(access.authorizer, asker, exchange.headers)
      if (user !== asker) attributes = attributesOf(user, info, method)
      visit.record ??= audit?.begin(exchange, attributes, asker)
      const reason = await mustAuthorize(access.authorizer, attributes)
      visit.verdict = { decision: 'allow', reason }
      return user
    } catch (error) {
      visit.record ??= audit?.begin(exchange, attributes, asker)
      visit.verdict = { decision: 'forbid', reason: (error as Error).message }
      throw error
    }
  }

  /** A request for another protocol is let in like any other; one that fails is answered and its connection closed. */
  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy())
    const visit: Visit = {}
    try {
      const info = readRequest(request.method ?? 'GET', request.url ?? '/')
      const exchange = new Exchange(env.clock, request, new ServerResponse(request))
      const user = await letIn(exchange, info, visit)
      if (info.type !== 'resource') throw badRequest('this path has no other protocol to change to')
      // A WebSocket is opened with GET; what it does is create, and 1.36 asks for that right too.
      if (info.verb === 'get' && SESSIONS.has(info.subresource ?? ''))
        await mustAuthorize(access.authorizer, attributesOf(user, { ...info, verb: 'create' }, 'POST'))
      exchange.response.statusCode = 101
      await streams.upgrade(request, socket, head, info, () => letIn(exchange, info, visit))
    } catch (error) {
      if (!(error instanceof ApiError))
        env.log.error({ err: error, method: request.method }, 'upgrade failed')
      refuseUpgrade(socket, error instanceof ApiError ? error : INTERNAL)
    } finally {
      visit.record?.write('ResponseComplete', visit.verdict)
    }
  }

  async function report(exchange: Exchange, error: unknown): Promise<void> {
    if (exchange.response.destroyed || exchange.response.headersSent) {
      exchange.response.destroy()
      return
    }
    if (!(error instanceof ApiError))
      env.log.error({ err: error, method: exchange.request.method }, 'request failed')
    await exchange.fail(error instanceof ApiError ? error : INTERNAL).catch(() => exchange.response.destroy())
  }

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    void upgrade(request, socket, head)
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => {})
  })
  server.on('sessionError', () => {})
  server.on('tlsClientError', () => {})
  server.on('clientError', (_error: Error, socket: Socket) => socket.destroy())

  server.maxConnections = CONNECTIONS_MAX
  const port = await listen(server, options)
  const shown = options.host.includes(':') ? `[${options.host}]` : options.host
  address = `${shown}:${port}`
  // Whoever connects from this machine connects to loopback.
  const reachable = options.host === '0.0.0.0' || options.host === '::' ? `127.0.0.1:${port}` : address
  const url = `https://${reachable}`
  return {
    url,
    kubeconfig: formatKubeconfig('seamark', {
      server: url,
      authorityPem: pki.authority.certificatePem,
      certificatePem: pki.admin.certificatePem,
      keyPem: pki.admin.keyPem,
    }),
    async close() {
      isStopping = true
      streams.close()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await Promise.race([closed, sleep(env.clock, CLOSE_MS)])
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** In the audit log: somebody whose credentials were none, or wrong. */
const NOBODY: User = { name: '', groups: [] }

/** What one request has taken hold of on its way. */
interface Visit {
  record?: AuditRecord | undefined
  verdict?: { readonly decision: 'allow' | 'forbid'; readonly reason: string }
  leave?: Leave
}

function goneSignal(response: Response): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  return gone.signal
}

const INTERNAL = new ApiError(
  'InternalError',
  'Internal error occurred: the request could not be answered; the log says why',
)

/** A Status on a connection that HTTP has been taken off; it is not used again (CVE-2018-1002105). */
function refuseUpgrade(socket: Duplex, error: ApiError): void {
  const body = JSON.stringify(error.toStatus())
  const head = [
    `HTTP/1.1 ${error.code} ${STATUS_CODES[error.code] ?? ''}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

function listen(
  server: ReturnType<typeof createSecureServer>,
  { host, port }: ApiServerOptions,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException) =>
      reject(
        new ApiError(
          'ServiceUnavailable',
          `Cannot listen on ${host}:${port}: ${reasonOf(error)}; choose another address with --listen HOST:PORT`,
          { cause: error },
        ),
      )
    server.once('error', refuse)
    server.listen(port, host, () => {
      server.off('error', refuse)
      server.on('error', () => {})
      resolve((server.address() as AddressInfo).port)
    })
  })
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'the address is in use by another process'
    case 'EACCES':
      return 'no permission to use this port'
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'this machine has no such address'
    default:
      return message
  }
}
