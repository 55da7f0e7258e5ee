import type { Pod } from '../../../src/api/kinds/pod.ts'
import type { PodDisruptionBudget } from '../../../src/api/kinds/pod-disruption-budget.ts'
import { isPodReady } from '../../../src/api/pods.ts'
import { labelSelectorMatches } from '../../../src/api/selectors.ts'
import type { Checker } from './checker.ts'

/** A budget may not know of it yet when a pod fell ill, or was deleted by somebody, so shortly ago. */
const UNKNOWN_MS = 30_000

/** An eviction never takes the healthy pods of a budget below what it wants, other losses aside. */
export function evictionBudget(): Checker {
  /** Healthy pods that went otherwise, and when. */
  const lost: { readonly pod: Pod; readonly at: number }[] = []
  return {
    see({ object, previous, isGone, at, view }) {
      if (object.kind !== 'Pod') return []
      const pod = object as Pod
      const before = previous as Pod | undefined
      if (!before || !isHealthy(before) || (!isGone && isHealthy(pod))) return []
      if (!isEvicted(pod)) {
        lost.push({ pod, at })
        return []
      }
      const budgets = view.all<PodDisruptionBudget>('PodDisruptionBudget').filter((one) => selects(one, pod))
      return budgets.flatMap((budget) => {
        const healthy = view.all<Pod>('Pod').filter((one) => selects(budget, one) && isHealthy(one)).length
        const unknown = lost.filter((one) => at - one.at < UNKNOWN_MS && selects(budget, one.pod)).length
        const wanted = budget.spec.minAvailable ?? budget.status?.desiredHealthy ?? 0
        return typeof wanted === 'number' && healthy + unknown < wanted
          ? [
              `Eviction of ${pod.metadata.name} leaves ${healthy} of ${wanted} pods of ${budget.metadata.name}`,
            ]
          : []
      })
    },
  }
}

function isHealthy(pod: Pod): boolean {
  return isPodReady(pod) && !pod.metadata.deletionTimestamp
}

function isEvicted({ status }: Pod): boolean {
  return status?.conditions?.some(({ reason }) => reason === 'EvictionByEvictionAPI') ?? false
}

function selects({ metadata, spec }: PodDisruptionBudget, pod: Pod): boolean {
  return (
    metadata.namespace === pod.metadata.namespace && labelSelectorMatches(spec.selector, pod.metadata.labels)
  )
}
