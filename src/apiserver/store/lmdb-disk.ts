import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import { ApiError } from '../../api/status.ts'
import { lockDirectory, type Unlock } from './directory-lock.ts'
import type { Disk, DiskBatch, DiskHeader, DiskState } from './disk.ts'
import type { Forgotten } from './mvcc.ts'
import { decodeHeader, decodeValue, encodeRecord, type OrderedHeader, recordKey } from './record.ts'
import type { Value } from './store.ts'

/** Raised whenever the layout changes; another number is refused, never guessed at. */
export const STORE_FORMAT = 1

interface StoredState {
  readonly format: number
  readonly revision: number
  readonly compactedRevision: number
}

/**
 * Opens (or makes) `directory`/store.lmdb for this process alone. Throws Conflict when another process has it,
 * ServiceUnavailable when it cannot be written, InternalError when it is damaged or of another format.
 *
 * lmdb's own settings: never `noSync`; `safeRestore`, because otherwise it trusts a commit that was not flushed yet
 * when the machine's boot id is unchanged; and `flushed` is awaited, because a commit resolves before its flush. No
 * `eventTurnBatching`: a batch that nobody asked for is a promise that nobody awaits, and a full disk ends the process.
 */
export function openLmdbDisk(directory: string): Disk {
  const unlock = claim(directory)
  try {
    return new LmdbDisk(directory, unlock)
  } catch (error) {
    unlock()
    throw error
  }
}

class LmdbDisk implements Disk {
  readonly #directory: string
  readonly #unlock: Unlock
  readonly #root: RootDatabase
  readonly #records: Database<Buffer, Buffer>
  readonly #state: Database<StoredState, string>
  #hasFailed = false

  constructor(directory: string, unlock: Unlock) {
    this.#directory = directory
    this.#unlock = unlock
    try {
      // lmdb's types do not know safeRestore, so the options are not written in the call.
      const options = {
        path: join(directory, 'store.lmdb'),
        noSubdir: true,
        safeRestore: true,
        eventTurnBatching: false,
        maxDbs: 4,
      }
      this.#root = open(options)
      // Reader slots of a process that was killed would keep its pages from being used again.
      this.#root.readerCheck()
      this.#records = this.#root.openDB({ name: 'records', encoding: 'binary', keyEncoding: 'binary' })
      this.#state = this.#root.openDB({ name: 'state', encoding: 'json' })
    } catch (error) {
      throw damaged(directory, String(error))
    }
  }

  load(): DiskState {
    const state = this.#state.get('state')
    if (!state) {
      if (this.#records.getKeysCount({ limit: 1 }) > 0) throw damaged(this.#directory, 'its state is missing')
      return { revision: 1, compactedRevision: 0, records: [] }
    }
    if (state.format !== STORE_FORMAT)
      throw new ApiError(
        'InternalError',
        `Data directory "${this.#directory}" holds store format ${state.format}, this version reads ${STORE_FORMAT}; use the version that wrote it, or choose another directory with --data`,
      )
    return { ...state, records: this.#load(state.revision) }
  }

  read({ key, revision }: Forgotten): Value {
    const bytes = this.#records.get(recordKey(revision, key))
    if (!bytes || !decodeHeader(bytes))
      throw damaged(this.#directory, `${key} at revision ${revision} cannot be read`)
    return decodeValue(bytes)
  }

  async write(batch: DiskBatch): Promise<void> {
    try {
      await this.#write(batch)
    } catch (error) {
      this.#hasFailed = true
      throw await causeOf(error)
    }
  }

  async #write(batch: DiskBatch): Promise<void> {
    const { revision, compactedRevision, changes, forgotten } = batch
    await this.#root.transaction(() => {
      let order = 0
      let last = 0
      for (const change of changes) {
        order = change.revision === last ? order + 1 : 0
        last = change.revision
        this.#records.putSync(recordKey(change.revision, change.key), encodeRecord({ ...change, order }))
      }
      for (const version of forgotten) this.#records.removeSync(recordKey(version.revision, version.key))
      this.#state.putSync('state', { format: STORE_FORMAT, revision, compactedRevision })
    })
    await this.#root.flushed
  }

  async close(): Promise<void> {
    const closed = this.#root.close()
    // It would wait for the flush of what could not be written.
    if (!this.#hasFailed) await closed
    this.#unlock()
  }

  *#load(newest: number): Generator<DiskHeader> {
    let group: OrderedHeader[] = []
    for (const { value } of this.#records.getRange({ snapshot: true })) {
      const record = decodeHeader(value)
      if (!record) throw damaged(this.#directory, 'a record does not match its checksum')
      if (record.revision > newest)
        throw damaged(this.#directory, `revision ${record.revision} is beyond ${newest}`)
      if (group[0] && group[0].revision !== record.revision) {
        yield* inOrder(group)
        group = []
      }
      group.push(record)
    }
    yield* inOrder(group)
  }
}

/** What lmdb says of a commit that failed is another promise in its error. */
async function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { readonly commitError?: Promise<never> }
  return commitError === undefined ? error : await commitError.catch((cause: unknown) => cause)
}

function inOrder(group: readonly OrderedHeader[]): DiskHeader[] {
  return [...group].sort((a, b) => a.order - b.order).map(({ order: _, ...record }) => record)
}

function claim(directory: string): Unlock {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    return lockDirectory(directory)
  } catch (error) {
    if (error instanceof ApiError) throw error
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new ApiError(
      'ServiceUnavailable',
      `Data directory "${directory}" cannot be written (${code}); make it writable, or choose another with --data`,
      { cause: error },
    )
  }
}

function damaged(directory: string, why: string): ApiError {
  return new ApiError(
    'InternalError',
    `Data directory "${directory}" is damaged: ${why}; restore a backup, or choose another directory with --data`,
  )
}
