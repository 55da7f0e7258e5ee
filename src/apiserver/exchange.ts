import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { dump, load } from 'js-yaml'
import { ApiError, badRequest } from '../api/status.ts'
import { parseJsonBody } from './content.ts'
import { decodeProtobuf, PROTOBUF_TYPE } from './protobuf.ts'

const gzipAsync = promisify(gzip)
/** Kubernetes' limit on a request body. */
const BODY_BYTES_MAX = 3 * 1024 * 1024
/** Larger answers are compressed for clients that accept it. */
const GZIP_FROM_BYTES = 128 * 1024

export type Request = IncomingMessage | Http2ServerRequest
export type Response = ServerResponse | Http2ServerResponse

/** One request and its answer, over HTTP/1.1 or HTTP/2 alike. */
export class Exchange {
  readonly request: Request
  readonly response: Response
  readonly #warnings: string[] = []

  constructor(request: Request, response: Response) {
    this.request = request
    this.response = response
  }

  get socket(): TLSSocket {
    const stream = 'stream' in this.request ? this.request.stream : undefined
    return (stream?.session?.socket ?? this.request.socket) as TLSSocket
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name]
    return Array.isArray(value) ? value[0] : value
  }

  /** As they came, names in lower case; repeated ones apart. */
  get headers(): readonly (readonly [name: string, value: string])[] {
    const raw = this.request.rawHeaders
    const headers: [string, string][] = []
    for (let i = 0; i + 1 < raw.length; i += 2) headers.push([(raw[i] ?? '').toLowerCase(), raw[i + 1] ?? ''])
    return headers
  }

  /** "kubectl/v1.36.0 (linux/amd64)" -> "kubectl": the field manager of a client that names none. */
  get userAgentName(): string {
    const name = (this.header('user-agent') ?? 'unknown').split('/')[0] ?? 'unknown'
    return name.replace(/[^\x20-\x7e]/g, '').slice(0, 128) || 'unknown'
  }

  warn(warnings: readonly string[]): void {
    this.#warnings.push(...warnings)
  }

  /** The body, read by its content type (JSON, YAML, protobuf); undefined when it is empty. */
  async body(): Promise<unknown> {
    const bytes = await this.#bytes()
    const type = this.contentType
    if (type === PROTOBUF_TYPE && bytes.length > 0) return decodeProtobuf(bytes)
    const text = bytes.toString('utf8')
    if (text.trim() === '') return undefined
    if (type.endsWith('yaml')) {
      try {
        return load(text)
      } catch (error) {
        throw badRequest(`error parsing the body as YAML: ${(error as Error).message.split('\n')[0]}`)
      }
    }
    return parseJsonBody(text)
  }

  get contentType(): string {
    return (this.header('content-type') ?? 'application/json').split(';')[0]?.trim().toLowerCase() ?? ''
  }

  async json(code: number, value: object, type = 'application/json'): Promise<void> {
    await this.bytes(code, Buffer.from(JSON.stringify(value)), type)
  }

  async yaml(code: number, value: object): Promise<void> {
    await this.bytes(code, Buffer.from(dump(value)), 'application/yaml')
  }

  async text(code: number, text: string): Promise<void> {
    await this.bytes(code, Buffer.from(text), 'text/plain; charset=utf-8')
  }

  async bytes(
    code: number,
    bytes: Buffer,
    type: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const zips = bytes.length > GZIP_FROM_BYTES && /\bgzip\b/.test(this.header('accept-encoding') ?? '')
    const sent = zips ? await gzipAsync(bytes, { level: 1 }) : bytes
    this.head(code, {
      'content-type': type,
      'content-length': String(sent.length),
      ...(zips ? { 'content-encoding': 'gzip', vary: 'Accept-Encoding' } : {}),
      ...headers,
    })
    ;(this.response as ServerResponse).end(this.request.method === 'HEAD' ? undefined : sent)
  }

  head(code: number, headers: Readonly<Record<string, string>>): void {
    if (this.response.headersSent || this.response.destroyed) return
    const warnings = this.#warnings.map(
      (text) => `299 - ${JSON.stringify(text.replace(/[^\x20-\x7e]/g, '?').slice(0, 1024))}`,
    )
    const response = this.response as ServerResponse
    if (warnings.length > 0) response.setHeader('warning', warnings)
    response.writeHead(code, {
      'cache-control': 'no-cache, private',
      'x-content-type-options': 'nosniff',
      ...headers,
    })
  }

  async fail(error: ApiError): Promise<void> {
    const retry = error.details?.retryAfterSeconds ?? (error.reason === 'TooManyRequests' ? 1 : undefined)
    const bytes = Buffer.from(JSON.stringify(error.toStatus()))
    await this.bytes(
      error.code,
      bytes,
      'application/json',
      retry === undefined ? {} : { 'retry-after': String(retry) },
    )
  }

  /** Bounded while it arrives: what is too large is never held. */
  async #bytes(): Promise<Buffer> {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of this.request) {
      size += (chunk as Buffer).length
      if (size > BODY_BYTES_MAX) {
        throw new ApiError('RequestEntityTooLarge', `Request entity too large: limit is ${BODY_BYTES_MAX}`)
      }
      chunks.push(chunk as Buffer)
    }
    return Buffer.concat(chunks)
  }
}
