import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cancel } from '../base/clock.ts'
import type { Env } from '../base/env.ts'
import { isObject } from '../base/json.ts'
import { type KeptFiles, PodFiles } from './kubelet/pod-files.ts'

/** What was written reaches the disk this long after: what is newer is lost with a killed process. */
const SAVE_MS = 1000
/** Of all pods together. What does not fit lives only as long as the process. */
const BYTES_MAX = 64 * 1024 * 1024
const NAME = /^([0-9A-Za-z-]{1,64})\.json$/

/**
 * What containers of this process have written, by the uid of their pod: it outlives whatever runs the pods. With a
 * folder it also outlives the process, as the disk of a real node outlives its kubelet: one file for each pod that wrote
 * something, replaced as a whole, so that a process that is killed leaves the one before.
 */
export class WrittenFiles {
  readonly #env: Env
  readonly #folder: string | undefined
  readonly #pods = new Map<string, PodFiles>()
  /** Bytes of the file of each pod. */
  readonly #sizes = new Map<string, number>()
  readonly #unsaved = new Set<string>()
  #saving: Promise<void> = Promise.resolve()
  #cancel: Cancel | undefined
  #isLoading = false

  constructor(env: Env, folder?: string) {
    this.#env = env
    this.#folder = folder
  }

  of(uid: string): PodFiles {
    const files = this.#pods.get(uid) ?? new PodFiles(uid, this.#onWrite)
    this.#pods.set(uid, files)
    return files
  }

  /** The pod is gone, and its emptyDirs with it. */
  forget(uid: string): void {
    this.#pods.delete(uid)
    if (this.#sizes.has(uid) || this.#unsaved.has(uid)) this.#onWrite(uid)
  }

  /** Reads what a process before this one kept; of pods that are gone nothing stays. A file that cannot be read is told and left out. */
  load(isThere: (uid: string) => boolean): void {
    if (this.#folder === undefined) return
    this.#isLoading = true
    for (const name of namesIn(this.#folder)) {
      const path = join(this.#folder, name)
      const uid = NAME.exec(name)?.[1]
      if (uid === undefined || !isThere(uid)) {
        rmSync(path, { force: true, recursive: true })
        continue
      }
      try {
        const text = readFileSync(path, 'utf8')
        this.of(uid).restore(readKept(text))
        this.#sizes.set(uid, text.length)
      } catch (error) {
        this.#env.log.warn({ err: error, path }, 'files of a pod not read')
      }
    }
    this.#isLoading = false
  }

  /** Saves what is not yet, and ends. */
  async stop(): Promise<void> {
    this.#cancel?.()
    this.#save()
    await this.#saving
  }

  readonly #onWrite = (uid: string) => {
    if (this.#folder === undefined || this.#isLoading) return
    this.#unsaved.add(uid)
    this.#cancel ??= this.#env.clock.after(SAVE_MS, () => this.#save())
  }

  #save(): void {
    this.#cancel = undefined
    const uids = [...this.#unsaved]
    this.#unsaved.clear()
    this.#saving = this.#saving.then(async () => {
      for (const uid of uids) await this.#saveOne(uid)
    })
  }

  async #saveOne(uid: string): Promise<void> {
    if (this.#folder === undefined || !NAME.test(`${uid}.json`)) return
    const path = join(this.#folder, `${uid}.json`)
    const text = JSON.stringify(this.#pods.get(uid)?.keep() ?? {})
    this.#sizes.delete(uid)
    const total = [...this.#sizes.values()].reduce((sum, size) => sum + size, text.length)
    try {
      if (!this.#pods.get(uid)?.areUsed || total > BYTES_MAX) {
        await rm(path, { force: true })
        if (total > BYTES_MAX) this.#env.log.warn({ uid }, 'files of a pod not kept: too many bytes')
        return
      }
      await mkdir(this.#folder, { recursive: true, mode: 0o700 })
      // They may hold what was a Secret's.
      await writeFile(`${path}.new`, text, { mode: 0o600 })
      await rename(`${path}.new`, path)
      this.#sizes.set(uid, text.length)
    } catch (error) {
      this.#env.log.warn({ err: error, path }, 'files of a pod not kept')
    }
  }
}

/** None, where nothing was ever kept. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function readKept(text: string): KeptFiles {
  const value: unknown = JSON.parse(text)
  if (!isObject(value)) throw new Error('not what this program writes')
  for (const entries of Object.values(value))
    for (const entry of Array.isArray(entries) ? entries : [undefined])
      if (!Array.isArray(entry) || typeof entry[0] !== 'string' || !Number.isInteger(entry[1]))
        throw new Error('not what this program writes')
  return value as KeptFiles
}
