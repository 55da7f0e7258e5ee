import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import { nodeUidOf } from '../../api/static-pods.ts'
import { ApiError, badRequest } from '../../api/status.ts'
import { every } from '../../base/clock.ts'
import type { NodeConnections } from '../../client/node-connection.ts'
import type { Exchange } from '../exchange.ts'
import type { Registry } from '../registry.ts'
import { isTrue, type ResourceRequest } from '../request-info.ts'
import { CHANNEL_PROTOCOLS, Channels } from './channels.ts'
import { connectionOf, containerNamed, loggedContainer, logOptionsOf, runningContainer } from './locate.ts'
import { forwardByChannels, PORT_CHANNELS_PROTOCOL, portsOf } from './port-channels.ts'
import { PORT_FORWARD_PROTOCOL, PortForward } from './port-forward.ts'
import { ServiceProxy } from './proxy.ts'

/** One message of a client; kubectl sends 32 KiB at a time. */
const MESSAGE_BYTES_MAX = 1024 * 1024
/** Whether a conversation is still allowed is asked this often. */
const RIGHTS_MS = 30_000

/**
 * What people do inside pods through the API server: read logs, run commands, attach, forward ports. The server only finds the
 * container; the node behind its NodeConnection does the rest.
 */
export class PodStreams {
  readonly #registry: Registry
  readonly #connections: NodeConnections
  readonly #proxy: ServiceProxy
  readonly #sockets: WebSocketServer
  readonly #chosen = new WeakMap<IncomingMessage, string>()

  constructor(registry: Registry, connections: NodeConnections) {
    this.#registry = registry
    this.#connections = connections
    this.#proxy = new ServiceProxy(registry, connections)
    this.#sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: MESSAGE_BYTES_MAX,
    })
    this.#sockets.on('headers', (headers, request) => {
      headers.push(`Sec-WebSocket-Protocol: ${this.#chosen.get(request)}`)
    })
  }

  /** Answers a plain request on a subresource of its own; false: somebody else's. */
  async handle(exchange: Exchange, info: ResourceRequest): Promise<boolean> {
    if (info.group !== '') return false
    const isOfNode = info.plural === 'nodes' && info.subresource === 'proxy'
    if (info.namespace === undefined && !isOfNode) return false
    if (info.subresource === 'proxy') return this.#proxy.handle(exchange, info)
    if (info.plural !== 'pods') return false
    if (info.subresource === 'log' && info.verb === 'get') {
      await this.#log(exchange, info)
      return true
    }
    if (UPGRADED.has(info.subresource ?? '') && (info.verb === 'get' || info.verb === 'create')) {
      await this.#pod(info)
      throw badRequest('Upgrade request required')
    }
    return false
  }

  /** Answers a request that asks for another protocol. Throws before anything is sent. */
  async upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    info: ResourceRequest,
    mayStay: () => Promise<unknown>,
  ): Promise<void> {
    const conversation = await this.#conversationOf(info)
    if ((request.headers.upgrade ?? '').toLowerCase() !== 'websocket')
      throw badRequest(`unable to upgrade: only WebSockets (${conversation.protocols.join(', ')}) are served`)
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim())
    const chosen = conversation.protocols.find((protocol) => offered.includes(protocol))
    if (chosen === undefined)
      throw badRequest(`unable to upgrade: none of the protocols [${offered.join(' ')}] is served`)
    // The name of port-forward's protocol is no token, which the library would refuse it for.
    delete request.headers['sec-websocket-protocol']
    this.#chosen.set(request, chosen)
    this.#sockets.handleUpgrade(request, socket, head, (opened: WebSocket) => {
      this.#watchOver(opened, mayStay)
      conversation.begin(opened, chosen)
    })
  }

  async #conversationOf(info: ResourceRequest): Promise<Conversation> {
    const { plural, group, subresource = '', query } = info
    if (group !== '' || plural !== 'pods' || !UPGRADED.has(subresource))
      throw badRequest('this resource has no other protocol to change to')
    const pod = await this.#pod(info)
    const connection = connectionOf(this.#connections, pod)
    if (subresource === 'portforward') {
      // kubectl names its ports stream by stream.
      const ports = query.has('ports') ? portsOf(query) : []
      if (pod.status?.phase !== 'Running')
        throw badRequest(
          `unable to forward port because pod is not running. Current status=${pod.status?.phase}`,
        )
      const dial = (port: number) => connection.dial(nodeUidOf(pod), port)
      return {
        protocols: [PORT_FORWARD_PROTOCOL, PORT_CHANNELS_PROTOCOL],
        begin: (opened, protocol) => {
          if (protocol === PORT_FORWARD_PROTOCOL) void new PortForward(opened, dial)
          else void forwardByChannels(opened, ports, dial)
        },
      }
    }
    const id = runningContainer(pod, containerNamed(pod, query.get('container') ?? ''))
    const command = query.getAll('command')
    if (subresource === 'exec' && command.length === 0)
      throw badRequest('you must specify at least 1 command for the container')
    const flag = (field: string) => isTrue(query.get(field))
    const tty = flag('tty')
    const options = { tty, stdin: flag('stdin'), stdout: flag('stdout'), stderr: flag('stderr') && !tty }
    if (!options.stdin && !options.stdout && !options.stderr)
      throw badRequest('you must specify at least 1 of stdin, stdout, stderr')
    return {
      protocols: CHANNEL_PROTOCOLS,
      begin: (opened) => {
        const channels = new Channels(opened, options)
        void converse(channels, () =>
          subresource === 'exec'
            ? connection.exec(id, command, channels.io)
            : connection.attach(id, channels.io).then(() => 0),
        )
      },
    }
  }

  /** Rights that are taken away end what they had begun (CVE-2023-40025). */
  #watchOver(socket: WebSocket, mayStay: () => Promise<unknown>): void {
    const cancel = every(this.#registry.env.clock, RIGHTS_MS, () => {
      mayStay().catch(() => socket.close(1008, 'no longer allowed'))
    })
    socket.once('close', cancel)
  }

  /** Every conversation ends; new ones are not begun. */
  close(): void {
    for (const socket of this.#sockets.clients) socket.close(1001)
    this.#sockets.close()
  }

  async #pod({ namespace, name = '' }: ResourceRequest): Promise<Pod> {
    return (await this.#registry.mustFind(podKind, { namespace, name })).value as Pod
  }

  async #log(exchange: Exchange, info: ResourceRequest): Promise<void> {
    const pod = await this.#pod(info)
    const { previous, ...options } = logOptionsOf(info.query, this.#registry.env.clock.now())
    const name = containerNamed(pod, info.query.get('container') ?? '')
    if (!pod.spec.nodeName) return exchange.bytes(204, Buffer.alloc(0), 'text/plain')
    const connection = connectionOf(this.#connections, pod)
    const id = loggedContainer(pod, name, previous)
    const { response } = exchange
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    exchange.head(200, { 'content-type': 'text/plain' })
    if ('flushHeaders' in response) response.flushHeaders()
    for await (const text of connection.logs(id, options, gone.signal)) {
      if (response.destroyed) return
      const hasRoom = (response as NodeJS.WritableStream).write(text)
      if (!hasRoom) await drained(response as NodeJS.WritableStream, gone.signal)
    }
    ;(response as NodeJS.WritableStream).end()
  }
}

const UPGRADED: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward'])

/** What a WebSocket is opened for, once it is known that it may be. */
interface Conversation {
  readonly protocols: readonly string[]
  begin(socket: WebSocket, protocol: string): void
}

/** A reader that is slow is waited for; nothing is piled up. */
function drained(stream: NodeJS.WritableStream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    stream.once('drain', () => resolve())
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

async function converse(channels: Channels, run: () => Promise<number>): Promise<void> {
  let code: number
  try {
    code = await run()
  } catch (error) {
    if (channels.io.signal.aborted) return
    const message = `error executing command in container: ${(error as Error).message}`
    await channels.finish(new ApiError('InternalError', message).toStatus())
    return
  }
  if (code === 0) return channels.finish({ status: 'Success' })
  const failure = {
    status: 'Failure' as const,
    message: `command terminated with non-zero exit code: exit status ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  }
  await channels.finish(failure)
}
