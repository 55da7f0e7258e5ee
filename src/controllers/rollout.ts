/**
 * What a Deployment's ReplicaSets should become next: the pure half of the Deployment controller. One call decides one
 * step; the next is decided when the step has been seen. Worked example, 10 replicas, 25% and 25%: surge 3 up,
 * unavailable 2 down; the new set starts with 3 (13 in all), the old goes to 8; every new pod that becomes available
 * lets one old one go, and every old one that is gone lets a new one come, until it is 10 and 0.
 */
import type { Deployment } from '../api/kinds/deployment.ts'
import type { ReplicaSet } from '../api/kinds/replica-set.ts'
import { isBeingDeleted } from '../api/resource.ts'
import { parseTime } from '../base/date.ts'
import { desiredAnnotation, isSizeAnnotated, maxAnnotation, revisionOf } from './revisions.ts'
import { type Amounts, amountsOf, availableOf, replicasOf, sum } from './rollout-amounts.ts'

/** How many pods a ReplicaSet should have. */
export interface Scale {
  readonly set: ReplicaSet
  readonly replicas: number
}

export interface Rollout {
  /** The template has no ReplicaSet and should get one, with so many pods. */
  readonly create?: { readonly replicas: number }
  readonly scale: readonly Scale[]
  /** Old ReplicaSets beyond revisionHistoryLimit. */
  readonly remove: readonly ReplicaSet[]
  /** Only the counts of the status follow: the Deployment is paused or was scaled. */
  readonly isScaling: boolean
}

export interface Observed {
  readonly deployment: Deployment
  /** The ReplicaSet of the current template, when there is one. */
  readonly newSet: ReplicaSet | undefined
  readonly oldSets: readonly ReplicaSet[]
  /** Whether a pod of an old ReplicaSet has not finished yet (Recreate waits for that). */
  readonly hasOldPods: boolean
}

export function decideRollout(observed: Observed): Rollout {
  const { deployment, newSet, oldSets } = observed
  const amounts = amountsOf(deployment)
  const sets = newSet ? [...oldSets, newSet] : oldSets
  if (deployment.spec.paused || isScalingEvent(sets, amounts)) {
    const scale = decideScale(observed, amounts)
    const remove = deployment.spec.paused ? beyondHistory(deployment, oldSets) : []
    return { scale, remove, isScaling: true }
  }
  const step =
    deployment.spec.strategy?.type === 'Recreate'
      ? recreate(observed, amounts)
      : rollingUpdate(observed, amounts)
  const isDone = !step.create && step.scale.length === 0 && isComplete(deployment, amounts)
  return { ...step, remove: isDone ? beyondHistory(deployment, oldSets) : [], isScaling: false }
}

/** Whether spec.replicas changed since the active sets were last sized. */
function isScalingEvent(sets: readonly ReplicaSet[], { desired }: Amounts): boolean {
  return activeOf(sets).some((set) => {
    const sizedFor = desiredAnnotation(set)
    return sizedFor !== undefined && sizedFor !== desired
  })
}

function activeOf(sets: readonly ReplicaSet[]): ReplicaSet[] {
  return sets.filter((set) => replicasOf(set) > 0)
}

type Step = Pick<Rollout, 'create' | 'scale'>

function recreate({ newSet, oldSets, hasOldPods }: Observed, { desired }: Amounts): Step {
  const down = activeOf(oldSets).map((set) => ({ set, replicas: 0 }))
  if (down.length > 0 || hasOldPods) return { scale: down }
  if (!newSet) return { create: { replicas: desired }, scale: [] }
  return { scale: replicasOf(newSet) === desired ? [] : [{ set: newSet, replicas: desired }] }
}

function rollingUpdate({ newSet, oldSets }: Observed, amounts: Amounts): Step {
  const total = sum(oldSets, replicasOf) + (newSet ? replicasOf(newSet) : 0)
  const target = newSetSize(newSet ? replicasOf(newSet) : 0, total, amounts)
  if (!newSet) return { create: { replicas: target }, scale: [] }
  if (target !== replicasOf(newSet)) return { scale: [{ set: newSet, replicas: target }] }
  return { scale: scaleDownOld(newSet, oldSets, amounts) }
}

/** Up to the surge, down to what is desired. `total` are the pods of all sets. */
export function newSetSize(current: number, total: number, { desired, maxSurge }: Amounts): number {
  if (current >= desired) return desired
  const room = desired + maxSurge - total
  return room <= 0 ? current : current + Math.min(room, desired - current)
}

/**
 * Old pods that may go: first those that are not available (they help nobody), then as many as leave
 * desired - maxUnavailable available ones; the oldest set first in both.
 */
export function scaleDownOld(newSet: ReplicaSet, oldSets: readonly ReplicaSet[], amounts: Amounts): Scale[] {
  const total = sum(oldSets, replicasOf) + replicasOf(newSet)
  const minAvailable = amounts.desired - amounts.maxUnavailable
  const newUnavailable = replicasOf(newSet) - availableOf(newSet)
  let mayGo = total - minAvailable - newUnavailable
  if (sum(oldSets, replicasOf) === 0 || mayGo <= 0) return []
  const oldest = oldSets.toSorted(byCreation)
  const sizes = new Map(oldest.map((set) => [set, replicasOf(set)]))
  for (const set of oldest) {
    const unhealthy = replicasOf(set) - availableOf(set)
    const going = Math.max(0, Math.min(mayGo, unhealthy))
    sizes.set(set, replicasOf(set) - going)
    mayGo -= going
  }
  let spare = sum(oldest, availableOf) + availableOf(newSet) - minAvailable
  for (const set of oldest) {
    const size = sizes.get(set) ?? 0
    const going = Math.max(0, Math.min(spare, size))
    sizes.set(set, size - going)
    spare -= going
  }
  return oldest.flatMap((set) => {
    const replicas = sizes.get(set) ?? 0
    return replicas === replicasOf(set) ? [] : [{ set, replicas }]
  })
}

/** spec.replicas changed, or the Deployment is paused: the sets keep their proportions, no rollout goes on. */
function decideScale({ deployment, newSet, oldSets }: Observed, amounts: Amounts): Scale[] {
  const sets = newSet ? [...oldSets, newSet] : [...oldSets]
  const active = activeOf(sets)
  const { desired } = amounts
  if (active.length <= 1) {
    const only = active[0] ?? newSet ?? oldSets.toSorted(byCreation).at(-1)
    return only && (replicasOf(only) !== desired || !isSizeAnnotated(only, amounts))
      ? [{ set: only, replicas: desired }]
      : []
  }
  if (newSet && isSaturated(newSet, desired)) {
    return activeOf(oldSets).map((set) => ({ set, replicas: 0 }))
  }
  if (deployment.spec.strategy?.type === 'Recreate') return []
  return proportionalScale(active, amounts, deployment.status?.replicas ?? 0).filter(
    ({ set, replicas }) => replicas !== replicasOf(set) || !isSizeAnnotated(set, amounts),
  )
}

function isSaturated(newSet: ReplicaSet, desired: number): boolean {
  return (
    desiredAnnotation(newSet) === desired && replicasOf(newSet) === desired && availableOf(newSet) === desired
  )
}

/**
 * Shares the difference to desired + surge among the sets by their size; the largest (of equals the newer when growing,
 * the older when shrinking) takes what rounding leaves. 10 -> 15 with sets of 8 and 5 at a surge of 3: +5, shared 3 and 2.
 * @param statusReplicas stands in for a set's max-replicas annotation that is missing
 */
export function proportionalScale(
  active: readonly ReplicaSet[],
  amounts: Amounts,
  statusReplicas: number,
): Scale[] {
  const allowed = amounts.desired > 0 ? amounts.desired + amounts.maxSurge : 0
  const toAdd = allowed - sum(active, replicasOf)
  const newestFirst = toAdd > 0 ? 1 : -1
  const ordered = active.toSorted((a, b) => replicasOf(b) - replicasOf(a) || newestFirst * byCreation(b, a))
  let added = 0
  const sizes = ordered.map((set) => {
    const share = toAdd === 0 || toAdd === added ? 0 : fraction(set, amounts, statusReplicas)
    const left = toAdd - added
    const change = toAdd > 0 ? Math.min(share, left) : Math.max(share, left)
    const bounded = toAdd === 0 || left === 0 || replicasOf(set) === 0 ? 0 : change
    added += bounded
    return replicasOf(set) + bounded
  })
  return ordered.map((set, at) => ({
    set,
    replicas: Math.max(0, (sizes[at] ?? 0) + (at === 0 ? toAdd - added : 0)),
  }))
}

function fraction(set: ReplicaSet, { desired, maxSurge }: Amounts, statusReplicas: number): number {
  if (desired === 0) return -replicasOf(set)
  const sizedForMax = maxAnnotation(set) ?? statusReplicas
  if (sizedForMax === 0) return 0
  return Math.round((replicasOf(set) * (desired + maxSurge)) / sizedForMax) - replicasOf(set)
}

/** All pods are of the current template and available, and the status says so for this generation. */
export function isComplete({ metadata, status }: Deployment, { desired }: Pick<Amounts, 'desired'>): boolean {
  return (
    (status?.updatedReplicas ?? 0) === desired &&
    (status?.replicas ?? 0) === desired &&
    (status?.availableReplicas ?? 0) === desired &&
    (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  )
}

/** The lowest revisions beyond the limit that have no pods and whose status is current. */
export function beyondHistory({ spec }: Deployment, oldSets: readonly ReplicaSet[]): ReplicaSet[] {
  const limit = spec.revisionHistoryLimit ?? 2 ** 31 - 1
  const alive = oldSets.filter((set) => !isBeingDeleted(set))
  return alive
    .toSorted((a, b) => revisionOf(a) - revisionOf(b) || byCreation(a, b))
    .slice(0, Math.max(0, alive.length - limit))
    .filter(
      (set) =>
        replicasOf(set) === 0 &&
        (set.status?.replicas ?? 0) === 0 &&
        (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0),
    )
}

/** Oldest first; of the same second, by name. */
export function byCreation(a: ReplicaSet, b: ReplicaSet): number {
  const difference =
    (parseTime(a.metadata.creationTimestamp) ?? 0) - (parseTime(b.metadata.creationTimestamp) ?? 0)
  return difference || (a.metadata.name < b.metadata.name ? -1 : 1)
}
