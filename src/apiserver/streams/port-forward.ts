import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { SpdyReader, SpdyWriter } from './spdy.ts'

export const PORT_FORWARD_PROTOCOL = 'SPDY/3.1+portforward.k8s.io'

/** Streams of one client at once: two for each of its connections. */
const STREAMS_MAX = 256

interface Forwarded {
  readonly data?: number
  readonly error?: number
  readonly port: number
  readonly target?: Duplex
}

/**
 * Port-forward through a WebSocket (KEP-4006): for each connection the client opens an error stream and a data stream
 * of the same request; bytes go both ways, and what goes wrong is said on the error stream.
 */
export class PortForward {
  readonly #socket: WebSocket
  readonly #dial: (port: number) => Promise<Duplex>
  readonly #reader = new SpdyReader()
  readonly #writer = new SpdyWriter()
  readonly #requests = new Map<string, Forwarded>()
  readonly #requestOf = new Map<number, string>()
  #tail: Promise<void> = Promise.resolve()

  constructor(socket: WebSocket, dial: (port: number) => Promise<Duplex>) {
    this.#socket = socket
    this.#dial = dial
    socket.on('message', (bytes: Buffer) => {
      socket.pause()
      this.#tail = this.#tail
        .then(() => this.#read(bytes))
        .catch(() => socket.close(1002, 'the SPDY frames cannot be read'))
        .finally(() => socket.resume())
    })
    socket.on('error', () => socket.terminate())
    socket.on('close', () => {
      for (const { target } of this.#requests.values()) target?.destroy()
      this.#reader.close()
    })
  }

  async #read(bytes: Buffer): Promise<void> {
    for await (const frame of this.#reader.read(bytes)) {
      switch (frame.type) {
        case 'open':
          await this.#open(frame.stream, frame.headers)
          break
        case 'data':
          await this.#data(frame.stream, frame.bytes, frame.isLast)
          break
        case 'reset':
          this.#end(this.#requestOf.get(frame.stream))
          break
        case 'ping':
          await this.#send(this.#writer.pong(frame.id))
          break
        case 'go-away':
          this.#socket.close(1000)
      }
    }
  }

  async #open(stream: number, headers: ReadonlyMap<string, string>): Promise<void> {
    const type = headers.get('streamtype')
    const port = Number(headers.get('port'))
    const request = headers.get('requestid') ?? String(type === 'error' ? stream : stream - 2)
    const isPort = Number.isInteger(port) && port > 0 && port < 65_536
    const isFull = this.#requestOf.size >= STREAMS_MAX
    if ((type !== 'data' && type !== 'error') || !isPort || isFull)
      return this.#send(this.#writer.reset(stream))
    this.#requestOf.set(stream, request)
    const forwarded = { ...this.#requests.get(request), port, [type]: stream }
    this.#requests.set(request, forwarded)
    await this.#send(this.#writer.reply(stream))
    if (forwarded.data !== undefined && forwarded.error !== undefined) await this.#connect(request, forwarded)
  }

  async #connect(request: string, { data = 0, error = 0, port }: Forwarded): Promise<void> {
    let target: Duplex
    try {
      target = await this.#dial(port)
    } catch (why) {
      const message = `error forwarding port ${port} to pod: ${(why as Error).message}`
      await this.#send(this.#writer.data(error, Buffer.from(message), true))
      this.#end(request)
      return
    }
    this.#requests.set(request, { data, error, port, target })
    target.on('error', () => this.#end(request))
    void this.#pump(request, target, data, error)
  }

  async #pump(request: string, target: Duplex, data: number, error: number): Promise<void> {
    try {
      for await (const chunk of target) await this.#send(this.#writer.data(data, chunk as Uint8Array))
    } catch {
      // A connection that broke has ended like any other; who sent knows what is missing.
    }
    await this.#send(this.#writer.data(data, new Uint8Array(), true))
    await this.#send(this.#writer.data(error, new Uint8Array(), true))
    this.#end(request)
  }

  /** What arrives for the pod; one that does not read holds up its client. */
  async #data(stream: number, bytes: Uint8Array, isLast: boolean): Promise<void> {
    const forwarded = this.#requests.get(this.#requestOf.get(stream) ?? '')
    if (forwarded?.data !== stream || !forwarded.target) return
    const { target } = forwarded
    if (bytes.length > 0 && !target.destroyed && !target.write(Buffer.from(bytes)))
      await new Promise<void>((resolve) => {
        target.once('drain', resolve)
        target.once('close', resolve)
      })
    if (isLast) target.end()
  }

  #end(request: string | undefined): void {
    const forwarded = this.#requests.get(request ?? '')
    if (request === undefined || !forwarded) return
    this.#requests.delete(request)
    for (const stream of [forwarded.data, forwarded.error])
      if (stream !== undefined) this.#requestOf.delete(stream)
    forwarded.target?.destroy()
  }

  #send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.readyState !== this.#socket.OPEN) return resolve()
      this.#socket.send(bytes, { binary: true }, () => resolve())
    })
  }
}
