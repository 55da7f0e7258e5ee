import type { Resource } from '../../src/api/resource.ts'
import { ApiError, conflict } from '../../src/api/status.ts'
import { sleep } from '../../src/base/clock.ts'
import type { Env } from '../../src/base/env.ts'
import type { Client, WatchEvent } from '../../src/client/client.ts'

export interface Faults {
  /** Chance of each write to meet a Conflict first, and of each watch event to be late, repeated, or the last of its watch. */
  conflict: number
  slow: number
  duplicate: number
  cut: number
  /** Chance of each write to be done and its answer lost. Default 0. */
  lost?: number
}

/** A client whose world is unreliable in every way that the contract of Client allows; draws come from env.random. */
export function faultyClient(env: Env, client: Client, faults: Faults): Client {
  const hit = (chance: number) => chance > 0 && env.random.float() < chance
  const refuse = (name: string) => {
    if (hit(faults.conflict)) throw conflict({ group: '', plural: 'simulated' }, name)
  }
  const answer = async <T>(write: Promise<T>): Promise<T> => {
    const written = await write
    if (hit(faults.lost ?? 0)) throw new ApiError('Timeout', 'The answer was lost')
    return written
  }
  return {
    get: (kind, key) => client.get(kind, key),
    list: (kind, options) => client.list(kind, options),
    create: (kind, resource, options) => answer(client.create(kind, resource, options)),
    async update(kind, resource, options) {
      refuse(resource.metadata.name)
      return answer(client.update(kind, resource, options))
    },
    async patch(kind, key, type, patch, options) {
      refuse(key.name)
      return answer(client.patch(kind, key, type, patch, options))
    },
    apply: (kind, resource, options) => answer(client.apply(kind, resource, options)),
    async delete(kind, key, options) {
      refuse(key.name)
      return answer(client.delete(kind, key, options))
    },
    deleteCollection: (kind, list, options) => client.deleteCollection(kind, list, options),
    async createSubresource(kind, key, subresource, body, options) {
      refuse(key.name)
      return answer(client.createSubresource(kind, key, subresource, body, options))
    },
    as: (fieldManager) => faultyClient(env, client.as(fieldManager), faults),
    async *watch<R extends Resource>(
      ...[kind, options]: Parameters<Client['watch']>
    ): AsyncIterable<WatchEvent<R>> {
      for await (const event of client.watch(kind, options)) {
        if (hit(faults.slow)) await sleep(env.clock, 1 + env.random.int(2000))
        yield event as WatchEvent<R>
        if (hit(faults.duplicate)) yield event as WatchEvent<R>
        if (hit(faults.cut)) throw new Error('The connection broke')
      }
    },
  }
}
