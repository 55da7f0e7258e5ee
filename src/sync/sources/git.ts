import fs from 'node:fs'
import { join } from 'node:path'
import { watch } from 'chokidar'
import { ApiError } from '../../api/status.ts'
import type { Cancel, Clock } from '../../base/clock.ts'
import type { CommitInfo } from '../progress.ts'
import { findGitDirectory, type GitDirectory, readHead } from './git-directory.ts'
import { CommandObjects, type GitObjects, LibraryObjects, needsCommand } from './git-objects.ts'
import { GitWriter } from './git-writer.ts'
import type { Source, SourceFile } from './source.ts'

export interface GitSourceOptions {
  /** A branch, tag or commit; default what HEAD names. */
  readonly ref?: string | undefined
}

const SETTLE_MS = 20
const COMMIT_ID = /^([0-9a-f]{40}|[0-9a-f]{64})$/

/** A local repository: a work tree's .git, or a bare one. Only commits count; files that are not committed do not. */
export class GitSource implements Source {
  readonly description: string
  readonly writer: GitWriter
  readonly #clock: Clock
  readonly #folder: string
  readonly #ref: string | undefined
  #opened: { readonly directory: GitDirectory; readonly objects: GitObjects } | undefined

  constructor(clock: Clock, folder: string, options: GitSourceOptions = {}) {
    this.#clock = clock
    this.#folder = folder
    this.description = folder
    this.#ref = options.ref
    this.writer = new GitWriter(clock, () => findGitDirectory(folder), options.ref)
  }

  async latest(): Promise<CommitInfo | undefined> {
    const opened = this.#open()
    if (!opened) return undefined
    const { directory, objects } = opened
    if (this.#ref !== undefined) return this.#named(objects, this.#ref)
    const head = readHead(directory)
    if (head.commit !== undefined) return this.#read(objects, head.commit)
    const ref = head.ref ?? 'HEAD'
    const branch = ref.replace(/^refs\/heads\//, '')
    const id = await this.#told(() => objects.resolve(ref))
    if (id !== undefined) return { ...(await this.#read(objects, id)), branch }
    // Unborn in an empty repository: the first commit is on its way. Gone from one with other branches: a mistake.
    const others = branchesOf(directory.commondir)
    if (others.length === 0) return undefined
    const rest = `it has ${others.slice(0, 5).join(', ')}; check one out, or choose with --branch`
    throw new ApiError(
      'NotFound',
      `Branch "${branch}" of ${this.description} has no commit or was deleted: ${rest}`,
    )
  }

  async files(commit: string): Promise<readonly SourceFile[]> {
    const opened = this.#open()
    if (!opened) throw new ApiError('NotFound', `There is no repository in ${this.description}`)
    return this.#told(() => opened.objects.files(commit))
  }

  /** Watches HEAD, refs and packed-refs; notes and status branches of our own are no news. */
  onChange(tell: () => void): Cancel {
    let pending: Cancel | undefined
    const directory = findGitDirectory(this.#folder)
    const root = directory?.commondir ?? join(this.#folder, '.git')
    const watcher = watch(directory && directory.gitdir !== root ? [root, directory.gitdir] : [root], {
      ignoreInitial: true,
      depth: 8,
      ignored: (path) =>
        /\/(objects|hooks|logs|info|lfs|modules)(\/|$)/.test(path.slice(root.length)) ||
        path.endsWith('.lock') ||
        path.includes('/refs/notes'),
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

  /** Looked for each time until it is there: a repository may come later. */
  #open(): { readonly directory: GitDirectory; readonly objects: GitObjects } | undefined {
    if (this.#opened && fs.existsSync(join(this.#opened.directory.gitdir, 'HEAD'))) return this.#opened
    const directory = findGitDirectory(this.#folder)
    if (!directory) {
      if (!this.#opened) return undefined
      throw new ApiError('NotFound', `The repository in ${this.description} is gone`)
    }
    const { commondir } = directory
    const objects = needsCommand(commondir)
      ? new CommandObjects(this.#clock, commondir)
      : new LibraryObjects(commondir)
    this.#opened = { directory, objects }
    return this.#opened
  }

  async #named(objects: GitObjects, ref: string): Promise<CommitInfo> {
    const id = COMMIT_ID.test(ref) ? ref : await this.#told(() => objects.resolve(ref))
    if (id === undefined)
      throw new ApiError('NotFound', `Repository ${this.description} has no branch, tag or commit "${ref}"`)
    // A tag with a message is an object of its own: what it names is read.
    const info = await this.#read(objects, id)
    return COMMIT_ID.test(ref) ? info : { ...info, branch: ref }
  }

  #read(objects: GitObjects, id: string): Promise<CommitInfo> {
    return this.#told(() => objects.commit(id))
  }

  async #told<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      if (error instanceof ApiError) throw error
      const { message } = error as Error
      throw new ApiError(
        'InternalError',
        `Cannot read repository ${this.description}: ${message}; see git fsck`,
        { cause: error },
      )
    }
  }
}

/** The git directory of a folder: itself when bare, its .git, or what a .git file points to. Undefined: it has none. */
export function findGitDir(folder: string): string | undefined {
  return findGitDirectory(folder)?.gitdir
}

function branchesOf(commondir: string): string[] {
  const loose = namesBelow(join(commondir, 'refs/heads'), '')
  const path = join(commondir, 'packed-refs')
  const text = fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : ''
  const packed = [...text.matchAll(/^[0-9a-f]+ refs\/heads\/(.+)$/gm)].map((match) => match[1] ?? '')
  return [...new Set([...loose, ...packed])].sort()
}

function namesBelow(folder: string, below: string): string[] {
  if (!fs.existsSync(folder)) return []
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const name = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isDirectory()) return namesBelow(join(folder, entry.name), name)
    return entry.name.endsWith('.lock') ? [] : [name]
  })
}
