import fs from 'node:fs'
import { mkdir } from 'node:fs/promises'
import git from 'isomorphic-git'
import http from 'isomorphic-git/http/node'
import { ApiError } from '../../api/status.ts'
import { type Cancel, type Clock, every, sleep } from '../../base/clock.ts'
import type { CommitInfo } from '../progress.ts'
import { GitSource } from './git.ts'
import { runGit } from './git-command.ts'
import type { Source, SourceFile } from './source.ts'

export interface RemoteSourceOptions {
  readonly ref?: string | undefined
  /** A bare copy is kept here. */
  readonly directory: string
  readonly intervalMs: number
}

const FETCH_MAX_MS = 120_000
const FETCHED = 'refs/seamark/fetched'

/**
 * A repository behind http(s), or ssh with the git command: copied once, then fetched every interval. A server that
 * cannot be reached is waited for, and one that does not answer does not stop anything else.
 */
export class RemoteSource implements Source {
  readonly description: string
  readonly location: string
  readonly #clock: Clock
  readonly #options: RemoteSourceOptions
  readonly #local: GitSource
  #fetched: { readonly at: number; readonly branch: string | undefined } | undefined
  #fetching: Promise<void> | undefined

  constructor(clock: Clock, url: string, options: RemoteSourceOptions) {
    this.#clock = clock
    this.location = url
    this.#options = options
    this.#local = new GitSource(clock, options.directory, { ref: FETCHED })
    this.description = withoutCredentials(url)
  }

  async latest(): Promise<CommitInfo | undefined> {
    const { intervalMs, directory } = this.#options
    const isFresh = this.#fetched !== undefined && this.#clock.now() - this.#fetched.at < intervalMs / 2
    if (!isFresh) {
      this.#fetching ??= this.#fetch().finally(() => {
        this.#fetching = undefined
      })
      await this.#inTime(this.#fetching)
    }
    if (!fs.existsSync(`${directory}/${FETCHED}`)) return undefined
    const info = await this.#local.latest()
    return info && { ...info, branch: this.#fetched?.branch }
  }

  files(commit: string): Promise<readonly SourceFile[]> {
    return this.#local.files(commit)
  }

  onChange(tell: () => void): Cancel {
    return every(this.#clock, this.#options.intervalMs, tell)
  }

  async close(): Promise<void> {}

  async #fetch(): Promise<void> {
    const { directory, ref } = this.#options
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      if (!fs.existsSync(`${directory}/HEAD`))
        await git.init({ fs, gitdir: directory, bare: true, defaultBranch: 'main' })
      const branch = /^https?:/.test(this.location)
        ? await this.#overHttp(directory, ref)
        : await this.#byCommand(directory, ref)
      this.#fetched = { at: this.#clock.now(), branch }
    } catch (error) {
      const message = (error as Error).message.replaceAll(this.location, this.description)
      throw new ApiError('ServiceUnavailable', `Cannot fetch ${this.description}: ${message}`, {
        cause: error,
      })
    }
  }

  async #overHttp(gitdir: string, ref: string | undefined): Promise<string | undefined> {
    const url = this.location
    const wanted = ref === undefined ? {} : { ref }
    const { fetchHead, defaultBranch } = await git.fetch({
      fs,
      http,
      gitdir,
      url,
      remote: 'origin',
      tags: true,
      singleBranch: true,
      ...wanted,
    })
    if (fetchHead) await git.writeRef({ fs, gitdir, ref: FETCHED, value: fetchHead, force: true })
    return ref ?? defaultBranch?.replace('refs/heads/', '')
  }

  /** The ref is fetched by name, never read as an option; without one, what the server calls HEAD. */
  async #byCommand(gitdir: string, ref: string | undefined): Promise<string | undefined> {
    const wanted = `+${ref ?? 'HEAD'}:${FETCHED}`
    const args = ['fetch', '--quiet', '--no-recurse-submodules', '--end-of-options', this.location, wanted]
    await runGit(args, { clock: this.#clock, gitdir, timeoutMs: FETCH_MAX_MS })
    return ref
  }

  async #inTime(fetching: Promise<void>): Promise<void> {
    const done = new AbortController()
    const late = sleep(this.#clock, FETCH_MAX_MS, done.signal).then(() => {
      throw new ApiError('Timeout', `Cannot fetch ${this.description}: no answer in ${FETCH_MAX_MS / 1000} s`)
    })
    late.catch(() => {})
    try {
      await Promise.race([fetching, late])
    } finally {
      done.abort()
    }
  }
}

/** Credentials in a URL are never shown. */
function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//')
}
