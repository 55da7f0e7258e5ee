import type { NodeInfo } from './node-info.ts'
import type { Rejection } from './plugin.ts'
import type { PodShape } from './pod-info.ts'

/** What local plugins said of one shape of pod on each node, by slot; good as long as the node's generation is the same. */
export class Kept {
  /** Generation of the node that `rejections` is of; 0: nothing is known. */
  filtered = new Float64Array(0)
  readonly rejections: (Rejection | undefined)[] = []
  scored = new Float64Array(0)
  /** Raw scores, one array for each local plugin that scores. */
  readonly scores: Float64Array[]

  constructor(scorers: number) {
    this.scores = Array.from({ length: scorers }, () => new Float64Array(0))
  }

  fit(slots: number): void {
    if (this.filtered.length >= slots) return
    const size = Math.max(64, Math.ceil(slots * 1.25))
    const grow = (array: Float64Array) => {
      const bigger = new Float64Array(size)
      bigger.set(array)
      return bigger
    }
    this.filtered = grow(this.filtered)
    this.scored = grow(this.scored)
    for (let i = 0; i < this.scores.length; i += 1) this.scores[i] = grow(this.scores[i]!)
  }

  isFiltered({ slot, generation }: NodeInfo): boolean {
    return this.filtered[slot] === generation
  }
}

/** So many nodes times shapes are kept (about 50 bytes each); the shape that was not asked for longest goes first. */
const CELLS_MAX = 300_000

/** The verdicts of the shapes that were asked for lately. A shape is kept from its second pod on. */
export class KeptVerdicts {
  readonly #scorers: number
  readonly #kept = new Map<PodShape, Kept>()
  readonly #seen = new WeakSet<PodShape>()

  constructor(scorers: number) {
    this.#scorers = scorers
  }

  of(shape: PodShape, slots: number): Kept | undefined {
    let kept = this.#kept.get(shape)
    if (!kept) {
      if (!this.#seen.has(shape)) {
        this.#seen.add(shape)
        return undefined
      }
      kept = new Kept(this.#scorers)
    } else this.#kept.delete(shape)
    this.#kept.set(shape, kept)
    kept.fit(slots)
    if (this.#kept.size > Math.max(4, CELLS_MAX / Math.max(slots, 64)))
      for (const oldest of this.#kept.keys()) {
        this.#kept.delete(oldest)
        break
      }
    return kept
  }
}
