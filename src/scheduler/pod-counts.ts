import type { Node } from '../api/kinds/node.ts'
import type { Labels } from '../api/selectors.ts'
import { ByLabel } from './by-label.ts'
import type { NodeInfo } from './node-info.ts'
import { PlacedSorts } from './placed-sorts.ts'
import type { PodInfo } from './pod-info.ts'
import type { Term } from './terms.ts'
import { type Counter, DomainCounts, SpreadCounts, Topology } from './topology.ts'

/** A sort of pods that is counted: made by a selector, told from others by `key`. */
export interface PodGroup {
  readonly key: string
  /** "key=value" that every pod of the group has: where to look for them. */
  readonly labels: readonly string[]
  /** Looks at namespace, labels and deletion only: asked once for each different `labelKey`. */
  matches(pod: PodInfo): boolean
}

/** Pods that bear one (anti-)affinity term, by the domain they stand in. */
export interface Bearers {
  readonly term: Term
  readonly counts: DomainCounts
}

export type TermSort =
  | 'requiredAffinity'
  | 'requiredAntiAffinity'
  | 'preferredAffinity'
  | 'preferredAntiAffinity'
const SORTS: readonly TermSort[] = [
  'requiredAffinity',
  'requiredAntiAffinity',
  'preferredAffinity',
  'preferredAntiAffinity',
]

interface Tracked {
  readonly group: PodGroup
  readonly counters: Map<string, Counter>
}

interface Spread {
  readonly counts: SpreadCounts
  isCounted(node: Node): boolean
}

/** More selectors than this and all counters begin anew: those that are still asked for come back. */
const GROUPS_MAX = 2000

/**
 * All counters over placed pods: of pods that a selector matches (made when first asked for) and of pods that bear a
 * term. The snapshot tells of every pod that is placed or taken away, and brackets every change of a node's labels or
 * taints with `leave` and `join`.
 */
export class PodCounts {
  readonly #nodes: () => Iterable<NodeInfo>
  readonly #topologies = new Map<string, Topology>()
  readonly #placed = new PlacedSorts()
  readonly #groups = new Map<string, Tracked>()
  readonly #groupsByLabel = new ByLabel<Tracked>()
  readonly #spreads = new Map<string, Spread>()
  /** labelKey -> the groups such a pod is in. */
  readonly #groupsOf = new Map<string, readonly Tracked[]>()
  readonly #bearers = new Map<TermSort, Map<string, Bearers>>(SORTS.map((sort) => [sort, new Map()]))
  readonly #bearersByLabel = new Map<TermSort, ByLabel<Bearers>>(SORTS.map((sort) => [sort, new ByLabel()]))
  readonly #bearersMatching = new Map<string, readonly Bearers[]>()
  /** "namespace/name" of a claim -> how many placed pods mount it. */
  readonly #claims = new Map<string, number>()
  readonly #namespaces = new Map<string, Labels>()

  constructor(nodes: () => Iterable<NodeInfo>) {
    this.#nodes = nodes
  }

  /** To be called between decisions: drops counters when there are too many. */
  trim(): void {
    if (this.#groups.size + this.#spreads.size > GROUPS_MAX) this.#forget()
    for (const [sort, bearers] of this.#bearers) {
      if (bearers.size <= GROUPS_MAX) continue
      for (const [key, bearer] of bearers) {
        if (bearer.counts.total !== 0) continue
        bearers.delete(key)
        this.#bearersByLabel.get(sort)!.unfile(bearer, bearer.term.labels)
      }
      this.#bearersMatching.clear()
    }
  }

  topology(key: string): Topology {
    let topology = this.#topologies.get(key)
    if (!topology) {
      topology = new Topology(key)
      for (const { slot, node } of this.#nodes()) topology.set(slot, node.metadata.labels)
      this.#topologies.set(key, topology)
    }
    return topology
  }

  podsWithClaim(claim: string): number {
    return this.#claims.get(claim) ?? 0
  }

  namespaceLabels(namespace: string): Labels {
    return this.#namespaces.get(namespace) ?? {}
  }

  /** Undefined: the namespace is gone. What was counted by namespace selectors is counted anew. */
  setNamespace(name: string, labels: Labels | undefined): void {
    if (labels) this.#namespaces.set(name, labels)
    else this.#namespaces.delete(name)
    this.#forget()
  }

  /** Pods of the group by domain of the topology. */
  matching(group: PodGroup, topologyKey: string): DomainCounts {
    const tracked = this.#tracked(group)
    const known = tracked.counters.get(topologyKey)
    if (known instanceof DomainCounts) return known
    const counts = new DomainCounts(this.topology(topologyKey))
    this.#fill(counts, tracked, topologyKey)
    return counts
  }

  /** The same over the nodes for which `isCounted` holds; `rule` tells one such condition from another. */
  spread(
    group: PodGroup,
    topologyKey: string,
    rule: string,
    isCounted: (node: Node) => boolean,
  ): SpreadCounts {
    const id = `${topologyKey} ${rule} ${group.key}`
    const known = this.#spreads.get(id)
    if (known) return known.counts
    const counts = new SpreadCounts(this.topology(topologyKey))
    for (const { slot, node } of this.#nodes()) if (isCounted(node)) counts.join(slot)
    this.#spreads.set(id, { counts, isCounted })
    this.#fill(counts, this.#tracked(group), id)
    return counts
  }

  /** Terms of placed (or nominated) pods that are about this pod. */
  bearersOf(sort: TermSort, pod: PodInfo): readonly Bearers[] {
    if (!this.#bearers.get(sort)?.size) return NONE
    const id = `${sort} ${pod.labelKey}`
    let matching = this.#bearersMatching.get(id)
    if (!matching) {
      const labels = pod.pod.metadata.labels ?? {}
      const namespaceLabels = this.namespaceLabels(pod.namespace)
      matching = this.#bearersByLabel
        .get(sort)!
        .about(labels)
        .filter(({ term }) => term.matches(pod.namespace, labels, namespaceLabels))
      this.#remember(this.#bearersMatching, id, matching)
    }
    return matching
  }

  add(slot: number, pod: PodInfo): void {
    this.#count(slot, pod, 1)
  }

  remove(slot: number, pod: PodInfo): void {
    this.#count(slot, pod, -1)
  }

  /** Makes room for the pod's own terms, so that trying it out somewhere is seen by who has asked for terms already. */
  expect(pod: PodInfo): void {
    if (!pod.terms) return
    for (const sort of SORTS) for (const term of pod.terms[sort]) this.#bearersOfTerm(sort, term)
  }

  /** The node is about to change or go; its pods have been taken away. */
  leave(slot: number): void {
    for (const { counts } of this.#spreads.values()) counts.leave(slot)
    for (const topology of this.#topologies.values()) topology.set(slot, undefined)
  }

  /** The node is there, or has changed; its pods are added after this. */
  join(slot: number, node: Node): void {
    for (const topology of this.#topologies.values()) topology.set(slot, node.metadata.labels)
    for (const { counts, isCounted } of this.#spreads.values()) if (isCounted(node)) counts.join(slot)
  }

  #count(slot: number, pod: PodInfo, by: 1 | -1): void {
    this.#placed.change(slot, pod, by)
    if (this.#groups.size > 0)
      for (const { counters } of this.#groupsWith(pod))
        for (const counter of counters.values()) counter.change(slot, by)
    for (const claim of pod.claims) {
      const pods = (this.#claims.get(claim) ?? 0) + by
      if (pods > 0) this.#claims.set(claim, pods)
      else this.#claims.delete(claim)
    }
    if (!pod.terms) return
    for (const sort of SORTS)
      for (const term of pod.terms[sort]) this.#bearersOfTerm(sort, term).counts.change(slot, by)
  }

  #groupsWith(pod: PodInfo): readonly Tracked[] {
    let groups = this.#groupsOf.get(pod.labelKey)
    if (!groups) {
      groups = this.#groupsByLabel.about(pod.pod.metadata.labels).filter(({ group }) => group.matches(pod))
      this.#remember(this.#groupsOf, pod.labelKey, groups)
    }
    return groups
  }

  #tracked(group: PodGroup): Tracked {
    let tracked = this.#groups.get(group.key)
    if (!tracked) {
      tracked = { group, counters: new Map() }
      this.#groups.set(group.key, tracked)
      this.#groupsByLabel.file(tracked, group.labels)
      this.#groupsOf.clear()
    }
    return tracked
  }

  #fill(counter: Counter, { group, counters }: Tracked, id: string): void {
    counters.set(id, counter)
    for (const { pod, slots } of this.#placed.with(group.labels))
      if (group.matches(pod)) for (const [slot, pods] of slots) counter.change(slot, pods)
  }

  #bearersOfTerm(sort: TermSort, term: Term): Bearers {
    const bearers = this.#bearers.get(sort)!
    let known = bearers.get(term.key)
    if (!known) {
      known = { term, counts: new DomainCounts(this.topology(term.topologyKey)) }
      bearers.set(term.key, known)
      this.#bearersByLabel.get(sort)!.file(known, term.labels)
      this.#bearersMatching.clear()
    }
    return known
  }

  #forget(): void {
    this.#groups.clear()
    this.#groupsByLabel.clear()
    this.#spreads.clear()
    this.#groupsOf.clear()
    this.#bearersMatching.clear()
  }

  #remember<T>(map: Map<string, T>, key: string, value: T): void {
    if (map.size >= GROUPS_MAX * 5) map.clear()
    map.set(key, value)
  }
}

const NONE: readonly Bearers[] = []
