import type PQueue from 'p-queue'

/**
 * Many small writes as few large ones: what is added while earlier work of the queue is under way is written together.
 * Each `add` resolves, or rejects, with the write that its item was part of.
 */
export class Batch<T> {
  readonly #queue: PQueue
  readonly #write: (items: readonly T[]) => Promise<void>
  #waiting: { readonly items: T[]; readonly written: Promise<void> } | undefined

  constructor(queue: PQueue, write: (items: readonly T[]) => Promise<void>) {
    this.#queue = queue
    this.#write = write
  }

  add(item: T): Promise<void> {
    this.#waiting ??= this.#begin()
    this.#waiting.items.push(item)
    return this.#waiting.written
  }

  #begin() {
    const items: T[] = []
    const written = this.#queue.add(async () => {
      // An idle queue starts at once, before there is anything to take.
      await Promise.resolve()
      this.#waiting = undefined
      return this.#write(items)
    })
    return { items, written }
  }
}
