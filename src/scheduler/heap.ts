/** A binary heap of things that are in it once; any of them can be taken out. */
export class Heap<T> {
  readonly #compare: (a: T, b: T) => number
  readonly #items: T[] = []
  readonly #places = new Map<T, number>()

  /** `compare` below 0: `a` comes first. */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare
  }

  get size(): number {
    return this.#items.length
  }

  get first(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    this.#up(item, this.#items.length)
  }

  pop(): T | undefined {
    const first = this.#items[0]
    if (first !== undefined) this.remove(first)
    return first
  }

  remove(item: T): void {
    const at = this.#places.get(item)
    if (at === undefined) return
    this.#places.delete(item)
    const last = this.#items.pop()
    if (last === undefined || last === item) return
    const parent = this.#items[(at - 1) >> 1]
    if (at > 0 && parent !== undefined && this.#compare(last, parent) < 0) this.#up(last, at)
    else this.#down(last, at)
  }

  #set(item: T, at: number): void {
    this.#items[at] = item
    this.#places.set(item, at)
  }

  #up(item: T, from: number): void {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (this.#compare(this.#items[parent]!, item) <= 0) break
      this.#set(this.#items[parent]!, at)
      at = parent
    }
    this.#set(item, at)
  }

  #down(item: T, from: number): void {
    let at = from
    for (;;) {
      let child = 2 * at + 1
      if (child >= this.#items.length) break
      if (child + 1 < this.#items.length && this.#compare(this.#items[child + 1]!, this.#items[child]!) < 0)
        child += 1
      if (this.#compare(item, this.#items[child]!) <= 0) break
      this.#set(this.#items[child]!, at)
      at = child
    }
    this.#set(item, at)
  }
}
