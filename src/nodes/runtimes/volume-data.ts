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
const FILES_MAX = 10_000

/** What containers have written somewhere: the root of one of them, or an emptyDir that those of a pod share. */
export class VolumeData {
  /** By absolute path, "/" being where it begins. */
  readonly #entries = new Map<string, FileEntry>()
  readonly #tell: () => void
  #bytesMax = BYTES_MAX
  #bytes = 0
  #isUsed = false

  /** `tell` is called whenever something is written or removed. */
  constructor(tell: () => void = () => {}) {
    this.#tell = tell
  }

  limit(bytesMax: number): void {
    this.#bytesMax = Math.min(bytesMax, BYTES_MAX)
  }

  /** Something was written or removed: it is no longer what everybody would find there. */
  get isUsed(): boolean {
    return this.#isUsed
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Files and folders. */
  get count(): number {
    return this.#entries.size
  }

  entries(): ReadonlyMap<string, FileEntry> {
    return this.#entries
  }

  get(path: string): FileEntry | undefined {
    return this.#entries.get(path)
  }

  paths(): IterableIterator<string> {
    return this.#entries.keys()
  }

  /** What is there before anybody writes. */
  seed(path: string, entry: FileEntry): void {
    this.#entries.set(path, entry)
    this.#bytes += entry.bytes.length
  }

  /** False when there is no room for it. */
  put(path: string, entry: FileEntry): boolean {
    const grows = entry.bytes.length - (this.#entries.get(path)?.bytes.length ?? 0)
    if (grows > 0 && this.#bytes + grows > this.#bytesMax) return false
    if (this.#entries.size >= FILES_MAX && !this.#entries.has(path)) return false
    this.#bytes += grows
    this.#entries.set(path, entry)
    this.#changed()
    return true
  }

  /** With everything in it. */
  remove(path: string): void {
    for (const [other, { bytes }] of [...this.#entries]) {
      if (other !== path && !other.startsWith(`${path}/`)) continue
      this.#bytes -= bytes.length
      this.#entries.delete(other)
    }
    this.#changed()
  }

  #changed(): void {
    this.#isUsed = true
    this.#tell()
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
