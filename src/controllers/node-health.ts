/**
 * Whether a node is heard of, and the taints and conditions that follow. Pure. A heartbeat counts from when it was
 * noticed here, not by the node's own clock; so after a start or a pause of this process every node gets a whole grace
 * period before it is called silent.
 */
import { findCondition } from '../api/conditions.ts'
import type { V1NodeCondition, V1Taint } from '../api/generated/types.ts'
import type { Lease } from '../api/kinds/lease.ts'
import type { Node } from '../api/kinds/node.ts'
import { formatTime } from '../base/date.ts'

const GRACE_MS = 50_000
/** For nodes that never reported. */
const STARTUP_GRACE_MS = 60_000

const NOT_READY = 'node.kubernetes.io/not-ready'
const UNREACHABLE = 'node.kubernetes.io/unreachable'

const PRESSURE_TAINTS: Readonly<Record<string, string>> = {
  MemoryPressure: 'node.kubernetes.io/memory-pressure',
  DiskPressure: 'node.kubernetes.io/disk-pressure',
  PIDPressure: 'node.kubernetes.io/pid-pressure',
  NetworkUnavailable: 'node.kubernetes.io/network-unavailable',
}
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable'
/** The NoSchedule taints that follow a node's conditions; all other taints are somebody else's. */
const CONDITION_TAINTS = new Set([NOT_READY, UNREACHABLE, UNSCHEDULABLE, ...Object.values(PRESSURE_TAINTS)])
/** Unknown as soon as the node is silent. */
const KUBELET_CONDITIONS = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']

/** What was last noticed of a node. */
export interface Probe {
  /** Changes with each sign of life. */
  readonly sign: string
  readonly noticedAt: number
}

export function observe(probe: Probe | undefined, node: Node, lease: Lease | undefined, now: number): Probe {
  const ready = findCondition(node.status?.conditions, 'Ready')
  // What this controller itself writes (reason NodeStatusUnknown) keeps the heartbeat and is no sign of life.
  const sign = `${ready?.lastHeartbeatTime ?? ''} ${lease?.spec.renewTime ?? ''}`
  return probe?.sign === sign ? probe : { sign, noticedAt: now }
}

export function isSilent(probe: Probe, node: Node, now: number): boolean {
  const hasReported = findCondition(node.status?.conditions, 'Ready')?.lastHeartbeatTime !== undefined
  return now - probe.noticedAt > (hasReported ? GRACE_MS : STARTUP_GRACE_MS)
}

export type Readiness = 'True' | 'False' | 'Unknown'

/** A node without the condition has not reported yet. */
export function readinessOf(node: Node): Readiness {
  const status = findCondition(node.status?.conditions, 'Ready')?.status
  return status === 'True' || status === 'Unknown' ? status : 'False'
}

/** The conditions of a silent node; the very list it has when they say so already. */
export function silentConditions(node: Node, now: number): readonly V1NodeCondition[] {
  let conditions = node.status?.conditions ?? []
  for (const type of KUBELET_CONDITIONS) {
    const before = findCondition(conditions, type)
    if (before?.status === 'Unknown') continue
    const unknown: V1NodeCondition = before
      ? {
          ...before,
          status: 'Unknown',
          reason: 'NodeStatusUnknown',
          message: 'Kubelet stopped posting node status.',
          lastTransitionTime: formatTime(now),
        }
      : {
          type,
          status: 'Unknown',
          reason: 'NodeStatusNeverUpdated',
          message: 'Kubelet never posted node status.',
          lastTransitionTime: formatTime(now),
        }
    conditions = [...conditions.filter((each) => each !== before), unknown]
  }
  return conditions
}

/** The NoSchedule taints a node should have by its conditions and spec.unschedulable. */
export function conditionTaints(node: Node): V1Taint[] {
  const readiness = readinessOf(node)
  const keys: string[] = []
  if (readiness === 'False') keys.push(NOT_READY)
  if (readiness === 'Unknown') keys.push(UNREACHABLE)
  for (const [type, key] of Object.entries(PRESSURE_TAINTS)) {
    if (findCondition(node.status?.conditions, type)?.status === 'True') keys.push(key)
  }
  if (node.spec.unschedulable) keys.push(UNSCHEDULABLE)
  return keys.map((key) => ({ key, effect: 'NoSchedule' }))
}

/** The node's taints with its condition taints put right; undefined when they are. */
export function withConditionTaints(node: Node, now: number): readonly V1Taint[] | undefined {
  const isOurs = ({ key, effect }: V1Taint) => effect === 'NoSchedule' && CONDITION_TAINTS.has(key)
  return replaced(node, isOurs, conditionTaints(node), now)
}

/** The node's taints with the eviction taint of this readiness alone; undefined when they are so. */
export function withEvictionTaint(
  node: Node,
  readiness: Readiness,
  now: number,
): readonly V1Taint[] | undefined {
  const isOurs = ({ key, effect }: V1Taint) =>
    effect === 'NoExecute' && (key === NOT_READY || key === UNREACHABLE)
  const key = readiness === 'Unknown' ? UNREACHABLE : NOT_READY
  return replaced(node, isOurs, readiness === 'True' ? [] : [{ key, effect: 'NoExecute' }], now)
}

function replaced(
  node: Node,
  isOurs: (taint: V1Taint) => boolean,
  wanted: readonly V1Taint[],
  now: number,
): readonly V1Taint[] | undefined {
  const taints = node.spec.taints ?? []
  const isSame = (a: V1Taint, b: V1Taint) => a.key === b.key && a.effect === b.effect
  const missing = wanted.filter((want) => !taints.some((taint) => isSame(taint, want)))
  const kept = taints.filter((taint) => !isOurs(taint) || wanted.some((want) => isSame(taint, want)))
  if (missing.length === 0 && kept.length === taints.length) return undefined
  return [...kept, ...missing.map((taint) => ({ ...taint, timeAdded: formatTime(now) }))]
}
