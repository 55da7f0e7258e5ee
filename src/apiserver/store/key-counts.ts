/** How many keys there are below each path: `/a/` and `/a/b/` count the key `/a/b/c`. */
export class KeyCounts {
  readonly #counts = new Map<string, number>()

  /** A path ends with a slash. */
  count(path: string): number {
    return this.#counts.get(path) ?? 0
  }

  /** One more, or one less: a path without keys is forgotten. */
  add(key: string, change: 1 | -1): void {
    for (let at = key.indexOf('/'); at >= 0; at = key.indexOf('/', at + 1)) {
      const path = key.slice(0, at + 1)
      const count = this.count(path) + change
      if (count === 0) this.#counts.delete(path)
      else this.#counts.set(path, count)
    }
  }
}
