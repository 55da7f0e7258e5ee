import type { EndpointSlice } from '../../../src/api/kinds/endpoint-slice.ts'
import type { Pod } from '../../../src/api/kinds/pod.ts'
import type { Service } from '../../../src/api/kinds/service.ts'
import { isPodReady } from '../../../src/api/pods.ts'
import { labelSelectorMatches } from '../../../src/api/selectors.ts'
import type { Checker, ClusterView } from './checker.ts'

/** Longer than any watch is late, with a retry after it. */
const MOMENT_MS = 60_000
const LOOK_EVERY_MS = 5000

/** Traffic goes to ready pods: never for long to one that is gone, and in the end to every ready pod and to no other. */
export function liveEndpoints(): Checker {
  const goneAt = new Map<string, number>()
  let lookedAt = 0
  return {
    see({ object, isGone, at, view }) {
      if (object.kind === 'Pod' && isGone) goneAt.set(object.metadata.uid ?? '', at)
      if (at - lookedAt < LOOK_EVERY_MS) return []
      lookedAt = at
      return readyTargets(view).flatMap(({ slice, uid, name }) => {
        const since = at - (goneAt.get(uid) ?? at)
        return since > MOMENT_MS ? [`${slice} still lists ${name}, gone for ${since / 1000} s`] : []
      })
    },
    atRest(view) {
      const listed = readyTargets(view)
      const unready = listed.flatMap(({ slice, uid, name }) => {
        const pod = view.byUid<Pod>('Pod', uid)
        const isReady = pod && isPodReady(pod) && !pod.metadata.deletionTimestamp
        return isReady ? [] : [`${slice} lists ${name} as ready, which it is not`]
      })
      return [
        ...unready,
        ...view.all<Service>('Service').flatMap((service) => missing(service, listed, view)),
      ]
    },
  }
}

function readyTargets(view: ClusterView) {
  return view.all<EndpointSlice>('EndpointSlice').flatMap(({ metadata, endpoints }) =>
    (endpoints ?? []).flatMap(({ conditions, targetRef }) => {
      if (!conditions?.ready || targetRef?.kind !== 'Pod') return []
      const slice = `EndpointSlice ${metadata.name}`
      const service = metadata.labels?.['kubernetes.io/service-name']
      return [{ slice, service, uid: targetRef.uid ?? '', name: targetRef.name }]
    }),
  )
}

function missing(
  { metadata, spec }: Service,
  listed: ReturnType<typeof readyTargets>,
  view: ClusterView,
): string[] {
  if (!spec.selector) return []
  return view
    .all<Pod>('Pod')
    .filter(
      (pod) =>
        pod.metadata.namespace === metadata.namespace &&
        labelSelectorMatches({ matchLabels: spec.selector }, pod.metadata.labels) &&
        isPodReady(pod) &&
        !pod.metadata.deletionTimestamp &&
        !listed.some(({ uid, service }) => uid === pod.metadata.uid && service === metadata.name),
    )
    .map((pod) => `Service ${metadata.name} does not reach ${pod.metadata.name}, which is ready`)
}
