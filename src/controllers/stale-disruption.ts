/**
 * A pod that was told it would be disrupted (DisruptionTarget) and is still not being deleted two minutes later is told
 * that it will not: whoever meant to delete it failed or thought better of it.
 */
import { findCondition, setCondition } from '../api/conditions.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { isPodTerminal } from '../api/pods.ts'
import { isBeingDeleted, keyOf } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import { parseTime } from '../base/date.ts'
import { WorkQueue } from '../base/work-queue.ts'
import type { Loop } from './controller.ts'

const STALE_MS = 120_000
const TYPE = 'DisruptionTarget'

/** Epoch ms from which the condition is stale; undefined when it is not of the sort that becomes so. Pure. */
export function staleAt(found: Pod): number | undefined {
  if (isBeingDeleted(found) || isPodTerminal(found)) return undefined
  const target = findCondition(found.status?.conditions, TYPE)
  // What the kubelet says holds however long it takes.
  if (target?.status !== 'True' || target.reason === 'TerminationByKubelet') return undefined
  return (parseTime(target.lastTransitionTime) ?? 0) + STALE_MS
}

export const staleDisruptionLoop: Loop = {
  name: 'stale-disruption',
  start({ client: given, informers, env }) {
    const client = given.as('disruption-controller')
    const queue = new WorkQueue(env.clock, {
      async work(key) {
        const found = informers.of(pod).get(key)
        const dueAt = found && staleAt(found)
        if (!found || dueAt === undefined) return
        const now = env.clock.now()
        if (dueAt > now) return queue.addAfter(key, dueAt - now)
        const conditions = setCondition(found.status?.conditions, { type: TYPE, status: 'False' }, now)
        const update = { ...found, status: { ...found.status, conditions } }
        try {
          await client.update(pod, update, { subresource: 'status' })
        } catch (error) {
          if (!isReason(error, 'NotFound')) throw error
        }
      },
      onError: (key, error) => env.log.debug({ err: error, key }, 'stale disruption retried'),
    })
    const cancel = informers.of(pod).onChange(({ type, resource }) => {
      if (type !== 'deleted' && staleAt(resource) !== undefined) queue.add(keyOf(resource))
    })
    return {
      async stop() {
        cancel()
        await queue.close()
      },
    }
  },
}
