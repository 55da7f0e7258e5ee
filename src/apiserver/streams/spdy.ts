import { createInflate, type Inflate } from 'node:zlib'

/**
 * As much of SPDY/3.1 as port-forward speaks through a WebSocket: streams that a client opens with a few headers, their
 * data, and their ends. Bytes go in as they come; whole frames come out.
 */
export type SpdyFrame =
  | {
      readonly type: 'open'
      readonly stream: number
      readonly headers: ReadonlyMap<string, string>
      readonly isLast: boolean
    }
  | { readonly type: 'data'; readonly stream: number; readonly bytes: Uint8Array; readonly isLast: boolean }
  | { readonly type: 'reset'; readonly stream: number }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'go-away' }

const VERSION = 0x8003
const [SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GO_AWAY] = [1, 2, 3, 6, 7]
const FIN = 1
const CANCEL = 5
const FRAME_BYTES_MAX = 1024 * 1024
/** Compressed; what they become is bounded by what the inflater holds before it waits to be read. */
const HEADERS_BYTES_MAX = 4096

/** Takes frames out of a stream of bytes. Throws Error for what is no SPDY/3.1, or is too large. */
export class SpdyReader {
  #rest = Buffer.alloc(0)
  readonly #inflate: Inflate

  constructor() {
    this.#inflate = createInflate({ dictionary: DICTIONARY })
    this.#inflate.on('error', () => {})
  }

  async *read(bytes: Uint8Array): AsyncGenerator<SpdyFrame> {
    this.#rest = Buffer.concat([this.#rest, bytes])
    while (this.#rest.length >= 8) {
      const flags = this.#rest.readUInt8(4)
      const length = this.#rest.readUIntBE(5, 3)
      if (length > FRAME_BYTES_MAX) throw new Error('SPDY frame is too large')
      if (this.#rest.length < 8 + length) return
      const first = this.#rest.readUInt32BE(0)
      const body = this.#rest.subarray(8, 8 + length)
      this.#rest = this.#rest.subarray(8 + length)
      const isLast = (flags & FIN) !== 0
      if (first < 0x8000_0000) {
        yield { type: 'data', stream: first, bytes: body, isLast }
        continue
      }
      if (first >>> 16 !== VERSION) throw new Error('SPDY frame of another version')
      const frame = await this.#control(first & 0xffff, body, isLast)
      if (frame) yield frame
    }
  }

  close(): void {
    this.#inflate.destroy()
  }

  async #control(type: number, body: Buffer, isLast: boolean): Promise<SpdyFrame | undefined> {
    const stream = () => body.readUInt32BE(0) & 0x7fff_ffff
    switch (type) {
      case SYN_STREAM:
        return { type: 'open', stream: stream(), headers: await this.#headers(body.subarray(10)), isLast }
      case RST_STREAM:
        return { type: 'reset', stream: stream() }
      case PING:
        return { type: 'ping', id: body.readUInt32BE(0) }
      case GO_AWAY:
        return { type: 'go-away' }
      // Settings and window updates mean nothing to a side that never waits for a window.
      default:
        return undefined
    }
  }

  async #headers(block: Buffer): Promise<ReadonlyMap<string, string>> {
    if (block.length > HEADERS_BYTES_MAX) throw new Error('SPDY headers are too large')
    await new Promise<void>((resolve, reject) => {
      this.#inflate.once('error', reject)
      this.#inflate.write(block, () => {
        this.#inflate.off('error', reject)
        resolve()
      })
    })
    const bytes = (this.#inflate.read() as Buffer | null) ?? Buffer.alloc(4)
    let at = 4
    const text = () => {
      const length = bytes.readUInt32BE(at)
      at += 4 + length
      return bytes.toString('utf8', at - length, at)
    }
    const headers = new Map<string, string>()
    for (let left = bytes.readUInt32BE(0); left > 0; left -= 1) headers.set(text().toLowerCase(), text())
    return headers
  }
}

/** Makes the frames of the answering side. */
export class SpdyWriter {
  #isFirst = true

  /** A stream is accepted, with no headers of its own. */
  reply(stream: number): Uint8Array {
    const block = Buffer.alloc(4)
    // Stored blocks are valid zlib and need no state but the two bytes it begins with; the empty one is the flush
    // without which Go's reader hands out nothing.
    const stored = Buffer.from([
      0,
      block.length,
      0,
      ~block.length & 0xff,
      0xff,
      ...block,
      0,
      0,
      0,
      0xff,
      0xff,
    ])
    const start = this.#isFirst ? Buffer.from([0x78, 0x01]) : Buffer.alloc(0)
    this.#isFirst = false
    return control(SYN_REPLY, 0, Buffer.concat([word(stream), start, stored]))
  }

  data(stream: number, bytes: Uint8Array, isLast = false): Uint8Array {
    const head = Buffer.alloc(8)
    head.writeUInt32BE(stream, 0)
    head.writeUInt8(isLast ? FIN : 0, 4)
    head.writeUIntBE(bytes.length, 5, 3)
    return Buffer.concat([head, bytes])
  }

  reset(stream: number): Uint8Array {
    return control(RST_STREAM, 0, Buffer.concat([word(stream), word(CANCEL)]))
  }

  pong(id: number): Uint8Array {
    return control(PING, 0, word(id))
  }
}

function control(type: number, flags: number, body: Uint8Array): Uint8Array {
  const head = Buffer.alloc(8)
  head.writeUInt16BE(VERSION, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt8(flags, 4)
  head.writeUIntBE(body.length, 5, 3)
  return Buffer.concat([head, body])
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

const NAMES =
  'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization cache-control connection content-base content-encoding content-language content-length content-location content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get status'
const VALUES =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.'

/** The dictionary of SPDY/3 (draft-mbelshe-httpbis-spdy-00, 2.6.10.1): every name with its length before it, then the values. */
export const DICTIONARY: Buffer = Buffer.concat([
  ...[
    ...NAMES.split(' '),
    '200 OK',
    'version',
    'HTTP/1.1',
    'url',
    'public',
    'set-cookie',
    'keep-alive',
    'origin',
  ].flatMap((name) => [word(name.length), Buffer.from(name)]),
  Buffer.from(VALUES),
])
