import { createHash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { ApiError, badRequest } from '../../api/status.ts'
import type { Clock } from '../../base/clock.ts'
import { FolderSource } from './folder.ts'
import { GitSource } from './git.ts'
import { findGitDirectory } from './git-directory.ts'
import { LocalSource } from './local.ts'
import { RemoteSource } from './remote.ts'
import type { Source } from './source.ts'

export interface OpenSourceOptions {
  /** A branch, tag or commit. */
  readonly ref?: string | undefined
  /** Files on disk instead of commits. */
  readonly worktree?: boolean | undefined
  /** Where copies of remote repositories are kept. */
  readonly cacheDirectory: string
  readonly intervalMs: number
}

/** What begins with a dash would be an option to git; the rest git itself forbids. */
const REF = /^[^-\s~^:?*[\\][^\s~^:?*[\\]*$/
const SSH = /^(ssh:\/\/(?!-)|[\w.][\w.-]*@[\w.][\w.-]*:(?!-))/

/**
 * The source behind a folder, work tree, bare repository or URL. A folder that is no repository is followed as it is; a
 * path that does not exist yet is a repository that is waited for, unless its parent does not exist either.
 */
export function openSource(clock: Clock, repo: string, options: OpenSourceOptions): Source {
  const { ref, cacheDirectory, intervalMs } = options
  if ([...repo].some((letter) => (letter.codePointAt(0) ?? 0) < 32))
    throw badRequest('Cannot follow a repository whose name has control characters')
  if (ref !== undefined && !REF.test(ref))
    throw badRequest(`"${ref}" cannot be the name of a branch, tag or commit`)
  if (/^https?:\/\//.test(repo) || SSH.test(repo)) {
    const name = createHash('sha256')
      .update(`${repo} ${ref ?? ''}`)
      .digest('hex')
      .slice(0, 20)
    return new RemoteSource(clock, repo, { ref, directory: `${cacheDirectory}/${name}`, intervalMs })
  }
  if (/^[\w+.-]+::|^\w[\w+.-]+:\/\//.test(repo) && !repo.startsWith('file:///'))
    throw badRequest(`Cannot follow "${repo}": give a folder, a git repository, or an http(s) or ssh URL`)
  const folder = resolve(repo.replace(/^file:\/\//, ''))
  if (existsSync(folder) && !statSync(folder).isDirectory())
    throw badRequest(`Cannot follow "${repo}": it is a file; give a folder, a git repository or a URL`)
  if (!existsSync(resolve(folder, '..')))
    throw new ApiError('NotFound', `Cannot follow "${repo}": ${resolve(folder, '..')} does not exist`)
  if (options.worktree) return new FolderSource(clock, folder)
  if (ref === undefined) return new LocalSource(clock, folder)
  if (existsSync(folder) && !findGitDirectory(folder))
    throw badRequest(`Cannot follow branch "${ref}" of "${repo}": it is not a git repository`)
  return new GitSource(clock, folder, { ref })
}
