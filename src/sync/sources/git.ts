import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { watch } from 'chokidar'
import git, { type ReadCommitResult, TREE, type WalkerEntry } from 'isomorphic-git'
import { ApiError } from '../../api/status.ts'
import type { Cancel, Clock } from '../../base/clock.ts'
import type { CommitInfo } from '../progress.ts'
import { GitWriter } from './git-writer.ts'
import { isManifestPath, LIMITS, type Source, type SourceFile } from './source.ts'

export interface GitSourceOptions {
  /** A branch, tag or commit; default what HEAD names. */
  readonly ref?: string | undefined
}

const SETTLE_MS = 20

/** A local repository: a work tree's .git, or a bare one. Only commits count; files that are not committed do not. */
export class GitSource implements Source {
  readonly description: string
  readonly writer: GitWriter
  readonly #clock: Clock
  readonly #gitdir: string
  readonly #ref: string | undefined
  #cache: object = {}
  /** Blobs by object id: a file that did not change is not read again. */
  readonly #blobs = new Map<string, string>()

  constructor(clock: Clock, folder: string, options: GitSourceOptions = {}) {
    this.#clock = clock
    this.description = folder
    this.#ref = options.ref
    this.#gitdir = findGitDir(folder) ?? join(folder, '.git')
    this.writer = new GitWriter(clock, this.#gitdir, this.#gitdir === folder ? undefined : folder)
  }

  async latest(): Promise<CommitInfo | undefined> {
    if (!fs.existsSync(this.#gitdir)) return undefined
    const branch = await this.#branch()
    const id = await this.#resolve(this.#ref ?? 'HEAD')
    if (id === undefined) return undefined
    return infoOf(await this.#commit(id), branch)
  }

  async files(commit: string): Promise<readonly SourceFile[]> {
    const files: SourceFile[] = []
    let bytes = 0
    await git.walk({
      fs,
      gitdir: this.#gitdir,
      cache: this.#cache,
      trees: [TREE({ ref: commit })],
      map: async (path: string, [entry]: (WalkerEntry | null)[]) => {
        if (!entry || (await entry.type()) !== 'blob' || !isManifestPath(path)) return path
        // A symbolic link is a blob whose content is a path: it is never followed, out of the repository or inside.
        if ((await entry.mode()) === 0o120000) return path
        const oid = await entry.oid()
        let text = this.#blobs.get(oid)
        if (text === undefined) {
          text = Buffer.from((await entry.content()) ?? new Uint8Array()).toString('utf8')
          this.#blobs.set(oid, text)
        }
        bytes += text.length
        if (text.length > LIMITS.fileBytes || bytes > LIMITS.totalBytes || files.length >= LIMITS.files) {
          throw new ApiError(
            'RequestEntityTooLarge',
            `Cannot read ${path}: the source is larger than ${LIMITS.files} files, ${LIMITS.fileBytes} bytes a file or ${LIMITS.totalBytes} bytes in all`,
          )
        }
        files.push({ path, text })
        return path
      },
    })
    return files.sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  /** Watches HEAD, refs and packed-refs; notes and status branches of our own are no news. */
  onChange(tell: () => void): Cancel {
    let pending: Cancel | undefined
    const watcher = watch([this.#gitdir], {
      ignoreInitial: true,
      depth: 8,
      ignored: (path) =>
        /\/(objects|hooks|logs|info|lfs)(\/|$)/.test(path.slice(this.#gitdir.length)) ||
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

  async #resolve(ref: string): Promise<string | undefined> {
    try {
      const id = /^[0-9a-f]{40}$/.test(ref) ? ref : await git.resolveRef({ fs, gitdir: this.#gitdir, ref })
      // A tag with a message is an object of its own.
      return (await this.#commit(id)).oid
    } catch (error) {
      if ((error as Error).name !== 'NotFoundError')
        throw new ApiError(
          'InternalError',
          `Cannot read repository ${this.description}: ${(error as Error).message}`,
          { cause: error },
        )
      if (this.#ref === undefined) return undefined
      throw new ApiError(
        'NotFound',
        `Repository ${this.description} has no branch, tag or commit "${this.#ref}"`,
      )
    }
  }

  async #commit(oid: string): Promise<ReadCommitResult> {
    try {
      return await git.readCommit({ fs, gitdir: this.#gitdir, oid, cache: this.#cache })
    } catch {
      // Packs may have been rewritten (git gc) since they were cached.
      this.#cache = {}
      return git.readCommit({ fs, gitdir: this.#gitdir, oid, cache: this.#cache })
    }
  }

  async #branch(): Promise<string | undefined> {
    if (this.#ref !== undefined) return this.#ref
    return (await git.currentBranch({ fs, gitdir: this.#gitdir })) ?? undefined
  }
}

/** The git directory of a folder: a bare repository itself, .git, or what a .git file points to. Undefined when it is none. */
export function findGitDir(folder: string): string | undefined {
  if (fs.existsSync(join(folder, 'HEAD')) && fs.existsSync(join(folder, 'objects'))) return folder
  const inside = join(folder, '.git')
  if (!fs.existsSync(inside)) return undefined
  if (fs.statSync(inside).isDirectory()) return inside
  const pointer = /^gitdir: (.+)$/m.exec(fs.readFileSync(inside, 'utf8'))?.[1]
  return pointer === undefined
    ? undefined
    : pointer.startsWith('/')
      ? pointer
      : join(dirname(inside), pointer)
}

function infoOf({ oid, commit }: ReadCommitResult, branch: string | undefined): CommitInfo {
  return {
    id: oid,
    subject: commit.message.split('\n')[0] ?? '',
    author: commit.author.name,
    at: commit.committer.timestamp * 1000,
    branch,
  }
}
