import type { Node } from '../../api/kinds/node.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { matchesNodeAffinity, tolerates } from '../../api/placement.ts'
import { allocatedSpec } from '../../api/pod-resize.ts'
import { podRequests } from '../../api/pods.ts'
import { parseQuantity } from '../../api/quantity.ts'
import { qosClassOf, type ResourceList, requestsOf } from '../../api/resource-requests.ts'
import { isCriticalPod } from '../../api/static-pods.ts'

export interface Rejection {
  /** OutOfcpu, OutOfpods, NodeAffinity, NodePorts, TaintToleration … */
  readonly reason: string
  readonly message: string
}

/**
 * Whether a node takes a pod it was given (kubelet/lifecycle/predicate.go): the scheduler may have been wrong, or was
 * never asked. `others` are the pods it has taken and that still run. Pure; undefined: it does.
 */
export function admit(pod: Pod, node: Node, others: readonly Pod[]): Rejection | undefined {
  return outOfResource(pod, node, others) ?? unfit(pod, node, others)
}

/** The same for reasons that have nothing to do with resources. */
export function unfit(pod: Pod, node: Node, others: readonly Pod[]): Rejection | undefined {
  return (
    (matchesNodeAffinity(pod, node)
      ? undefined
      : predicate('NodeAffinity', "node(s) didn't match Pod's node affinity/selector")) ??
    portConflict(pod, others) ??
    untolerated(pod, node)
  )
}

/**
 * Short of memory a node takes no more pods that ask for none, short of disk none at all (eviction_manager.go Admit);
 * critical ones always. Pure.
 */
export function refusedUnderPressure(pod: Pod, pressures: readonly string[]): Rejection | undefined {
  if (pressures.length === 0 || isCriticalPod(pod)) return undefined
  const taint = { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' }
  const bears =
    pressures.every((pressure) => pressure === 'MemoryPressure') &&
    (qosClassOf(pod.spec) !== 'BestEffort' || tolerates(pod.spec.tolerations, taint))
  if (bears) return undefined
  return { reason: 'Evicted', message: `The node had condition: [${pressures.join(' ')}]. ` }
}

function predicate(reason: string, why: string): Rejection {
  return { reason, message: `Predicate ${reason} failed: ${why}` }
}

/** What is missing of a resource: cpu in thousandths, all else in its own unit. */
export interface Shortage {
  readonly resource: string
  readonly amount: number
}

/** Of which resource the node has not enough for one more pod. */
export function outOfResource(pod: Pod, node: Node, others: readonly Pod[]): Rejection | undefined {
  const [first] = claimsOf(pod, node, others).filter(isTooMuch)
  return first && outOf(first.resource, first.wants, first.has, first.of)
}

/** How much is missing of each. */
export function shortagesOf(pod: Pod, node: Node, others: readonly Pod[]): readonly Shortage[] {
  return claimsOf(pod, node, others)
    .filter(isTooMuch)
    .map(({ resource, wants, has, of }) => ({ resource, amount: wants + has - of }))
}

/** A whole number in the unit a resource is counted in, which sums keep exact. */
export function amountOf(resource: string, text: string): number {
  return Math.round(parseQuantity(text) * (resource === 'cpu' ? 1000 : 1))
}

interface Claim {
  readonly resource: string
  readonly wants: number
  readonly has: number
  readonly of: number
}

function isTooMuch({ wants, has, of }: Claim): boolean {
  return wants + has > of
}

function claimsOf(pod: Pod, node: Node, others: readonly Pod[]): readonly Claim[] {
  const allocatable = node.status?.allocatable ?? node.status?.capacity ?? {}
  const pods = allocatable['pods']
  const claims: Claim[] =
    pods === undefined ? [] : [{ resource: 'pods', wants: 1, has: others.length, of: parseQuantity(pods) }]
  for (const [resource, amount] of Object.entries(podRequests(pod))) {
    const capacity = allocatable[resource]
    // As upstream: an extended resource that the node does not know is no reason to refuse the pod here.
    if (parseQuantity(amount) === 0 || (capacity === undefined && resource.includes('/'))) continue
    const has = others.reduce((sum, other) => sum + amountOf(resource, allocated(other)[resource] ?? '0'), 0)
    claims.push({ resource, wants: amountOf(resource, amount), has, of: amountOf(resource, capacity ?? '0') })
  }
  return claims
}

/** What it was given: one that waits for a new size does not have it yet. */
function allocated(pod: Pod): ResourceList {
  const spec = allocatedSpec(pod)
  return spec === pod.spec ? podRequests(pod) : requestsOf(spec)
}

/** cpu in thousandths, as upstream counts it. */
function outOf(name: string, requested: number, used: number, capacity: number): Rejection {
  return {
    reason: `OutOf${name}`,
    message: `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  }
}

function portConflict(pod: Pod, others: readonly Pod[]): Rejection | undefined {
  const wanted = hostPorts(pod)
  if (wanted.length === 0) return undefined
  const taken = others.flatMap(hostPorts)
  const clash = wanted.some((port) =>
    taken.some(
      (other) =>
        other.port === port.port &&
        other.protocol === port.protocol &&
        (other.ip === port.ip || other.ip === ANY_IP || port.ip === ANY_IP),
    ),
  )
  return clash
    ? predicate('NodePorts', "node(s) didn't have free ports for the requested pod ports")
    : undefined
}

const ANY_IP = '0.0.0.0'

function hostPorts({ spec }: Pod): { port: number; protocol: string; ip: string }[] {
  return spec.containers.flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, protocol, hostIP }) =>
      hostPort ? [{ port: hostPort, protocol: protocol ?? 'TCP', ip: hostIP || ANY_IP }] : [],
    ),
  )
}

/** Only NoExecute counts here: NoSchedule is between pod and scheduler. */
function untolerated(pod: Pod, node: Node): Rejection | undefined {
  const taint = node.spec?.taints?.find(
    (each) => each.effect === 'NoExecute' && !tolerates(pod.spec.tolerations, each),
  )
  return taint && predicate('TaintToleration', "node(s) had taints that the pod didn't tolerate")
}
