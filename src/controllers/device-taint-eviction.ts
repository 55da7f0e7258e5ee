/**
 * Deletes pods whose devices have a NoExecute taint that their claim does not tolerate, or no longer. Drivers put taints
 * on devices in their ResourceSlices; what a claim tolerates stands in its allocation.
 */
import type { V1DeviceRequestAllocationResult, V1DeviceTaint } from '../api/generated/types.ts'
import { pod } from '../api/kinds/pod.ts'
import { type ResourceClaim, resourceClaim } from '../api/kinds/resource-claim.ts'
import { type ResourceSlice, resourceSlice } from '../api/kinds/resource-slice.ts'
import { toleration } from '../api/placement.ts'
import { isPodTerminal } from '../api/pods.ts'
import { isBeingDeleted, keyOf } from '../api/resource.ts'
import { parseTime } from '../base/date.ts'
import { type Controller, watched } from './controller.ts'
import { evict } from './taint-eviction.ts'

type Result = V1DeviceRequestAllocationResult

const resultsOf = ({ status }: ResourceClaim): readonly Result[] => status?.allocation?.devices?.results ?? []

export const deviceTaintEvictionController: Controller<ResourceClaim> = {
  name: 'device-taint-eviction',
  kind: resourceClaim,
  watches: [
    watched<ResourceSlice>({
      kind: resourceSlice,
      keys: ({ resource: { spec } }, informers) =>
        informers
          .of(resourceClaim)
          .list()
          .filter((claim) =>
            resultsOf(claim).some(({ driver, pool }) => driver === spec.driver && pool === spec.pool.name),
          )
          .map(keyOf),
    }),
    watched({ kind: pod, keys: () => [] }),
  ],
  async reconcile({ client, informers, events, env }, claim) {
    const results = resultsOf(claim)
    if (results.length === 0) return undefined
    const dueAt = deviceEvictionAt(results, informers.of(resourceSlice).list())
    if (dueAt === undefined) return undefined
    const now = env.clock.now()
    if (dueAt > now) return { requeueAfterMs: dueAt - now }
    for (const { resource, name, uid } of claim.status?.reservedFor ?? []) {
      const user = resource === 'pods' && informers.of(pod).get(`${claim.metadata.namespace}/${name}`)
      if (!user || user.metadata.uid !== uid || isBeingDeleted(user) || isPodTerminal(user)) continue
      events.event(user, 'Normal', 'DeviceTaintManagerEviction', 'Marking for deletion')
      await evict(client, user, now, {
        reason: 'DeletionByDeviceTaintManager',
        message: 'Device Taint manager: deleting due to NoExecute taint',
      })
    }
    return undefined
  },
}

/** When who uses these devices must go, in epoch ms: undefined never, 0 at once; the shortest toleration counts. Pure. */
export function deviceEvictionAt(
  results: readonly Result[],
  slices: readonly ResourceSlice[],
): number | undefined {
  const times = results.flatMap((result) =>
    taintsOf(result, slices)
      .filter(({ taint }) => taint.effect === 'NoExecute')
      .flatMap(({ taint, writtenAt }) => {
        const tolerating = (result.tolerations ?? []).filter((each) => toleration(each, taint))
        if (tolerating.length === 0) return [0]
        const since = parseTime(taint.timeAdded) ?? writtenAt
        return tolerating.flatMap(({ tolerationSeconds }) =>
          tolerationSeconds === undefined
            ? []
            : [tolerationSeconds <= 0 ? 0 : since + tolerationSeconds * 1000],
        )
      }),
  )
  return times.length > 0 ? Math.min(...times) : undefined
}

interface Found {
  readonly taint: V1DeviceTaint
  /** When the slice was last written: a taint that does not say since when it is there is not older for sure. */
  readonly writtenAt: number
}

/** As the newest generation of its pool has them. */
function taintsOf({ driver, pool, device }: Result, slices: readonly ResourceSlice[]): readonly Found[] {
  const ofPool = slices.filter(({ spec }) => spec.driver === driver && spec.pool.name === pool)
  const newest = Math.max(...ofPool.map(({ spec }) => spec.pool.generation))
  return ofPool
    .filter(({ spec }) => spec.pool.generation === newest)
    .flatMap(({ metadata, spec }) => {
      const times = [metadata.creationTimestamp, ...(metadata.managedFields ?? []).map(({ time }) => time)]
      const writtenAt = Math.max(0, ...times.map((time) => parseTime(time) ?? 0))
      const taints = (spec.devices ?? []).filter(({ name }) => name === device)
      return taints.flatMap((each) => (each.taints ?? []).map((taint) => ({ taint, writtenAt })))
    })
}
