import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { ApiError, badRequest } from '../../api/status.ts'
import type { Clock } from '../../base/clock.ts'
import { FolderSource } from './folder.ts'
import { findGitDir, GitSource } from './git.ts'
import { RemoteSource } from './remote.ts'
import type { Source } from './source.ts'

export interface OpenSourceOptions {
  readonly ref?: string | undefined
  /** Files on disk instead of commits. */
  readonly worktree?: boolean | undefined
  /** Where copies of remote repositories are kept. */
  readonly cacheDirectory: string
  readonly intervalMs: number
}

/**
 * The source behind a folder, work tree, bare repository or URL. A folder that is no repository is followed as it is; a
 * path that does not exist yet is a repository that is waited for, unless its parent does not exist either.
 */
export function openSource(clock: Clock, repo: string, options: OpenSourceOptions): Source {
  if (/^https?:\/\//.test(repo)) {
    const directory = `${options.cacheDirectory}/${Buffer.from(repo).toString('base64url').slice(0, 100)}`
    return new RemoteSource(clock, repo, { ref: options.ref, directory, intervalMs: options.intervalMs })
  }
  if (/^[\w.-]+@[\w.-]+:|^(ssh|git|ftp):\/\//.test(repo))
    throw badRequest(
      `Cannot follow "${repo}": only local folders and http(s) repositories are supported; clone it and give the folder`,
    )
  const folder = resolve(repo.replace(/^file:\/\//, ''))
  if (existsSync(folder) && !statSync(folder).isDirectory())
    throw badRequest(`Cannot follow "${repo}": it is a file; give a folder, a git repository or a URL`)
  if (!existsSync(resolve(folder, '..')))
    throw new ApiError('NotFound', `Cannot follow "${repo}": ${resolve(folder, '..')} does not exist`)
  if (options.worktree) return new FolderSource(clock, folder)
  if (existsSync(folder) && findGitDir(folder) === undefined) {
    if (options.ref !== undefined)
      throw badRequest(`Cannot follow branch "${options.ref}" of "${repo}": it is not a git repository`)
    return new FolderSource(clock, folder)
  }
  return new GitSource(clock, folder, { ref: options.ref })
}
