/**
 * A sorted index of keys in chunks: finding is two binary searches, inserting moves at most one chunk's items, and a
 * range walks plain arrays. A map beside it makes the point read one lookup.
 *
 * Worked example with chunks of at most 4. Insert b, d, f, h:      [b d f h]
 * Insert e: the chunk would hold five, so it is split first:       [b d] [f h]  then  [b d e] [f h]
 * Scan from "c": the last chunk whose first key is <= "c" is the first one; inside it the first item >= "c" is d:
 * d, e, f, h. Remove f and h: a chunk that becomes empty goes:      [b d e]
 */
const CHUNK_MAX = 512

export interface Keyed {
  readonly key: string
}

export class KeyIndex<T extends Keyed> {
  readonly #byKey = new Map<string, T>()
  /** Never holds an empty chunk. */
  readonly #chunks: T[][] = []
  readonly #chunkMax: number

  constructor(chunkMax: number = CHUNK_MAX) {
    this.#chunkMax = chunkMax
  }

  get size(): number {
    return this.#byKey.size
  }

  get(key: string): T | undefined {
    return this.#byKey.get(key)
  }

  /** The key must not be there yet. */
  insert(item: T): void {
    this.#byKey.set(item.key, item)
    let at = this.#chunkOf(item.key)
    let chunk = this.#chunks[at]
    if (!chunk) {
      this.#chunks.push([item])
      return
    }
    if (chunk.length >= this.#chunkMax) {
      // Keys that arrive sorted (a reload) leave full chunks behind, others leave two halves.
      const last = at === this.#chunks.length - 1
      const appends = last && compareKeys(chunk[chunk.length - 1]!.key, item.key) < 0
      const right = appends ? [] : chunk.splice(chunk.length >> 1)
      if (appends) right.push(item)
      this.#chunks.splice(at + 1, 0, right)
      if (appends) return
      if (compareKeys(right[0]!.key, item.key) < 0) {
        at += 1
        chunk = right
      }
    }
    chunk.splice(lowerBound(chunk, item.key), 0, item)
  }

  remove(key: string): void {
    if (!this.#byKey.delete(key)) return
    const at = this.#chunkOf(key)
    const chunk = this.#chunks[at]!
    chunk.splice(lowerBound(chunk, key), 1)
    if (chunk.length === 0) this.#chunks.splice(at, 1)
  }

  /** Visits items in key order from the first key >= `start`, until `visit` returns false. */
  scan(start: string, visit: (item: T) => boolean): void {
    let at = this.#chunkOf(start)
    let item = at < this.#chunks.length ? lowerBound(this.#chunks[at]!, start) : 0
    for (; at < this.#chunks.length; at += 1, item = 0) {
      const chunk = this.#chunks[at]!
      for (; item < chunk.length; item += 1) if (!visit(chunk[item]!)) return
    }
  }

  /** The last chunk whose first key is <= `key`, else the first; 0 when there is none. */
  #chunkOf(key: string): number {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareKeys(this.#chunks[middle]![0]!.key, key) <= 0) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }
}

function lowerBound<T extends Keyed>(chunk: readonly T[], key: string): number {
  let low = 0
  let high = chunk.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareKeys(chunk[middle]!.key, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Orders strings as their UTF-8 bytes do: as their code units, but for surrogate pairs, which sort last. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at += 1) {
    const x = a.charCodeAt(at)
    const y = b.charCodeAt(at)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
