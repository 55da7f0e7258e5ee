import type { NodeInfo } from '../node-info.ts'
import type { Plugin } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'
import { allocatableOf, CPU_AND_MEMORY, type ResourceWeight } from './resource-strategy.ts'

export interface BalancedAllocationArgs {
  readonly resources?: readonly ResourceWeight[] | undefined
}

/**
 * Prefers nodes whose resources are used in like parts. From 1.36 it scores what the pod changes:
 * 50 + (50 + score(with the pod) − score(without))/2, where score = (1 − deviation)·100 over the parts of requests in
 * allocatable, each at most 1. Pods that ask for none of the resources are skipped.
 */
export function balancedAllocation({ resources }: BalancedAllocationArgs = {}): Plugin {
  const names = (resources?.length ? resources : CPU_AND_MEMORY).map(({ name }) => name)
  return {
    name: 'NodeResourcesBalancedAllocation',
    isLocal: true,
    preScore: (pod) => (names.every((name) => asks(name, pod) === 0) ? 'skip' : { state: undefined }),
    score: (pod, node) =>
      Math.trunc(50 + (50 + balance(names, pod, node, 1) - balance(names, pod, node, 0)) / 2),
  }
}

/** 0…100; 100 when all parts are the same. `times` the pod is added. */
function balance(names: readonly string[], pod: PodInfo, node: NodeInfo, times: number): number {
  const parts: number[] = []
  let sum = 0
  for (const name of names) {
    const allocatable = allocatableOf(name, pod, node)
    if (allocatable === 0) continue
    const part = Math.min(1, (used(name, node) + times * asks(name, pod)) / allocatable)
    sum += part
    parts.push(part)
  }
  return Math.trunc((1 - deviationOf(parts, sum)) * 100)
}

function deviationOf(parts: readonly number[], sum: number): number {
  if (parts.length < 2) return 0
  if (parts.length === 2) return Math.abs((parts[0]! - parts[1]!) / 2)
  const mean = sum / parts.length
  return Math.sqrt(parts.reduce((all, part) => all + (part - mean) ** 2, 0) / parts.length)
}

function used(name: string, { requested }: NodeInfo): number {
  if (name === 'cpu') return requested.milliCpu
  if (name === 'memory') return requested.memory
  return name === 'ephemeral-storage' ? requested.ephemeralStorage : (requested.scalars.get(name) ?? 0)
}

function asks(name: string, { requests }: PodInfo): number {
  if (name === 'cpu') return requests.milliCpu
  if (name === 'memory') return requests.memory
  return name === 'ephemeral-storage' ? requests.ephemeralStorage : (requests.scalars.get(name) ?? 0)
}
