import fs from 'node:fs'
import { open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import git from 'isomorphic-git'
import { ApiError } from '../../api/status.ts'
import type { Clock } from '../../base/clock.ts'
import type { SourceWriter } from './source.ts'

const NOTES_REF = 'refs/notes/seamark'
const IDENTITY = { name: 'Seamark', email: 'seamark@localhost' }

/**
 * Writes to a local repository without touching anybody's index. isomorphic-git compares and locks nothing, so every
 * write of a ref takes git's own lock file, as the git command does, and looks again before it writes.
 */
export class GitWriter implements SourceWriter {
  readonly #clock: Clock
  readonly #gitdir: string
  /** The work tree, if there is one. */
  readonly #folder: string | undefined

  constructor(clock: Clock, gitdir: string, folder: string | undefined) {
    this.#clock = clock
    this.#gitdir = gitdir
    this.#folder = folder
  }

  async note(commit: string, text: string): Promise<void> {
    await this.#locked(NOTES_REF, async () => {
      await git.addNote({
        fs,
        gitdir: this.#gitdir,
        ref: NOTES_REF,
        oid: commit,
        note: text,
        force: true,
        author: this.#identity(),
        committer: this.#identity(),
      })
    })
  }

  async writeBranch(branch: string, files: ReadonlyMap<string, string>, message: string): Promise<void> {
    const ref = `refs/heads/${branch}`
    await this.#locked(ref, async () => {
      const parent = await this.#find(ref)
      const base =
        parent === undefined
          ? undefined
          : (await git.readCommit({ fs, gitdir: this.#gitdir, oid: parent })).commit.tree
      const tree = await this.#writeTree(base, files)
      if (tree === base) return
      await this.#commit(ref, tree, parent, message)
    })
  }

  async revert(commit: string): Promise<string | undefined> {
    const branch = await git.currentBranch({ fs, gitdir: this.#gitdir, fullname: true })
    if (!branch) return undefined
    return this.#locked(branch, async () => {
      if ((await this.#find(branch)) !== commit) return undefined
      const { commit: bad } = await git.readCommit({ fs, gitdir: this.#gitdir, oid: commit })
      const [parent] = bad.parent
      if (parent === undefined) return undefined
      const { commit: good } = await git.readCommit({ fs, gitdir: this.#gitdir, oid: parent })
      const subject = bad.message.split('\n')[0] ?? ''
      const reverted = await this.#commit(
        branch,
        good.tree,
        commit,
        `Revert "${subject}"\n\nThis reverts commit ${commit}.\n`,
      )
      await this.#refreshWorkTree(commit, reverted)
      return reverted
    })
  }

  /** Files that nobody edited follow the revert; those that somebody did stay as they are and show up in git status. */
  async #refreshWorkTree(before: string, after: string): Promise<void> {
    const dir = this.#folder
    if (dir === undefined) return
    const changed: string[] = await git.walk({
      fs,
      gitdir: this.#gitdir,
      trees: [git.TREE({ ref: before }), git.TREE({ ref: after })],
      map: async (path: string, [a, b]) => {
        const [was, is] = await Promise.all([a?.oid(), b?.oid()])
        if (was === is) return null
        return (await (a ?? b)?.type()) === 'blob' ? path : undefined
      },
    })
    for (const filepath of changed ?? []) {
      const file = join(dir, filepath)
      const old = await readText(this.#gitdir, before, filepath)
      if ((fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined) !== old) continue
      const wanted = await readText(this.#gitdir, after, filepath)
      if (wanted === undefined) {
        fs.rmSync(file, { force: true })
        await git.remove({ fs, dir, gitdir: this.#gitdir, filepath })
      } else {
        fs.writeFileSync(file, wanted)
        await git.add({ fs, dir, gitdir: this.#gitdir, filepath })
      }
    }
  }

  async #commit(ref: string, tree: string, parent: string | undefined, message: string): Promise<string> {
    const oid = await git.writeCommit({
      fs,
      gitdir: this.#gitdir,
      commit: {
        tree,
        parent: parent === undefined ? [] : [parent],
        message,
        author: this.#identity(),
        committer: this.#identity(),
      },
    })
    await git.writeRef({ fs, gitdir: this.#gitdir, ref, value: oid, force: true })
    return oid
  }

  /** The tree with these files laid over it, path by path. */
  async #writeTree(base: string | undefined, files: ReadonlyMap<string, string>): Promise<string> {
    const entries = new Map(
      base === undefined
        ? []
        : (await git.readTree({ fs, gitdir: this.#gitdir, oid: base })).tree.map((entry) => [
            entry.path,
            entry,
          ]),
    )
    const below = new Map<string, Map<string, string>>()
    for (const [path, text] of files) {
      const [first = '', ...rest] = path.split('/')
      if (rest.length === 0) {
        const oid = await git.writeBlob({ fs, gitdir: this.#gitdir, blob: Buffer.from(text) })
        entries.set(first, { path: first, mode: '100644', oid, type: 'blob' })
      } else below.set(first, (below.get(first) ?? new Map<string, string>()).set(rest.join('/'), text))
    }
    for (const [name, inside] of below) {
      const known = entries.get(name)
      const oid = await this.#writeTree(known?.type === 'tree' ? known.oid : undefined, inside)
      entries.set(name, { path: name, mode: '040000', oid, type: 'tree' })
    }
    return git.writeTree({ fs, gitdir: this.#gitdir, tree: [...entries.values()] })
  }

  async #find(ref: string): Promise<string | undefined> {
    try {
      return await git.resolveRef({ fs, gitdir: this.#gitdir, ref })
    } catch {
      return undefined
    }
  }

  /** git's own protocol: whoever creates REF.lock may write REF. */
  async #locked<T>(ref: string, write: () => Promise<T>): Promise<T> {
    const lock = join(this.#gitdir, `${ref}.lock`)
    fs.mkdirSync(join(lock, '..'), { recursive: true })
    try {
      await (await open(lock, 'wx')).close()
    } catch (error) {
      throw new ApiError(
        'Conflict',
        `Cannot write ${ref}: ${lock} exists; another git command is running, or was killed and left it`,
        { cause: error },
      )
    }
    try {
      return await write()
    } finally {
      await unlink(lock).catch(() => {})
    }
  }

  #identity() {
    return { ...IDENTITY, timestamp: Math.floor(this.#clock.now() / 1000), timezoneOffset: 0 }
  }
}

async function readText(gitdir: string, oid: string, filepath: string): Promise<string | undefined> {
  try {
    const { blob } = await git.readBlob({ fs, gitdir, oid, filepath })
    return Buffer.from(blob).toString('utf8')
  } catch {
    return undefined
  }
}
