import fs from 'node:fs'
import { join } from 'node:path'
import git, { TREE, type WalkerEntry } from 'isomorphic-git'
import { ApiError } from '../../api/status.ts'
import type { Clock } from '../../base/clock.ts'
import type { CommitInfo } from '../progress.ts'
import { runGit } from './git-command.ts'
import { FileList, isManifestPath, type SourceFile } from './source.ts'

/** Reads a repository. `resolve` is undefined for a ref that is not there; damage is an ApiError. */
export interface GitObjects {
  resolve(ref: string): Promise<string | undefined>
  commit(id: string): Promise<CommitInfo>
  files(id: string): Promise<readonly SourceFile[]>
}

/**
 * Files by path and object id. The same file of two commits is the very same SourceFile, so that what was parsed of it
 * once is known. The oldest are let go.
 */
class FileCache {
  readonly #files = new Map<string, SourceFile>()

  async get(path: string, oid: string, read: () => Promise<Uint8Array>): Promise<SourceFile> {
    const key = `${oid} ${path}`
    let file = this.#files.get(key)
    if (file === undefined) {
      file = FileList.read(path, await read())
      const [oldest] = this.#files.keys()
      if (this.#files.size >= FILES_MAX && oldest !== undefined) this.#files.delete(oldest)
    } else this.#files.delete(key)
    this.#files.set(key, file)
    return file
  }
}

const FILES_MAX = 40_000

/** With isomorphic-git: no process, and a file that did not change is not read again. */
export class LibraryObjects implements GitObjects {
  readonly #gitdir: string
  readonly #files = new FileCache()
  #cache: object = {}

  constructor(gitdir: string) {
    this.#gitdir = gitdir
  }

  async resolve(ref: string): Promise<string | undefined> {
    try {
      return await git.resolveRef({ fs, gitdir: this.#gitdir, ref })
    } catch (error) {
      if ((error as Error).name === 'NotFoundError') return undefined
      throw error
    }
  }

  async commit(oid: string): Promise<CommitInfo> {
    const { commit, oid: id } = await this.#fresh((cache) =>
      git.readCommit({ fs, gitdir: this.#gitdir, oid, cache }),
    )
    const [subject = ''] = commit.message.split('\n')
    return { id, subject, author: commit.author.name, at: commit.committer.timestamp * 1000 }
  }

  files(ref: string): Promise<readonly SourceFile[]> {
    return this.#fresh(async (cache) => {
      const files = new FileList()
      const map = async (path: string, [entry]: (WalkerEntry | null)[]) => {
        if (!entry) return null
        const type = await entry.type()
        if (type === 'tree') return path
        // A symbolic link is a blob whose content is a path: it is never followed, out of the repository or inside.
        if (type !== 'blob' || !isManifestPath(path) || (await entry.mode()) === 0o120000) return null
        const read = async () => (await entry.content()) ?? new Uint8Array()
        files.add(await this.#files.get(path, await entry.oid(), read))
        return null
      }
      await git.walk({ fs, gitdir: this.#gitdir, cache, trees: [TREE({ ref })], map })
      return files.sorted()
    })
  }

  /** Packs may have been rewritten (git gc) since they were cached: what fails is asked once more, from the disk. */
  async #fresh<T>(read: (cache: object) => Promise<T>): Promise<T> {
    try {
      return await read(this.#cache)
    } catch (error) {
      if (error instanceof ApiError) throw error
      this.#cache = {}
      return read(this.#cache)
    }
  }
}

/** With the git command, for what the library cannot read: borrowed objects, SHA-256, reftables. */
export class CommandObjects implements GitObjects {
  readonly #clock: Clock
  readonly #gitdir: string
  readonly #files = new FileCache()

  constructor(clock: Clock, gitdir: string) {
    this.#clock = clock
    this.#gitdir = gitdir
  }

  async resolve(ref: string): Promise<string | undefined> {
    try {
      const out = await this.#git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`])
      return out.toString().trim() || undefined
    } catch (error) {
      if (/exit 1$/.test((error as Error).message)) return undefined
      throw error
    }
  }

  async commit(id: string): Promise<CommitInfo> {
    const format = '--format=%H%x00%s%x00%an%x00%ct'
    const out = await this.#git(['log', '-1', '--no-show-signature', format, '--end-of-options', id])
    const [oid = id, subject = '', author, seconds] = out.toString().trim().split('\0')
    return { id: oid, subject, author, at: Number(seconds) * 1000 }
  }

  async files(id: string): Promise<readonly SourceFile[]> {
    const listing = (
      await this.#git(['ls-tree', '-r', '-z', '--full-tree', '--end-of-options', id])
    ).toString()
    const wanted = listing.split('\0').flatMap((line) => {
      const [, mode, oid, path] = /^(\d+) blob ([0-9a-f]+)\t([\s\S]+)$/.exec(line) ?? []
      return mode && mode !== '120000' && oid && path && isManifestPath(path) ? [{ oid, path }] : []
    })
    const blobs = await this.#blobs(wanted.map(({ oid }) => oid))
    const files = new FileList()
    for (const { oid, path } of wanted)
      files.add(await this.#files.get(path, oid, async () => blobs.get(oid) ?? new Uint8Array()))
    return files.sorted()
  }

  async #blobs(oids: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
    const blobs = new Map<string, Buffer>()
    if (oids.length === 0) return blobs
    const out = await this.#git(['cat-file', '--batch'], `${[...new Set(oids)].join('\n')}\n`)
    for (let at = 0; at < out.length; ) {
      const end = out.indexOf(10, at)
      const [oid = '', , size = '0'] = out.toString('utf8', at, end).split(' ')
      blobs.set(oid, out.subarray(end + 1, end + 1 + Number(size)))
      at = end + 1 + Number(size) + 1
    }
    return blobs
  }

  #git(args: readonly string[], input?: string): Promise<Buffer> {
    return runGit(args, { clock: this.#clock, gitdir: this.#gitdir, input })
  }
}

/** Whether isomorphic-git would fail on this repository, or find too little in it. */
export function needsCommand(gitdir: string): boolean {
  if (fs.existsSync(join(gitdir, 'objects/info/alternates')) || fs.existsSync(join(gitdir, 'reftable')))
    return true
  try {
    return /objectformat\s*=\s*sha256|refstorage\s*=\s*reftable|partialclone\s*=/i.test(
      fs.readFileSync(join(gitdir, 'config'), 'utf8'),
    )
  } catch {
    return false
  }
}
