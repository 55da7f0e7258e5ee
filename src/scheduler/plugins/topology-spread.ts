import type { V1TopologySpreadConstraint } from '../../api/generated/types.ts'
import type { Node } from '../../api/kinds/node.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { replicaSet } from '../../api/kinds/replica-set.ts'
import { replicationController } from '../../api/kinds/replication-controller.ts'
import { service } from '../../api/kinds/service.ts'
import { statefulSet } from '../../api/kinds/stateful-set.ts'
import { deepEqual } from '../../base/json.ts'
import type { NodeInfo } from '../node-info.ts'
import { isOwn, type Plugin, SCORE_MAX, together } from '../plugin.ts'
import { type PodInfo, podInfo } from '../pod-info.ts'
import type { Snapshot } from '../snapshot.ts'
import type { SpreadCounts, Topology } from '../topology.ts'
import { constraintsOf, countsOf, type SpreadConstraint } from './spread-constraints.ts'

const NAME = 'PodTopologySpread'
const TOO_SKEWED = {
  plugin: NAME,
  reasons: ["node(s) didn't match pod topology spread constraints"],
  resolvable: true,
}
const WITHOUT_LABEL = {
  plugin: NAME,
  reasons: ["node(s) didn't match pod topology spread constraints (missing required label)"],
  resolvable: false,
}
const HOSTNAME = 'kubernetes.io/hostname'

export interface TopologySpreadArgs {
  /** For pods without constraints of their own; needs defaultingType List. */
  readonly defaultConstraints?: readonly V1TopologySpreadConstraint[] | undefined
  /** System (the default) or List. */
  readonly defaultingType?: string | undefined
}

const SYSTEM_DEFAULTS: readonly V1TopologySpreadConstraint[] = [
  { topologyKey: HOSTNAME, whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 5 },
]

interface Hard {
  readonly constraint: SpreadConstraint
  readonly counts: SpreadCounts
}

interface Soft {
  readonly constraint: SpreadConstraint
  readonly topology: Topology
  at(slot: number): number
  /** ln(domains + 2): so that the counts of few domains are not lost among those of many. */
  readonly weight: number
}

interface SoftState {
  readonly soft: readonly Soft[]
  /** Nodes must have all keys to be scored. */
  readonly keys: readonly Topology[]
}

/**
 * topologySpreadConstraints. DoNotSchedule: matching pods in the node's domain, with this one, less those of the
 * smallest domain, must be at most maxSkew; with fewer than minDomains domains the smallest counts as 0.
 * ScheduleAnyway: a node costs Σ count·ln(domains + 2) + maxSkew − 1; 100·(max + min − cost)/max.
 */
export function topologySpread(args: TopologySpreadArgs = {}): Plugin<readonly Hard[], SoftState> {
  const isSystem = args.defaultingType !== 'List'
  const defaults = isSystem ? SYSTEM_DEFAULTS : (args.defaultConstraints ?? [])
  const hardOf = (pod: PodInfo, snapshot: Snapshot) =>
    pod.pod.spec.topologySpreadConstraints?.length || defaults.some(isHardDefault)
      ? constraintsOf(pod, defaults, snapshot).filter(({ isHard }) => isHard)
      : []
  return {
    name: NAME,
    watches: [service, replicaSet, statefulSet, replicationController],
    preFilter(pod, snapshot) {
      const constraints = hardOf(pod, snapshot)
      if (constraints.length === 0) return 'skip'
      const keys = constraints.map(({ topologyKey }) => topologyKey)
      return {
        state: constraints.map((constraint) => ({
          constraint,
          counts: countsOf(constraint, keys, snapshot),
        })),
      }
    },
    filter(_, { slot }, hard) {
      for (let i = 0; i < hard.length; i += 1) {
        const { constraint, counts } = hard[i]!
        if (counts.topology.domainOf(slot) < 0) return WITHOUT_LABEL
        if (counts.at(slot) + constraint.self - smallest(constraint, counts) > constraint.maxSkew)
          return TOO_SKEWED
      }
      return undefined
    },
    remedy(_, { name, slot }, hard) {
      const changes = hard.flatMap(({ constraint, counts }) => {
        const { topologyKey, maxSkew } = constraint
        if (counts.topology.domainOf(slot) < 0) return [`label node "${name}" with ${topologyKey}`]
        const skew = counts.at(slot) + constraint.self - smallest(constraint, counts)
        if (skew <= maxSkew) return []
        return [`allow a maxSkew of ${skew} over ${topologyKey} instead of ${maxSkew}`]
      })
      return together([...new Set(changes)])
    },
    preScore(pod, nodes, snapshot) {
      const constraints = constraintsOf(pod, defaults, snapshot).filter(({ isHard }) => !isHard)
      if (constraints.length === 0) return 'skip'
      const needsAllKeys = !isSystem || (pod.pod.spec.topologySpreadConstraints?.length ?? 0) > 0
      return { state: softState(constraints, needsAllKeys, nodes, snapshot) }
    },
    score(_, { slot }, { soft, keys }) {
      if (!hasAll(keys, slot)) return 0
      let cost = 0
      for (const { constraint, topology, at, weight } of soft)
        if (topology.domainOf(slot) >= 0) cost += at(slot) * weight + (constraint.maxSkew - 1)
      return Math.round(cost)
    },
    normalize(scores, nodes, { keys }) {
      let min = Number.POSITIVE_INFINITY
      let max = 0
      for (let i = 0; i < scores.length; i += 1) {
        if (!hasAll(keys, nodes[i]!.slot)) continue
        min = Math.min(min, scores[i]!)
        max = Math.max(max, scores[i]!)
      }
      for (let i = 0; i < scores.length; i += 1) {
        if (!hasAll(keys, nodes[i]!.slot)) scores[i] = 0
        else if (max === 0) scores[i] = SCORE_MAX
        else scores[i] = Math.trunc((SCORE_MAX * (max + min - scores[i]!)) / max)
      }
    },
    hints: {
      'pod-bound': (pod, event, snapshot) => isCountedBy(hardOf(pod, snapshot), event.pod),
      'pod-removed': (pod, event, snapshot) => isCountedBy(hardOf(pod, snapshot), event.pod),
      'placed-pod-updated': (pod, event, snapshot) => {
        const hard = hardOf(pod, snapshot)
        return isCountedBy(hard, event.pod) !== isCountedBy(hard, event.previous)
      },
      'pod-updated': (pod, event) =>
        isOwn(pod, event) && !deepEqual(event.pod.metadata.labels, event.previous.metadata.labels),
      'node-added': (pod, { node }, snapshot) => hasKeys(hardOf(pod, snapshot), node),
      'node-removed': (pod, { node }, snapshot) => hasKeys(hardOf(pod, snapshot), node),
      'node-updated': (pod, { node, previous }, snapshot) => {
        const hard = hardOf(pod, snapshot)
        return !deepEqual(domainsOf(hard, node), domainsOf(hard, previous))
      },
    },
  }
}

/** Where the node counts, for each constraint that it counts for. */
function domainsOf(hard: readonly SpreadConstraint[], node: Node): readonly (string | undefined)[] {
  if (!hasKeys(hard, node)) return []
  return hard.map(({ topologyKey, isCounted }) =>
    isCounted(node) ? node.metadata.labels?.[topologyKey] : undefined,
  )
}

function smallest({ minDomains }: SpreadConstraint, counts: SpreadCounts): number {
  return counts.domains < minDomains ? 0 : counts.min
}

function isCountedBy(constraints: readonly SpreadConstraint[], pod: Pod): boolean {
  const info = podInfo(pod)
  return constraints.some(({ group }) => group.matches(info))
}

function hasKeys(constraints: readonly SpreadConstraint[], { metadata }: Node): boolean {
  return constraints.every(({ topologyKey }) => metadata.labels?.[topologyKey] !== undefined)
}

const isHardDefault = ({ whenUnsatisfiable }: V1TopologySpreadConstraint) =>
  whenUnsatisfiable === 'DoNotSchedule'

function hasAll(keys: readonly Topology[], slot: number): boolean {
  for (let i = 0; i < keys.length; i += 1) if (keys[i]!.domainOf(slot) < 0) return false
  return true
}

/** On one node the pods there count, whatever the node; in a domain those on the nodes that count for the constraint. */
function softState(
  constraints: readonly SpreadConstraint[],
  needsAllKeys: boolean,
  nodes: readonly NodeInfo[],
  snapshot: Snapshot,
): SoftState {
  const names = needsAllKeys ? constraints.map(({ topologyKey }) => topologyKey) : []
  const keys = names.map((key) => snapshot.counts.topology(key))
  const scored = nodes.filter(({ slot }) => hasAll(keys, slot))
  return {
    keys,
    soft: constraints.map((constraint) => {
      const topology = snapshot.counts.topology(constraint.topologyKey)
      const isHost = constraint.topologyKey === HOSTNAME
      const counts = isHost
        ? snapshot.counts.matching(constraint.group, HOSTNAME)
        : countsOf(constraint, names, snapshot)
      const size = isHost ? scored.length : new Set(scored.map(({ slot }) => topology.domainOf(slot))).size
      return { constraint, topology, at: (slot) => counts.at(slot), weight: Math.log(size + 2) }
    }),
  }
}
