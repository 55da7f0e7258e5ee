import type { IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import type { KindRef } from '../api/kind.ts'
import { apiVersionOf, type ObjectKey, type Resource } from '../api/resource.ts'
import { ApiError, type Status } from '../api/status.ts'
import { deepFreeze } from '../base/json.ts'
import type {
  ApplyOptions,
  Client,
  DeleteOptions,
  List,
  ListOptions,
  PatchType,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './client.ts'
import type { Connection } from './kubeconfig.ts'

const PATCH_CONTENT = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const

interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly body?: unknown
  readonly contentType?: string
  readonly signal?: AbortSignal | undefined
}

/**
 * The Client interface over HTTPS. Connections are kept and shared. A write whose connection breaks before the answer
 * is a Timeout: its outcome is unknown and it is never sent again. Watches end when the server ends them; whoever
 * watches (an informer) goes on from the last revision.
 */
export class HttpClient implements Client {
  readonly #connection: Connection
  readonly #agent: Agent
  readonly #fieldManager: string

  constructor(
    connection: Connection,
    options: { readonly fieldManager?: string; readonly agent?: Agent } = {},
  ) {
    this.#connection = connection
    this.#fieldManager = options.fieldManager ?? 'seamark'
    this.#agent =
      options.agent ??
      new Agent({
        keepAlive: true,
        maxSockets: 64,
        ...(connection.authorityPem ? { ca: connection.authorityPem } : {}),
        ...(connection.certificatePem ? { cert: connection.certificatePem } : {}),
        ...(connection.keyPem ? { key: connection.keyPem } : {}),
      })
  }

  get<R extends Resource>(kind: KindRef<R>, key: ObjectKey): Promise<R> {
    return this.#json({ method: 'GET', path: pathOf(kind, key) })
  }

  async list<R extends Resource>(kind: KindRef<R>, options: ListOptions = {}): Promise<List<R>> {
    const { namespace, ...query } = options
    const list = await this.#json<{
      readonly metadata: {
        readonly resourceVersion: string
        readonly continue?: string
        readonly remainingItemCount?: number
      }
      readonly items: readonly R[]
    }>({ method: 'GET', path: collectionOf(kind, namespace), query })
    const typed = list.items.map((item) =>
      item.kind ? item : { ...item, apiVersion: apiVersionOf(kind), kind: kind.kind },
    )
    const { resourceVersion, continue: more, remainingItemCount } = list.metadata
    return {
      resourceVersion,
      items: typed,
      ...(more ? { continue: more } : {}),
      ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
    }
  }

  async *watch<R extends Resource>(
    kind: KindRef<R>,
    options: WatchOptions = {},
  ): AsyncIterable<WatchEvent<R>> {
    const { namespace, signal, ...query } = options
    let response: IncomingMessage
    try {
      response = await this.#send({
        method: 'GET',
        path: collectionOf(kind, namespace),
        query: { watch: true, ...query },
        signal,
      })
    } catch (error) {
      if (signal?.aborted) return
      throw error
    }
    if (response.statusCode !== 200) throw await failure(response)
    try {
      for await (const line of linesOf(response)) {
        const event = JSON.parse(line) as WatchEvent<R> | { readonly type: 'ERROR'; readonly object: Status }
        if (event.type === 'ERROR') throw ApiError.fromStatus(event.object)
        yield deepFreeze(event)
      }
    } catch (error) {
      if (signal?.aborted) return
      throw error
    } finally {
      response.destroy()
    }
  }

  create<R extends Resource>(kind: KindRef<R>, resource: R, options: WriteOptions = {}): Promise<R> {
    const path = collectionOf(kind, resource.metadata.namespace)
    return this.#json({ method: 'POST', path, query: this.#writeQuery(options), body: resource })
  }

  update<R extends Resource>(kind: KindRef<R>, resource: R, options: WriteOptions = {}): Promise<R> {
    const path = pathOf(kind, resource.metadata, options.subresource)
    return this.#json({ method: 'PUT', path, query: this.#writeQuery(options), body: resource })
  }

  patch<R extends Resource>(
    kind: KindRef<R>,
    key: ObjectKey,
    type: PatchType,
    patch: unknown,
    options: WriteOptions = {},
  ): Promise<R> {
    const path = pathOf(kind, key, options.subresource)
    return this.#json({
      method: 'PATCH',
      path,
      query: this.#writeQuery(options),
      body: patch,
      contentType: PATCH_CONTENT[type],
    })
  }

  apply<R extends Resource>(kind: KindRef<R>, resource: R, options: ApplyOptions): Promise<R> {
    const path = pathOf(kind, resource.metadata, options.subresource)
    const query = { ...this.#writeQuery(options), force: options.force }
    return this.#json({ method: 'PATCH', path, query, body: resource, contentType: PATCH_CONTENT.apply })
  }

  delete<R extends Resource>(kind: KindRef<R>, key: ObjectKey, options: DeleteOptions = {}): Promise<R> {
    return this.#json({ method: 'DELETE', path: pathOf(kind, key), body: deleteBody(options) })
  }

  async deleteCollection<R extends Resource>(
    kind: KindRef<R>,
    list: ListOptions,
    options: DeleteOptions = {},
  ): Promise<void> {
    const { namespace, ...query } = list
    await this.#json({
      method: 'DELETE',
      path: collectionOf(kind, namespace),
      query,
      body: deleteBody(options),
    })
  }

  createSubresource(
    kind: KindRef,
    key: ObjectKey,
    subresource: string,
    body: unknown,
    options: WriteOptions = {},
  ): Promise<unknown> {
    return this.#json({
      method: 'POST',
      path: pathOf(kind, key, subresource),
      query: this.#writeQuery(options),
      body,
    })
  }

  as(fieldManager: string): Client {
    return new HttpClient(this.#connection, { fieldManager, agent: this.#agent })
  }

  close(): void {
    this.#agent.destroy()
  }

  #writeQuery({ dryRun, fieldManager, fieldValidation }: WriteOptions) {
    return {
      fieldManager: fieldManager ?? this.#fieldManager,
      fieldValidation,
      ...(dryRun ? { dryRun: 'All' } : {}),
    }
  }

  async #json<T>(call: Call): Promise<T> {
    const response = await this.#send(call)
    if ((response.statusCode ?? 500) >= 400) throw await failure(response)
    return deepFreeze(JSON.parse(await textOf(response)) as T)
  }

  #send({
    method,
    path,
    query = {},
    body,
    contentType = 'application/json',
    signal,
  }: Call): Promise<IncomingMessage> {
    const url = new URL(path, this.#connection.server)
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value))
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const options: RequestOptions = {
      method,
      agent: this.#agent,
      ...(signal ? { signal } : {}),
      headers: {
        accept: 'application/json',
        'user-agent': `${this.#fieldManager}/1`,
        ...(this.#connection.token ? { authorization: `Bearer ${this.#connection.token}` } : {}),
        ...(payload ? { 'content-type': contentType, 'content-length': payload.length } : {}),
      },
    }
    return new Promise((resolve, reject) => {
      const request = httpsRequest(url, options, resolve)
      request.on('error', (error: NodeJS.ErrnoException) =>
        reject(signal?.aborted ? signal.reason : unreachableServer(url, method, error)),
      )
      request.end(payload)
    })
  }
}

function collectionOf(kind: KindRef, namespace: string | undefined): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`
  const scope = namespace && kind.scope === 'Namespaced' ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${root}${scope}/${kind.plural}`
}

function pathOf(kind: KindRef, key: ObjectKey, subresource?: string): string {
  const path = `${collectionOf(kind, key.namespace)}/${encodeURIComponent(key.name)}`
  return subresource ? `${path}/${subresource}` : path
}

function deleteBody(options: DeleteOptions): object {
  const { dryRun, ...rest } = options
  return { apiVersion: 'v1', kind: 'DeleteOptions', ...rest, ...(dryRun ? { dryRun: ['All'] } : {}) }
}

function unreachableServer({ origin }: URL, method: string, error: NodeJS.ErrnoException): ApiError {
  if (error.code === 'ECONNREFUSED') {
    return new ApiError(
      'ServiceUnavailable',
      `Cannot connect to ${origin}: connection refused; is "seamark up" running?`,
      { cause: error },
    )
  }
  const outcome = method === 'GET' ? '' : '; whether the write happened is unknown'
  return new ApiError('Timeout', `Connection to ${origin} broke: ${error.message}${outcome}`, {
    cause: error,
  })
}

async function failure(response: IncomingMessage): Promise<ApiError> {
  const text = await textOf(response)
  try {
    const status = JSON.parse(text) as Status
    if (status.kind === 'Status') return ApiError.fromStatus(status)
  } catch {
    // Not a Status: a proxy's page, or nothing.
  }
  return new ApiError('InternalError', `Unexpected answer ${response.statusCode}: ${text.slice(0, 200)}`)
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

async function* linesOf(response: IncomingMessage): AsyncIterable<string> {
  let rest = ''
  response.setEncoding('utf8')
  for await (const chunk of response) {
    const lines = (rest + (chunk as string)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') yield line
  }
}
