/** Deletes finished Jobs ttlSecondsAfterFinished after their end, and their pods with them. */
import { findCondition } from '../api/conditions.ts'
import { type Job, job } from '../api/kinds/job.ts'
import { isBeingDeleted } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import { parseTime } from '../base/date.ts'
import type { Controller } from './controller.ts'

/** Epoch ms; undefined while it runs. */
export function finishedAt({ status }: Job): number | undefined {
  const end = ['Complete', 'Failed']
    .map((type) => findCondition(status?.conditions, type))
    .find((condition) => condition?.status === 'True')
  return parseTime(end?.lastTransitionTime)
}

export const ttlAfterFinishedController: Controller<Job> = {
  name: 'ttl-after-finished',
  kind: job,
  async reconcile({ client, env }, found) {
    const { ttlSecondsAfterFinished: ttl } = found.spec
    const endedAt = finishedAt(found)
    if (ttl === undefined || endedAt === undefined || isBeingDeleted(found)) return undefined
    const leftMs = endedAt + ttl * 1000 - env.clock.now()
    if (leftMs > 0) return { requeueAfterMs: leftMs }
    const { namespace, name, uid, resourceVersion } = found.metadata
    try {
      await client.delete(
        job,
        { namespace, name },
        { propagationPolicy: 'Foreground', preconditions: { uid, resourceVersion } },
      )
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
    return undefined
  },
}
