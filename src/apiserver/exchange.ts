import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { dump } from 'js-yaml'
import { ApiError } from '../api/status.ts'
import type { Clock } from '../base/clock.ts'
import { parseJsonBody, parseYamlBody } from './content.ts'
import { decodeProtobuf, PROTOBUF_TYPE } from './protobuf.ts'

const gzipAsync = promisify(gzip)
/** Kubernetes' limit on a request body. */
const BODY_BYTES_MAX = 3 * 1024 * 1024
/** A body that is not there by then, and an answer that is not taken by then, ends the request. */
const BODY_MS = 60_000
/** From here on it matters how fast a client reads. */
const DRAINED_FROM_BYTES = 64 * 1024
/** Larger answers are compressed for clients that accept it. */
const GZIP_FROM_BYTES = 128 * 1024

export type Request = IncomingMessage | Http2ServerRequest
export type Response = ServerResponse | Http2ServerResponse

/** One request and its answer, over HTTP/1.1 or HTTP/2 alike. */
export class Exchange {
  readonly request: Request
  readonly response: Response
  readonly #clock: Clock
  readonly #warnings: string[] = []
  #keeps = { request: false, response: false }
  #received: unknown
  #answered: Buffer | undefined

  constructor(clock: Clock, request: Request, response: Response) {
    this.#clock = clock
    this.request = request
    this.response = response
  }

  /** Which bodies are kept for the audit log. */
  keep(keeps: { readonly request: boolean; readonly response: boolean }): void {
    this.#keeps = keeps
  }

  /** The request's body, where it is kept and was read. */
  get received(): unknown {
    return this.#received
  }

  /** The JSON that was answered, where it is kept. */
  get answered(): unknown {
    return this.#answered && (JSON.parse(this.#answered.toString()) as unknown)
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
    const value = await this.#readBody()
    if (this.#keeps.request) this.#received = value
    return value
  }

  async #readBody(): Promise<unknown> {
    const bytes = await this.#bytes()
    const type = this.contentType
    if (type === PROTOBUF_TYPE && bytes.length > 0) return decodeProtobuf(bytes)
    const text = bytes.toString('utf8')
    if (text.trim() === '') return undefined
    return type.endsWith('yaml') ? parseYamlBody(text) : parseJsonBody(text)
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
    if (this.#keeps.response && /\bjson\b/.test(type)) this.#answered = bytes
    const zips = bytes.length > GZIP_FROM_BYTES && /\bgzip\b/.test(this.header('accept-encoding') ?? '')
    const sent = zips ? await gzipAsync(bytes, { level: 1 }) : bytes
    this.head(code, {
      'content-type': type,
      'content-length': String(sent.length),
      ...(zips ? { 'content-encoding': 'gzip', vary: 'Accept-Encoding' } : {}),
      ...headers,
    })
    ;(this.response as ServerResponse).end(this.request.method === 'HEAD' ? undefined : sent)
    if (sent.length > DRAINED_FROM_BYTES) await this.#taken()
  }

  /** A large answer counts as under way until the client has taken it; one that does not take it is dropped. */
  async #taken(): Promise<void> {
    const { response } = this
    if (response.writableFinished || response.destroyed) return
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(BODY_MS, () => response.destroy())
      const done = () => {
        cancel()
        resolve()
      }
      response.once('finish', done)
      response.once('close', done)
    })
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
    let cancel = () => {}
    const late = new Promise<never>((_, reject) => {
      cancel = this.#clock.after(BODY_MS, () => {
        // Told first, then cut off: what still comes is not wanted.
        this.response.once('finish', () => this.request.destroy())
        reject(new ApiError('Timeout', 'Timeout: request did not complete within requested timeout'))
      })
    })
    try {
      return await Promise.race([this.#allBytes(), late])
    } catch (error) {
      throw error instanceof ApiError ? error : new ApiError('BadRequest', 'the request body broke off')
    } finally {
      cancel()
    }
  }

  async #allBytes(): Promise<Buffer> {
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
