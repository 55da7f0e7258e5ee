import type { NodeInfo } from '../node-info.ts'
import type { Plugin } from '../plugin.ts'

/**
 * Prefers nodes whose cpu and memory are used in like parts. From 1.36 it scores what the pod changes:
 * 50 + (50 + score(with the pod) − score(without))/2, where score = (1 − |cpu − memory|/2)·100 and the parts are of
 * requests over allocatable, at most 1. Pods without requests are skipped.
 */
export const balancedAllocation: Plugin = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  preScore: ({ requests }) =>
    requests.milliCpu === 0 && requests.memory === 0 ? 'skip' : { state: undefined },
  score(pod, node) {
    const without = balance(node, 0, 0)
    const withPod = balance(node, pod.requests.milliCpu, pod.requests.memory)
    return Math.trunc(50 + (50 + withPod - without) / 2)
  },
}

/** 0…100; 100 when both parts are the same. */
export function balance(
  { requested, allocatable }: Pick<NodeInfo, 'requested' | 'allocatable'>,
  moreMilliCpu: number,
  moreMemory: number,
): number {
  const parts: number[] = []
  if (allocatable.milliCpu > 0)
    parts.push(Math.min(1, (requested.milliCpu + moreMilliCpu) / allocatable.milliCpu))
  if (allocatable.memory > 0) parts.push(Math.min(1, (requested.memory + moreMemory) / allocatable.memory))
  const deviation = parts.length === 2 ? Math.abs((parts[0] ?? 0) - (parts[1] ?? 0)) / 2 : 0
  return Math.trunc((1 - deviation) * 100)
}
