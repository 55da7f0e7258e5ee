import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { badRequest } from '../../api/status.ts'

/** Client libraries' older form of port-forward: the channel protocol of exec, two channels for each port. */
export const PORT_CHANNELS_PROTOCOL = 'v4.channel.k8s.io'

const PORTS_MAX = 64

/** `ports` of the query, given once with commas or several times. Throws BadRequest. */
export function portsOf(query: URLSearchParams): readonly number[] {
  const ports = query
    .getAll('ports')
    .flatMap((text) => text.split(','))
    .map((text) => (/^\d{1,5}$/.test(text.trim()) ? Number(text) : Number.NaN))
  if (ports.length === 0) throw badRequest('query parameter "ports" is required')
  if (ports.some((port) => !(port > 0 && port < 65_536)))
    throw badRequest(
      `unable to parse ports ${JSON.stringify(query.getAll('ports').join(','))}: give numbers from 1 to 65535`,
    )
  if (ports.length > PORTS_MAX)
    throw badRequest(`cannot forward ${ports.length} ports at once: at most ${PORTS_MAX}`)
  return ports
}

/**
 * Channel 2i carries the data of port i and 2i+1 what went wrong; the first message of each is the port's number, two
 * bytes, little endian. One connection for each port, for as long as the socket is open.
 */
export async function forwardByChannels(
  socket: WebSocket,
  ports: readonly number[],
  dial: (port: number) => Promise<Duplex>,
): Promise<void> {
  const targets = new Map<number, Promise<Duplex | undefined>>()
  const send = (channel: number, bytes: Uint8Array) =>
    new Promise<void>((resolve) => {
      if (socket.readyState !== socket.OPEN) return resolve()
      socket.send(Buffer.concat([Buffer.from([channel]), bytes]), { binary: true }, () => resolve())
    })
  let tail: Promise<void> = Promise.resolve()
  socket.on('message', (message: Buffer) => {
    const [channel = 1] = message
    const target = targets.get(channel)
    if (!target || message.length < 2) return
    socket.pause()
    tail = tail.then(async () => write(await target, message.subarray(1))).finally(() => socket.resume())
  })
  socket.on('error', () => socket.terminate())
  socket.on('close', () => {
    for (const target of targets.values()) void target.then((opened) => opened?.destroy())
  })
  await Promise.all(
    ports.map(async (port, i) => {
      const opening = open(send, i, port, dial)
      targets.set(2 * i, opening)
      const target = await opening
      try {
        for await (const chunk of target ?? []) await send(2 * i, chunk as Uint8Array)
      } catch {
        // A connection that broke has ended like any other.
      }
    }),
  )
  socket.close(1000)
}

/** Undefined when it failed, which has been said. */
async function open(
  send: (channel: number, bytes: Uint8Array) => Promise<void>,
  i: number,
  port: number,
  dial: (port: number) => Promise<Duplex>,
): Promise<Duplex | undefined> {
  const number = Buffer.from([port & 255, port >> 8])
  await send(2 * i, number)
  await send(2 * i + 1, number)
  try {
    return await dial(port)
  } catch (error) {
    const why = `error forwarding port ${port} to pod: ${(error as Error).message}`
    await send(2 * i + 1, Buffer.from(why))
    return undefined
  }
}

async function write(target: Duplex | undefined, bytes: Buffer): Promise<void> {
  if (!target || target.destroyed || target.write(bytes)) return
  await new Promise<void>((resolve) => {
    target.once('drain', resolve)
    target.once('close', resolve)
  })
}
