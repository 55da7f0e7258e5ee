import type { Clock } from '../../../base/clock.ts'
import type { Surroundings } from '../surroundings.ts'

/** A command says it as `cat: /x: No such file or directory`. */
export class FileError extends Error {}

export interface FileEntry {
  readonly isDirectory: boolean
  readonly bytes: Uint8Array
  readonly mode: number
  /** Epoch ms. */
  readonly modifiedAt: number
  /** It belongs to a projected volume. */
  readonly isReadOnly: boolean
}

/** All that one container may hold beside its volumes. */
const BYTES_MAX = 16 * 1024 * 1024
const FOLDERS = ['/bin', '/dev', '/etc', '/home', '/root', '/tmp', '/usr', '/usr/bin', '/var', '/var/run']
const EMPTY = new Uint8Array()

/**
 * The files of one simulated container: what its volumes show, read-only and always as they are now, over a small
 * root that can be written and is gone with the container.
 */
export class ContainerFiles {
  readonly #surroundings: Surroundings
  readonly #own = new Map<string, FileEntry>()
  readonly #clock: Clock
  #bytes = 0

  constructor(surroundings: Surroundings, clock: Clock) {
    this.#surroundings = surroundings
    this.#clock = clock
    const { hostname, podIP } = surroundings
    for (const path of ['/', ...FOLDERS]) this.#own.set(path, this.#folder())
    const text = (content: string) => new TextEncoder().encode(content)
    this.#own.set('/etc/hostname', this.#file(text(`${hostname}\n`), 0o644))
    this.#own.set('/etc/hosts', this.#file(text(`127.0.0.1\tlocalhost\n${podIP}\t${hostname}\n`), 0o644))
  }

  find(path: string): FileEntry | undefined {
    const mounted = this.#mounted()
    return mounted.get(path) ?? this.#own.get(path)
  }

  /** Names, sorted. */
  list(folder: string): string[] {
    const prefix = folder === '/' ? '/' : `${folder}/`
    const names = [...this.#own.keys(), ...this.#mounted().keys()].flatMap((path) =>
      path.startsWith(prefix) && path.length > prefix.length && !path.slice(prefix.length).includes('/')
        ? [path.slice(prefix.length)]
        : [],
    )
    return [...new Set(names)].sort()
  }

  read(path: string): Uint8Array {
    const entry = this.find(path)
    if (!entry) throw new FileError('No such file or directory')
    if (entry.isDirectory) throw new FileError('Is a directory')
    return entry.bytes
  }

  write(path: string, bytes: Uint8Array, mode = 0o644): void {
    if (path === '/dev/null') return
    const before = this.find(path)
    if (before?.isDirectory) throw new FileError('Is a directory')
    this.#mustBeWritable(path, before)
    const grows = bytes.length - (before?.bytes.length ?? 0)
    if (this.#bytes + grows > BYTES_MAX) throw new FileError('No space left on device')
    this.#bytes += grows
    this.#own.set(path, this.#file(bytes, before?.mode ?? mode))
  }

  makeFolder(path: string, withParents: boolean): void {
    const before = this.find(path)
    if (before) {
      if (withParents && before.isDirectory) return
      throw new FileError('File exists')
    }
    const parent = parentOf(path)
    if (withParents && !this.find(parent)) this.makeFolder(parent, true)
    this.#mustBeWritable(path, undefined)
    this.#own.set(path, this.#folder())
  }

  /** With everything in it. */
  remove(path: string): void {
    const entry = this.find(path)
    if (!entry) throw new FileError('No such file or directory')
    if (path === '/') throw new FileError('Device or resource busy')
    const inside = (other: string) => other === path || other.startsWith(`${path}/`)
    if ([...this.#mounted().keys()].some(inside)) throw new FileError('Read-only file system')
    for (const [other, { bytes }] of [...this.#own]) {
      if (!inside(other)) continue
      this.#bytes -= bytes.length
      this.#own.delete(other)
    }
  }

  #mustBeWritable(path: string, before: FileEntry | undefined): void {
    const parent = this.find(parentOf(path))
    if (!parent) throw new FileError('No such file or directory')
    if (!parent.isDirectory) throw new FileError('Not a directory')
    if (before?.isReadOnly || parent.isReadOnly) throw new FileError('Read-only file system')
  }

  /** The files of the volumes and the folders that lead to them. */
  #mounted(): ReadonlyMap<string, FileEntry> {
    const entries = new Map<string, FileEntry>()
    for (const { path, bytes, mode } of this.#surroundings.files()) {
      for (let folder = parentOf(path), depth = 0; folder !== '/'; folder = parentOf(folder), depth += 1)
        if (!entries.has(folder) && !this.#own.has(folder))
          entries.set(folder, { ...this.#folder(), isReadOnly: depth === 0 })
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
