import { namespace as namespaceKind } from '../../api/kinds/namespace.ts'
import type { Node } from '../../api/kinds/node.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { deepEqual } from '../../base/json.ts'
import { isOwn, type Plugin, SCORE_MAX, together } from '../plugin.ts'
import { type PodInfo, podInfo } from '../pod-info.ts'
import type { Snapshot } from '../snapshot.ts'
import type { Term } from '../terms.ts'
import type { DomainCounts } from '../topology.ts'

const NAME = 'InterPodAffinity'
const rejectionOf = (reason: string, resolvable: boolean) => ({ plugin: NAME, reasons: [reason], resolvable })
const AFFINITY = rejectionOf("node(s) didn't match pod affinity rules", false)
const ANTI_AFFINITY = rejectionOf("node(s) didn't match pod anti-affinity rules", true)
const EXISTING = rejectionOf("node(s) didn't satisfy existing pods anti-affinity rules", true)

export interface InterPodAffinityArgs {
  /** What a required affinity of a pod that is there is worth in scores: 0 to 100, default 1. */
  readonly hardPodAffinityWeight?: number | undefined
  /** Only the preferred terms of the pod that comes count, not those of pods that are there. */
  readonly ignorePreferredTermsOfExistingPods?: boolean | undefined
}

interface Hard {
  /** Pods that match all affinity terms, by each term's topology. */
  readonly affinity: readonly DomainCounts[]
  readonly matchesItself: boolean
  readonly antiAffinity: readonly DomainCounts[]
  /** Pods whose anti-affinity is about this pod. */
  readonly existing: readonly DomainCounts[]
}

interface Weighted {
  readonly counts: DomainCounts
  readonly weight: number
}

/**
 * Pod affinity and anti-affinity, of the pod that comes and of those that are there. A pod's affinity to pods that do
 * not exist yet holds when it matches its own terms. Scores add up the weights of terms over their domains; 100·(s −
 * min)/(max − min), where min is at most and max at least 0.
 */
export function interPodAffinity(args: InterPodAffinityArgs = {}): Plugin<Hard, readonly Weighted[]> {
  const hardWeight = args.hardPodAffinityWeight ?? 1
  const ignoresExisting = args.ignorePreferredTermsOfExistingPods === true
  return {
    name: NAME,
    watches: [namespaceKind],
    preFilter(pod, snapshot) {
      const { counts } = snapshot
      const existing = counts.bearersOf('requiredAntiAffinity', pod).map((bearers) => bearers.counts)
      const { requiredAffinity = [], requiredAntiAffinity = [] } = pod.terms ?? {}
      if (existing.length + requiredAffinity.length + requiredAntiAffinity.length === 0) return 'skip'
      const all = {
        key: `all ${requiredAffinity.map(({ key }) => key).join(' ')}`,
        labels: requiredAffinity.flatMap(({ labels }) => labels),
        matches: (other: PodInfo) => requiredAffinity.every((term) => isAbout(term, other, snapshot)),
      }
      return {
        state: {
          existing,
          affinity: requiredAffinity.map(({ topologyKey }) => counts.matching(all, topologyKey)),
          matchesItself: requiredAffinity.length > 0 && all.matches(pod),
          antiAffinity: requiredAntiAffinity.map((term) => matching(term, snapshot)),
        },
      }
    },
    filter(_, { slot }, { affinity, matchesItself, antiAffinity, existing }) {
      if (affinity.length > 0 && !satisfies(affinity, matchesItself, slot)) return AFFINITY
      for (let i = 0; i < antiAffinity.length; i += 1) if (antiAffinity[i]!.at(slot) > 0) return ANTI_AFFINITY
      for (let i = 0; i < existing.length; i += 1) if (existing[i]!.at(slot) > 0) return EXISTING
      return undefined
    },
    remedy({ terms }, { name, slot }, { affinity, matchesItself, antiAffinity, existing }) {
      const over = (those: typeof antiAffinity) =>
        those.filter((counts) => counts.at(slot) > 0).map(({ topology }) => topology.key)
      const changes: string[] = []
      if (affinity.length > 0 && !satisfies(affinity, matchesItself, slot)) {
        const keys = (terms?.requiredAffinity ?? []).map(({ topologyKey }) => topologyKey)
        changes.push(
          `run a pod that spec.affinity.podAffinity is about in the ${keys.join(' and ')} of node "${name}"`,
        )
      }
      const near = over(antiAffinity)
      if (near.length > 0)
        changes.push(
          `run it apart over less than ${near.join(' and ')}, or move the pods it keeps apart from`,
        )
      const kept = over(existing)
      if (kept.length > 0) changes.push(`move the pods that keep apart from it over ${kept.join(' and ')}`)
      return together(changes)
    },
    preScore(pod, _, snapshot) {
      const { counts } = snapshot
      const weighted: Weighted[] = []
      const own = (terms: readonly Term[] = [], sign: number) => {
        for (const term of terms)
          weighted.push({ counts: matching(term, snapshot), weight: sign * term.weight })
      }
      own(pod.terms?.preferredAffinity, 1)
      own(pod.terms?.preferredAntiAffinity, -1)
      const theirs = (sort: 'preferredAffinity' | 'preferredAntiAffinity', sign: number) => {
        for (const { term, counts: bearers } of counts.bearersOf(sort, pod))
          weighted.push({ counts: bearers, weight: sign * term.weight })
      }
      if (!ignoresExisting || weighted.length > 0) {
        theirs('preferredAffinity', 1)
        theirs('preferredAntiAffinity', -1)
        if (hardWeight > 0)
          for (const { counts: bearers } of counts.bearersOf('requiredAffinity', pod))
            weighted.push({ counts: bearers, weight: hardWeight })
      }
      const counted = weighted.filter((each) => each.counts.total > 0)
      return counted.length === 0 ? 'skip' : { state: counted }
    },
    score(_, { slot }, weighted) {
      let score = 0
      for (let i = 0; i < weighted.length; i += 1) score += weighted[i]!.counts.at(slot) * weighted[i]!.weight
      return score
    },
    normalize(scores) {
      let min = 0
      let max = 0
      for (let i = 0; i < scores.length; i += 1) {
        min = Math.min(min, scores[i]!)
        max = Math.max(max, scores[i]!)
      }
      for (let i = 0; i < scores.length; i += 1)
        scores[i] = max > min ? Math.trunc(SCORE_MAX * ((scores[i]! - min) / (max - min))) : 0
    },
    hints: {
      'pod-bound': (pod, event, snapshot) => isAffine(pod, event.pod, snapshot),
      'pod-removed': (pod, event, snapshot) =>
        isAverse(pod, event.pod, snapshot) || mayBeFirst(pod, event.pod, snapshot),
      'placed-pod-updated': (pod, event, snapshot) =>
        !deepEqual(event.pod.metadata.labels, event.previous.metadata.labels) &&
        (isAffine(pod, event.pod, snapshot) ||
          isAverse(pod, event.previous, snapshot) ||
          mayBeFirst(pod, event.previous, snapshot)),
      'pod-updated': (pod, event) =>
        isOwn(pod, event) && !deepEqual(event.pod.metadata.labels, event.previous.metadata.labels),
      'node-added': (pod, { node }) => hasAffinityLabels(pod, node),
      'node-updated': (pod, { node, previous }) =>
        !deepEqual(node.metadata.labels, previous.metadata.labels) && hasAffinityLabels(pod, node),
      'object-changed': (_, { kind, change }) => kind.kind === 'Namespace' && change !== 'deleted',
    },
  }
}

function isAbout(term: Term, { namespace, pod }: PodInfo, { counts }: Snapshot): boolean {
  return term.matches(namespace, pod.metadata.labels ?? {}, counts.namespaceLabels(namespace))
}

function matching(term: Term, snapshot: Snapshot): DomainCounts {
  return snapshot.counts.matching(
    { key: `one ${term.key}`, labels: term.labels, matches: (other) => isAbout(term, other, snapshot) },
    term.topologyKey,
  )
}

/** Every topology has such a pod; or none is anywhere, and this would be the first. */
function satisfies(affinity: readonly DomainCounts[], matchesItself: boolean, slot: number): boolean {
  let isThere = true
  for (let i = 0; i < affinity.length; i += 1) {
    const counts = affinity[i]!
    if (counts.topology.domainOf(slot) < 0) return false
    if (counts.at(slot) <= 0) isThere = false
  }
  return isThere || (matchesItself && affinity.every(({ total }) => total === 0))
}

function isAffine({ terms }: PodInfo, other: Pod, snapshot: Snapshot): boolean {
  return terms?.requiredAffinity.some((term) => isAbout(term, podInfo(other), snapshot)) ?? false
}

/** With the last pod gone that it must be near to, a pod that matches its own terms may go anywhere. */
function mayBeFirst(pod: PodInfo, gone: Pod, snapshot: Snapshot): boolean {
  return isAffine(pod, gone, snapshot) && isAffine(pod, pod.pod, snapshot)
}

/** Either of the two keeps the other away. */
function isAverse(pod: PodInfo, other: Pod, snapshot: Snapshot): boolean {
  const info = podInfo(other)
  return (
    (pod.terms?.requiredAntiAffinity.some((term) => isAbout(term, info, snapshot)) ?? false) ||
    (info.terms?.requiredAntiAffinity.some((term) => isAbout(term, pod, snapshot)) ?? false)
  )
}

function hasAffinityLabels({ terms }: PodInfo, { metadata }: Node): boolean {
  return (terms?.requiredAffinity ?? []).every(
    ({ topologyKey }) => metadata.labels?.[topologyKey] !== undefined,
  )
}
