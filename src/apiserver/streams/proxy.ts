import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { endpointSlice } from '../../api/kinds/endpoint-slice.ts'
import { type Node, node as nodeKind } from '../../api/kinds/node.ts'
import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import { type Service, service as serviceKind } from '../../api/kinds/service.ts'
import type { ObjectKey } from '../../api/resource.ts'
import { nodeUidOf } from '../../api/static-pods.ts'
import { ApiError, notFound } from '../../api/status.ts'
import type { NodeConnections } from '../../client/node-connection.ts'
import type { Exchange } from '../exchange.ts'
import type { Registry } from '../registry.ts'
import type { ResourceRequest } from '../request-info.ts'
import { kubeletAnswer } from './kubelet-api.ts'
import { connectionOf } from './locate.ts'
import { type ProxyTarget, parseProxyName, podPort, serviceTargets } from './proxy-target.ts'

/** Never passed on: they belong to one connection, or say who the client is to this server (CVE-2018-1002105). */
const KEPT_BACK: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'host',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

/** pods/NAME/proxy and services/NAME/proxy: plain HTTP to a pod, through its node. nodes/NAME/proxy: its kubelet. */
export class ServiceProxy {
  readonly #registry: Registry
  readonly #connections: NodeConnections

  constructor(registry: Registry, connections: NodeConnections) {
    this.#registry = registry
    this.#connections = connections
  }

  /** False: there is no such thing to proxy to. */
  async handle(exchange: Exchange, info: ResourceRequest): Promise<boolean> {
    const { plural, name: given = '', namespace } = info
    if (plural === 'nodes') return this.#kubelet(exchange, info, given)
    if (plural !== 'pods' && plural !== 'services') return false
    const { name, port } = parseProxyName(given)
    const path = proxiedPath(info, given)
    if (path === '') {
      const search = info.query.size > 0 ? `?${info.query}` : ''
      await exchange.bytes(301, Buffer.alloc(0), 'text/plain', { location: `${info.path}/${search}` })
      return true
    }
    const target =
      plural === 'pods' ? { pod: name, port: undefined } : await this.#endpoint({ namespace, name }, port)
    const pod = (await this.#registry.mustFind(podKind, { namespace, name: target.pod })).value as Pod
    const number = target.port ?? podPort(pod, port)
    const connection = await connectionOf(this.#connections, pod).dial(nodeUidOf(pod), number)
    await proxyHttp(exchange, connection, path, `${pod.status?.podIP ?? ''}:${number}`)
    return true
  }

  /** nodes/NAME/proxy is not a way to a port: it reads of the node what its kubelet tells. */
  async #kubelet(exchange: Exchange, info: ResourceRequest, given: string): Promise<boolean> {
    const { name } = parseProxyName(given)
    const node = (await this.#registry.mustFind(nodeKind, { name })).value as Node
    const connection = this.#connections.get(name)
    if (!connection)
      throw new ApiError(
        'ServiceUnavailable',
        `error trying to reach service: the node ${name} cannot be reached`,
      )
    const pods = (await this.#registry.reader.all(podKind)).filter(({ spec }) => spec.nodeName === name)
    const { code, type, body } = kubeletAnswer(
      exchange.request.method ?? 'GET',
      proxiedPath(info, given) || '/',
      { node, pods, usage: connection.usage(), now: this.#registry.env.clock.now() },
    )
    await exchange.bytes(code, Buffer.from(body), type)
    return true
  }

  /** One of the service's ready pods, by chance. */
  async #endpoint(key: ObjectKey, port: string): Promise<ProxyTarget> {
    const service = (await this.#registry.mustFind(serviceKind, key)).value as Service
    const slices = await this.#registry.reader.all(endpointSlice, key.namespace)
    const own = slices.filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === key.name)
    const targets = serviceTargets(service, port, own)
    const chosen = targets[this.#registry.env.random.int(targets.length)]
    if (!chosen) throw notFound(serviceKind, key.name)
    return chosen
  }
}

/** What a proxied request asks the pod for: what follows /proxy, with its query; empty without a slash there. */
function proxiedPath({ path, query }: ResourceRequest, name: string): string {
  const marker = `/${encodeURIComponent(name).replaceAll('%3A', ':')}/proxy`
  const at = path.indexOf(marker)
  const rest = at < 0 ? '/' : path.slice(at + marker.length)
  const search = query.toString()
  return search === '' || rest === '' ? rest : `${rest}?${search}`
}

/** One HTTP request to a pod and its answer, passed through as they come. */
async function proxyHttp(exchange: Exchange, connection: Duplex, path: string, host: string): Promise<void> {
  const headers: OutgoingHttpHeaders = { host, 'x-forwarded-uri': path }
  for (const [name, value] of Object.entries(exchange.request.headers))
    if (!name.startsWith(':') && !name.startsWith('impersonate-') && !KEPT_BACK.has(name))
      headers[name] = value
  const { method = 'GET' } = exchange.request
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = httpRequest({ method, path, headers, createConnection: () => connection }, resolve)
    sent.on('error', (error) =>
      reject(new ApiError('ServiceUnavailable', `error trying to reach service: ${error.message}`)),
    )
    pipeline(exchange.request, sent).catch(() => sent.destroy())
  })
  const passed = Object.entries(answer.headers).flatMap(([name, value]) =>
    KEPT_BACK.has(name) || value === undefined ? [] : [[name, [value].flat().join(', ')] as const],
  )
  exchange.head(answer.statusCode ?? 502, Object.fromEntries(passed))
  try {
    await pipeline(answer, exchange.response as NodeJS.WritableStream)
  } finally {
    connection.destroy()
  }
}
