/**
 * One step of a StatefulSet (stateful_set_control.go), as a pure function: which pods to make, delete or replace now, and
 * the status that follows from what there is. OrderedReady goes one pod at a time, up from the first ordinal and down
 * from the last, and waits for each; Parallel does not wait. Updates delete from the highest ordinal down to the
 * partition, one at a time, and wait for its successor.
 */
import type { V1StatefulSetStatus } from '../api/generated/types.ts'
import type { Pod } from '../api/kinds/pod.ts'
import type { StatefulSet } from '../api/kinds/stateful-set.ts'
import { availableIn, isPodAvailable, isPodReady } from '../api/pods.ts'
import { isBeingDeleted } from '../api/resource.ts'
import { REVISION_LABEL } from './controller-revisions.ts'
import { type Pauses, pauseLeftMs, pausesAfter } from './failure-pauses.ts'
import { BURST_MAX } from './pod-set.ts'

export type StatefulStep =
  | { readonly type: 'create'; readonly ordinal: number; readonly revision: 'current' | 'update' }
  | { readonly type: 'delete'; readonly pod: Pod; readonly why: 'scale' | 'update' | 'failed' }

export interface Observed {
  readonly set: StatefulSet
  /** All pods the set controls. */
  readonly pods: readonly Pod[]
  /** Names of the ControllerRevisions. */
  readonly currentRevision: string
  readonly updateRevision: string
  /** By name of the pod, as the last plan has them. */
  readonly pauses?: Pauses | undefined
  /** Epoch ms. */
  readonly now: number
}

export interface StatefulPlan {
  readonly steps: readonly StatefulStep[]
  readonly status: V1StatefulSetStatus
  /** Of the wanted ordinals, those that are to stay as they are. */
  readonly kept: readonly Pod[]
  /** Pods beyond the wanted ordinals, also those whose turn has not come. */
  readonly condemned: readonly Pod[]
  readonly pauses: Pauses
  /** Until a ready pod has been so for minReadySeconds, or a failed one may be replaced. */
  readonly lookAgainInMs: number | undefined
}

/** -1 when the name is not SET-NUMBER. */
export function ordinalOf({ metadata: { name } }: Pod, set: StatefulSet): number {
  const prefix = `${set.metadata.name}-`
  const text = name.startsWith(prefix) ? name.slice(prefix.length) : ''
  return /^(0|[1-9]\d{0,8})$/.test(text) ? Number(text) : -1
}

export function planStatefulSet(observed: Observed): StatefulPlan {
  const { set, now } = observed
  const start = set.spec.ordinals?.start ?? 0
  const count = set.spec.replicas ?? 1
  const byOrdinal = new Map(observed.pods.map((pod) => [ordinalOf(pod, set), pod]))
  const slots = slotsOf(byOrdinal, start, count)
  const condemned = [...byOrdinal]
    .filter(([ordinal]) => ordinal < start || ordinal >= start + count)
    .sort(([a], [b]) => b - a)
    .map(([, pod]) => pod)
  const pauseOf = ({ metadata }: Pod) => pauseLeftMs(observed.pauses, metadata.name, now)
  const paused = slots.flatMap(({ pod }) => (pod && isOver(pod) ? pauseOf(pod) : [])).filter((ms) => ms > 0)
  const waits = [nextAvailable(observed, now), ...paused].filter((ms) => ms !== undefined)
  const lookAgainInMs = waits.length > 0 ? Math.min(...waits) : undefined
  const plan = { status: statusOf(observed), condemned, lookAgainInMs }
  if (isBeingDeleted(set)) return { ...plan, pauses: new Map(), kept: [], steps: [] }
  const steps = stepsOf(observed, slots, condemned)
  const failed = steps.flatMap((step) =>
    step.type === 'delete' && step.why === 'failed' ? step.pod.metadata.name : [],
  )
  const goes = new Set(steps.map((step) => (step.type === 'delete' ? step.pod : undefined)))
  const kept = slots.flatMap(({ pod }) =>
    pod && !goes.has(pod) && !isBeingDeleted(pod) && !isOver(pod) ? [pod] : [],
  )
  return { ...plan, pauses: pausesAfter(observed.pauses, failed, now), kept, steps }
}

interface Slot {
  readonly ordinal: number
  readonly pod: Pod | undefined
}

/** The wanted ordinals that have a pod, and of those that have none as many as may be made in one step. */
function slotsOf(byOrdinal: ReadonlyMap<number, Pod>, start: number, count: number): readonly Slot[] {
  const ordinals = [...byOrdinal.keys()].filter((ordinal) => ordinal >= start && ordinal < start + count)
  for (let ordinal = start, missing = 0; ordinal < start + count && missing < BURST_MAX; ordinal += 1) {
    if (byOrdinal.has(ordinal)) continue
    ordinals.push(ordinal)
    missing += 1
  }
  return ordinals.sort((a, b) => a - b).map((ordinal) => ({ ordinal, pod: byOrdinal.get(ordinal) }))
}

function stepsOf(observed: Observed, slots: readonly Slot[], condemned: readonly Pod[]): StatefulStep[] {
  const { set, updateRevision } = observed
  const isOrdered = set.spec.podManagementPolicy !== 'Parallel'
  const isReadyToGoOn = (pod: Pod) => !isBeingDeleted(pod) && isUp(pod, observed)
  const steps: StatefulStep[] = []
  let isWaiting = false
  for (const { ordinal, pod } of slots) {
    if (isOrdered && isWaiting) break
    if (!pod) {
      steps.push({ type: 'create', ordinal, revision: revisionFor(observed, ordinal) })
      isWaiting = true
    } else if (isOver(pod)) {
      // Its successor is made when it is gone.
      const isPaused = pauseLeftMs(observed.pauses, pod.metadata.name, observed.now) > 0
      if (!isBeingDeleted(pod) && !isPaused) steps.push({ type: 'delete', pod, why: 'failed' })
      isWaiting = true
    } else if (!isReadyToGoOn(pod)) isWaiting = true
  }
  if (isOrdered && isWaiting) return steps
  const unhealthy = firstUnhealthy(slots, condemned, isReadyToGoOn)
  for (const pod of condemned) {
    if (isBeingDeleted(pod)) {
      if (isOrdered) return steps
      continue
    }
    // A pod that is not up holds up the others, unless it is the one that is in the way.
    if (isOrdered && !isReadyToGoOn(pod) && pod !== unhealthy) return steps
    steps.push({ type: 'delete', pod, why: 'scale' })
    if (isOrdered) return steps
  }
  if (set.spec.updateStrategy?.type === 'OnDelete' || steps.length > 0) return steps
  const partition = set.spec.updateStrategy?.rollingUpdate?.partition ?? 0
  for (const { ordinal, pod } of slots.toReversed()) {
    if (ordinal < (set.spec.ordinals?.start ?? 0) + partition) break
    if (!pod) return steps
    if (revisionOf(pod) !== updateRevision && !isBeingDeleted(pod))
      return [...steps, { type: 'delete', pod, why: 'update' }]
    if (!isReadyToGoOn(pod)) return steps
  }
  return steps
}

/** Below the partition new pods are still of the old revision. */
function revisionFor({ set }: Observed, ordinal: number): 'current' | 'update' {
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {}
  if (type !== 'RollingUpdate') return 'update'
  return ordinal < (set.spec.ordinals?.start ?? 0) + (rollingUpdate?.partition ?? 0) ? 'current' : 'update'
}

function firstUnhealthy(
  slots: readonly Slot[],
  condemned: readonly Pod[],
  isHealthy: (pod: Pod) => boolean,
): Pod | undefined {
  const all = [...slots.flatMap(({ pod }) => pod ?? []), ...condemned.toReversed()]
  return all.find((pod) => !isHealthy(pod))
}

function isOver({ status }: Pod): boolean {
  return status?.phase === 'Failed' || status?.phase === 'Succeeded'
}

function isRunningAndReady(pod: Pod): boolean {
  return pod.status?.phase === 'Running' && isPodReady(pod)
}

function isUp(pod: Pod, { set, now }: Observed): boolean {
  return isRunningAndReady(pod) && isPodAvailable(pod, set.spec.minReadySeconds ?? 0, now)
}

function revisionOf({ metadata }: Pod): string {
  return metadata.labels?.[REVISION_LABEL] ?? ''
}

function statusOf(observed: Observed): V1StatefulSetStatus {
  const { set, pods, currentRevision, updateRevision } = observed
  const count = (test: (pod: Pod) => boolean) => pods.filter(test).length
  const of = (revision: string) => count((pod) => !isBeingDeleted(pod) && revisionOf(pod) === revision)
  const updated = of(updateRevision)
  const ready = count(isRunningAndReady)
  const isComplete =
    set.spec.updateStrategy?.type !== 'OnDelete' && updated === pods.length && ready === pods.length
  const { conditions, collisionCount } = set.status ?? {}
  return {
    observedGeneration: set.metadata.generation,
    replicas: pods.length,
    readyReplicas: ready,
    availableReplicas: count((pod) => isUp(pod, observed)),
    currentReplicas: isComplete ? updated : of(currentRevision),
    updatedReplicas: updated,
    currentRevision: isComplete ? updateRevision : currentRevision,
    updateRevision,
    collisionCount: collisionCount ?? 0,
    ...(conditions ? { conditions } : {}),
  }
}

function nextAvailable({ set, pods }: Observed, now: number): number | undefined {
  const waits = pods
    .map((pod) => availableIn(pod, set.spec.minReadySeconds ?? 0, now))
    .filter((ms): ms is number => ms !== undefined && ms > 0)
  return waits.length > 0 ? Math.min(...waits) : undefined
}
