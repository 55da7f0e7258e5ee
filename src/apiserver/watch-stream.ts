import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { AnyKind } from '../api/kind.ts'
import type { AnyResource } from '../api/resource.ts'
import { ApiError } from '../api/status.ts'
import { encodeOnce } from '../base/json.ts'
import type { WatchEvent } from '../client/client.ts'
import type { Answer } from './content.ts'
import type { Exchange } from './exchange.ts'
import { type IncludeObject, partialOf, tableOf } from './table.ts'

export interface WatchForm {
  readonly answer: Answer
  readonly includeObject: IncludeObject
  now(): number
}

/**
 * Events as chunked JSON lines. An object is encoded once for all its watchers. A reader that is slow makes this
 * watcher wait, not the server: nothing is buffered beyond what the socket takes. Errors become an ERROR event.
 */
export async function streamWatch(
  exchange: Exchange,
  kind: AnyKind,
  events: AsyncIterable<WatchEvent<AnyResource>>,
  form: WatchForm,
): Promise<void> {
  const response = exchange.response as ServerResponse
  const iterator = events[Symbol.asyncIterator]()
  const closed = new Promise<undefined>((resolve) => response.once('close', () => resolve(undefined)))
  let isFirst = true
  try {
    // Headers go first, as kube-apiserver does: a client must know that it is connected. Errors travel as events.
    exchange.head(200, { 'content-type': 'application/json' })
    response.flushHeaders?.()
    for (;;) {
      const next = await Promise.race([iterator.next(), closed])
      if (next === undefined || next.done) break
      const isDrained = response.write(frame(kind, next.value, form, isFirst))
      isFirst = false
      if (!isDrained && !response.destroyed) await Promise.race([once(response, 'drain'), closed])
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (!response.destroyed)
      response.write(`${JSON.stringify({ type: 'ERROR', object: error.toStatus() })}\n`)
  } finally {
    void iterator.return?.()
    if (!response.destroyed) response.end()
  }
}

function frame(
  kind: AnyKind,
  { type, object }: WatchEvent<AnyResource>,
  { answer, includeObject, now }: WatchForm,
  isFirst: boolean,
): Buffer | string {
  if (answer.form === 'object')
    return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), encodeOnce(object), END])
  const resource = object as AnyResource
  if (answer.form === 'partial')
    return `${JSON.stringify({ type, object: partialOf(resource, answer.metaVersion) })}\n`
  const rows = type === 'BOOKMARK' ? [] : [resource]
  const metadata = { resourceVersion: resource.metadata.resourceVersion }
  const table = tableOf(kind, rows, {
    now: now(),
    includeObject,
    metaVersion: answer.metaVersion,
    metadata,
    withoutColumns: !isFirst,
  })
  return `${JSON.stringify({ type, object: table })}\n`
}

const END = Buffer.from('}\n')
