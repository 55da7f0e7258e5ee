import type { Random } from '../base/random.ts'
import { Cycle } from './cycle.ts'
import type { FitError } from './fit-error.ts'
import type { Framework } from './framework.ts'
import type { NodeInfo } from './node-info.ts'
import type { Rejection } from './plugin.ts'
import type { PodInfo } from './pod-info.ts'
import type { Snapshot } from './snapshot.ts'

export type Decision =
  | {
      readonly fits: true
      readonly node: string
      /** Nodes that passed the filters, in the order they were found. */
      readonly feasible: readonly NodeInfo[]
      /** One for each of them; empty when there was only one feasible node: nothing is scored then. */
      readonly scores: Float64Array
    }
  | { readonly fits: false; readonly error: FitError }

/**
 * Where a pod goes: filter, score, pick (kube-scheduler's schedulePod). Changes nothing but `snapshot.nextStart` and
 * what is kept for the next pod of the same shape.
 */
export function decide(pod: PodInfo, snapshot: Snapshot, framework: Framework, random: Random): Decision {
  const found = findFeasible(pod, snapshot, framework)
  if ('error' in found) return { fits: false, error: found.error }
  const { feasible, cycle } = found
  if (feasible.length === 1) return { fits: true, node: feasible[0]!.name, feasible, scores: NO_SCORES }
  const scores = cycle.score(feasible)
  return { fits: true, node: pick(feasible, scores, random).name, feasible, scores }
}

const NO_SCORES = new Float64Array(0)

/** One of the nodes with the highest score, by chance. */
export function pick(nodes: readonly NodeInfo[], scores: Float64Array, random: Random): NodeInfo {
  const best = bestOf(nodes, scores)
  return best[random.int(best.length)]!
}

/** All nodes with the highest score. */
export function bestOf(nodes: readonly NodeInfo[], scores: Float64Array): NodeInfo[] {
  let most = Number.NEGATIVE_INFINITY
  let best: NodeInfo[] = []
  for (let i = 0; i < scores.length; i += 1) {
    const score = scores[i]!
    if (score < most) continue
    if (score > most) {
      most = score
      best = []
    }
    best.push(nodes[i]!)
  }
  return best
}

/**
 * How many feasible nodes are enough: all below 100 nodes; else 50 − n/125 per cent, at least 5, and at least 100
 * nodes (numFeasibleNodesToFind). 1000 -> 420, 5000 -> 500, 6000 -> 300.
 */
export function nodesToFind(nodes: number, percentage: number): number {
  if (nodes < 100 || percentage >= 100) return nodes
  const percent = percentage > 0 ? percentage : Math.max(5, 50 - Math.trunc(nodes / 125))
  return Math.max(100, Math.trunc((nodes * percent) / 100))
}

/** The filters alone. At least one node, or why there is none. */
export function findFeasible(
  pod: PodInfo,
  snapshot: Snapshot,
  framework: Framework,
): { readonly feasible: readonly NodeInfo[]; readonly cycle: Cycle } | { readonly error: FitError } {
  snapshot.counts.trim()
  const size = snapshot.size
  if (size === 0) return { error: { nodes: 0, rejections: new Map(), plugins: new Set() } }
  const cycle = Cycle.begin(pod, snapshot, framework)
  if (!(cycle instanceof Cycle)) {
    const { reject, plugins } = cycle
    return { error: { nodes: size, rejections: new Map(), reject, plugins: new Set(plugins) } }
  }
  const nominated = snapshot.nominationOf(pod.uid)
  const first = nominated === undefined ? undefined : snapshot.node(nominated)
  if (first && !cycle.verdict(first)) return { feasible: [first], cycle }
  const nodes = cycle.nodes ? [...cycle.nodes].flatMap((name) => snapshot.node(name) ?? []) : snapshot.nodes
  const feasible = search(cycle, nodes)
  return feasible.length > 0 ? { feasible, cycle } : { error: fitErrorOf(cycle, nodes) }
}

/** Begins where the last search ended, and ends when enough nodes are found. */
function search(cycle: Cycle, nodes: readonly NodeInfo[]): NodeInfo[] {
  const { snapshot, framework } = cycle
  const scoring = framework.localScore.length + framework.otherScore.length > 0
  const enough = scoring ? nodesToFind(nodes.length, framework.percentage) : 1
  const count = nodes.length
  const feasible: NodeInfo[] = []
  let at = count === 0 ? 0 : snapshot.nextStart % count
  let looked = 0
  while (looked < count && feasible.length < enough) {
    const node = nodes[at]!
    if (!cycle.verdict(node)) feasible.push(node)
    looked += 1
    at = at + 1 === count ? 0 : at + 1
  }
  snapshot.nextStart = (snapshot.nextStart + looked) % snapshot.size
  return feasible
}

/** No node fits: asks once more, to say why. */
function fitErrorOf(cycle: Cycle, nodes: readonly NodeInfo[]): FitError {
  const rejections = new Map<string, Rejection>()
  const plugins = new Set<string>(cycle.narrowedBy)
  if (cycle.nodes) {
    const absent: Rejection = {
      plugin: cycle.narrowedBy[0] ?? '',
      reasons: [`node(s) didn't satisfy plugin(s) [${cycle.narrowedBy.join(' ')}]`],
      resolvable: false,
    }
    for (const { name } of cycle.snapshot.nodes) rejections.set(name, absent)
  }
  for (const [name, rejection] of rejectionsOf(cycle, nodes)) {
    rejections.set(name, rejection)
    plugins.add(rejection.plugin)
  }
  return { nodes: cycle.snapshot.size, rejections, plugins }
}

export function rejectionsOf(cycle: Cycle, nodes: readonly NodeInfo[]): Map<string, Rejection> {
  const rejections = new Map<string, Rejection>()
  for (const node of nodes) {
    const rejection = cycle.verdict(node)
    if (rejection) rejections.set(node.name, rejection)
  }
  return rejections
}
