import fs from 'node:fs'
import { type Cancel, type Clock, every } from '../../base/clock.ts'
import type { CommitInfo } from '../progress.ts'
import { FolderSource } from './folder.ts'
import { GitSource } from './git.ts'
import { findGitDirectory } from './git-directory.ts'
import type { Source, SourceFile, SourceWriter } from './source.ts'

const LOOK_MS = 1000

/**
 * A path on this machine that may become something yet: nothing is there, or an empty folder. As soon as it holds a
 * repository that is followed; as soon as it holds files, the files are. Once decided it stays decided.
 */
export class LocalSource implements Source {
  readonly description: string
  readonly #clock: Clock
  readonly #folder: string
  #source: GitSource | FolderSource | undefined

  constructor(clock: Clock, folder: string) {
    this.#clock = clock
    this.#folder = folder
    this.description = folder
  }

  get writer(): SourceWriter | undefined {
    return this.#source instanceof GitSource ? this.#source.writer : undefined
  }

  async latest(): Promise<CommitInfo | undefined> {
    return this.#decide()?.latest()
  }

  async files(commit: string): Promise<readonly SourceFile[]> {
    return (this.#decide() ?? new FolderSource(this.#clock, this.#folder)).files(commit)
  }

  onChange(tell: () => void): Cancel {
    const decided = this.#decide()
    if (decided) return decided.onChange(tell)
    let stop = every(this.#clock, LOOK_MS, () => {
      const source = this.#decide()
      if (!source) return
      stop()
      stop = source.onChange(tell)
      tell()
    })
    return () => stop()
  }

  async close(): Promise<void> {}

  #decide(): GitSource | FolderSource | undefined {
    if (this.#source) return this.#source
    if (!fs.existsSync(this.#folder)) return undefined
    if (findGitDirectory(this.#folder)) this.#source = new GitSource(this.#clock, this.#folder)
    else if (fs.readdirSync(this.#folder).some((name) => name !== '.seamark' && name !== '.git'))
      this.#source = new FolderSource(this.#clock, this.#folder)
    return this.#source
  }
}
