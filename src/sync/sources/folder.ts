import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { watch } from 'chokidar'
import { ApiError } from '../../api/status.ts'
import type { Cancel, Clock } from '../../base/clock.ts'
import type { CommitInfo } from '../progress.ts'
import { FileList, isManifestPath, type Source, type SourceFile } from './source.ts'

const SETTLE_MS = 100
const KEPT_MAX = 20
const SKIPPED = new Set(['.git', '.seamark', 'node_modules'])

/**
 * A plain folder (or a work tree's files as they are on disk): its "commit" is the hash of what is in it, and its
 * history what has been seen of it. Links are not followed.
 */
export class FolderSource implements Source {
  readonly description: string
  readonly #clock: Clock
  readonly #folder: string
  readonly #seen = new Map<string, { readonly files: readonly SourceFile[]; readonly at: number }>()
  /** By path: the file as it was read last; the same text is the same SourceFile, and parsed once. */
  #last = new Map<string, SourceFile>()

  constructor(clock: Clock, folder: string) {
    this.#clock = clock
    this.#folder = folder
    this.description = folder
  }

  async latest(): Promise<CommitInfo | undefined> {
    const list = new FileList()
    try {
      await this.#walk('', list)
    } catch (error) {
      if (error instanceof ApiError) throw error
      const { code, message } = error as NodeJS.ErrnoException
      const why = code === 'ENOENT' ? 'it is not there' : code === 'EACCES' ? 'no permission' : message
      throw new ApiError('ServiceUnavailable', `Cannot read ${this.#folder}: ${why}`, { cause: error })
    }
    const files = list.sorted()
    this.#last = new Map(files.map((file) => [file.path, file]))
    const hash = createHash('sha1')
    for (const { path, text, problem = '' } of files) hash.update(`${path}\0${text}\0${problem}\0`)
    const id = hash.digest('hex')
    const seen = this.#seen.get(id) ?? { files, at: this.#clock.now() }
    this.#seen.delete(id)
    this.#seen.set(id, seen)
    const [oldest] = this.#seen.keys()
    if (this.#seen.size > KEPT_MAX && oldest !== undefined) this.#seen.delete(oldest)
    return { id, subject: `files of ${this.#folder}`, at: seen.at }
  }

  async files(commit: string): Promise<readonly SourceFile[]> {
    const known = this.#seen.get(commit)
    if (known) return known.files
    const fix = 'a folder keeps no history; use a git repository to go back further'
    throw new ApiError('NotFound', `The files of ${commit.slice(0, 7)} are gone: ${fix}`)
  }

  onChange(tell: () => void): Cancel {
    let pending: Cancel | undefined
    const watcher = watch(this.#folder, {
      ignoreInitial: true,
      followSymlinks: false,
      ignored: (path) => SKIPPED.has(path.split('/').at(-1) ?? ''),
    })
    const soon = () => {
      pending?.()
      pending = this.#clock.after(SETTLE_MS, tell)
    }
    watcher.on('all', soon)
    watcher.on('error', soon)
    return () => {
      pending?.()
      void watcher.close()
    }
  }

  async close(): Promise<void> {}

  async #walk(below: string, into: FileList): Promise<void> {
    for (const entry of await readdir(join(this.#folder, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      if (SKIPPED.has(entry.name)) continue
      if (entry.isDirectory()) await this.#walk(path, into)
      else if (entry.isFile() && isManifestPath(path)) {
        const file = FileList.read(path, await readFile(join(this.#folder, path)))
        const last = this.#last.get(path)
        into.add(last && last.text === file.text && last.problem === file.problem ? last : file)
      }
    }
  }
}
