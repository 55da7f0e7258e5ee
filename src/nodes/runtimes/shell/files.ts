import type { Clock } from '../../../base/clock.ts'
import type { Surroundings } from '../surroundings.ts'
import type { FileEntry, SharedVolume, VolumeData } from '../volume-data.ts'

/** A command says it as `cat: /x: No such file or directory`. */
export class FileError extends Error {}

const FOLDERS = ['/bin', '/dev', '/etc', '/home', '/root', '/tmp', '/usr', '/usr/bin', '/var', '/var/run']
const EMPTY = new Uint8Array()

/** Where a path of the container is kept. */
interface Place {
  readonly data: VolumeData
  readonly key: string
  readonly isReadOnly: boolean
}

/**
 * The files of one simulated container: what its volumes show, read-only and always as they are now, and the emptyDirs
 * it shares with the others of its pod, over a small root that can be written and is gone with the container.
 */
export class ContainerFiles {
  readonly #surroundings: Surroundings
  readonly #own: VolumeData
  readonly #clock: Clock
  readonly #past: () => number | undefined
  /** Deepest first. */
  readonly #volumes: readonly SharedVolume[]

  /**
   * `past`: for a process that goes again through what it did before (epoch ms of where it is; undefined: now). What it
   * wrote then is there already and is not written again; what came later is not seen yet.
   */
  constructor(surroundings: Surroundings, clock: Clock, past: () => number | undefined = () => undefined) {
    this.#surroundings = surroundings
    this.#clock = clock
    this.#past = past
    this.#volumes = surroundings.volumes.toSorted((a, b) => b.path.length - a.path.length)
    this.#own = surroundings.root()
    if (this.#own.count > 0) return
    for (const path of ['/', ...FOLDERS]) this.#own.seed(path, this.#folder())
    for (const [path, text] of Object.entries(surroundings.systemFiles()))
      this.#own.seed(path, this.#file(new TextEncoder().encode(text), 0o644))
  }

  find(path: string): FileEntry | undefined {
    const mounted = this.#mounted().get(path)
    if (mounted) return mounted
    const { data, key, isReadOnly } = this.#place(path)
    const entry = data.get(key)
    if (entry && this.#isYetToCome(path, entry)) return undefined
    return entry && isReadOnly ? { ...entry, isReadOnly } : entry
  }

  /** Names, sorted. */
  list(folder: string): string[] {
    const prefix = folder === '/' ? '/' : `${folder}/`
    const paths = [...this.#own.paths(), ...this.#mounted().keys(), ...this.#volumes.flatMap(pathsIn)]
    const isPast = this.#past() !== undefined
    const names = paths.flatMap((path) =>
      !(isPast && !this.find(path)) &&
      path.startsWith(prefix) &&
      path.length > prefix.length &&
      !path.slice(prefix.length).includes('/')
        ? [path.slice(prefix.length)]
        : [],
    )
    return [...new Set(names)].sort()
  }

  /** Of a file; undefined when there is none. */
  textOf(path: string): string | undefined {
    const entry = this.find(path)
    return entry && !entry.isDirectory ? Buffer.from(entry.bytes).toString('utf8') : undefined
  }

  read(path: string): Uint8Array {
    const entry = this.find(path)
    if (!entry) throw new FileError('No such file or directory')
    if (entry.isDirectory) throw new FileError('Is a directory')
    return entry.bytes
  }

  write(path: string, bytes: Uint8Array, mode = 0o644): void {
    if (path === '/dev/null' || this.#past() !== undefined) return
    const before = this.find(path)
    if (before?.isDirectory) throw new FileError('Is a directory')
    this.#mustBeWritable(path, before)
    this.#put(path, this.#file(bytes, before?.mode ?? mode))
  }

  makeFolder(path: string, withParents: boolean): void {
    if (this.#past() !== undefined) return
    const before = this.find(path)
    if (before) {
      if (withParents && before.isDirectory) return
      throw new FileError('File exists')
    }
    const parent = parentOf(path)
    if (withParents && !this.find(parent)) this.makeFolder(parent, true)
    this.#mustBeWritable(path, undefined)
    this.#put(path, this.#folder())
  }

  /** With everything in it. */
  remove(path: string): void {
    if (this.#past() !== undefined) return
    const entry = this.find(path)
    if (!entry) throw new FileError('No such file or directory')
    const inside = (other: string) => other === path || other.startsWith(`${path}/`)
    if (path === '/' || this.#volumes.some((volume) => inside(volume.path)))
      throw new FileError('Device or resource busy')
    const { data, key, isReadOnly } = this.#place(path)
    if (isReadOnly || [...this.#mounted().keys()].some(inside)) throw new FileError('Read-only file system')
    data.remove(key)
  }

  #isYetToCome(path: string, { isDirectory, modifiedAt }: FileEntry): boolean {
    const at = this.#past()
    return at !== undefined && !isDirectory && modifiedAt > at && !path.startsWith('/etc/')
  }

  #put(path: string, entry: FileEntry): void {
    const { data, key } = this.#place(path)
    if (!data.put(key, entry)) throw new FileError('No space left on device')
  }

  #place(path: string): Place {
    const volume = this.#volumes.find((each) => path.startsWith(`${each.path}/`))
    if (!volume) return { data: this.#own, key: path, isReadOnly: false }
    const key = `${volume.base}${path.slice(volume.path.length)}`
    return { data: volume.open(), key, isReadOnly: volume.isReadOnly }
  }

  #mustBeWritable(path: string, before: FileEntry | undefined): void {
    const parent = this.find(parentOf(path))
    if (!parent) throw new FileError('No such file or directory')
    if (!parent.isDirectory) throw new FileError('Not a directory')
    if (before?.isReadOnly || parent.isReadOnly) throw new FileError('Read-only file system')
  }

  /** The files of the volumes, the places of shared ones, and the folders that lead to them. */
  #mounted(): ReadonlyMap<string, FileEntry> {
    const entries = new Map<string, FileEntry>()
    const lead = (path: string, isReadOnly: boolean) => {
      for (let folder = parentOf(path), depth = 0; folder !== '/'; folder = parentOf(folder), depth += 1)
        if (!entries.has(folder) && !this.#own.get(folder))
          entries.set(folder, { ...this.#folder(), isReadOnly: isReadOnly && depth === 0 })
    }
    for (const { path, isReadOnly } of this.#volumes) {
      entries.set(path, { ...this.#folder(), isReadOnly })
      lead(path, false)
    }
    for (const { path, bytes, mode } of this.#surroundings.files()) {
      lead(path, true)
      entries.set(path, { ...this.#file(bytes, mode), isReadOnly: true })
    }
    return entries
  }

  #folder(): FileEntry {
    return {
      isDirectory: true,
      bytes: EMPTY,
      mode: 0o755,
      modifiedAt: this.#clock.now(),
      isReadOnly: false,
    }
  }

  #file(bytes: Uint8Array, mode: number): FileEntry {
    return { isDirectory: false, bytes, mode, modifiedAt: this.#clock.now(), isReadOnly: false }
  }
}

function pathsIn({ path, base, open }: SharedVolume): string[] {
  return [...open().paths()].flatMap((key) =>
    key.startsWith(`${base}/`) ? [path + key.slice(base.length)] : [],
  )
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')))
}

/** "/a/b" from "b", "./b" or "../a/b" seen from a folder. */
export function absolute(path: string, from: string): string {
  const parts: string[] = []
  for (const part of (path.startsWith('/') ? path : `${from}/${path}`).split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}
