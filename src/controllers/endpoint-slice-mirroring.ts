/**
 * Mirrors Endpoints that somebody keeps by hand for a Service without a selector into EndpointSlices, which is what
 * proxies read. What to mirror is slice-mirror.ts.
 */
import { endpointSlice } from '../api/kinds/endpoint-slice.ts'
import { type Endpoints, endpoints } from '../api/kinds/endpoints.ts'
import { service } from '../api/kinds/service.ts'
import { isBeingDeleted, keyOf } from '../api/resource.ts'
import type { Informers } from '../client/informers.ts'
import { type Controller, type ReconcileContext, watched } from './controller.ts'
import { newSlice, performSlices, removeSlice } from './endpoint-slice.ts'
import { hasSelector, SLICE_MANAGED_BY } from './service-pods.ts'
import {
  isMirrored,
  MIRROR_MANAGER,
  mirroredAnnotations,
  mirroredLabels,
  planMirror,
} from './slice-mirror.ts'

export const endpointSliceMirroringController: Controller<Endpoints> = {
  name: 'endpointslicemirroring',
  kind: endpoints,
  owns: [endpointSlice],
  watches: [
    watched({
      kind: service,
      keys: ({ type, resource, previous }) =>
        type !== 'updated' || !previous || hasSelector(previous) !== hasSelector(resource)
          ? [keyOf(resource)]
          : [],
    }),
  ],
  async reconcile({ client, informers, events }, found) {
    const existing = slicesOf(found, informers)
    const home = informers.of(service).get(keyOf(found))
    if (!isMirrored(found) || !home || hasSelector(home)) {
      for (const slice of existing) await removeSlice(client, slice)
      return undefined
    }
    if (isBeingDeleted(found)) return undefined
    const plan = planMirror(found, existing)
    const metadata = { labels: mirroredLabels(found), annotations: mirroredAnnotations(found) }
    await performSlices(client, plan, newSlice(found, 'IPv4'), (slice) => ({
      ...slice.metadata,
      ...metadata,
    }))
    say(events, found, plan)
    return undefined
  },
}

function slicesOf(found: Endpoints, informers: Informers) {
  return informers
    .of(endpointSlice)
    .byIndex('owner', found.metadata.uid ?? '')
    .filter((slice) => slice.metadata.labels?.[SLICE_MANAGED_BY] === MIRROR_MANAGER && !isBeingDeleted(slice))
}

function say(
  events: ReconcileContext['events'],
  found: Endpoints,
  { invalid, tooMany }: ReturnType<typeof planMirror>,
): void {
  if (invalid > 0)
    events.event(
      found,
      'Warning',
      'InvalidIPAddress',
      `Skipped ${invalid} invalid IP addresses when mirroring to EndpointSlices`,
    )
  if (tooMany > 0)
    events.event(
      found,
      'Warning',
      'TooManyAddressesToMirror',
      `A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. ${invalid + tooMany} addresses were skipped`,
    )
}
