import { deepEqual } from '../../base/json.ts'
import type { NodeInfo } from '../node-info.ts'
import type { Plugin, Rejection } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'

const NAME = 'NodeResourcesFit'

/**
 * Requests against what is left of allocatable. The score is LeastAllocated over cpu and memory, both of weight 1:
 * Σ (allocatable − requested)·100/allocatable / 2 in whole numbers, counting 100m and 200Mi for containers without
 * requests; a resource that would overflow scores 0.
 */
export const resourcesFit: Plugin = {
  name: NAME,
  weight: 1,
  filter(pod, node) {
    const { reasons, resolvable } = insufficient(pod, node)
    return reasons.length === 0 ? undefined : rejection(reasons, resolvable)
  },
  score(pod, { allocatable, nonZeroMilliCpu, nonZeroMemory }) {
    const resources = [
      leastAllocated(nonZeroMilliCpu + pod.nonZeroMilliCpu, allocatable.milliCpu),
      leastAllocated(nonZeroMemory + pod.nonZeroMemory, allocatable.memory),
    ].filter((score) => score !== undefined)
    return resources.length === 0
      ? 0
      : Math.floor(resources.reduce((sum, score) => sum + score, 0) / resources.length)
  },
  wakes(_, event) {
    if (event.type === 'node-added' || event.type === 'pod-removed' || event.type === 'pod-updated')
      return true
    return (
      event.type === 'node-updated' &&
      !deepEqual(event.node.status?.allocatable, event.previous.status?.allocatable)
    )
  },
}

/** The reasons a pod's requests do not fit, in upstream's order; pods, cpu, memory, ephemeral-storage, then the others. */
export function insufficient(pod: PodInfo, node: NodeInfo): { reasons: string[]; resolvable: boolean } {
  const reasons: string[] = []
  let resolvable = true
  const { allocatable, requested } = node
  if (node.pods.size + 1 > node.podsMax) reasons.push('Too many pods')
  const check = (name: string, wants: number, used: number, all: number) => {
    if (wants === 0 || wants <= all - used) return
    reasons.push(`Insufficient ${name}`)
    if (wants > all) resolvable = false
  }
  check('cpu', pod.requests.milliCpu, requested.milliCpu, allocatable.milliCpu)
  check('memory', pod.requests.memory, requested.memory, allocatable.memory)
  check(
    'ephemeral-storage',
    pod.requests.ephemeralStorage,
    requested.ephemeralStorage,
    allocatable.ephemeralStorage,
  )
  for (const [name, wants] of pod.requests.scalars)
    check(name, wants, requested.scalars.get(name) ?? 0, allocatable.scalars.get(name) ?? 0)
  return { reasons, resolvable }
}

export function leastAllocated(requested: number, allocatable: number): number | undefined {
  if (allocatable === 0) return undefined
  return requested > allocatable ? 0 : Math.floor(((allocatable - requested) * 100) / allocatable)
}

/** The few combinations there are, made once. */
const rejections = new Map<string, Rejection>()

function rejection(reasons: readonly string[], resolvable: boolean): Rejection {
  const id = `${resolvable} ${reasons.join()}`
  let known = rejections.get(id)
  if (!known) {
    known = { plugin: NAME, reasons, resolvable }
    if (rejections.size < 1000) rejections.set(id, known)
  }
  return known
}
