/** How a node that its pool gives up is emptied, as kubectl drain does it, and for how long its pods are waited for. Pure. */
import type { Node } from '../api/kinds/node.ts'
import { isPodTerminal, type Pod } from '../api/pods.ts'
import { controllerOf } from '../api/resource.ts'
import { isMirrorPod } from '../api/static-pods.ts'
import { formatTime, parseTime } from '../base/date.ts'

/** On a node that is being emptied: since when. */
export const DRAINING = 'seamark.dev/draining-since'

/** Beyond the grace of its pods a node is waited for so long: it may not run at all. */
const LOST_MS = 30_000

export type DrainStep =
  /** Closed to new pods, so that none is bound to a node that is about to go. */
  | { readonly do: 'cordon'; readonly node: Node }
  /** Its pods are asked to go, as far as their budgets allow. */
  | { readonly do: 'evict'; readonly pods: readonly Pod[] }
  /** Their time is over: they are deleted whatever their budgets say. */
  | { readonly do: 'delete'; readonly pods: readonly Pod[] }
  | { readonly do: 'remove' }

/** `pods` are those bound to the node; `timeoutMs` is how long budgets are respected. */
export function drainStep(node: Node, pods: readonly Pod[], timeoutMs: number, now: number): DrainStep {
  const since = parseTime(node.metadata.annotations?.[DRAINING])
  if (since === undefined || !node.spec.unschedulable) return { do: 'cordon', node: cordoned(node, now) }
  const left = pods.filter(mustGo)
  if (left.length === 0) return { do: 'remove' }
  const staying = left.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  if (now < since + timeoutMs) return { do: 'evict', pods: staying }
  const graceMs = Math.max(...left.map(({ spec }) => (spec.terminationGracePeriodSeconds ?? 30) * 1000))
  if (now >= since + timeoutMs + graceMs + LOST_MS) return { do: 'remove' }
  return { do: 'delete', pods: staying }
}

/** The node as one of its pool again: new pods may come. The same object where nothing was to be undone. */
export function keptAfterAll(node: Node): Node {
  const { [DRAINING]: since, ...annotations } = node.metadata.annotations ?? {}
  if (since === undefined) return node
  const { unschedulable: _, ...spec } = node.spec
  return { ...node, metadata: { ...node.metadata, annotations }, spec }
}

function cordoned(node: Node, now: number): Node {
  const annotations = { ...node.metadata.annotations }
  annotations[DRAINING] ??= formatTime(now)
  return { ...node, metadata: { ...node.metadata, annotations }, spec: { ...node.spec, unschedulable: true } }
}

/** Not those that belong to the node: a DaemonSet's, and static ones. */
function mustGo(pod: Pod): boolean {
  return !isPodTerminal(pod) && !isMirrorPod(pod) && controllerOf(pod)?.kind !== 'DaemonSet'
}
