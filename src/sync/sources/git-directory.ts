import fs from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { ApiError } from '../../api/status.ts'

/** Where a repository keeps things. In a linked work tree HEAD is its own, everything else is shared. */
export interface GitDirectory {
  /** Of this work tree: HEAD. */
  readonly gitdir: string
  /** Of the repository: refs, packed-refs, objects, config. */
  readonly commondir: string
  /** The work tree; undefined for a bare repository. */
  readonly folder: string | undefined
}

/** The repository in a folder: the folder itself (bare), its .git, or what a .git file points to. Undefined: it is none. */
export function findGitDirectory(folder: string): GitDirectory | undefined {
  const is = (path: string) => fs.existsSync(join(path, 'HEAD'))
  if (is(folder) && fs.existsSync(join(folder, 'objects')) && fs.existsSync(join(folder, 'refs')))
    return { gitdir: folder, commondir: folder, folder: undefined }
  const inside = join(folder, '.git')
  // Also a file has no .git, but asking what is in one is an error.
  if (!fs.existsSync(inside)) return undefined
  const stat = fs.statSync(inside)
  if (stat.isDirectory()) return is(inside) ? { gitdir: inside, commondir: inside, folder } : undefined
  const pointer = /^gitdir: (.+)$/m.exec(fs.readFileSync(inside, 'utf8'))?.[1]?.trim()
  if (pointer === undefined) return undefined
  const gitdir = isAbsolute(pointer) ? pointer : resolve(dirname(inside), pointer)
  const common = join(gitdir, 'commondir')
  const commondir = fs.existsSync(common) ? resolve(gitdir, fs.readFileSync(common, 'utf8').trim()) : gitdir
  return is(gitdir) ? { gitdir, commondir, folder } : undefined
}

/** What HEAD names: a branch ("refs/heads/main"), or a commit when it is detached. */
export function readHead({ gitdir }: GitDirectory): { readonly ref?: string; readonly commit?: string } {
  const text = readOrTell(join(gitdir, 'HEAD')).trim()
  const ref = /^ref: (\S+)$/.exec(text)?.[1]
  if (ref !== undefined) return { ref }
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text)) return { commit: text }
  throw new ApiError(
    'InternalError',
    `Repository ${gitdir} is damaged: its HEAD says ${JSON.stringify(text.slice(0, 60))}`,
  )
}

/** Without permission, git libraries find nothing where there is something: that is told apart here. */
function readOrTell(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM')
      throw new ApiError('Forbidden', `Cannot read ${path}: no permission; check who owns it`, {
        cause: error,
      })
    throw new ApiError('InternalError', `Cannot read ${path}: ${message}`, { cause: error })
  }
}
