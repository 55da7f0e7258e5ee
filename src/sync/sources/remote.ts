import fs from 'node:fs'
import { mkdir } from 'node:fs/promises'
import git from 'isomorphic-git'
import http from 'isomorphic-git/http/node'
import { ApiError } from '../../api/status.ts'
import { type Cancel, type Clock, every } from '../../base/clock.ts'
import type { CommitInfo } from '../progress.ts'
import { GitSource } from './git.ts'
import type { Source, SourceFile } from './source.ts'

export interface RemoteSourceOptions {
  readonly ref?: string | undefined
  /** A bare copy is kept here. */
  readonly directory: string
  readonly intervalMs: number
}

/** A repository behind http(s): copied once, then fetched every interval. A server that cannot be reached is waited for. */
export class RemoteSource implements Source {
  readonly description: string
  readonly #clock: Clock
  readonly #url: string
  readonly #options: RemoteSourceOptions
  #local: GitSource | undefined

  constructor(clock: Clock, url: string, options: RemoteSourceOptions) {
    this.#clock = clock
    this.#url = url
    this.#options = options
    // Credentials in a URL are never shown.
    this.description = url.replace(/\/\/[^/@]*@/, '//')
  }

  async latest(): Promise<CommitInfo | undefined> {
    const { directory, ref } = this.#options
    try {
      await mkdir(directory, { recursive: true })
      if (!fs.existsSync(`${directory}/HEAD`)) {
        await git.init({ fs, gitdir: directory, bare: true, defaultBranch: 'main' })
        await git.addRemote({ fs, gitdir: directory, remote: 'origin', url: this.#url, force: true })
      }
      const fetched = await git.fetch({
        fs,
        http,
        gitdir: directory,
        url: this.#url,
        remote: 'origin',
        tags: true,
        prune: true,
        ...(ref ? { ref } : {}),
      })
      if (!fetched.fetchHead) return undefined
      this.#local ??= new GitSource(this.#clock, directory)
      const local = new GitSource(this.#clock, directory, { ref: fetched.fetchHead })
      const info = await local.latest()
      return info && { ...info, branch: ref ?? fetched.defaultBranch?.replace('refs/heads/', '') }
    } catch (error) {
      if (error instanceof ApiError) throw error
      throw new ApiError(
        'ServiceUnavailable',
        `Cannot fetch ${this.description}: ${(error as Error).message}`,
        { cause: error },
      )
    }
  }

  files(commit: string): Promise<readonly SourceFile[]> {
    this.#local ??= new GitSource(this.#clock, this.#options.directory)
    return this.#local.files(commit)
  }

  onChange(tell: () => void): Cancel {
    return every(this.#clock, this.#options.intervalMs, tell)
  }

  async close(): Promise<void> {}
}
