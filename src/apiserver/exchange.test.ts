import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { ApiError } from '../api/status.ts'
import { VirtualClock } from '../base/virtual-clock.ts'
import { Exchange } from './exchange.ts'

let server: Server
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

/** A server on virtual time; resolves with its port. */
function listen(
  handle: (exchange: Exchange) => Promise<void>,
): Promise<{ clock: VirtualClock; port: number }> {
  const clock = new VirtualClock({ seed: 1 })
  server = createServer((incoming, response) => {
    const exchange = new Exchange(clock, incoming, response)
    handle(exchange).catch((error: unknown) =>
      error instanceof ApiError ? exchange.fail(error) : Promise.resolve(),
    )
  })
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve({ clock, port: (server.address() as AddressInfo).port })),
  )
}

describe('Exchange', () => {
  test('does not wait for a body for ever', async () => {
    let reading: () => void = () => {}
    const isReading = new Promise<void>((resolve) => {
      reading = resolve
    })
    const { clock, port } = await listen(async (exchange) => {
      const body = exchange.body()
      reading()
      await exchange.json(200, { body: await body })
    })
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = request({ port, method: 'POST', headers: { 'content-length': 10 } }, resolve)
      outgoing.on('error', reject)
      outgoing.write('{')
    })
    await isReading
    await clock.run(60_000)
    expect((await answered).statusCode).toBe(504)
  })

  test('lets go of a client that takes no answer', async () => {
    let sending: () => void = () => {}
    const isSending = new Promise<void>((resolve) => {
      sending = resolve
    })
    const ended = new Promise<string>((resolve) => {
      void listen(async (exchange) => {
        const sent = exchange.json(200, { data: 'x'.repeat(64 * 1024 * 1024) })
        sending()
        await sent
        resolve(exchange.response.destroyed ? 'destroyed' : 'sent')
      }).then(async ({ clock, port }) => {
        const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'))
        socket.pause()
        socket.on('error', () => {})
        await isSending
        await clock.run(60_000)
      })
    })
    expect(await ended).toBe('destroyed')
  })
})
