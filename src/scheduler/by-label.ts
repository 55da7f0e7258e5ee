import type { V1LabelSelector } from '../api/generated/types.ts'
import { type Labels, requirementsOf } from '../api/selectors.ts'

/** "key=value" of every label that whatever a selector selects has. */
export function labelsOfAll(selector: V1LabelSelector | undefined): readonly string[] {
  if (!selector) return []
  return requirementsOf(selector).flatMap(({ key, operator, values }) =>
    operator === 'In' && values.length === 1 ? [`${key}=${values[0]}`] : [],
  )
}

export function labelPairs(labels: Labels | undefined): readonly string[] {
  return Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`)
}

/**
 * Selectors, filed under a label that all they select have, so that of thousands only those are asked about a pod that
 * may select it. Those without such a label are always asked.
 */
export class ByLabel<T> {
  readonly #filed = new Map<string, Set<T>>()

  file(item: T, labels: readonly string[]): void {
    const label = labels[0] ?? ANY
    const items = this.#filed.get(label)
    if (items) items.add(item)
    else this.#filed.set(label, new Set([item]))
  }

  unfile(item: T, labels: readonly string[]): void {
    const label = labels[0] ?? ANY
    const items = this.#filed.get(label)
    if (items?.delete(item) && items.size === 0) this.#filed.delete(label)
  }

  /** Whoever may select what has these labels. */
  about(labels: Labels | undefined): readonly T[] {
    return [ANY, ...labelPairs(labels)].flatMap((label) => [...(this.#filed.get(label) ?? [])])
  }

  clear(): void {
    this.#filed.clear()
  }
}

/** No label: a name is never empty. */
const ANY = ''
