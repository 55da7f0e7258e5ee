/**
 * Which pods a set of interchangeable pods should lose, and how it grows: the pure half of the ReplicaSet controller.
 * Deletion ranking is Kubernetes' own, first difference decides, the first in order goes first: unassigned; Pending,
 * Unknown, Running; not ready; lower deletion cost; more related pods on its node; ready for a shorter time; more
 * restarts; newer. Times compare by whole powers of two, ties by UID, so that scaling down is not always "the newest".
 */
import { findCondition } from '../api/conditions.ts'
import type { V1ContainerStatus } from '../api/generated/types.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { isPodActive, isPodReady, isPodTerminal } from '../api/pods.ts'
import { isBeingDeleted } from '../api/resource.ts'
import { parseTime } from '../base/date.ts'

const DELETION_COST_ANNOTATION = 'controller.kubernetes.io/pod-deletion-cost'
/** Pods made or deleted in one reconcile. */
export const BURST_MAX = 500

const PHASE_RANKS: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }

/** Being deleted and not yet stopped. */
export function isPodTerminating(pod: Pod): boolean {
  return isBeingDeleted(pod) && !isPodTerminal(pod)
}

/**
 * The `count` pods to delete, first to go first. `related` are the active pods of all sets with the same owner
 * (a Deployment's other ReplicaSets), this one's included.
 */
export function podsToDelete(
  pods: readonly Pod[],
  related: readonly Pod[],
  count: number,
  now: number,
): readonly Pod[] {
  if (count >= pods.length) return pods
  const onNode = new Map<string, number>()
  for (const pod of related) {
    const node = isPodActive(pod) ? pod.spec.nodeName : undefined
    if (node) onNode.set(node, (onNode.get(node) ?? 0) + 1)
  }
  const ranked = pods.map((pod) => rankOf(pod, onNode.get(pod.spec.nodeName ?? '') ?? 0))
  return ranked
    .sort((a, b) => byRank(a, b, now))
    .slice(0, count)
    .map(({ pod }) => pod)
}

interface Ranked {
  readonly pod: Pod
  readonly colocated: number
  readonly phase: number
  readonly isReady: boolean
  readonly cost: number
  readonly readyAt: number | undefined
  readonly restarts: number
  readonly sidecarRestarts: number
  readonly createdAt: number | undefined
}

function rankOf(pod: Pod, colocated: number): Ranked {
  const isReady = isPodReady(pod)
  const sidecars = new Set(
    (pod.spec.initContainers ?? [])
      .filter(({ restartPolicy }) => restartPolicy === 'Always')
      .map(({ name }) => name),
  )
  return {
    pod,
    colocated,
    phase: PHASE_RANKS[pod.status?.phase ?? 'Pending'] ?? 0,
    isReady,
    cost: deletionCost(pod),
    readyAt: isReady
      ? parseTime(findCondition(pod.status?.conditions, 'Ready')?.lastTransitionTime)
      : undefined,
    restarts: Math.max(
      0,
      ...(pod.status?.containerStatuses ?? []).map(({ restartCount }) => restartCount ?? 0),
    ),
    sidecarRestarts: Math.max(
      0,
      ...(pod.status?.initContainerStatuses ?? [])
        .filter(({ name }) => sidecars.has(name))
        .map(({ restartCount }) => restartCount ?? 0),
    ),
    createdAt: parseTime(pod.metadata.creationTimestamp),
  }
}

/** Malformed costs count as 0, as upstream: one bad annotation must not stop a scale-down. */
function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.[DELETION_COST_ANNOTATION] ?? '0'
  const isWellFormed = /^(0|-?[1-9]\d*)$/.test(text) && Math.abs(Number(text)) <= 2 ** 31 - 1
  return isWellFormed ? Number(text) : 0
}

function byRank(a: Ranked, b: Ranked, now: number): number {
  const isAssigned = ({ pod }: Ranked) => (pod.spec.nodeName ? 1 : 0)
  return (
    isAssigned(a) - isAssigned(b) ||
    a.phase - b.phase ||
    Number(a.isReady) - Number(b.isReady) ||
    a.cost - b.cost ||
    b.colocated - a.colocated ||
    (a.isReady && b.isReady ? byAge(a, b, a.readyAt, b.readyAt, now) : 0) ||
    b.restarts - a.restarts ||
    b.sidecarRestarts - a.sidecarRestarts ||
    byAge(a, b, a.createdAt, b.createdAt, now)
  )
}

/** Younger first, in steps that double: 9 s and 15 s are the same age, 15 s and 17 s are not. Unknown is youngest. */
function byAge(a: Ranked, b: Ranked, atA: number | undefined, atB: number | undefined, now: number): number {
  if (atA === atB) return 0
  if (atA === undefined) return -1
  if (atB === undefined) return 1
  const difference = logarithm(now - atA) - logarithm(now - atB)
  if (difference !== 0) return difference
  return (a.pod.metadata.uid ?? '') < (b.pod.metadata.uid ?? '') ? -1 : 1
}

/** Of nanoseconds, as upstream; the unit moves where the steps fall. */
function logarithm(ms: number): number {
  return ms <= 0 ? -1 : Math.floor(Math.log2(ms * 1e6))
}

const REJECTED_PAUSE_MS = 1000
const REJECTED_PAUSE_MAX_MS = 5 * 60_000
const REJECTED_WINDOW_MS = 60 * 60_000

/**
 * Until pods may be made again after nodes rejected some: none of their containers was ever started. 1 s after the
 * first round of as many as are wanted, doubling with each of the last hour, at most 5 minutes.
 * @param pods all that the set owns
 */
export function rejectedPauseMs(pods: readonly Pod[], wanted: number, now: number): number {
  const madeAt = ({ metadata }: Pod) => parseTime(metadata.creationTimestamp) ?? 0
  const times = pods
    .filter(({ status }) => status?.phase === 'Failed' && !status.containerStatuses?.some(wasStarted))
    .map(madeAt)
    .filter((at) => now - at < REJECTED_WINDOW_MS)
  if (times.length === 0) return 0
  const rounds = Math.ceil(times.length / Math.max(1, wanted))
  const pauseMs = Math.min(REJECTED_PAUSE_MAX_MS, REJECTED_PAUSE_MS * 2 ** Math.min(rounds - 1, 20))
  return Math.max(0, Math.max(...times) + pauseMs - now)
}

function wasStarted({ state }: V1ContainerStatus): boolean {
  return state?.running !== undefined || state?.terminated !== undefined
}

/** Sizes of the batches in which `count` things are made: 1, 2, 4 … so that a sure failure is met once, not 500 times. */
export function slowStartBatches(count: number): number[] {
  const sizes: number[] = []
  for (let left = count, size = 1; left > 0; left -= size, size *= 2) sizes.push(Math.min(size, left))
  return sizes
}

/** Runs `make` in slow-start batches; stops after a batch with a failure. */
export async function slowStart(
  count: number,
  make: () => Promise<void>,
): Promise<{ readonly succeeded: number; readonly error?: unknown }> {
  let succeeded = 0
  for (const size of slowStartBatches(count)) {
    const results = await Promise.allSettled(Array.from({ length: size }, make))
    const failed = results.filter((result) => result.status === 'rejected')
    succeeded += size - failed.length
    if (failed[0]) return { succeeded, error: failed[0].reason }
  }
  return { succeeded }
}
