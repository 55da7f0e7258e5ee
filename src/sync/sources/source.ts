import type { Cancel } from '../../base/clock.ts'
import type { CommitInfo } from '../progress.ts'

export interface SourceFile {
  /** Relative to the root of the source, with slashes. */
  readonly path: string
  readonly text: string
  /** Why the text cannot be used, where it cannot: it is no UTF-8. */
  readonly problem?: string
}

/**
 * Where manifests come from. `latest` is cheap and may be asked often; it throws an ApiError that says what is wrong
 * with the source, and returns undefined while there is nothing to apply yet (no repository, no commit).
 */
export interface Source {
  /** For people: the folder or URL. */
  readonly description: string
  /** The folder or URL to open it again with, where that is not the description. */
  readonly location?: string | undefined
  latest(): Promise<CommitInfo | undefined>
  /** The manifest files (.yaml, .yml, .json, and ignore files) of a commit. */
  files(commit: string): Promise<readonly SourceFile[]>
  /** Told when there may be a newer commit. */
  onChange(tell: () => void): Cancel
  /** Absent where nothing can be written back. */
  readonly writer?: SourceWriter
  close(): Promise<void>
}

export interface SourceWriter {
  /** Sets the note refs/notes/seamark of a commit. */
  note(commit: string, text: string): Promise<void>
  /** Writes files to a branch that is nobody's work tree, as one commit. */
  writeBranch(branch: string, files: ReadonlyMap<string, string>, message: string): Promise<void>
  /** Commits the reverse of `commit` on its branch; only when it is the branch's newest. Returns the new commit. */
  revert(commit: string): Promise<string | undefined>
}

/** What is read of a repository at the most; more is a fault, not a reason to run out of memory. */
export const LIMITS = { files: 20_000, fileBytes: 5 * 1024 * 1024, totalBytes: 200 * 1024 * 1024 } as const

export function isManifestPath(path: string): boolean {
  return /\.(ya?ml|json)$/i.test(path) || path === '.seamarkignore' || path.endsWith('/.seamarkignore')
}
