/** Keeps the Endpoints object of a service, for clients that have not moved to EndpointSlices. */
import { type Endpoints, endpoints } from '../api/kinds/endpoints.ts'
import { pod } from '../api/kinds/pod.ts'
import { isHeadless, type Service, service } from '../api/kinds/service.ts'
import { isBeingDeleted, keyOf, parseKey } from '../api/resource.ts'
import { isNamespaceTerminating, isReason } from '../api/status.ts'
import { deepEqual } from '../base/json.ts'
import type { Client } from '../client/client.ts'
import { type Controller, restFor, watched } from './controller.ts'
import { endpointSubsets } from './endpoint-subsets.ts'
import { HEADLESS_LABEL, hasSelectedPods, podsNear, servicePods, servicesConcerned } from './service-pods.ts'
import { TriggerTimes, withTriggerTime } from './trigger-times.ts'

const MANAGED_BY = 'endpoints.kubernetes.io/managed-by'
const MANAGER = 'endpoint-controller'
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity'

export function endpointsController(): Controller<Service> {
  const times = new TriggerTimes()
  return {
    name: 'endpoint',
    kind: service,
    watches: [
      watched({ kind: pod, keys: servicesConcerned }),
      watched({ kind: endpoints, keys: ({ resource }) => [keyOf(resource)] }),
    ],
    async reconcile({ client, informers }, found) {
      if (!hasSelectedPods(found) || isBeingDeleted(found)) return undefined
      const { name } = found.metadata
      const pods = servicePods(found, podsNear(found, informers))
      const changedAt = times.look(found, pods)
      const existing = informers.of(endpoints).get(keyOf(found))
      const wanted = endpointsOf(found, existing, endpointSubsets(found, pods), changedAt)
      if (!existing) await create(client, wanted)
      else if (
        !deepEqual(existing.subsets ?? [], wanted.subsets) ||
        !deepEqual(existing.metadata.labels, wanted.metadata.labels) ||
        existing.metadata.annotations?.[OVER_CAPACITY] !== wanted.metadata.annotations?.[OVER_CAPACITY]
      )
        await client.update(endpoints, {
          ...wanted,
          metadata: { ...existing.metadata, ...wanted.metadata, name },
        })
      return { restMs: restFor(pods.length) }
    },
    /** Only what this controller made: Endpoints that somebody wrote by hand stay. */
    async deleted({ client, informers }, key) {
      times.forget(key)
      const existing = informers.of(endpoints).get(key)
      if (existing?.metadata.labels?.[MANAGED_BY] !== MANAGER) return undefined
      try {
        await client.delete(endpoints, parseKey(key), { preconditions: { uid: existing.metadata.uid } })
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error
      }
      return undefined
    },
  }
}

async function create(client: Client, wanted: Endpoints): Promise<void> {
  try {
    await client.create(endpoints, wanted)
  } catch (error) {
    if (!isNamespaceTerminating(error)) throw error
  }
}

function endpointsOf(
  found: Service,
  existing: Endpoints | undefined,
  { subsets, isTruncated }: ReturnType<typeof endpointSubsets>,
  changedAt: string | undefined,
): Endpoints {
  const { [HEADLESS_LABEL]: _, ...own } = found.metadata.labels ?? {}
  const { [OVER_CAPACITY]: __, ...annotations } = withTriggerTime(existing?.metadata.annotations, changedAt)
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      name: found.metadata.name,
      namespace: found.metadata.namespace,
      labels: { ...own, [MANAGED_BY]: MANAGER, ...(isHeadless(found) ? { [HEADLESS_LABEL]: '' } : {}) },
      annotations: { ...annotations, ...(isTruncated ? { [OVER_CAPACITY]: 'truncated' } : {}) },
    },
    subsets,
  }
}
