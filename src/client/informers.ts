import type { KindRef } from '../api/kind.ts'
import { apiVersionOf, type Resource } from '../api/resource.ts'
import type { Env } from '../base/env.ts'
import type { Client } from './client.ts'
import { sharedIndexes } from './index-by.ts'
import { Informer } from './informer.ts'

/** One shared informer per kind for all parts of a process: one list and one watch each, however many ask (S-W09). */
export class Informers {
  readonly #env: Env
  readonly #client: Client
  readonly #informers = new Map<string, Informer<Resource>>()
  /** The same, by the objects kinds are asked for with: handlers ask at every change. */
  readonly #asked = new WeakMap<KindRef, Informer<Resource>>()

  constructor(env: Env, client: Client) {
    this.#env = env
    this.#client = client
  }

  /** Started at the first call. Has the indexes of `sharedIndexes`. */
  of<R extends Resource>(kind: KindRef<R>): Informer<R> {
    let informer = this.#asked.get(kind)
    if (!informer) {
      informer = this.#named(kind)
      this.#asked.set(kind, informer)
    }
    return informer as unknown as Informer<R>
  }

  #named(kind: KindRef): Informer<Resource> {
    const id = `${apiVersionOf(kind)}/${kind.plural}`
    let informer = this.#informers.get(id)
    if (!informer) {
      informer = new Informer<Resource>(this.#env, this.#client, kind, { indexes: sharedIndexes })
      this.#informers.set(id, informer)
      informer.start()
    }
    return informer
  }

  /** All that were asked for so far have their first list. */
  async synced(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.synced))
  }

  async close(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.close()))
  }
}
