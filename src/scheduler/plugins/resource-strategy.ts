import type { NodeInfo } from '../node-info.ts'
import type { PodInfo } from '../pod-info.ts'

export interface ResourceWeight {
  readonly name: string
  /** 1 to 100; default 1. */
  readonly weight?: number | undefined
}

/** The scoringStrategy of NodeResourcesFitArgs. */
export interface ScoringStrategy {
  readonly type?: string | undefined
  readonly resources?: readonly ResourceWeight[] | undefined
  readonly requestedToCapacityRatio?:
    | { readonly shape?: readonly { readonly utilization: number; readonly score: number }[] | undefined }
    | undefined
}

export const CPU_AND_MEMORY: readonly ResourceWeight[] = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
]

type Score = (requested: number, allocatable: number) => number

/**
 * How full a node would be, as a score from 0 to 100: the weighted mean over the resources it has. cpu and memory count
 * 100m and 200Mi for containers without requests; a resource the pod does not ask for is left out, unless it is one of
 * cpu, memory and ephemeral-storage.
 */
export function strategyScore(strategy: ScoringStrategy = {}): (pod: PodInfo, node: NodeInfo) => number {
  const resources = strategy.resources?.length ? strategy.resources : CPU_AND_MEMORY
  const isRatio = strategy.type === 'RequestedToCapacityRatio'
  const score: Score = isRatio
    ? ratioScore(strategy.requestedToCapacityRatio?.shape ?? [])
    : strategy.type === 'MostAllocated'
      ? mostAllocated
      : leastAllocated
  return (pod, node) => {
    let sum = 0
    let weights = 0
    for (let i = 0; i < resources.length; i += 1) {
      const { name, weight = 1 } = resources[i]!
      const allocatable = allocatableOf(name, pod, node)
      if (allocatable === 0) continue
      const one = score(requestedWith(name, pod, node), allocatable)
      if (isRatio && one <= 0) continue
      sum += one * weight
      weights += weight
    }
    if (weights === 0) return 0
    return isRatio ? Math.round(sum / weights) : Math.floor(sum / weights)
  }
}

export function leastAllocated(requested: number, allocatable: number): number {
  return requested > allocatable ? 0 : Math.floor(((allocatable - requested) * 100) / allocatable)
}

export function mostAllocated(requested: number, allocatable: number): number {
  return Math.floor((Math.min(requested, allocatable) * 100) / allocatable)
}

/** Straight lines between the points; scores of the shape go from 0 to 10. */
export function ratioScore(
  shape: readonly { readonly utilization: number; readonly score: number }[],
): Score {
  const at = (utilization: number) => {
    for (let i = 0; i < shape.length; i += 1) {
      const point = shape[i]!
      if (utilization > point.utilization) continue
      const before = shape[i - 1]
      if (!before) return point.score * 10
      const rise = (point.score - before.score) * 10 * (utilization - before.utilization)
      return before.score * 10 + Math.trunc(rise / (point.utilization - before.utilization))
    }
    return (shape.at(-1)?.score ?? 0) * 10
  }
  return (requested, allocatable) =>
    at(requested > allocatable ? 100 : Math.floor((requested * 100) / allocatable))
}

/** 0 for what the node does not have, and for what neither is basic nor asked for. */
export function allocatableOf(name: string, pod: PodInfo, { allocatable }: NodeInfo): number {
  if (name === 'cpu') return allocatable.milliCpu
  if (name === 'memory') return allocatable.memory
  if (name === 'ephemeral-storage') return allocatable.ephemeralStorage
  return pod.requests.scalars.get(name) ? (allocatable.scalars.get(name) ?? 0) : 0
}

function requestedWith(name: string, pod: PodInfo, node: NodeInfo): number {
  if (name === 'cpu') return node.nonZeroMilliCpu + pod.nonZeroMilliCpu
  if (name === 'memory') return node.nonZeroMemory + pod.nonZeroMemory
  if (name === 'ephemeral-storage') return node.requested.ephemeralStorage + pod.requests.ephemeralStorage
  return (node.requested.scalars.get(name) ?? 0) + (pod.requests.scalars.get(name) ?? 0)
}
