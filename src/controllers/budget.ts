/**
 * How many more pods of a PodDisruptionBudget may be disrupted now. Pure. Examples: 10 expected, maxUnavailable 25%
 * (rounded up: 3) -> 7 must be healthy; minAvailable 50% of 3 (rounded up: 2) with 3 healthy -> 1 may go.
 */
import { setCondition } from '../api/conditions.ts'
import type { V1PodDisruptionBudgetStatus } from '../api/generated/types.ts'
import { scaledValue } from '../api/int-or-percent.ts'
import type { Pod } from '../api/kinds/pod.ts'
import type { PodDisruptionBudget } from '../api/kinds/pod-disruption-budget.ts'
import { isPodReady } from '../api/pods.ts'
import { isBeingDeleted } from '../api/resource.ts'
import { parseTime } from '../base/date.ts'

/** An eviction that was granted counts as done for so long, though the pod is still there. */
const DELETION_TIMEOUT_MS = 120_000

export interface BudgetInput {
  readonly budget: PodDisruptionBudget
  /** All pods it selects. */
  readonly pods: readonly Pod[]
  /** Replicas wanted by the controllers of these pods, together; unused when minAvailable is a number. */
  readonly scale: number
  readonly now: number
}

export interface BudgetDecision {
  readonly status: V1PodDisruptionBudgetStatus
  /** Granted, but never deleted: these count again. */
  readonly notDeleted: readonly string[]
  /** When the next granted eviction runs out, epoch ms. */
  readonly lookAgainAt: number | undefined
}

export function decideBudget({ budget, pods, scale, now }: BudgetInput): BudgetDecision {
  const { expectedPods, desiredHealthy } = wantedOf(budget, pods.length, scale)
  const { disrupted, notDeleted, lookAgainAt } = stillDisrupted(budget, pods, now)
  const currentHealthy = pods.filter(
    (pod) => !isBeingDeleted(pod) && disrupted[pod.metadata.name] === undefined && isPodReady(pod),
  ).length
  const spare = currentHealthy - desiredHealthy
  const disruptionsAllowed = expectedPods <= 0 || spare <= 0 ? 0 : spare
  const observedGeneration = budget.metadata.generation
  const isAllowed = disruptionsAllowed > 0
  const condition = {
    type: 'DisruptionAllowed',
    status: isAllowed ? 'True' : 'False',
    reason: isAllowed ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    lastTransitionTime: '',
  }
  return {
    notDeleted,
    lookAgainAt,
    status: {
      ...(Object.keys(disrupted).length > 0 ? { disruptedPods: disrupted } : {}),
      currentHealthy,
      desiredHealthy,
      expectedPods,
      disruptionsAllowed,
      observedGeneration,
      conditions: setCondition(budget.status?.conditions, condition, now),
    },
  }
}

/** Only percentages and maxUnavailable need to know how many pods there ought to be. */
export function needsScale({ spec }: PodDisruptionBudget): boolean {
  return spec.maxUnavailable !== undefined || typeof spec.minAvailable === 'string'
}

function wantedOf({ spec }: PodDisruptionBudget, count: number, scale: number) {
  if (spec.maxUnavailable !== undefined) {
    const unavailable = scaledValue(spec.maxUnavailable, scale, 'up')
    return { expectedPods: scale, desiredHealthy: Math.max(0, scale - unavailable) }
  }
  if (typeof spec.minAvailable === 'string')
    return { expectedPods: scale, desiredHealthy: scaledValue(spec.minAvailable, scale, 'up') }
  return { expectedPods: count, desiredHealthy: spec.minAvailable ?? 0 }
}

function stillDisrupted({ status }: PodDisruptionBudget, pods: readonly Pod[], now: number) {
  const disrupted: Record<string, string> = {}
  const notDeleted: string[] = []
  const ends: number[] = []
  for (const [name, at] of Object.entries(status?.disruptedPods ?? {})) {
    const pod = pods.find(({ metadata }) => metadata.name === name)
    if (!pod || isBeingDeleted(pod)) continue
    const endsAt = (parseTime(at) ?? 0) + DELETION_TIMEOUT_MS
    if (endsAt <= now) notDeleted.push(name)
    else {
      disrupted[name] = at
      ends.push(endsAt)
    }
  }
  return { disrupted, notDeleted, lookAgainAt: ends.length > 0 ? Math.min(...ends) : undefined }
}

/** When the scale cannot be found nothing may be disrupted, until it can. */
export function failedBudget(
  budget: PodDisruptionBudget,
  message: string,
  now: number,
): V1PodDisruptionBudgetStatus {
  const observedGeneration = budget.metadata.generation
  const condition = {
    type: 'DisruptionAllowed',
    status: 'False',
    reason: 'SyncFailed',
    message,
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    lastTransitionTime: '',
  }
  const conditions = setCondition(budget.status?.conditions, condition, now)
  return { ...budget.status, disruptionsAllowed: 0, observedGeneration, conditions }
}
