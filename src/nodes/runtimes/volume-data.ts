export interface FileEntry {
  readonly isDirectory: boolean
  readonly bytes: Uint8Array
  readonly mode: number
  /** Epoch ms. */
  readonly modifiedAt: number
  /** It belongs to a projected volume. */
  readonly isReadOnly: boolean
}

/** All that one of them may hold. */
const BYTES_MAX = 16 * 1024 * 1024

/** What containers have written somewhere: the root of one of them, or an emptyDir that those of a pod share. */
export class VolumeData {
  /** By absolute path, "/" being where it begins. */
  readonly #entries = new Map<string, FileEntry>()
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  get(path: string): FileEntry | undefined {
    return this.#entries.get(path)
  }

  paths(): IterableIterator<string> {
    return this.#entries.keys()
  }

  /** False when there is no room for it. */
  put(path: string, entry: FileEntry): boolean {
    const grows = entry.bytes.length - (this.#entries.get(path)?.bytes.length ?? 0)
    if (this.#bytes + grows > BYTES_MAX) return false
    this.#bytes += grows
    this.#entries.set(path, entry)
    return true
  }

  /** With everything in it. */
  remove(path: string): void {
    for (const [other, { bytes }] of [...this.#entries]) {
      if (other !== path && !other.startsWith(`${path}/`)) continue
      this.#bytes -= bytes.length
      this.#entries.delete(other)
    }
  }
}

/** A volume that a container can write to and shares with others, as it is mounted. */
export interface SharedVolume {
  /** Where, absolute and without a "/" at its end. */
  readonly path: string
  /** What of the volume is shown there: "" or "/sub/path". */
  readonly base: string
  readonly isReadOnly: boolean
  readonly open: () => VolumeData
}
