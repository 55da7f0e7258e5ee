import type { AnyKind, KindRef } from '../api/kind.ts'
import { parseApiVersion } from '../api/resource.ts'

/** The kinds that are served: the built-in ones and those that come and go while running (custom resources). */
export class KindTable {
  readonly #byPlural = new Map<string, AnyKind>()
  readonly #byKind = new Map<string, AnyKind>()
  readonly #added = new Map<string, readonly AnyKind[]>()
  readonly #listeners = new Set<() => void>()
  #list: readonly AnyKind[] = []

  constructor(kinds: readonly AnyKind[]) {
    this.#put(kinds)
  }

  /** In the order they were added. The same array until something changes. */
  get list(): readonly AnyKind[] {
    return this.#list
  }

  /** The kinds that come from `owner` from now on; none takes away those it brought. Listeners are told once. */
  set(owner: string, kinds: readonly AnyKind[]): void {
    const gone = new Set(this.#added.get(owner))
    if (gone.size === 0 && kinds.length === 0) return
    for (const kind of gone) {
      this.#byPlural.delete(`${kind.group}/${kind.version}/${kind.plural}`)
      this.#byKind.delete(`${kind.group}/${kind.version}/${kind.kind}`)
    }
    this.#list = this.#list.filter((kind) => !gone.has(kind))
    if (kinds.length > 0) this.#added.set(owner, kinds)
    else this.#added.delete(owner)
    this.#put(kinds)
    for (const listener of this.#listeners) listener()
  }

  /** Told after kinds came or went. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  byPlural(group: string, version: string, plural: string): AnyKind | undefined {
    return this.#byPlural.get(`${group}/${version}/${plural}`)
  }

  byKind(apiVersion: string, kind: string): AnyKind | undefined {
    const { group, version } = parseApiVersion(apiVersion)
    return this.#byKind.get(`${group}/${version}/${kind}`)
  }

  /** The full definition behind a reference. */
  of(ref: KindRef): AnyKind | undefined {
    return this.byPlural(ref.group, ref.version, ref.plural)
  }

  #put(kinds: readonly AnyKind[]): void {
    for (const kind of kinds) {
      this.#byPlural.set(`${kind.group}/${kind.version}/${kind.plural}`, kind)
      this.#byKind.set(`${kind.group}/${kind.version}/${kind.kind}`, kind)
    }
    this.#list = [...this.#list, ...kinds]
  }
}
