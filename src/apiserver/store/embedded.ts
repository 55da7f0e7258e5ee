import type { Env } from '../../base/env.ts'
import { CompactionSchedule } from './compaction.ts'
import type { Disk } from './disk.ts'
import { openLmdbDisk } from './lmdb-disk.ts'
import { type Forgotten, Mvcc } from './mvcc.ts'
import type {
  Change,
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
import { assertCompactable, storeClosed, writesRefused } from './store-errors.ts'
import { evaluate, type Outcome, type Stamp, stampOf, type View } from './transaction.ts'
import { Watcher } from './watch.ts'

/**
 * The durable engine of one process: reads come from the core in memory, writes go through one queue. Transactions
 * gather while a flush is under way; then all of them are evaluated in order, written as one batch, flushed, and only
 * then published and acknowledged. So a flush is shared by everyone who waited for it, and nobody sees a change
 * that a power cut could still take back.
 *
 * Errors at opening: see openLmdbDisk.
 */
export async function openEmbeddedStore(
  env: Env,
  options: StoreOptions & { readonly directory: string },
): Promise<Store> {
  const disk = openLmdbDisk(options.directory)
  try {
    return new EmbeddedStore(env, options, disk)
  } catch (error) {
    await disk.close()
    throw error
  }
}

/** Bounds how long evaluating one group may hold the event loop. */
const GROUP_MAX = 1_000
/** Removals ride along with writes, a few at a time. */
const FORGET_MAX = 1_000

export class EmbeddedStore implements Store {
  readonly #env: Env
  readonly #disk: Disk
  readonly #stamp: Stamp
  readonly #core: Mvcc
  readonly #schedule = new CompactionSchedule()
  #queue: Job[] = []
  #working: Promise<void> | undefined
  #failure: Error | undefined
  /** Compacted in memory, still on disk. A restart finds them again, so they may wait. */
  #forgotten: Forgotten[] = []
  #closing: Promise<void> | undefined

  constructor(env: Env, options: StoreOptions, disk: Disk) {
    this.#env = env
    this.#disk = disk
    this.#stamp = stampOf(options)
    const state = disk.load()
    this.#core = new Mvcc(state, (version) => disk.read(version))
    for (const record of state.records) this.#forgotten.push(...this.#core.restore(record))
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

  txn(transaction: Transaction): Promise<TxnResult> {
    return this.#enqueue<TxnResult>((resolve, reject) => ({ type: 'txn', transaction, resolve, reject }))
  }

  watch(query: WatchQuery): AsyncIterable<WatchBatch> {
    this.#assertOpen()
    return new Watcher(this.#core, query)
  }

  async compact(revision: number): Promise<void> {
    this.#assertOpen()
    assertCompactable(revision, this.#core.revision)
    await this.#enqueue<void>((resolve, reject) => ({ type: 'compact', revision, resolve, reject }))
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#core.end()
    await this.#working
    await this.#disk.close()
  }

  async #enqueue<T>(job: (resolve: (value: T) => void, reject: (error: unknown) => void) => Job): Promise<T> {
    this.#assertOpen()
    if (this.#failure) throw this.#failure
    return new Promise<T>((resolve, reject) => {
      this.#queue.push(job(resolve, reject))
      this.#working ??= this.#work()
    })
  }

  async #work(): Promise<void> {
    // Whoever writes in the same turn shares the first flush.
    await Promise.resolve()
    while (this.#queue.length > 0 || (this.#forgotten.length > 0 && !this.#failure)) {
      const group = this.#queue.splice(0, GROUP_MAX)
      if (this.#failure) for (const job of group) job.reject(this.#failure)
      else await this.#writeGroup(group)
    }
    this.#working = undefined
  }

  async #writeGroup(group: readonly Job[]): Promise<void> {
    const staged = new Staged(this.#core)
    let compactAt = this.#core.compactedRevision
    const answers: Array<() => void> = []
    for (const job of group) {
      if (job.type === 'compact') {
        compactAt = Math.max(compactAt, job.revision)
        answers.push(job.resolve)
        continue
      }
      try {
        const outcome = evaluate(job.transaction, staged, this.#stamp)
        staged.add(outcome)
        answers.push(() => job.resolve(outcome.result))
      } catch (error) {
        job.reject(error)
      }
    }
    const forgotten = this.#forgotten.slice(0, FORGET_MAX)
    const compacts = compactAt > this.#core.compactedRevision
    if (staged.changes.length > 0 || forgotten.length > 0 || compacts) {
      const { revision, changes } = staged
      try {
        await this.#disk.write({ revision, compactedRevision: compactAt, changes, forgotten })
      } catch (error) {
        this.#fail(error, group)
        return
      }
    }
    this.#forgotten.splice(0, forgotten.length)
    for (const { result, changes } of staged.outcomes) this.#core.commit(result.revision, changes)
    this.#core.sleepers.tell(this.#env.clock.now(), this.#core.revision)
    if (compacts) this.#forgotten.push(...this.#core.compact(compactAt))
    for (const answer of answers) answer()
    this.#compactWhenDue()
  }

  #compactWhenDue(): void {
    const revision = this.#schedule.due(this.#env.clock.now(), this.#core)
    if (revision === undefined) return
    this.#queue.push({ type: 'compact', revision, resolve: () => {}, reject: () => {} })
  }

  #fail(cause: unknown, group: readonly Job[]): void {
    this.#failure = writesRefused(cause)
    this.#env.log.error({ err: cause }, this.#failure.message)
    for (const job of group) job.reject(this.#failure)
  }

  #assertOpen(): void {
    if (this.#core.ended) throw storeClosed()
  }
}

type Job =
  | {
      readonly type: 'txn'
      readonly transaction: Transaction
      readonly resolve: (result: TxnResult) => void
      readonly reject: (error: unknown) => void
    }
  | {
      readonly type: 'compact'
      readonly revision: number
      readonly resolve: () => void
      readonly reject: (error: unknown) => void
    }

/** The newest state as the next transaction of a group must see it: what is published, and what its group adds. */
class Staged implements View {
  readonly #core: Mvcc
  readonly #latest = new Map<string, Entry | undefined>()
  readonly changes: Change[] = []
  /** Only those that change something. */
  readonly outcomes: Outcome[] = []
  revision: number

  constructor(core: Mvcc) {
    this.#core = core
    this.revision = core.revision
  }

  latest(key: string): Entry | undefined {
    return this.#latest.has(key) ? this.#latest.get(key) : this.#core.latest(key)
  }

  add(outcome: Outcome): void {
    if (outcome.changes.length === 0) return
    this.outcomes.push(outcome)
    this.revision = outcome.result.revision
    for (const change of outcome.changes) {
      this.changes.push(change)
      const { key, value, revision, createRevision } = change
      this.#latest.set(key, change.type === 'put' ? { key, value, revision, createRevision } : undefined)
    }
  }
}
