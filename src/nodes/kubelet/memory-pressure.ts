import type { V1Container } from '../../api/generated/types.ts'
import type { Node } from '../../api/kinds/node.ts'
import { type Pod, podPriority, podRequests } from '../../api/pods.ts'
import { parseQuantity } from '../../api/quantity.ts'
import { isCriticalPod } from '../../api/static-pods.ts'
import type { NodeUsage } from '../../client/node-connection.ts'
import { containerStatusOf } from './record.ts'

/** Less than this left and a kubelet evicts (--eviction-hard memory.available<100Mi). */
const THRESHOLD = 100 * 2 ** 20

export interface MemoryVerdict {
  readonly isShort: boolean
  /** Whom to evict for it, and what to say. */
  readonly victim?: { readonly pod: Pod; readonly message: string }
}

/**
 * Whether a node is short of memory, and which pod goes first (eviction/helpers.go rankMemoryPressure): one that uses
 * more than it asked for, then the least important, then the one furthest above its request. Pure.
 */
export function judgeMemory(node: Node, pods: readonly Pod[], used: NodeUsage): MemoryVerdict {
  const capacity = parseQuantity(node.status?.capacity?.['memory'] ?? '0')
  const available = capacity - used.memory
  if (capacity === 0 || available >= THRESHOLD) return { isShort: false }
  const byUid = new Map(used.pods.map((each) => [each.uid, each.containers]))
  const candidates = pods
    .filter((pod) => !isCriticalPod(pod) && pod.metadata.deletionTimestamp === undefined)
    .map((pod) => {
      const containers = byUid.get(pod.metadata.uid ?? '') ?? []
      const over =
        containers.reduce((sum, { memory }) => sum + memory, 0) -
        parseQuantity(podRequests(pod)['memory'] ?? '0')
      return { pod, containers, over }
    })
    .filter(({ containers }) => containers.length > 0)
  const [first] = candidates.toSorted(
    (a, b) =>
      Number(b.over > 0) - Number(a.over > 0) || podPriority(a.pod) - podPriority(b.pod) || b.over - a.over,
  )
  if (!first) return { isShort: true }
  const details = first.containers.map(({ name, memory }) => {
    const container = first.pod.spec.containers.find((each) => each.name === name)
    const request = container?.resources?.requests?.['memory'] ?? '0'
    return memory > parseQuantity(request)
      ? `Container ${name} was using ${kibibytes(memory)}, request is ${request}, has larger consumption of memory. `
      : ''
  })
  const left = kibibytes(Math.max(0, available))
  const message = `The node was low on resource: memory. Threshold quantity: 100Mi, available: ${left}. ${details.join('')}`
  return { isShort: true, victim: { pod: first.pod, message } }
}

/**
 * The containers of a pod that the kernel ends for their memory: those over their own limit, or, when all together are
 * over that of the pod, the one that has most. Their volumes in memory count. Pure.
 */
export function overMemoryLimit(
  pod: Pod,
  containers: readonly { readonly name: string; readonly memory: number }[],
): readonly string[] {
  const { spec } = pod
  const isOver = ({ name, memory }: { readonly name: string; readonly memory: number }) => {
    // As it runs: what it is asked to shrink to may not have come about.
    const { resources } = containerStatusOf(pod, name) ?? allOf(spec).find((each) => each.name === name) ?? {}
    const limit = resources?.limits?.['memory']
    return limit !== undefined && memory > parseQuantity(limit)
  }
  const own = containers.filter(isOver).map(({ name }) => name)
  const ofPod = spec.resources?.limits?.['memory']
  const total = containers.reduce((sum, { memory }) => sum + memory, 0)
  if (own.length > 0 || ofPod === undefined || total <= parseQuantity(ofPod)) return own
  return containers
    .toSorted((a, b) => b.memory - a.memory)
    .slice(0, 1)
    .map(({ name }) => name)
}

function allOf({ containers, initContainers = [] }: Pod['spec']): readonly V1Container[] {
  return [...containers, ...initContainers]
}

function kibibytes(bytes: number): string {
  return `${Math.round(bytes / 1024)}Ki`
}
