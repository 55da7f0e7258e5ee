/**
 * Removes pods nobody else will: those of nodes that are gone, those that are being deleted and were never scheduled,
 * those that are being deleted on a node that is out of service, and the oldest finished ones when there are too many. A node counts as gone 40 s after it was first missed and when
 * a live read agrees.
 */
import { findCondition, setCondition } from '../api/conditions.ts'
import type { V1PodCondition } from '../api/generated/types.ts'
import { type Node, node } from '../api/kinds/node.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { isPodTerminal } from '../api/pods.ts'
import { isBeingDeleted } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import { every } from '../base/clock.ts'
import { parseTime } from '../base/date.ts'
import { WorkQueue } from '../base/work-queue.ts'
import type { Loop, ReconcileContext } from './controller.ts'

const PERIOD_MS = 20_000
const QUARANTINE_MS = 40_000
const TERMINATED_MAX = 12_500
const NODE_GONE = {
  type: 'DisruptionTarget',
  status: 'True',
  reason: 'DeletionByPodGC',
  message: 'PodGC: node no longer exists',
}

export const podGcLoop: Loop = {
  name: 'pod-garbage-collector',
  start(given) {
    const context = { ...given, client: given.client.as('pod-garbage-collector') }
    const { env, informers } = context
    let missed: ReadonlyMap<string, number> = new Map()
    const queue = new WorkQueue(env.clock, {
      backoffMaxMs: PERIOD_MS,
      async work() {
        if (!informers.of(pod).hasSynced || !informers.of(node).hasSynced) return
        const nodes = informers.of(node)
        const plan = decidePodGc(informers.of(pod).list(), (name) => nodes.get(name), missed, env.clock.now())
        missed = plan.missed
        const gone = await confirmed(context, plan.suspects)
        for (const each of plan.orphans.filter(({ spec }) => gone.has(spec.nodeName ?? '')))
          await failAndRemove(context, each, NODE_GONE)
        for (const each of plan.remove) await failAndRemove(context, each)
      },
      onError: (_, error) => env.log.warn({ err: error }, 'pod garbage collection retried'),
    })
    informers.of(pod)
    informers.of(node)
    const cancel = every(env.clock, PERIOD_MS, () => queue.add('pods'))
    return {
      async stop() {
        cancel()
        await queue.close()
      },
    }
  },
}

export interface PodGcPlan {
  /** Pods of nodes missed for longer than the quarantine; to be removed if a live read agrees that the node is gone. */
  readonly orphans: readonly Pod[]
  readonly suspects: ReadonlySet<string>
  readonly remove: readonly Pod[]
  /** Since when each node is missed; for the next decision. */
  readonly missed: ReadonlyMap<string, number>
}

export function decidePodGc(
  pods: readonly Pod[],
  nodeOf: (name: string) => Node | undefined,
  missedBefore: ReadonlyMap<string, number>,
  now: number,
): PodGcPlan {
  const missed = new Map<string, number>()
  for (const { spec } of pods) {
    if (spec.nodeName && !nodeOf(spec.nodeName))
      missed.set(spec.nodeName, missedBefore.get(spec.nodeName) ?? now)
  }
  const suspects = new Set(
    [...missed].filter(([, since]) => now - since >= QUARANTINE_MS).map(([name]) => name),
  )
  const terminated = pods.filter((each) => isPodTerminal(each) && !isBeingDeleted(each))
  const tooMany = terminated
    .toSorted(
      (a, b) => Number(isEvicted(b)) - Number(isEvicted(a)) || createdAt(a) - createdAt(b) || byName(a, b),
    )
    .slice(0, Math.max(0, terminated.length - TERMINATED_MAX))
  const unscheduled = pods.filter((each) => isBeingDeleted(each) && !each.spec.nodeName)
  const outOfService = pods.filter((each) => {
    const home = isBeingDeleted(each) ? nodeOf(each.spec.nodeName ?? '') : undefined
    return home !== undefined && isOutOfService(home)
  })
  return {
    missed,
    suspects,
    orphans: pods.filter(({ spec }) => spec.nodeName && suspects.has(spec.nodeName)),
    remove: [...outOfService, ...unscheduled, ...tooMany],
  }
}

/** Somebody vouches that nothing runs there any more: its pods need not be waited for. */
function isOutOfService({ spec, status }: Node): boolean {
  const isReady = findCondition(status?.conditions, 'Ready')?.status === 'True'
  return !isReady && (spec.taints ?? []).some(({ key }) => key === 'node.kubernetes.io/out-of-service')
}

function isEvicted({ status }: Pod): boolean {
  return status?.phase === 'Failed' && status.reason === 'Evicted'
}

function byName(a: Pod, b: Pod): number {
  return a.metadata.name < b.metadata.name ? -1 : 1
}

function createdAt({ metadata }: Pod): number {
  return parseTime(metadata.creationTimestamp) ?? 0
}

async function confirmed({ client }: ReconcileContext, suspects: ReadonlySet<string>): Promise<Set<string>> {
  const gone = new Set<string>()
  for (const name of suspects) {
    try {
      await client.get(node, { name })
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
      gone.add(name)
    }
  }
  return gone
}

async function failAndRemove(context: ReconcileContext, doomed: Pod, target?: V1PodCondition): Promise<void> {
  const { client, env } = context
  if (!isPodTerminal(doomed)) {
    const conditions = target
      ? { conditions: setCondition(doomed.status?.conditions, target, env.clock.now()) }
      : {}
    const status = { ...doomed.status, phase: 'Failed', ...conditions }
    try {
      await client.update(pod, { ...doomed, status }, { subresource: 'status' })
    } catch (error) {
      if (isReason(error, 'NotFound')) return
      throw error
    }
  }
  await remove(context, doomed)
}

async function remove({ client }: ReconcileContext, doomed: Pod): Promise<void> {
  const { namespace, name, uid } = doomed.metadata
  try {
    await client.delete(pod, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } })
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error
  }
}
