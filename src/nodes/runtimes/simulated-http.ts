import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type Duplex, duplexPair } from 'node:stream'
import type { V1Container } from '../../api/generated/types.ts'
import type { SimulatedAnswer } from '../../api/kinds/simulated-image.ts'
import type { Pod } from '../../api/pods.ts'
import type { Behaviour } from './behaviour.ts'

interface Listener {
  readonly pod: Pod
  readonly container: V1Container
  readonly behaviour: Behaviour
}

/**
 * Whether a container would accept a connection: its image declares the port, the container does, or neither names any
 * port for it to be wrong about.
 */
export function listensOn({ container, behaviour }: Listener, port: number): boolean {
  const declared = [
    ...behaviour.http.map((answer) => answer.port),
    ...(container.ports ?? []).map(({ containerPort }) => containerPort),
  ]
  return declared.length === 0 || declared.includes(port)
}

/** The answer for a path: the longest declared beginning; undefined when nothing is declared for the port. Pure. */
export function answerFor(
  answers: readonly SimulatedAnswer[],
  port: number,
  path: string,
): SimulatedAnswer | 'unknown path' | undefined {
  const ofPort = answers.filter((answer) => answer.port === port)
  if (ofPort.length === 0) return undefined
  const fitting = ofPort.filter((answer) => path.startsWith(answer.path ?? '/'))
  return fitting.toSorted((a, b) => (b.path ?? '/').length - (a.path ?? '/').length)[0] ?? 'unknown path'
}

/** A connection to that port: a real HTTP server at its other end, without a socket. */
export function answerHttp(listener: Listener, port: number): Duplex {
  const [near, far] = duplexPair()
  const server = createServer((request, response) => answer(listener, port, request, response))
  server.on('clientError', () => far.destroy())
  near.on('error', () => far.destroy())
  far.on('error', () => near.destroy())
  near.on('close', () => far.destroy())
  server.emit('connection', far)
  return near
}

function answer(
  { pod, behaviour }: Listener,
  port: number,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  request.resume()
  const path = (request.url ?? '/').split('?')[0] ?? '/'
  const found = answerFor(behaviour.http, port, path)
  if (found === 'unknown path') {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n')
    return
  }
  const { status = 200, body = `${pod.metadata.name}\n`, contentType = 'text/plain' } = found ?? {}
  response.writeHead(status, { 'content-type': contentType }).end(body)
}
