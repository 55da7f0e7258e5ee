/**
 * Counters by topology domain (zone, host, rack), kept as pods and nodes come and go, so that a question about a whole
 * domain costs one look. Nodes are known by their slot, domains by a number.
 */
export class Topology {
  readonly key: string
  readonly #ids = new Map<string, number>()
  readonly #domains: number[] = []

  constructor(key: string) {
    this.key = key
  }

  /** The number of domains there have ever been: every domain is below it. */
  get size(): number {
    return this.#ids.size
  }

  /** -1 for a node without the label. */
  domainOf(slot: number): number {
    return this.#domains[slot] ?? -1
  }

  set(slot: number, labels: Readonly<Record<string, string>> | undefined): void {
    const value = labels?.[this.key]
    while (this.#domains.length < slot) this.#domains.push(-1)
    if (value === undefined) {
      this.#domains[slot] = -1
      return
    }
    let id = this.#ids.get(value)
    if (id === undefined) {
      id = this.#ids.size
      this.#ids.set(value, id)
    }
    this.#domains[slot] = id
  }
}

/** Something that counts pods by the node they stand on. */
export interface Counter {
  change(slot: number, by: number): void
}

/** How many pods of one sort there are in each domain. */
export class DomainCounts implements Counter {
  readonly topology: Topology
  readonly #counts: number[] = []
  /** In all domains together; pods on nodes without the label are not counted. */
  total = 0

  constructor(topology: Topology) {
    this.topology = topology
  }

  change(slot: number, by: number): void {
    const domain = this.topology.domainOf(slot)
    if (domain < 0) return
    while (this.#counts.length <= domain) this.#counts.push(0)
    this.#counts[domain] = (this.#counts[domain] ?? 0) + by
    this.total += by
  }

  /** In the domain of the node; 0 where it has none. */
  at(slot: number): number {
    const domain = this.topology.domainOf(slot)
    return domain < 0 ? 0 : (this.#counts[domain] ?? 0)
  }
}

/**
 * The same over the nodes that count for a spread constraint only. A domain exists while it has such a node; `min` is
 * the smallest count of those that exist.
 */
export class SpreadCounts implements Counter {
  readonly topology: Topology
  readonly #counts: number[] = []
  readonly #nodes: number[] = []
  readonly #counted: boolean[] = []
  /** count -> how many existing domains have it. */
  readonly #histogram = new Map<number, number>()
  #domains = 0
  #min: number | undefined

  constructor(topology: Topology) {
    this.topology = topology
  }

  get domains(): number {
    return this.#domains
  }

  /** The smallest count of a domain; 0 when there is none. */
  get min(): number {
    if (this.#min === undefined) {
      this.#min = Number.POSITIVE_INFINITY
      for (const count of this.#histogram.keys()) if (count < this.#min) this.#min = count
      if (this.#histogram.size === 0) this.#min = 0
    }
    return this.#min
  }

  /** The node counts from now on. Its pods are added by `change`, after this. */
  join(slot: number): void {
    const domain = this.topology.domainOf(slot)
    if (domain < 0) return
    this.#counted[slot] = true
    const nodes = this.#nodes[domain] ?? 0
    this.#nodes[domain] = nodes + 1
    if (nodes > 0) return
    this.#domains += 1
    this.#counts[domain] = 0
    this.#tally(0, 1)
  }

  /** The node counts no more. Its pods have been taken away by `change`, before this. */
  leave(slot: number): void {
    const domain = this.topology.domainOf(slot)
    if (!this.#counted[slot] || domain < 0) return
    this.#counted[slot] = false
    const nodes = (this.#nodes[domain] ?? 0) - 1
    this.#nodes[domain] = nodes
    if (nodes > 0) return
    this.#domains -= 1
    this.#tally(this.#counts[domain] ?? 0, -1)
    this.#counts[domain] = 0
  }

  change(slot: number, by: number): void {
    if (!this.#counted[slot]) return
    const domain = this.topology.domainOf(slot)
    const count = this.#counts[domain] ?? 0
    this.#tally(count, -1)
    this.#tally(count + by, 1)
    this.#counts[domain] = count + by
  }

  at(slot: number): number {
    const domain = this.topology.domainOf(slot)
    return domain < 0 ? 0 : (this.#counts[domain] ?? 0)
  }

  #tally(count: number, by: number): void {
    const domains = (this.#histogram.get(count) ?? 0) + by
    if (domains > 0) this.#histogram.set(count, domains)
    else this.#histogram.delete(count)
    if (by > 0 && this.#min !== undefined && count < this.#min) this.#min = count
    else if (domains === 0 && count === this.#min) this.#min = undefined
  }
}
