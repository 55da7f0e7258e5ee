import type { WebSocket } from 'ws'
import type { Status } from '../../api/status.ts'
import { Wake } from '../../base/wake.ts'
import type { ProcessIo } from '../../client/node-connection.ts'

/**
 * The channel protocol of exec and attach: each binary message begins with the number of its channel. v5 adds one that
 * closes another, so that a command can be told its input is over.
 */
const STDIN = 0
const STDOUT = 1
const STDERR = 2
const ERROR = 3
const CLOSE = 255
/** Input that has not been read yet; above it the sender is not listened to. */
const BACKLOG_BYTES = 1024 * 1024

export const CHANNEL_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const

export interface ChannelOptions {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}

/** A process's ends over a WebSocket; `finish` says how it ended and closes. */
export class Channels {
  readonly io: ProcessIo
  readonly #socket: WebSocket

  constructor(socket: WebSocket, options: ChannelOptions) {
    this.#socket = socket
    const input = new InputQueue(socket)
    const gone = new AbortController()
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (!isBinary || data.length === 0) return
      const channel = data[0]
      if (channel === STDIN) input.push(data.subarray(1))
      // Anything else is a new size of the terminal, which nothing here depends on.
      if (channel === CLOSE && data[1] === STDIN) input.end()
    })
    socket.on('close', () => {
      input.end()
      gone.abort(new Error('the client has gone'))
    })
    socket.on('error', () => socket.terminate())
    this.io = {
      stdin: options.stdin ? input : undefined,
      tty: options.tty,
      signal: gone.signal,
      stdout: (bytes) => (options.stdout ? this.#send(STDOUT, bytes) : Promise.resolve()),
      stderr: (bytes) => (options.stderr ? this.#send(STDERR, bytes) : Promise.resolve()),
    }
  }

  async finish(status: Pick<Status, 'status'>): Promise<void> {
    await this.#send(ERROR, Buffer.from(JSON.stringify({ metadata: {}, ...status })))
    this.#socket.close(1000)
  }

  #send(channel: number, bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.readyState !== this.#socket.OPEN) return resolve()
      this.#socket.send(Buffer.concat([Buffer.from([channel]), bytes]), { binary: true }, () => resolve())
    })
  }
}

/** What was sent and not yet read, in order. */
class InputQueue implements AsyncIterable<Uint8Array> {
  readonly #socket: WebSocket
  readonly #wake = new Wake()
  readonly #chunks: Uint8Array[] = []
  #bytes = 0
  #isOver = false

  constructor(socket: WebSocket) {
    this.#socket = socket
  }

  push(chunk: Uint8Array): void {
    if (this.#isOver || chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes > BACKLOG_BYTES) this.#socket.pause()
    this.#wake.wake()
  }

  end(): void {
    this.#isOver = true
    this.#wake.wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift()
      if (chunk) {
        this.#bytes -= chunk.length
        if (this.#bytes <= BACKLOG_BYTES && this.#socket.isPaused) this.#socket.resume()
        yield chunk
      } else if (this.#isOver) return
      else await this.#wake.wait()
    }
  }
}
