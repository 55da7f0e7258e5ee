import type { Random } from '../base/random.ts'
import type { FitError } from './fit-error.ts'
import type { NodeInfo } from './node-info.ts'
import type { AnyPlugin, Rejection } from './plugin.ts'
import type { PodInfo } from './pod-info.ts'
import type { Snapshot } from './snapshot.ts'

export type Decision =
  | {
      readonly fits: true
      readonly node: string
      /** Nodes that passed the filters, in the order they were found. */
      readonly feasible: readonly string[]
      /** Those with the highest total score: `node` is one of them, drawn by chance. */
      readonly ties: readonly string[]
      /** Empty when there was only one feasible node: nothing is scored then. */
      readonly scores: ReadonlyMap<string, number>
    }
  | { readonly fits: false; readonly error: FitError }

export interface DecideOptions {
  /** percentageOfNodesToScore; 0 is automatic. */
  readonly percentage?: number
}

/**
 * Where a pod goes: filter, score, pick (kube-scheduler's schedulePod). Changes nothing but `snapshot.nextStart`.
 */
export function decide(
  pod: PodInfo,
  snapshot: Snapshot,
  plugins: readonly AnyPlugin[],
  random: Random,
  options: DecideOptions = {},
): Decision {
  const filters = prepareFilters(pod, snapshot, plugins)
  if ('reject' in filters) {
    return {
      fits: false,
      error: {
        nodes: snapshot.size,
        rejections: new Map(),
        reject: filters.reject,
        plugins: new Set([filters.plugin]),
      },
    }
  }
  const { feasible, rejections } = findFeasible(pod, snapshot, filters.run, options.percentage ?? 0)
  const [only] = feasible
  if (!only) {
    const rejectedBy = new Set([...rejections.values()].map(({ plugin }) => plugin))
    return { fits: false, error: { nodes: snapshot.size, rejections, plugins: rejectedBy } }
  }
  if (feasible.length === 1)
    return { fits: true, node: only.name, feasible: [only.name], ties: [only.name], scores: new Map() }
  const totals = scoreNodes(pod, feasible, snapshot, plugins)
  const best = totals.reduce((most, total) => Math.max(most, total), Number.NEGATIVE_INFINITY)
  const ties = feasible.filter((_, i) => totals[i] === best).map(({ name }) => name)
  return {
    fits: true,
    node: ties[random.int(ties.length)] ?? only.name,
    feasible: feasible.map(({ name }) => name),
    ties,
    scores: new Map(feasible.map(({ name }, i) => [name, totals[i] ?? 0])),
  }
}

/** Whether the pod passes all filters on this node; the state of one cycle is inside. */
export type RunFilters = (pod: PodInfo, node: NodeInfo) => Rejection | undefined

export function prepareFilters(
  pod: PodInfo,
  snapshot: Snapshot,
  plugins: readonly AnyPlugin[],
): { readonly run: RunFilters } | { readonly reject: string; readonly plugin: string } {
  const active: { readonly plugin: AnyPlugin; readonly state: unknown }[] = []
  for (const plugin of plugins) {
    const prepared = plugin.preFilter?.(pod, snapshot)
    if (prepared === 'skip') continue
    if (prepared && 'reject' in prepared) return { reject: prepared.reject, plugin: plugin.name }
    if (plugin.filter) active.push({ plugin, state: prepared?.state })
  }
  return {
    run(candidate, node) {
      for (const { plugin, state } of active) {
        const rejection = plugin.filter?.(candidate, node, state)
        if (rejection) return rejection
      }
      return undefined
    },
  }
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

function findFeasible(pod: PodInfo, snapshot: Snapshot, run: RunFilters, percentage: number) {
  const feasible: NodeInfo[] = []
  const rejections = new Map<string, Rejection>()
  const { nodes } = snapshot
  const nominated = snapshot.nominationOf(pod.uid)
  const first = nominated === undefined ? undefined : snapshot.node(nominated)
  if (first && !filterWithNominated(pod, first, snapshot, run)) return { feasible: [first], rejections }
  const enough = nodesToFind(nodes.length, percentage)
  const start = nodes.length === 0 ? 0 : snapshot.nextStart % nodes.length
  let looked = 0
  while (looked < nodes.length && feasible.length < enough) {
    const node = nodes[(start + looked) % nodes.length]!
    const rejection = filterWithNominated(pod, node, snapshot, run)
    if (rejection) rejections.set(node.name, rejection)
    else feasible.push(node)
    looked += 1
  }
  if (nodes.length > 0) snapshot.nextStart = (start + looked) % nodes.length
  return { feasible, rejections }
}

/** A node must hold the pod with and without those of at least its priority that are waiting to come to it. */
export function filterWithNominated(
  pod: PodInfo,
  node: NodeInfo,
  snapshot: Snapshot,
  run: RunFilters,
): Rejection | undefined {
  const nominated = snapshot.nominatedOn(node.name, pod.priority, pod.uid)
  if (nominated.length > 0) {
    const fuller = node.clone()
    for (const other of nominated) fuller.add(other)
    const rejection = run(pod, fuller)
    if (rejection) return rejection
  }
  return run(pod, node)
}

function scoreNodes(
  pod: PodInfo,
  nodes: readonly NodeInfo[],
  snapshot: Snapshot,
  plugins: readonly AnyPlugin[],
): number[] {
  const totals = new Array<number>(nodes.length).fill(0)
  for (const plugin of plugins) {
    if (!plugin.score) continue
    const prepared = plugin.preScore?.(pod, nodes, snapshot)
    if (prepared === 'skip') continue
    const scores = nodes.map((node) => plugin.score?.(pod, node, prepared?.state) ?? 0)
    plugin.normalize?.(scores)
    const weight = plugin.weight ?? 1
    for (let i = 0; i < totals.length; i += 1) totals[i] = (totals[i] ?? 0) + (scores[i] ?? 0) * weight
  }
  return totals
}
