/**
 * One step of a DaemonSet (daemon_controller.go, update.go), as a pure function: which nodes get a pod now, which pods go,
 * and the status. A rolling update deletes old pods within maxUnavailable, those that are not available anyway first and
 * without budget; with maxSurge it makes the new one beside the old one and deletes the old one once that is available.
 */
import type { V1DaemonSetStatus } from '../api/generated/types.ts'
import { scaledValue } from '../api/int-or-percent.ts'
import type { DaemonSet } from '../api/kinds/daemon-set.ts'
import type { Node } from '../api/kinds/node.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { availableIn, isPodAvailable, isPodReady } from '../api/pods.ts'
import { isBeingDeleted } from '../api/resource.ts'
import { parseTime } from '../base/date.ts'
import { REVISION_LABEL } from './controller-revisions.ts'
import { nodeOfDaemonPod, verdictOn } from './daemon-pod.ts'
import { BURST_MAX } from './pod-set.ts'

export interface DaemonObserved {
  readonly set: DaemonSet
  readonly nodes: readonly Node[]
  /** All pods the set controls. */
  readonly pods: readonly Pod[]
  /** The short hash of the template's revision. */
  readonly hash: string
  /** Epoch ms. */
  readonly now: number
}

export interface DaemonPlan {
  /** Names of nodes. */
  readonly create: readonly string[]
  readonly remove: readonly Pod[]
  /** Of those: ended by themselves, which is told. */
  readonly ended: readonly Pod[]
  readonly status: V1DaemonSetStatus
  readonly lookAgainInMs: number | undefined
}

/** Upstream's burst of daemon sets. */
const BURST = Math.min(250, BURST_MAX)
/** A pod that ends stays this long after it was made: one that ends at once is not replaced in a circle. */
const ENDED_MS = 10_000

interface Place {
  readonly node: Node
  readonly shouldRun: boolean
  readonly shouldContinue: boolean
  /** Oldest first. */
  readonly pods: readonly Pod[]
}

export function planDaemonSet(observed: DaemonObserved): DaemonPlan {
  const { set } = observed
  const byNode = new Map<string, Pod[]>()
  for (const pod of observed.pods) {
    const node = nodeOfDaemonPod(pod)
    if (node !== undefined) byNode.set(node, [...(byNode.get(node) ?? []), pod])
  }
  const places = observed.nodes.map((node) => ({
    node,
    ...verdictOn(set, node),
    pods: (byNode.get(node.metadata.name) ?? []).toSorted(byCreation),
  }))
  const status = statusOf(observed, places)
  const lookAgainInMs = nextAvailable(observed)
  if (isBeingDeleted(set)) return { create: [], remove: [], ended: [], status, lookAgainInMs }
  const surge = maxSurge(set, places)
  const managed = places.map((place) => manage(observed, place, surge > 0))
  const ended = managed.flatMap((each) => each.ended)
  const create = managed.flatMap((each) => each.create)
  const remove = managed.flatMap((each) => each.remove)
  const isAtRest = create.length === 0 && remove.length === 0
  // Lost nodes take their pods with them; those that are left over belong to nobody's budget.
  const known = new Set(observed.nodes.map(({ metadata }) => metadata.name))
  const stray = observed.pods.filter((pod) => {
    const node = nodeOfDaemonPod(pod)
    return node !== undefined && !known.has(node) && !pod.spec.nodeName && !isBeingDeleted(pod)
  })
  const update =
    isAtRest && set.spec.updateStrategy?.type === 'RollingUpdate'
      ? surge > 0
        ? surgeUpdate(observed, places, surge)
        : deleteUpdate(observed, places)
      : { create: [], remove: [] }
  return {
    create: [...create, ...update.create].slice(0, BURST),
    remove: [...remove, ...stray, ...update.remove].slice(0, BURST),
    ended,
    status,
    lookAgainInMs,
  }
}

interface Changes {
  readonly create: readonly string[]
  readonly remove: readonly Pod[]
}

function manage(
  observed: DaemonObserved,
  place: Place,
  surges: boolean,
): Changes & { ended: readonly Pod[] } {
  const { node, shouldRun, shouldContinue, pods } = place
  if (!shouldContinue) return { create: [], remove: pods.filter((pod) => !isBeingDeleted(pod)), ended: [] }
  const ended = pods.filter(
    (pod) => isOver(pod) && !isBeingDeleted(pod) && endedLeftMs(pod, observed.now) <= 0,
  )
  const running = pods.filter((pod) => !isOver(pod) && !isBeingDeleted(pod))
  // The name of its successor differs, but two would be on the node while it goes.
  if (shouldRun && pods.length === 0) return { create: [node.metadata.name], remove: [], ended: [] }
  const extra = surges ? extraWithSurge(observed, running) : running.slice(1)
  return { create: [], remove: [...ended, ...extra], ended }
}

/** One of the old and one of the new template may be there; the old one goes when the new one is available. */
function extraWithSurge({ set, hash, now }: DaemonObserved, running: readonly Pod[]): readonly Pod[] {
  const [newest, ...moreNew] = running.filter((pod) => hashOf(pod) === hash)
  const [oldest, ...moreOld] = running.filter((pod) => hashOf(pod) !== hash)
  const isReplaced = newest && oldest && isPodAvailable(newest, set.spec.minReadySeconds ?? 0, now)
  return [...moreNew, ...moreOld, ...(isReplaced ? [oldest] : [])]
}

function deleteUpdate(observed: DaemonObserved, places: readonly Place[]): Changes {
  const { set, hash, now } = observed
  const minReady = set.spec.minReadySeconds ?? 0
  let unavailable = 0
  const free: Pod[] = []
  const candidates: Pod[] = []
  for (const { pods } of places.filter(({ shouldRun }) => shouldRun)) {
    const current = pods.find((pod) => hashOf(pod) === hash && !isOver(pod))
    const old = pods.find((pod) => hashOf(pod) !== hash && !isOver(pod))
    if (current) {
      if (!isPodAvailable(current, minReady, now) || isBeingDeleted(current)) unavailable += 1
    } else if (!old) unavailable += 1
    else if (isBeingDeleted(old)) unavailable += 1
    else if (!isPodAvailable(old, minReady, now)) {
      unavailable += 1
      free.push(old)
    } else candidates.push(old)
  }
  const budget = Math.max(0, maxUnavailable(set, places) - unavailable)
  return { create: [], remove: [...free, ...candidates.slice(0, budget)] }
}

function surgeUpdate(observed: DaemonObserved, places: readonly Place[], surge: number): Changes {
  const { set, hash, now } = observed
  const minReady = set.spec.minReadySeconds ?? 0
  let surging = 0
  const free: string[] = []
  const candidates: string[] = []
  for (const { node, pods } of places.filter(({ shouldRun }) => shouldRun)) {
    const current = pods.find((pod) => hashOf(pod) === hash && !isOver(pod))
    const old = pods.find((pod) => hashOf(pod) !== hash && !isOver(pod))
    if (!old) continue
    if (current) {
      if (!isPodAvailable(current, minReady, now)) surging += 1
    } else if (isBeingDeleted(old)) surging += 1
    else if (!isPodAvailable(old, minReady, now)) free.push(node.metadata.name)
    else candidates.push(node.metadata.name)
  }
  return { create: [...free, ...candidates.slice(0, Math.max(0, surge - surging))], remove: [] }
}

function desiredOf(places: readonly Place[]): number {
  return places.filter(({ shouldRun }) => shouldRun).length
}

/** Both round up; both 0 would never end, so one pod may be missing then. */
function maxUnavailable(set: DaemonSet, places: readonly Place[]): number {
  const value = set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1
  const scaled = scaledValue(value, desiredOf(places), 'up')
  return scaled === 0 && maxSurge(set, places) === 0 ? 1 : scaled
}

function maxSurge(set: DaemonSet, places: readonly Place[]): number {
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {}
  return type === 'RollingUpdate' ? scaledValue(rollingUpdate?.maxSurge ?? 0, desiredOf(places), 'up') : 0
}

function statusOf({ set, hash, now }: DaemonObserved, places: readonly Place[]): V1DaemonSetStatus {
  const minReady = set.spec.minReadySeconds ?? 0
  const wanted = places.filter(({ shouldRun }) => shouldRun)
  const there = wanted.filter(({ pods }) => pods.length > 0)
  const some = (test: (pod: Pod) => boolean) =>
    there.filter(({ pods }) => pods.some((pod) => !isBeingDeleted(pod) && test(pod))).length
  const available = some((pod) => isPodAvailable(pod, minReady, now))
  const { conditions, collisionCount } = set.status ?? {}
  return {
    observedGeneration: set.metadata.generation,
    desiredNumberScheduled: wanted.length,
    currentNumberScheduled: there.length,
    numberMisscheduled: places.filter(({ shouldRun, pods }) => !shouldRun && pods.length > 0).length,
    numberReady: some(isPodReady),
    updatedNumberScheduled: some((pod) => hashOf(pod) === hash),
    numberAvailable: available,
    numberUnavailable: wanted.length - available,
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(conditions ? { conditions } : {}),
  }
}

function nextAvailable({ set, pods, now }: DaemonObserved): number | undefined {
  const waits = pods
    .map((pod) => availableIn(pod, set.spec.minReadySeconds ?? 0, now))
    .concat(pods.filter(isOver).map((pod) => endedLeftMs(pod, now)))
    .filter((ms): ms is number => ms !== undefined && ms > 0)
  return waits.length > 0 ? Math.min(...waits) : undefined
}

function hashOf({ metadata }: Pod): string | undefined {
  return metadata.labels?.[REVISION_LABEL]
}

function isOver({ status }: Pod): boolean {
  return status?.phase === 'Failed' || status?.phase === 'Succeeded'
}

function endedLeftMs({ metadata }: Pod, now: number): number {
  return (parseTime(metadata.creationTimestamp) ?? 0) + ENDED_MS - now
}

function byCreation(a: Pod, b: Pod): number {
  const at = ({ metadata }: Pod) => parseTime(metadata.creationTimestamp) ?? 0
  return at(a) - at(b) || (a.metadata.name < b.metadata.name ? -1 : 1)
}
