import { createHash } from 'node:crypto'
import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { watch } from 'chokidar'
import { ApiError } from '../../api/status.ts'
import type { Cancel, Clock } from '../../base/clock.ts'
import type { CommitInfo } from '../progress.ts'
import { isManifestPath, LIMITS, type Source, type SourceFile } from './source.ts'

const SETTLE_MS = 100
const SKIPPED = new Set(['.git', '.seamark', 'node_modules'])

/** A plain folder (or a work tree's files as they are on disk): its "commit" is the hash of what is in it. Links are not followed. */
export class FolderSource implements Source {
  readonly description: string
  readonly #clock: Clock
  readonly #folder: string
  readonly #read = new Map<string, readonly SourceFile[]>()

  constructor(clock: Clock, folder: string) {
    this.#clock = clock
    this.#folder = folder
    this.description = folder
  }

  async latest(): Promise<CommitInfo | undefined> {
    const files: SourceFile[] = []
    await this.#walk('', files, { bytes: 0 })
    files.sort((a, b) => (a.path < b.path ? -1 : 1))
    const hash = createHash('sha1')
    for (const { path, text } of files) hash.update(`${path}\0${text}\0`)
    const id = hash.digest('hex')
    if (!this.#read.has(id)) {
      this.#read.set(id, files)
      const [oldest] = this.#read.keys()
      if (this.#read.size > 20 && oldest !== undefined) this.#read.delete(oldest)
    }
    return { id, subject: `files of ${this.#folder}`, at: this.#clock.now() }
  }

  async files(commit: string): Promise<readonly SourceFile[]> {
    const known = this.#read.get(commit)
    if (!known)
      throw new ApiError(
        'Expired',
        `The files of ${commit.slice(0, 7)} are gone: a folder keeps no history; use a git repository to roll back further`,
      )
    return known
  }

  onChange(tell: () => void): Cancel {
    let pending: Cancel | undefined
    const watcher = watch(this.#folder, {
      ignoreInitial: true,
      followSymlinks: false,
      ignored: (path) => SKIPPED.has(path.split('/').at(-1) ?? ''),
    })
    watcher.on('all', () => {
      pending?.()
      pending = this.#clock.after(SETTLE_MS, tell)
    })
    watcher.on('error', tell)
    return () => {
      pending?.()
      void watcher.close()
    }
  }

  async close(): Promise<void> {}

  async #walk(below: string, into: SourceFile[], total: { bytes: number }): Promise<void> {
    for (const entry of await readdir(join(this.#folder, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      if (SKIPPED.has(entry.name)) continue
      if (entry.isDirectory()) await this.#walk(path, into, total)
      else if (entry.isFile() && isManifestPath(path)) {
        const { size } = await lstat(join(this.#folder, path))
        total.bytes += size
        if (size > LIMITS.fileBytes || total.bytes > LIMITS.totalBytes || into.length >= LIMITS.files) {
          throw new ApiError(
            'RequestEntityTooLarge',
            `Cannot read ${path}: the source is larger than ${LIMITS.files} files, ${LIMITS.fileBytes} bytes a file or ${LIMITS.totalBytes} bytes in all`,
          )
        }
        into.push({ path, text: await readFile(join(this.#folder, path), 'utf8') })
      }
    }
  }
}
