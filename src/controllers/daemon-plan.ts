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
import { nodeOfDaemonPod, verdictsOf } from './daemon-pod.ts'
import { type Pauses, pauseLeftMs, pausesAfter } from './failure-pauses.ts'
import { BURST_MAX } from './pod-set.ts'

export interface DaemonObserved {
  readonly set: DaemonSet
  readonly nodes: readonly Node[]
  /** All pods the set controls. */
  readonly pods: readonly Pod[]
  /** The short hash of the template's revision. */
  readonly hash: string
  /** By node, as the last plan for this generation has them. */
  readonly pauses?: Pauses | undefined
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
  readonly pauses: Pauses
  readonly lookAgainInMs: number | undefined
}

/** Upstream's burst of daemon sets. */
export const DAEMON_BURST = Math.min(250, BURST_MAX)
interface Place {
  readonly node: Node
  readonly shouldRun: boolean
  readonly shouldContinue: boolean
  /** Those that were scheduled first, then oldest first; without what has ended and is being deleted. */
  readonly pods: readonly Pod[]
}

export function planDaemonSet(observed: DaemonObserved): DaemonPlan {
  const { set } = observed
  const byNode = new Map<string, Pod[]>()
  for (const pod of observed.pods) {
    const node = nodeOfDaemonPod(pod)
    if (node === undefined || (isOver(pod) && isBeingDeleted(pod))) continue
    const others = byNode.get(node)
    if (others) others.push(pod)
    else byNode.set(node, [pod])
  }
  const verdictOn = verdictsOf(set)
  const places = observed.nodes.map((node) => ({
    node,
    ...verdictOn(node),
    pods: (byNode.get(node.metadata.name) ?? []).toSorted(byPlaceAndAge),
  }))
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
  const waits = [nextAvailable(observed), ...managed.map(({ waitMs }) => waitMs)].filter(
    (ms) => ms !== undefined,
  )
  return {
    create: [...create, ...update.create].slice(0, DAEMON_BURST),
    remove: [...remove, ...stray, ...update.remove].slice(0, DAEMON_BURST),
    ended,
    status: statusOf(observed, places),
    pauses: pausesAfter(
      observed.pauses,
      managed.flatMap(({ failedOn }) => failedOn ?? []),
      observed.now,
    ),
    lookAgainInMs: waits.length > 0 ? Math.min(...waits) : undefined,
  }
}

interface Changes {
  readonly create: readonly string[]
  readonly remove: readonly Pod[]
}

interface Managed extends Changes {
  readonly ended: readonly Pod[]
  /** A failed pod stays so much longer. */
  readonly waitMs?: number
  /** The node, where one was removed. */
  readonly failedOn?: string
}

function manage(observed: DaemonObserved, place: Place, surges: boolean): Managed {
  const { node, shouldRun, shouldContinue, pods } = place
  const { name } = node.metadata
  const here = pods.filter((pod) => !isBeingDeleted(pod))
  if (!shouldContinue) return { create: [], remove: here, ended: [] }
  // The name of its successor differs, but two would be on the node while it goes.
  if (shouldRun && pods.length === 0) return { create: [name], remove: [], ended: [] }
  const running = here.filter((pod) => !isOver(pod))
  const failed = here.filter(({ status }) => status?.phase === 'Failed')
  const succeeded = here.filter(({ status }) => status?.phase === 'Succeeded')
  const waitMs = failed.length > 0 ? pauseLeftMs(observed.pauses, name, observed.now) : 0
  const ended = [...succeeded, ...(waitMs > 0 ? [] : failed)]
  const extra = surges ? extraWithSurge(observed, running) : running.slice(1)
  return {
    // With a surge one that is going does not hold up its successor.
    create: surges && shouldRun && running.length === 0 ? [name] : [],
    remove: [...ended, ...extra],
    ended,
    ...(waitMs > 0 ? { waitMs } : {}),
    ...(failed.length > 0 && waitMs === 0 ? { failedOn: name } : {}),
  }
}

/**
 * One of the old and one of the new template may be there while the old one is ready and the new one is not available;
 * else the old one goes.
 */
function extraWithSurge({ set, hash, now }: DaemonObserved, running: readonly Pod[]): readonly Pod[] {
  const [newest, ...moreNew] = running.filter((pod) => hashOf(pod) === hash)
  const [oldest, ...moreOld] = running.filter((pod) => hashOf(pod) !== hash)
  const isReplaced =
    newest && oldest && (!isPodReady(oldest) || isPodAvailable(newest, set.spec.minReadySeconds ?? 0, now))
  return [...moreNew, ...moreOld, ...(isReplaced ? [oldest] : [])]
}

/** The pods of a place by template; undefined when there are too many, which is put right first. */
function pairOf(
  { pods }: Place,
  hash: string,
): { current: Pod | undefined; old: Pod | undefined } | undefined {
  const here = pods.filter((pod) => !isBeingDeleted(pod))
  const [current, ...moreNew] = here.filter((pod) => hashOf(pod) === hash)
  const [old, ...moreOld] = here.filter((pod) => hashOf(pod) !== hash)
  return moreNew.length + moreOld.length > 0 ? undefined : { current, old }
}

/** Also where no pod should be made any more, but one may stay: that is updated by going. */
function deleteUpdate({ set, hash, now }: DaemonObserved, places: readonly Place[]): Changes {
  const isAvailable = (pod: Pod) => isPodAvailable(pod, set.spec.minReadySeconds ?? 0, now)
  let unavailable = 0
  const free: Pod[] = []
  const candidates: Pod[] = []
  for (const place of places.filter(({ shouldRun, pods }) => shouldRun || pods.length > 0)) {
    const { current, old } = pairOf(place, hash) ?? {}
    if (current && !old) unavailable += isAvailable(current) ? 0 : 1
    else if (!old || current) unavailable += 1
    else if (isAvailable(old)) candidates.push(old)
    else {
      unavailable += 1
      free.push(old)
    }
  }
  const budget = Math.max(0, maxUnavailable(set, places) - unavailable)
  return { create: [], remove: [...free, ...candidates.slice(0, budget)] }
}

/** Where no pod should be made any more, one that is available goes only when there are enough elsewhere. */
function surgeUpdate({ set, hash, now }: DaemonObserved, places: readonly Place[], surge: number): Changes {
  const isAvailable = (pod: Pod) => isPodAvailable(pod, set.spec.minReadySeconds ?? 0, now)
  let surging = 0
  let available = 0
  const free: string[] = []
  const candidates: string[] = []
  const remove: Pod[] = []
  const leaving: Pod[] = []
  for (const place of places) {
    const { current, old } = pairOf(place, hash) ?? { current: undefined, old: undefined }
    const counted = old ?? current
    if (counted && isAvailable(counted)) available += 1
    if (!old) surging += place.pods.length > 0 && !pairOf(place, hash) ? 1 : 0
    else if (current && isAvailable(current)) remove.push(old)
    else if (current) surging += 1
    else if (!place.shouldRun) (isAvailable(old) ? leaving : remove).push(old)
    else (isAvailable(old) ? candidates : free).push(place.node.metadata.name)
  }
  const spare = Math.max(0, available - desiredOf(places))
  return {
    create: [...free, ...candidates.slice(0, Math.max(0, surge - surging))],
    remove: [...remove, ...leaving.slice(0, spare)],
  }
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

/** Of the pods of a node the first counts. */
function statusOf({ set, hash, now }: DaemonObserved, places: readonly Place[]): V1DaemonSetStatus {
  const minReady = set.spec.minReadySeconds ?? 0
  const wanted = places.filter(({ shouldRun }) => shouldRun)
  const first = wanted.flatMap(({ pods: [pod] }) => pod ?? [])
  const available = first.filter((pod) => isPodReady(pod) && isPodAvailable(pod, minReady, now)).length
  const { conditions, collisionCount } = set.status ?? {}
  return {
    observedGeneration: set.metadata.generation,
    desiredNumberScheduled: wanted.length,
    currentNumberScheduled: first.length,
    numberMisscheduled: places.filter(({ shouldRun, pods }) => !shouldRun && pods.length > 0).length,
    numberReady: first.filter(isPodReady).length,
    updatedNumberScheduled: first.filter((pod) => hashOf(pod) === hash).length,
    numberAvailable: available,
    numberUnavailable: wanted.length - available,
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(conditions ? { conditions } : {}),
  }
}

function nextAvailable({ set, pods, now }: DaemonObserved): number | undefined {
  const waits = pods
    .map((pod) => availableIn(pod, set.spec.minReadySeconds ?? 0, now))
    .filter((ms): ms is number => ms !== undefined && ms > 0)
  return waits.length > 0 ? Math.min(...waits) : undefined
}

function hashOf({ metadata }: Pod): string | undefined {
  return metadata.labels?.[REVISION_LABEL]
}

function isOver({ status }: Pod): boolean {
  return status?.phase === 'Failed' || status?.phase === 'Succeeded'
}

function byPlaceAndAge(a: Pod, b: Pod): number {
  const isUnplaced = ({ spec }: Pod) => (spec.nodeName ? 0 : 1)
  const at = ({ metadata }: Pod) => parseTime(metadata.creationTimestamp) ?? 0
  return isUnplaced(a) - isUnplaced(b) || at(a) - at(b) || (a.metadata.name < b.metadata.name ? -1 : 1)
}
