import { scaledValue } from '../api/int-or-percent.ts'
import type { Deployment } from '../api/kinds/deployment.ts'
import type { ReplicaSet } from '../api/kinds/replica-set.ts'

/** The numbers a rollout counts with; all are pods. */
export interface Amounts {
  readonly desired: number
  /** Rounded up: 25% of 3 is 1. 0 unless rolling. */
  readonly maxSurge: number
  /** Rounded down, never above desired, 1 when both would be 0: 25% of 3 is 0 beside a surge of 1. 0 unless rolling. */
  readonly maxUnavailable: number
}

export function amountsOf({ spec }: Deployment): Amounts {
  const desired = spec.replicas ?? 1
  if (!isRolling(spec.strategy?.type)) return { desired, maxSurge: 0, maxUnavailable: 0 }
  const { maxSurge = '25%', maxUnavailable = '25%' } = spec.strategy?.rollingUpdate ?? {}
  const surge = scaledValue(maxSurge, desired, 'up')
  const unavailable = scaledValue(maxUnavailable, desired, 'down')
  const neither = surge === 0 && unavailable === 0
  return { desired, maxSurge: surge, maxUnavailable: Math.min(neither ? 1 : unavailable, desired) }
}

function isRolling(strategyType: string | undefined): boolean {
  return strategyType === undefined || strategyType === 'RollingUpdate'
}

export function replicasOf({ spec }: ReplicaSet): number {
  return spec.replicas ?? 1
}

export function availableOf({ spec, status }: ReplicaSet): number {
  // A set that was just made smaller may still report the pods it is about to delete: they count for nothing any more.
  return Math.min(status?.availableReplicas ?? 0, spec.replicas ?? 0)
}

export function sum<T>(items: readonly T[], amount: (item: T) => number): number {
  return items.reduce((total, item) => total + amount(item), 0)
}

/** Rollouts with a larger deadline (the largest int32) never time out. */
export function progressDeadlineMs({ spec }: Deployment): number | undefined {
  const seconds = spec.progressDeadlineSeconds
  return seconds === undefined || seconds === 2 ** 31 - 1 ? undefined : seconds * 1000
}
