/**
 * Keeps a service's EndpointSlices: its pods become endpoints in slice-endpoints.ts, slice-plan.ts spreads them, one
 * address family at a time. Slices that somebody changes or deletes are put right again, since they are watched like
 * everything else.
 */

import { type EndpointSlice, endpointSlice } from '../api/kinds/endpoint-slice.ts'
import type { Endpoints } from '../api/kinds/endpoints.ts'
import { type Node, node } from '../api/kinds/node.ts'
import { pod } from '../api/kinds/pod.ts'
import { isHeadless, type Service, service } from '../api/kinds/service.ts'
import { zoneOf } from '../api/placement.ts'
import { controllerReference, isBeingDeleted, keyOf } from '../api/resource.ts'
import { isNamespaceTerminating, isReason } from '../api/status.ts'
import { deepEqual } from '../base/json.ts'
import type { Client } from '../client/client.ts'
import type { InformerChange } from '../client/informer.ts'
import type { Informers } from '../client/informers.ts'
import { type Controller, restFor, watched } from './controller.ts'
import { ServiceHints } from './service-hints.ts'
import {
  familiesOf,
  HEADLESS_LABEL,
  hasSelectedPods,
  podsNear,
  SERVICE_NAME,
  SLICE_MANAGED_BY,
  servicePods,
  servicesConcerned,
} from './service-pods.ts'
import { portGroups } from './slice-endpoints.ts'
import { planSlices, type SlicePlan } from './slice-plan.ts'
import { TriggerTimes, withTriggerTime } from './trigger-times.ts'

const MANAGER = 'endpointslice-controller.k8s.io'

export function endpointSliceController(): Controller<Service> {
  const times = new TriggerTimes()
  const hints = new ServiceHints()
  const forget = (key: string) => {
    times.forget(key)
    hints.forget(key)
  }
  return {
    name: 'endpointslice',
    kind: service,
    owns: [endpointSlice],
    concurrency: 16,
    watches: [
      watched({ kind: pod, keys: servicesConcerned }),
      watched({
        kind: node,
        keys: (change, informers) => [
          ...servicesOn(change, informers),
          ...hints.overloaded(change, informers),
        ],
      }),
    ],
    async reconcile(context, found) {
      if (!hasSelectedPods(found)) forget(keyOf(found))
      if (!hasSelectedPods(found) || isBeingDeleted(found)) return undefined
      const { client, informers } = context
      const pods = servicePods(found, podsNear(found, informers))
      const changedAt = times.look(found, pods)
      const labels = labelsOf(found)
      const mine = slicesOf(found, informers)
      const families = familiesOf(found)
      for (const type of families) {
        const ofType = mine.filter(({ addressType }) => addressType === type)
        const groups = portGroups(found, pods, type, (name) => informers.of(node).get(name))
        const plan = planSlices(groups, ofType, (slice) => !deepEqual(slice.metadata.labels, labels))
        const fresh = newSlice(found, type)
        await performSlices(client, hints.hinted(context, found, type, plan), fresh, ({ metadata }) => ({
          ...metadata,
          labels,
          annotations: withTriggerTime(metadata.annotations, changedAt),
        }))
      }
      const others = mine.filter(({ addressType }) => !families.some((family) => family === addressType))
      for (const slice of others) await removeSlice(client, slice)
      return { restMs: restFor(pods.length) }
    },
    deleted(_, key) {
      forget(key)
      return Promise.resolve(undefined)
    },
  }
}

/** The zone of a node is written on its endpoints. */
function servicesOn({ resource, previous }: InformerChange<Node>, informers: Informers): string[] {
  if (previous && zoneOf(previous) === zoneOf(resource)) return []
  const there = informers.of(pod).byIndex('node', resource.metadata.name)
  return there.flatMap((each) => servicesConcerned({ resource: each }, informers))
}

function slicesOf(found: Service, informers: Informers): readonly EndpointSlice[] {
  return informers
    .of(endpointSlice)
    .byIndex('owner', found.metadata.uid ?? '')
    .filter((slice) => slice.metadata.labels?.[SLICE_MANAGED_BY] === MANAGER && !isBeingDeleted(slice))
}

function labelsOf(found: Service): Record<string, string> {
  const labels: Record<string, string> = {
    ...found.metadata.labels,
    [SERVICE_NAME]: found.metadata.name,
    [SLICE_MANAGED_BY]: MANAGER,
  }
  // A Service cannot say of itself that it is headless.
  if (isHeadless(found)) labels[HEADLESS_LABEL] = ''
  else if (HEADLESS_LABEL in labels) delete labels[HEADLESS_LABEL]
  return labels
}

/** An empty slice of the service or Endpoints object, to be filled. */
export function newSlice(owner: Service | Endpoints, addressType: string): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: '',
      generateName: `${owner.metadata.name}-`,
      namespace: owner.metadata.namespace,
      ownerReferences: [controllerReference(owner)],
    },
    addressType,
    ports: [],
    endpoints: [],
  }
}

/** @param metadataOf what a written slice's metadata become */
export async function performSlices(
  client: Client,
  { create, update, remove }: Pick<SlicePlan, 'create' | 'update' | 'remove'>,
  fresh: EndpointSlice,
  metadataOf: (slice: EndpointSlice) => EndpointSlice['metadata'],
): Promise<void> {
  try {
    for (const group of create)
      await client.create(endpointSlice, { ...fresh, ...group, metadata: metadataOf(fresh) })
  } catch (error) {
    if (isNamespaceTerminating(error)) return
    throw error
  }
  for (const { slice, ports, endpoints } of update)
    await client.update(endpointSlice, { ...slice, metadata: metadataOf(slice), ports, endpoints })
  for (const slice of remove) await removeSlice(client, slice)
}

export async function removeSlice(client: Client, { metadata }: EndpointSlice): Promise<void> {
  const { namespace, name, uid } = metadata
  try {
    await client.delete(endpointSlice, { namespace, name }, { preconditions: { uid } })
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error
  }
}
