import { ApiError, notFound } from '../../api/status.ts'
import type { Cancel, Clock } from '../../base/clock.ts'
import type { CommitInfo } from '../progress.ts'
import { FileList, type Source, type SourceFile, type SourceWriter } from './source.ts'

/** A repository that is a list of commits in memory: for simulation and tests. */
export class MemorySource implements Source {
  readonly description = 'memory'
  readonly writer: SourceWriter
  readonly notes = new Map<string, string>()
  /** While set, nothing can be read, and this is why. */
  outage: string | undefined
  readonly #clock: Clock
  readonly #commits: { readonly info: CommitInfo; readonly files: readonly SourceFile[] }[] = []
  readonly #tell = new Set<() => void>()
  #count = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.writer = {
      note: async (commit, text) => {
        this.notes.set(commit, text)
      },
      writeBranch: async () => {},
      revert: async (commit) => {
        const at = this.#commits.findIndex(({ info }) => info.id === commit)
        const before = this.#commits[at - 1]
        if (at !== this.#commits.length - 1 || !before) return undefined
        return this.commit(
          `Revert "${this.#commits[at]?.info.subject}"`,
          Object.fromEntries(before.files.map(({ path, text }) => [path, text])),
          'Seamark',
        )
      },
    }
  }

  /** A new newest commit with exactly these files; returns its id. */
  commit(subject: string, files: Readonly<Record<string, string>>, author = 'Test'): string {
    this.#count += 1
    const id = this.#count.toString(16).padStart(40, '0')
    const info = { id, subject, author, at: this.#clock.now(), branch: 'main' }
    const before = new Map(this.#commits.at(-1)?.files.map((file) => [file.path, file]))
    const list = Object.entries(files).map(([path, text]) => {
      const file = FileList.read(path, Buffer.from(text))
      const same = before.get(path)
      return same?.text === file.text ? same : file
    })
    this.#commits.push({ info, files: list })
    for (const tell of this.#tell) tell()
    return id
  }

  /** Every commit so far is gone, as after a force push and a garbage collection. */
  forget(): void {
    this.#commits.length = 0
  }

  async latest(): Promise<CommitInfo | undefined> {
    this.#check()
    return this.#commits.at(-1)?.info
  }

  async files(commit: string): Promise<readonly SourceFile[]> {
    this.#check()
    const found = this.#commits.find(({ info }) => info.id === commit)
    if (!found) throw notFound({ group: '', plural: 'commits' }, commit)
    return found.files
  }

  onChange(tell: () => void): Cancel {
    this.#tell.add(tell)
    return () => this.#tell.delete(tell)
  }

  async close(): Promise<void> {}

  #check(): void {
    if (this.outage !== undefined) throw new ApiError('ServiceUnavailable', this.outage)
  }
}
