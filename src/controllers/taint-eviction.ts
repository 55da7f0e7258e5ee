/** Deletes pods from nodes with NoExecute taints they do not tolerate, or no longer tolerate. */
import { setCondition } from '../api/conditions.ts'
import type { V1Taint } from '../api/generated/types.ts'
import { type Node, node } from '../api/kinds/node.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { toleration } from '../api/placement.ts'
import { isPodTerminal } from '../api/pods.ts'
import { isBeingDeleted, keyOf } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import { parseTime } from '../base/date.ts'
import type { Client } from '../client/client.ts'
import { type Controller, watched } from './controller.ts'

export const taintEvictionController: Controller<Node> = {
  name: 'taint-eviction',
  kind: node,
  watches: [
    watched({
      kind: pod,
      keys: ({ type, resource: { spec } }, informers) => {
        if (type === 'deleted' || !spec.nodeName) return []
        const home = informers.of(node).get(spec.nodeName)
        return home && noExecute(home).length > 0 ? [spec.nodeName] : []
      },
    }),
  ],
  async reconcile({ client, informers, events, env }, found) {
    const taints = noExecute(found)
    if (taints.length === 0) return undefined
    const now = env.clock.now()
    const waits: number[] = []
    for (const each of informers.of(pod).byIndex('node', found.metadata.name)) {
      if (isBeingDeleted(each) || isPodTerminal(each)) continue
      const dueAt = evictionDueAt(each, taints)
      if (dueAt === undefined) continue
      if (dueAt > now) waits.push(dueAt - now)
      else {
        events.event(each, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${keyOf(each)}`)
        await evict(client, each, now, BY_TAINT)
      }
    }
    return waits.length > 0 ? { requeueAfterMs: Math.min(...waits) } : undefined
  },
}

function noExecute({ spec }: Node): readonly V1Taint[] {
  return (spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute')
}

/**
 * When the pod must go, in epoch ms: undefined never, 0 at once. A toleration with tolerationSeconds counts from when
 * the taint was added, or the pod was made if that was later; the shortest of all that apply wins.
 */
export function evictionDueAt(pod: Pod, taints: readonly V1Taint[]): number | undefined {
  const madeAt = parseTime(pod.metadata.creationTimestamp) ?? 0
  let dueAt = Number.POSITIVE_INFINITY
  for (const taint of taints) {
    const tolerating = (pod.spec.tolerations ?? []).filter((each) => toleration(each, taint))
    if (tolerating.length === 0) return 0
    const since = Math.max(parseTime(taint.timeAdded) ?? 0, madeAt)
    for (const { tolerationSeconds } of tolerating) {
      if (tolerationSeconds === undefined) continue
      dueAt = Math.min(dueAt, tolerationSeconds <= 0 ? 0 : since + tolerationSeconds * 1000)
    }
  }
  return dueAt === Number.POSITIVE_INFINITY ? undefined : dueAt
}

const BY_TAINT = {
  reason: 'DeletionByTaintManager',
  message: 'Taint manager: deleting due to NoExecute taint',
}

/** The pod learns first why it goes. */
export async function evict(
  client: Client,
  doomed: Pod,
  now: number,
  why: { readonly reason: string; readonly message: string },
): Promise<void> {
  const { namespace, name, uid } = doomed.metadata
  const target = { type: 'DisruptionTarget', status: 'True', ...why }
  try {
    const conditions = setCondition(doomed.status?.conditions, target, now)
    await client.update(
      pod,
      { ...doomed, status: { ...doomed.status, conditions } },
      { subresource: 'status' },
    )
    await client.delete(pod, { namespace, name }, { preconditions: { uid } })
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error
  }
}
