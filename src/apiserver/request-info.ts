import { ApiError } from '../api/status.ts'

/**
 * What a request asks for, read once from method and URL; authentication, authorization, routing and audit all see
 * this one reading. Path segments are decoded once and refused when they could leave their place.
 */
export type RequestInfo =
  | ResourceRequest
  | { readonly type: 'other'; readonly path: string; readonly query: URLSearchParams }

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

export interface ResourceRequest {
  readonly type: 'resource'
  readonly verb: Verb
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly namespace?: string
  readonly name?: string
  readonly subresource?: string
  /** What follows the subresource: the path of a proxied request. */
  readonly rest?: string
  readonly path: string
  readonly query: URLSearchParams
}

const VERBS: Readonly<Record<string, Verb>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** Throws BadRequest for a path that cannot be read and MethodNotAllowed for an unknown method on a resource. */
export function readRequest(method: string, url: string): RequestInfo {
  const queryAt = url.indexOf('?')
  const path = queryAt < 0 ? url : url.slice(0, queryAt)
  const query = new URLSearchParams(queryAt < 0 ? '' : url.slice(queryAt + 1))
  const other = { type: 'other', path, query } as const
  const segments = path.split('/').slice(1)
  if (segments.at(-1) === '') segments.pop()
  const decoded = segments.map(decodeSegment)
  const [root] = decoded
  const isCore = root === 'api'
  if (!isCore && root !== 'apis') return other
  const parts = decoded.slice(isCore ? 1 : 2)
  const [version, ...after] = parts
  if (version === undefined || after.length === 0) return other
  const isLegacyWatch = after[0] === 'watch' && after.length > 1
  const place = readPlace(isLegacyWatch ? after.slice(1) : after)
  const verb = VERBS[method]
  if (!verb) throw new ApiError('MethodNotAllowed', `Method "${method}" is not supported`)
  return {
    type: 'resource',
    verb: refineVerb(verb, place.name, query, isLegacyWatch),
    group: isCore ? '' : (decoded[1] ?? ''),
    version,
    ...place,
    path,
    query,
  }
}

/** namespaces/NS/plural[/name[/subresource[/rest]]] or plural[/name[/subresource]]; /namespaces/NS/status is of the namespace. */
function readPlace(
  parts: readonly string[],
): Pick<ResourceRequest, 'plural' | 'namespace' | 'name' | 'subresource' | 'rest'> {
  const [first = '', second, third] = parts
  const ofNamespaceItself = third === 'status' || third === 'finalize'
  const inNamespace =
    first === 'namespaces' && second !== undefined && third !== undefined && !ofNamespaceItself
  const [plural = '', name, subresource, ...rest] = inNamespace ? parts.slice(2) : parts
  return {
    plural,
    ...(inNamespace && second !== undefined ? { namespace: second } : {}),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
    ...(rest.length > 0 ? { rest: rest.join('/') } : {}),
  }
}

function refineVerb(
  verb: Verb,
  name: string | undefined,
  query: URLSearchParams,
  isLegacyWatch: boolean,
): Verb {
  if (verb === 'delete' && name === undefined) return 'deletecollection'
  if (verb !== 'get') return verb
  if (isLegacyWatch) return 'watch'
  if (name !== undefined) return 'get'
  return isTrue(query.get('watch')) ? 'watch' : 'list'
}

/** How Kubernetes reads a boolean in a query: present and empty is true, as is anything but "false" and "0". */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== 'false' && value !== '0'
}

function decodeSegment(segment: string): string {
  let text: string
  try {
    text = decodeURIComponent(segment)
  } catch {
    throw new ApiError(
      'BadRequest',
      `Cannot read the path: ${JSON.stringify(segment)} is not valid percent-encoding`,
    )
  }
  if (text === '' || text === '.' || text === '..' || /[/%\0]/.test(text)) {
    throw new ApiError(
      'BadRequest',
      `Cannot read the path: ${JSON.stringify(text)} may not be a path segment`,
    )
  }
  return text
}
