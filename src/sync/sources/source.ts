import { ApiError } from '../../api/status.ts'
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
  readonly writer?: SourceWriter | undefined
  close(): Promise<void>
}

export interface SourceWriter {
  /** Adds to the note refs/notes/seamark of a commit. */
  note(commit: string, text: string): Promise<void>
  /** Writes files to a branch that is nobody's work tree, as one commit. */
  writeBranch(branch: string, files: ReadonlyMap<string, string>, message: string): Promise<void>
  /** Commits the reverse of `commit` on its branch; only when it is the branch's newest. Returns the new commit. */
  revert(commit: string): Promise<string | undefined>
}

/** What is read of a repository at the most; more is a fault, not a reason to run out of memory. */
const LIMITS = { files: 20_000, fileBytes: 5 * 1024 * 1024, totalBytes: 200 * 1024 * 1024 } as const

export function isManifestPath(path: string): boolean {
  return /\.(ya?ml|json)$/i.test(path) || path === '.seamarkignore' || path.endsWith('/.seamarkignore')
}

/** The files of one commit, within bounds. */
export class FileList {
  readonly #files: SourceFile[] = []
  #bytes = 0

  /** UTF-8, with or without a byte order mark; anything else is refused rather than guessed at. */
  static read(path: string, bytes: Uint8Array): SourceFile {
    if (bytes.length > LIMITS.fileBytes)
      throw tooLarge(path, `is larger than ${LIMITS.fileBytes / 1024 / 1024} MiB`)
    try {
      return { path, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
    } catch {
      return { path, text: '', problem: 'is not UTF-8 text; save it as UTF-8' }
    }
  }

  add(file: SourceFile): void {
    this.#bytes += file.text.length
    if (this.#bytes > LIMITS.totalBytes)
      throw tooLarge(
        file.path,
        `and the files before it hold more than ${LIMITS.totalBytes / 1024 / 1024} MiB`,
      )
    if (this.#files.length >= LIMITS.files)
      throw tooLarge(file.path, `comes after ${LIMITS.files} other files`)
    this.#files.push(file)
  }

  sorted(): readonly SourceFile[] {
    return this.#files.sort((a, b) => (a.path < b.path ? -1 : 1))
  }
}

function tooLarge(path: string, why: string): ApiError {
  const fix = 'keep large files out of the path, or split the repository'
  return new ApiError('RequestEntityTooLarge', `Cannot read the source: ${path} ${why}; ${fix}`)
}
