import type { AnyKind, KindRef } from '../api/kind.ts'
import { parseApiVersion } from '../api/resource.ts'

/** The kinds that are served: the built-in ones and those added while running (custom resources). */
export class KindTable {
  readonly #byPlural = new Map<string, AnyKind>()
  readonly #byKind = new Map<string, AnyKind>()
  #list: readonly AnyKind[] = []

  constructor(kinds: readonly AnyKind[]) {
    for (const kind of kinds) this.add(kind)
  }

  /** In the order they were added. The same array until something is added. */
  get list(): readonly AnyKind[] {
    return this.#list
  }

  add(kind: AnyKind): void {
    this.#byPlural.set(`${kind.group}/${kind.version}/${kind.plural}`, kind)
    this.#byKind.set(`${kind.group}/${kind.version}/${kind.kind}`, kind)
    this.#list = [...this.#list, kind]
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
}
