import fs from 'node:fs'
import { join } from 'node:path'
import git, { type TreeEntry } from 'isomorphic-git'
import PQueue from 'p-queue'
import { ApiError, badRequest } from '../../api/status.ts'
import type { Clock } from '../../base/clock.ts'
import { Batch } from './batch.ts'
import { type GitDirectory, readHead } from './git-directory.ts'
import { needsCommand } from './git-objects.ts'
import { withRefLock } from './ref-lock.ts'
import type { SourceWriter } from './source.ts'

const NOTES_REF = 'refs/notes/seamark'
const IDENTITY = { name: 'Seamark', email: 'seamark@localhost' }

interface Note {
  readonly commit: string
  readonly text: string
}

interface FilesOfBranch {
  readonly files: ReadonlyMap<string, string>
  readonly message: string
}

/**
 * Writes to a local repository without touching anybody's index. The library compares and locks nothing, so every ref
 * is written under git's own lock, one write at a time. Notes are added to what a note says already: several
 * applications, and several attempts, have outcomes on one commit.
 */
export class GitWriter implements SourceWriter {
  readonly #clock: Clock
  readonly #find: () => GitDirectory | undefined
  /** The branch that is followed; undefined: the one that HEAD names. */
  readonly #followed: string | undefined
  readonly #queue = new PQueue({ concurrency: 1 })
  readonly #notes = new Batch<Note>(this.#queue, (notes) => this.#writeNotes(notes))
  readonly #branches = new Map<string, Batch<FilesOfBranch>>()

  constructor(clock: Clock, find: () => GitDirectory | undefined, followed: string | undefined) {
    this.#clock = clock
    this.#find = find
    this.#followed = followed
  }

  note(commit: string, text: string): Promise<void> {
    return this.#notes.add({ commit, text })
  }

  async writeBranch(branch: string, files: ReadonlyMap<string, string>, message: string): Promise<void> {
    if (`refs/heads/${branch}` === this.#followedRef())
      throw badRequest(
        `Cannot write status to branch "${branch}": it is the one that is followed; choose another`,
      )
    const known = this.#branches.get(branch)
    const batch =
      known ??
      new Batch<FilesOfBranch>(this.#queue, (items) => this.#writeFiles(`refs/heads/${branch}`, items))
    if (!known) this.#branches.set(branch, batch)
    await batch.add({ files, message })
  }

  #writeNotes(notes: readonly Note[]): Promise<void> {
    return this.#write(NOTES_REF, async (gitdir, parent, set) => {
      const tree = await treeOf(gitdir, parent)
      const texts = new Map<string, string>()
      for (const commit of new Set(notes.map((note) => note.commit))) {
        const { path, before } = await noteOf(gitdir, tree, commit)
        const added = notes.filter((note) => note.commit === commit).map(({ text }) => text)
        texts.set(path, joined(before === undefined ? added : [before, ...added]))
      }
      const next = await writeTree(gitdir, tree, texts)
      set(await this.#commit(gitdir, next, parent, 'Notes added by seamark\n'))
    })
  }

  #writeFiles(ref: string, changes: readonly FilesOfBranch[]): Promise<void> {
    return this.#write(ref, async (gitdir, parent, set) => {
      const base = await treeOf(gitdir, parent)
      const tree = await writeTree(gitdir, base, new Map(changes.flatMap(({ files }) => [...files])))
      const messages = changes.map(({ message }) => message)
      const message =
        messages.length === 1 ? messages.join() : `${messages.length} outcomes\n\n${messages.join('\n')}`
      if (tree !== base) set(await this.#commit(gitdir, tree, parent, message))
    })
  }

  async revert(commit: string): Promise<string | undefined> {
    const ref = this.#followedRef()
    if (ref === undefined) return undefined
    const reverted = await this.#queue.add(() => this.#revert(ref, commit))
    if (reverted !== undefined) await this.#refreshWorkTree(commit, reverted)
    return reverted
  }

  #revert(ref: string, commit: string): Promise<string | undefined> {
    return this.#write(ref, async (gitdir, tip, set) => {
      if (tip !== commit) return undefined
      const { commit: bad } = await git.readCommit({ fs, gitdir, oid: commit })
      const [parent] = bad.parent
      const tree = await treeOf(gitdir, parent)
      if (tree === undefined) return undefined
      const subject = bad.message.split('\n')[0] ?? ''
      const message = `Revert "${subject}"\n\nThis reverts commit ${commit}.\n`
      const oid = await this.#commit(gitdir, tree, commit, message)
      set(oid)
      return oid
    })
  }

  /** Files that nobody edited follow the revert; those that somebody did stay as they are and show up in git status. */
  async #refreshWorkTree(before: string, after: string): Promise<void> {
    const found = this.#find()
    if (found?.folder === undefined || found.gitdir !== found.commondir) return
    const { gitdir, folder: dir } = found
    const changed: string[] = await git.walk({
      fs,
      gitdir,
      trees: [git.TREE({ ref: before }), git.TREE({ ref: after })],
      map: async (path: string, [a, b]) => {
        const [was, is] = await Promise.all([a?.oid(), b?.oid()])
        if (was === is) return null
        return (await (a ?? b)?.type()) === 'blob' ? path : undefined
      },
    })
    const [was, is] = await Promise.all([treeOf(gitdir, before), treeOf(gitdir, after)])
    for (const filepath of changed ?? []) {
      const file = join(dir, filepath)
      // Neither a link itself nor what lies behind a linked folder is ever written through.
      if (leavesFolder(dir, filepath)) continue
      if (readDisk(file) !== (await readText(gitdir, was, filepath))) continue
      const wanted = await readText(gitdir, is, filepath)
      if (wanted === undefined) {
        fs.rmSync(file, { force: true })
        await git.remove({ fs, dir, gitdir, filepath })
      } else {
        fs.mkdirSync(join(file, '..'), { recursive: true })
        fs.writeFileSync(file, wanted)
        await git.add({ fs, dir, gitdir, filepath })
      }
    }
  }

  #followedRef(): string | undefined {
    if (this.#followed !== undefined) return `refs/heads/${this.#followed}`
    const directory = this.#find()
    return directory && readHead(directory).ref
  }

  /** Under the lock of the ref, with the commit it has now. */
  async #write<T>(
    ref: string,
    write: (gitdir: string, tip: string | undefined, set: (oid: string) => void) => Promise<T>,
  ): Promise<T> {
    const gitdir = this.#find()?.commondir
    if (gitdir === undefined) throw new ApiError('NotFound', `Cannot write ${ref}: the repository is gone`)
    if (needsCommand(gitdir))
      throw badRequest(
        `Cannot write ${ref}: Seamark only reads repositories with borrowed objects or SHA-256`,
      )
    return withRefLock(this.#clock, gitdir, ref, async (set) => write(gitdir, await tipOf(gitdir, ref), set))
  }

  #commit(gitdir: string, tree: string, parent: string | undefined, message: string): Promise<string> {
    const identity = { ...IDENTITY, timestamp: Math.floor(this.#clock.now() / 1000), timezoneOffset: 0 }
    const parents = parent === undefined ? [] : [parent]
    const commit = { tree, parent: parents, message, author: identity, committer: identity }
    return git.writeCommit({ fs, gitdir, commit })
  }
}

function joined(texts: readonly string[]): string {
  return `${texts.map((text) => text.trimEnd()).join('\n\n')}\n`
}

/** git spreads many notes over folders named by the first two digits: a note stays where it is. */
async function noteOf(gitdir: string, tree: string | undefined, commit: string) {
  const folder = `${commit.slice(0, 2)}/${commit.slice(2)}`
  const [flat, spread] = await Promise.all([readText(gitdir, tree, commit), readText(gitdir, tree, folder)])
  return flat === undefined && spread !== undefined
    ? { path: folder, before: spread }
    : { path: commit, before: flat }
}

function leavesFolder(dir: string, filepath: string): boolean {
  const steps = filepath.split('/')
  return steps.some((_, i) => {
    const stat = fs.lstatSync(join(dir, ...steps.slice(0, i + 1)), { throwIfNoEntry: false })
    return stat?.isSymbolicLink() ?? false
  })
}

function readDisk(file: string): string | undefined {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined
}

async function tipOf(gitdir: string, ref: string): Promise<string | undefined> {
  try {
    return await git.resolveRef({ fs, gitdir, ref })
  } catch (error) {
    if ((error as Error).name === 'NotFoundError') return undefined
    throw error
  }
}

async function treeOf(gitdir: string, commit: string | undefined): Promise<string | undefined> {
  if (commit === undefined) return undefined
  return (await git.readCommit({ fs, gitdir, oid: commit })).commit.tree
}

/** The tree with these files laid over it, path by path. */
async function writeTree(
  gitdir: string,
  base: string | undefined,
  files: ReadonlyMap<string, string>,
): Promise<string> {
  const known = base === undefined ? [] : (await git.readTree({ fs, gitdir, oid: base })).tree
  const entries = new Map<string, TreeEntry>(known.map((entry) => [entry.path, entry]))
  const below = new Map<string, Map<string, string>>()
  for (const [path, text] of files) {
    const [first = '', ...rest] = path.split('/')
    if (rest.length === 0) {
      const oid = await git.writeBlob({ fs, gitdir, blob: Buffer.from(text) })
      entries.set(first, { path: first, mode: '100644', oid, type: 'blob' })
    } else below.set(first, (below.get(first) ?? new Map<string, string>()).set(rest.join('/'), text))
  }
  for (const [name, inside] of below) {
    const there = entries.get(name)
    const oid = await writeTree(gitdir, there?.type === 'tree' ? there.oid : undefined, inside)
    entries.set(name, { path: name, mode: '040000', oid, type: 'tree' })
  }
  return git.writeTree({ fs, gitdir, tree: [...entries.values()] })
}

async function readText(
  gitdir: string,
  tree: string | undefined,
  filepath: string,
): Promise<string | undefined> {
  if (tree === undefined) return undefined
  try {
    const { blob } = await git.readBlob({ fs, gitdir, oid: tree, filepath })
    return Buffer.from(blob).toString('utf8')
  } catch (error) {
    if ((error as Error).name === 'NotFoundError') return undefined
    throw error
  }
}
