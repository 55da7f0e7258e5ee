import type { Pod } from '../../api/kinds/pod.ts'
import { podPriority, podRequests } from '../../api/pods.ts'
import { qosClassOf } from '../../api/resource-requests.ts'
import { isCriticalPod } from '../../api/static-pods.ts'
import { amountOf, type Rejection, type Shortage } from './admit.ts'

/** As the status and the event of who has to go say it, and its DisruptionTarget condition. */
export const PREEMPTED = {
  reason: 'Preempting',
  message: 'Preempted in order to admit critical pod',
  disruption: 'Pod was preempted by Kubelet to accommodate a critical pod.',
}

export function preemptionFailed(why: string): Rejection {
  return {
    reason: 'UnexpectedAdmissionError',
    message: `Unexpected error while attempting to recover from admission failure: preemption: error finding a set of pods to preempt: ${why}`,
  }
}

const QOS = ['Guaranteed', 'Burstable', 'BestEffort']

/**
 * Who has to go so that a critical pod fits (kubelet/preemption): as few as can be of those that were promised most, then
 * of the others; each time the one that comes nearest to what is still missing, of equals the smaller. A text says what
 * cannot be freed. Pure.
 */
export function victimsFor(
  pod: Pod,
  others: readonly Pod[],
  shortages: readonly Shortage[],
): readonly Pod[] | string {
  const candidates = others.filter(
    (other) => (isCriticalPod(pod) && !isCriticalPod(other)) || podPriority(pod) > podPriority(other),
  )
  const missing = without(shortages, candidates)
  if (missing.length > 0)
    return `no set of running pods found to reclaim resources: [${missing.map(({ resource, amount }) => `(res: ${resource}, q: ${amount}), `).join('')}]`
  const classes = QOS.map((qos) => candidates.filter(({ spec }) => qosClassOf(spec) === qos))
  const victims: Pod[] = []
  for (const [i, own] of classes.entries()) {
    // As if all that were promised less were gone already.
    const left = without(shortages, [...victims, ...classes.slice(i + 1).flat()])
    victims.push(...nearest(own, left))
  }
  return victims
}

function nearest(pods: readonly Pod[], shortages: readonly Shortage[]): readonly Pod[] {
  const [first] = pods.toSorted((a, b) => distance(a, shortages) - distance(b, shortages) || smaller(a, b))
  if (shortages.length === 0 || !first) return []
  return [
    first,
    ...nearest(
      pods.filter((pod) => pod !== first),
      without(shortages, [first]),
    ),
  ]
}

/** How much of what is missing would be missing still, as parts of each. */
function distance(pod: Pod, shortages: readonly Shortage[]): number {
  return shortages.reduce((sum, { resource, amount }) => {
    const left = amount - requestOf(pod, resource)
    return sum + (left > 0 ? (left / amount) ** 2 : 0)
  }, 0)
}

function smaller(a: Pod, b: Pod): number {
  return requestOf(a, 'memory') - requestOf(b, 'memory') || requestOf(a, 'cpu') - requestOf(b, 'cpu')
}

function without(shortages: readonly Shortage[], gone: readonly Pod[]): readonly Shortage[] {
  return shortages
    .map(({ resource, amount }) => ({
      resource,
      amount: gone.reduce((left, pod) => left - requestOf(pod, resource), amount),
    }))
    .filter(({ amount }) => amount > 0)
}

function requestOf(pod: Pod, resource: string): number {
  return resource === 'pods' ? 1 : amountOf(resource, podRequests(pod)[resource] ?? '0')
}
