import type { KindRef } from '../api/kind.ts'
import { keyOf, type Resource } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import { type Cancel, sleep } from '../base/clock.ts'
import type { Env } from '../base/env.ts'
import { Wake } from '../base/wake.ts'
import type { Client, WatchEvent } from './client.ts'
import { Index, type IndexBy } from './index-by.ts'

export interface InformerOptions<R extends Resource> {
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  readonly indexes?: Readonly<Record<string, IndexBy<R>>> | undefined
}

export interface InformerChange<R extends Resource> {
  readonly type: 'added' | 'updated' | 'deleted'
  readonly resource: R
  /** Of an update: the form before it. */
  readonly previous?: R
}

/** Waits between failed lists or broken watches: 100 ms doubling to 30 s, as client-go's reflector. */
const BACKOFF_MIN_MS = 100
const BACKOFF_MAX_MS = 30_000

/**
 * A cache of one kind, kept by list and watch. Invariants: (1) `revision` never goes back, and everything of the kind
 * up to it has been seen, also across lists (an older list is refused and asked for again); (2) handlers are told of
 * each change once, in order, after cache and indexes hold it; (3) an object that was deleted and made again under its
 * name is a deletion and an addition; (4) a failing handler, list or watch stops nothing else; (5) Expired lists again.
 */
export class Informer<R extends Resource> {
  readonly #env: Env
  readonly #client: Client
  readonly #kind: KindRef<R>
  readonly #options: InformerOptions<R>
  readonly #cache = new Map<string, R>()
  #all: readonly R[] | undefined
  readonly #indexes = new Map<string, Index<R>>()
  readonly #handlers = new Set<(change: InformerChange<R>) => void>()
  readonly #moved = new Wake()
  readonly #stop = new AbortController()
  readonly #firstList: Promise<void>
  #listed: () => void = () => {}
  #running: Promise<void> | undefined
  #revision = 0
  #synced = false

  constructor(env: Env, client: Client, kind: KindRef<R>, options: InformerOptions<R> = {}) {
    this.#env = env
    this.#client = client
    this.#kind = kind
    this.#options = options
    this.#firstList = new Promise((resolve) => {
      this.#listed = resolve
    })
    for (const [name, indexBy] of Object.entries(options.indexes ?? {}))
      this.#indexes.set(name, new Index(indexBy))
  }

  /** The first list is in. */
  get synced(): Promise<void> {
    return this.#firstList
  }

  get hasSynced(): boolean {
    return this.#synced
  }

  /** Everything of this kind up to this store revision has been seen. */
  get revision(): number {
    return this.#revision
  }

  get size(): number {
    return this.#cache.size
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** By "namespace/name", or "name" for cluster-scoped kinds. */
  get(key: string): R | undefined {
    return this.#cache.get(key)
  }

  /** The same array until something changes. */
  list(): readonly R[] {
    this.#all ??= [...this.#cache.values()]
    return this.#all
  }

  byIndex(name: string, value: string): readonly R[] {
    const index = this.#indexes.get(name)
    if (!index) throw new Error(`Informer of ${this.#kind.plural} has no index "${name}"`)
    return [...index.of(value).values()]
  }

  /** Tells of every change from now on, and first of what is there already as added. */
  onChange(handler: (change: InformerChange<R>) => void): Cancel {
    this.#handlers.add(handler)
    for (const resource of this.#cache.values()) this.#tell(handler, { type: 'added', resource })
    return () => this.#handlers.delete(handler)
  }

  /** Resolves when the cache has seen `revision`, the signal aborts, or the informer closes. */
  async caughtUp(revision: number, signal?: AbortSignal): Promise<void> {
    const either = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal
    while (this.#revision < revision && !either.aborted) await this.#moved.wait(either)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    let backoffMs = BACKOFF_MIN_MS
    let mustList = true
    while (!signal.aborted) {
      try {
        if (mustList) await this.#list()
        mustList = false
        for await (const event of this.#watch()) {
          this.#apply(event)
          backoffMs = BACKOFF_MIN_MS
        }
      } catch (error) {
        if (signal.aborted) return
        mustList = mustList || isReason(error, 'Expired')
        this.#env.log.debug({ err: error, resource: this.#kind.plural }, 'watch interrupted')
        const jitter = 1 + this.#env.random.float()
        await sleep(this.#env.clock, backoffMs * jitter, signal).catch(() => {})
        backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS)
      }
    }
  }

  #watch(): AsyncIterable<WatchEvent<R>> {
    const { namespace, labelSelector, fieldSelector } = this.#options
    return this.#client.watch(this.#kind, {
      namespace,
      labelSelector,
      fieldSelector,
      resourceVersion: String(this.#revision),
      allowWatchBookmarks: true,
      signal: this.#stop.signal,
    })
  }

  async #list(): Promise<void> {
    const { namespace, labelSelector, fieldSelector } = this.#options
    const list = await this.#client.list(this.#kind, { namespace, labelSelector, fieldSelector })
    const revision = Number(list.resourceVersion)
    if (revision < this.#revision) throw new Error(`List of ${this.#kind.plural} went back to ${revision}`)
    const gone = new Set(this.#cache.keys())
    for (const resource of list.items) {
      gone.delete(keyOf(resource))
      this.#put(resource)
    }
    for (const key of gone) this.#remove(key)
    this.#advance(revision)
    this.#synced = true
    this.#listed()
  }

  #apply(event: WatchEvent<R>): void {
    if (event.type === 'DELETED') this.#remove(keyOf(event.object), event.object)
    else if (event.type !== 'BOOKMARK') this.#put(event.object)
    this.#advance(Number(event.object.metadata.resourceVersion))
  }

  #put(resource: R): void {
    const key = keyOf(resource)
    const previous = this.#cache.get(key)
    if (previous && previous.metadata.resourceVersion === resource.metadata.resourceVersion) return
    if (previous && previous.metadata.uid !== resource.metadata.uid) this.#remove(key)
    const known = this.#cache.get(key)
    this.#cache.set(key, resource)
    this.#all = undefined
    for (const index of this.#indexes.values()) index.change(key, known, resource)
    this.#tellAll(known ? { type: 'updated', resource, previous: known } : { type: 'added', resource })
  }

  #remove(key: string, last?: R): void {
    const known = this.#cache.get(key)
    if (!known || !this.#cache.delete(key)) return
    this.#all = undefined
    for (const index of this.#indexes.values()) index.change(key, known, undefined)
    this.#tellAll({ type: 'deleted', resource: last ?? known })
  }

  #advance(revision: number): void {
    if (!(revision > this.#revision)) return
    this.#revision = revision
    this.#moved.wake()
  }

  #tellAll(change: InformerChange<R>): void {
    for (const handler of this.#handlers) this.#tell(handler, change)
  }

  #tell(handler: (change: InformerChange<R>) => void, change: InformerChange<R>): void {
    try {
      handler(change)
    } catch (error) {
      this.#env.log.error(
        { err: error, resource: this.#kind.plural, key: keyOf(change.resource) },
        'handler failed',
      )
    }
  }
}
