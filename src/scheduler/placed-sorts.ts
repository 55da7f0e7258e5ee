import { labelPairs } from './by-label.ts'
import type { PodInfo } from './pod-info.ts'

/** Placed pods that no selector can tell apart: one of them, and how many stand where. */
export interface Sort {
  readonly pod: PodInfo
  readonly slots: Map<number, number>
}

/** All placed pods by what selectors see of them, so that a new selector is asked once for each sort it may be about. */
export class PlacedSorts {
  readonly #sorts = new Map<string, Sort>()
  readonly #byLabel = new Map<string, Set<Sort>>()

  change(slot: number, pod: PodInfo, by: 1 | -1): void {
    let sort = this.#sorts.get(pod.labelKey)
    if (!sort) {
      sort = { pod, slots: new Map() }
      this.#sorts.set(pod.labelKey, sort)
      for (const label of labelPairs(pod.pod.metadata.labels)) {
        const sorts = this.#byLabel.get(label)
        if (sorts) sorts.add(sort)
        else this.#byLabel.set(label, new Set([sort]))
      }
    }
    const pods = (sort.slots.get(slot) ?? 0) + by
    if (pods !== 0) sort.slots.set(slot, pods)
    else sort.slots.delete(slot)
    if (sort.slots.size === 0) this.#drop(sort)
  }

  /** At least those that have all these labels ("key=value"). */
  with(labels: readonly string[]): Iterable<Sort> {
    let fewest: Iterable<Sort> = this.#sorts.values()
    let size = this.#sorts.size
    for (const label of labels) {
      const sorts = this.#byLabel.get(label)
      if (!sorts) return []
      if (sorts.size >= size) continue
      fewest = sorts
      size = sorts.size
    }
    return fewest
  }

  #drop(sort: Sort): void {
    this.#sorts.delete(sort.pod.labelKey)
    for (const label of labelPairs(sort.pod.pod.metadata.labels)) {
      const sorts = this.#byLabel.get(label)
      if (sorts?.delete(sort) && sorts.size === 0) this.#byLabel.delete(label)
    }
  }
}
