/**
 * Who serves how many requests: the load that a SimulatedImage declares falls evenly on the ready containers of its
 * images, that of a SimulatedLoad on the ready endpoints of its Service. Worked out once a sample and only when asked.
 */
import { amountAt } from '../../api/curves.ts'
import { endpointSlice } from '../../api/kinds/endpoint-slice.ts'
import { loadAt, simulatedLoad } from '../../api/kinds/simulated-load.ts'
import { parseTime } from '../../base/date.ts'
import type { Informers } from '../../client/informers.ts'
import type { Behaviour } from './behaviour.ts'

const SERVICE_NAME = 'kubernetes.io/service-name'

export interface Server {
  readonly podUid: string
  readonly behaviour: Behaviour
  readonly isReady: boolean
}

interface Shares {
  /** Epoch ms of the sample. */
  readonly at: number
  /** Requests per second, by name of the SimulatedImage; worked out when one declares any. */
  byImage?: ReadonlyMap<string, number>
  readonly byPod: ReadonlyMap<string, number>
}

export class ServedRequests {
  readonly #informers: Informers
  readonly #servers: (at: number) => Iterable<Server>
  #shares: Shares | undefined

  /** `servers`: the containers that run at a time (epoch ms). */
  constructor(informers: Informers, servers: (at: number) => Iterable<Server>) {
    this.#informers = informers
    this.#servers = servers
    informers.of(simulatedLoad)
    informers.of(endpointSlice)
  }

  /** Requests per second that one of them serves at a sample. */
  perSecond({ podUid, behaviour, isReady }: Server, at: number): number {
    if (this.#shares?.at !== at) this.#shares = { at, byPod: this.#ofPods(at) }
    const ofService = this.#shares.byPod.get(podUid) ?? 0
    if (!isReady || behaviour.usage?.load?.requestsPerSecond === undefined) return ofService
    this.#shares.byImage ??= this.#ofImages(at)
    return ofService + (this.#shares.byImage.get(behaviour.name) ?? 0)
  }

  #ofImages(at: number): ReadonlyMap<string, number> {
    const ready = new Map<string, { readonly behaviour: Behaviour; readonly count: number }>()
    for (const { behaviour, isReady } of this.#servers(at)) {
      if (!isReady || behaviour.usage?.load?.requestsPerSecond === undefined) continue
      ready.set(behaviour.name, { behaviour, count: (ready.get(behaviour.name)?.count ?? 0) + 1 })
    }
    return new Map(
      [...ready].map(([name, { behaviour, count }]) => {
        const { load = {} } = behaviour.usage ?? {}
        const total = amountAt(load, load.requestsPerSecond ?? 0, load.peak, at - behaviour.declaredAt)
        return [name, total / count]
      }),
    )
  }

  #ofPods(at: number): ReadonlyMap<string, number> {
    const shares = new Map<string, number>()
    for (const load of this.#informers.of(simulatedLoad).list()) {
      const { namespace = '', creationTimestamp } = load.metadata
      const uids = this.#readyPods(namespace, load.spec.service)
      const total = loadAt(load, at - (parseTime(creationTimestamp) ?? at))
      for (const uid of uids) shares.set(uid, (shares.get(uid) ?? 0) + total / uids.size)
    }
    return shares
  }

  #readyPods(namespace: string, service: string): ReadonlySet<string> {
    return new Set(
      this.#informers
        .of(endpointSlice)
        .byIndex('namespace', namespace)
        .filter(({ metadata }) => metadata.labels?.[SERVICE_NAME] === service)
        .flatMap(({ endpoints }) => endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready !== false)
        .flatMap(({ targetRef }) => targetRef?.uid ?? []),
    )
  }
}
