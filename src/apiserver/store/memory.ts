import type { Env } from '../../base/env.ts'
import { CompactionSchedule } from './compaction.ts'
import { Mvcc } from './mvcc.ts'
import type {
  Entry,
  RangeQuery,
  RangeResult,
  Store,
  StoreOptions,
  Transaction,
  TxnResult,
  WatchBatch,
  WatchQuery,
} from './store.ts'
import { assertCompactable, storeClosed } from './store-errors.ts'
import { evaluate, type Stamp, stampOf } from './transaction.ts'
import { Watcher } from './watch.ts'

/**
 * The engine that forgets everything when the process ends: for simulation, tests and `--store memory`. Inside it
 * nothing waits, so a run on virtual time replays exactly. Guarantee 3 holds in the sense that memory can give it.
 */
export function openMemoryStore(env: Env, options: StoreOptions = {}): Store {
  return new MemoryStore(env, options)
}

class MemoryStore implements Store {
  readonly #env: Env
  readonly #stamp: Stamp
  readonly #core = new Mvcc({ revision: 1, compactedRevision: 0 })
  readonly #schedule = new CompactionSchedule()

  constructor(env: Env, options: StoreOptions) {
    this.#env = env
    this.#stamp = stampOf(options)
  }

  get revision(): number {
    return this.#core.revision
  }

  get compactedRevision(): number {
    return this.#core.compactedRevision
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#assertOpen()
    return this.#core.latest(key)
  }

  async range(query: RangeQuery): Promise<RangeResult> {
    this.#assertOpen()
    return this.#core.range(query)
  }

  isEmpty(prefix: string): boolean {
    this.#assertOpen()
    return this.#core.isEmpty(prefix)
  }

  async txn(transaction: Transaction): Promise<TxnResult> {
    this.#assertOpen()
    const { result, changes } = evaluate(transaction, this.#core, this.#stamp)
    if (changes.length === 0) return result
    this.#core.commit(result.revision, changes)
    this.#core.sleepers.tell(this.#env.clock.now(), result.revision)
    const target = this.#schedule.due(this.#env.clock.now(), this.#core)
    if (target !== undefined) this.#core.compact(target)
    return result
  }

  watch(query: WatchQuery): AsyncIterable<WatchBatch> {
    this.#assertOpen()
    return new Watcher(this.#core, query)
  }

  async compact(revision: number): Promise<void> {
    this.#assertOpen()
    assertCompactable(revision, this.#core.revision)
    this.#core.compact(revision)
  }

  async close(): Promise<void> {
    this.#core.end()
  }

  #assertOpen(): void {
    if (this.#core.ended) throw storeClosed()
  }
}
