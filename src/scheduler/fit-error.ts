import type { Rejection } from './plugin.ts'

/** Why a pod fits on no node; what FailedScheduling and the PodScheduled condition say (framework.FitError). */
export interface FitError {
  readonly nodes: number
  /** Per node name; absent nodes were not asked (a rejection for all). */
  readonly rejections: ReadonlyMap<string, Rejection>
  /** A rejection of all nodes at once by a preFilter. */
  readonly reject?: string
  readonly plugins: ReadonlySet<string>
}

/**
 * `0/5 nodes are available: 2 Insufficient cpu, 3 node(s) had untolerated taint(s). preemption: …`. Reasons are sorted
 * as strings, so "10 x" comes before "2 y", as upstream.
 */
export function fitErrorMessage(error: FitError, postFilter?: string): string {
  if (error.nodes === 0) return 'no nodes available to schedule pods'
  let message = `0/${error.nodes} nodes are available:`
  if (error.reject !== undefined) message += ` ${error.reject}.`
  else {
    const histogram = reasonHistogram(error.rejections.values())
    if (histogram.length > 0) message += ` ${histogram.join(', ')}.`
  }
  return postFilter ? `${message} ${postFilter}` : message
}

function reasonHistogram(rejections: Iterable<Rejection>): string[] {
  const counts = new Map<string, number>()
  for (const { reasons } of rejections)
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts].map(([reason, count]) => `${count} ${reason}`).sort(compareBytes)
}

function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
