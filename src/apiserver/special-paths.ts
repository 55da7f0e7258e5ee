import { ApiError } from '../api/status.ts'
import type { Access } from './auth/access.ts'
import { ISSUER, JWKS_PATH } from './auth/tokens/service-account-tokens.ts'
import { parseAccept } from './content.ts'
import { aggregatedDiscovery, apiGroup, apiGroupList, apiResourceList, apiVersions } from './discovery.ts'
import type { Exchange } from './exchange.ts'
import type { OpenApi } from './openapi.ts'
import type { Registry } from './registry.ts'
import { type Discovered, discoveredIn } from './served-group.ts'

export interface SpecialPaths {
  readonly registry: Registry
  readonly access: Access
  readonly openApi: OpenApi
  /** host:port, for clients that ask where the server is. */
  address(): string
  isStopping(): boolean
}

/** What `kubectl version` shows; the minor version is the one whose behaviour is matched. */
const VERSION = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.0',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: 'none',
  compiler: 'seamark',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
}

/** Everything that is not a resource: discovery, OpenAPI, version, health, metrics. Unknown paths are NotFound. */
export async function handleSpecial(
  paths: SpecialPaths,
  exchange: Exchange,
  path: string,
  query: URLSearchParams,
): Promise<void> {
  const { registry, openApi } = paths
  const parts = path.split('/').filter((part) => part !== '')
  const kinds: readonly Discovered[] =
    parts[0] === 'apis' ? await discoveredIn(registry) : registry.kinds.list
  switch (parts[0]) {
    case undefined:
      return exchange.json(200, {
        paths: [
          '/.well-known/openid-configuration',
          '/api',
          '/apis',
          '/healthz',
          '/livez',
          '/metrics',
          '/openapi/v2',
          '/openapi/v3',
          '/openid/v1/jwks',
          '/readyz',
          '/version',
        ],
      })
    case 'version':
      return exchange.json(200, VERSION)
    case 'healthz':
    case 'livez':
    case 'readyz':
      return health(paths, exchange, parts, query)
    case 'metrics':
      return exchange.bytes(
        200,
        Buffer.from(await registry.env.metrics.text()),
        registry.env.metrics.contentType,
      )
    case 'api':
      if (parts.length === 1)
        return sendDiscovery(exchange, 'api', (version) =>
          version ? aggregatedDiscovery(kinds, 'api', version) : apiVersions(kinds, paths.address()),
        )
      return sendIfFound(
        exchange,
        parts.length === 2 ? apiResourceList(kinds, '', parts[1] ?? '') : undefined,
      )
    case 'apis':
      if (parts.length === 1)
        return sendDiscovery(exchange, 'apis', (version) =>
          version ? aggregatedDiscovery(kinds, 'apis', version) : apiGroupList(kinds),
        )
      if (parts.length === 2) return sendIfFound(exchange, apiGroup(kinds, parts[1] ?? ''))
      return sendIfFound(
        exchange,
        parts.length === 3 ? apiResourceList(kinds, parts[1] ?? '', parts[2] ?? '') : undefined,
      )
    case '.well-known':
      if (parts.length !== 2 || parts[1] !== 'openid-configuration')
        return exchange.text(404, '404 page not found\n')
      return exchange.json(200, {
        issuer: ISSUER,
        jwks_uri: `https://${paths.address()}${JWKS_PATH}`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['ES256'],
      })
    case 'openid':
      if (`/${parts.join('/')}` !== JWKS_PATH) return exchange.text(404, '404 page not found\n')
      return exchange.json(200, paths.access.tokens.jwks(), 'application/jwk-set+json')
    case 'openapi':
      return sendOpenApi(openApi, exchange, parts.slice(1), query)
    default:
      return exchange.text(404, '404 page not found\n')
  }
}

async function sendDiscovery(
  exchange: Exchange,
  root: 'api' | 'apis',
  of: (version: 'v2' | 'v2beta1' | undefined) => object,
): Promise<void> {
  for (const { type, parameters } of parseAccept(exchange.header('accept'))) {
    if (type !== 'application/json' && type !== '*/*' && type !== 'application/*') continue
    const version = parameters['v']
    if (
      parameters['g'] === 'apidiscovery.k8s.io' &&
      parameters['as'] === 'APIGroupDiscoveryList' &&
      (version === 'v2' || version === 'v2beta1')
    ) {
      return exchange.json(
        200,
        of(version),
        `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
      )
    }
    if (parameters['as'] === undefined) return exchange.json(200, of(undefined))
  }
  throw new ApiError('NotAcceptable', `only application/json is served at /${root}`)
}

function sendIfFound(exchange: Exchange, document: object | undefined): Promise<void> {
  if (!document) throw new ApiError('NotFound', 'the server could not find the requested resource')
  return exchange.json(200, document)
}

const OPENAPI_V2_PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

async function sendOpenApi(
  openApi: OpenApi,
  exchange: Exchange,
  parts: readonly string[],
  query: URLSearchParams,
): Promise<void> {
  const [version, ...rest] = parts
  if (version === 'v3' && rest.length === 0) return exchange.json(200, await openApi.index())
  const isV2 = version === 'v2' && rest.length === 0
  const accept = exchange.header('accept') ?? '*/*'
  // kubectl names the second spelling, Kubernetes answers with the first.
  const isProtobuf =
    isV2 && /application\/com\.github\.proto-openapi\.spec\.v2[.@]v1\.0\+protobuf/.test(accept)
  if (isV2 && !isProtobuf && !/json|\*\/\*/.test(accept)) {
    const served = `application/json, ${OPENAPI_V2_PROTOBUF}`
    throw new ApiError('NotAcceptable', `only the following media types are accepted: ${served}`)
  }
  const type = isProtobuf ? OPENAPI_V2_PROTOBUF : 'application/json'
  const document = isV2
    ? await (isProtobuf ? openApi.v2Protobuf() : openApi.v2())
    : version === 'v3'
      ? await openApi.v3(rest.join('/'))
      : undefined
  if (!document) throw new ApiError('NotFound', 'the server could not find the requested resource')
  const etag = `"${document.hash}"`
  const caching = query.get('hash') === document.hash ? { 'cache-control': 'public, immutable' } : {}
  if (exchange.header('if-none-match') === etag)
    return exchange.bytes(304, Buffer.alloc(0), type, { etag, ...caching })
  return exchange.bytes(200, document.bytes, type, { etag, ...caching })
}

/** readyz reads from the store: a server that cannot is not ready, whatever else it says (S-F04). */
async function health(
  { registry, isStopping }: SpecialPaths,
  exchange: Exchange,
  parts: readonly string[],
  query: URLSearchParams,
): Promise<void> {
  const checks: [string, () => Promise<unknown> | unknown][] = [['ping', () => undefined]]
  checks.push(['etcd', () => registry.store.get('/registry/health')])
  if (parts[0] === 'readyz') {
    checks.push([
      'shutdown',
      () => {
        if (isStopping()) throw new Error('process is shutting down')
      },
    ])
  }
  const wanted = parts[1] === undefined ? checks : checks.filter(([name]) => name === parts[1])
  if (wanted.length === 0) return exchange.text(404, '404 page not found\n')
  const excluded = query.getAll('exclude')
  const lines: string[] = []
  let isOk = true
  for (const [name, check] of wanted) {
    if (excluded.includes(name)) continue
    try {
      await check()
      lines.push(`[+]${name} ok`)
    } catch {
      isOk = false
      lines.push(`[-]${name} failed: reason withheld`)
    }
  }
  const isVerbose = query.has('verbose') || !isOk
  const verdict = `${parts[0]} check ${isOk ? 'passed' : 'failed'}\n`
  return exchange.text(isOk ? 200 : 500, isVerbose ? `${lines.join('\n')}\n${verdict}` : 'ok')
}
