/**
 * Puts hints on a service's planned slices: by zone CPUs where its annotation asks for it (zone-hints.ts), near by where
 * spec.trafficDistribution does, else none. Says in events when the former begins and ends, and why it cannot be.
 */
import { endpointSlice } from '../api/kinds/endpoint-slice.ts'
import { type Node, node } from '../api/kinds/node.ts'
import { type Service, service } from '../api/kinds/service.ts'
import { keyOf } from '../api/resource.ts'
import type { InformerChange } from '../client/informer.ts'
import type { Informers } from '../client/informers.ts'
import type { ReconcileContext } from './controller.ts'
import type { AddressType } from './service-pods.ts'
import { nearHints, wantsZoneHints } from './slice-endpoints.ts'
import { type SlicePlan, withHints } from './slice-plan.ts'
import { capacityFacts, isOverloaded, withZoneHints, zoneShares } from './zone-hints.ts'

const DISABLED = 'TopologyAwareHintsDisabled'

export class ServiceHints {
  /** Looked at since this process began: what has its hints from before is not told that they are new. */
  readonly #seen = new Set<string>()
  /** Services whose hints are by zone CPUs now, and the address types that have them. */
  readonly #enabled = new Map<string, Set<AddressType>>()
  /** Why a service has none, as it was told last: it is not told again at every change of a pod. */
  readonly #told = new Map<string, Map<AddressType, string>>()

  hinted(
    { informers, events }: ReconcileContext,
    found: Service,
    type: AddressType,
    plan: SlicePlan,
  ): SlicePlan {
    const key = keyOf(found)
    const say = (eventType: 'Normal' | 'Warning', reason: string, message: string) =>
      events.event(found, eventType, reason, `${message}, addressType: ${type}`)
    const isFirst = !this.#seen.has(`${key}/${type}`)
    this.#seen.add(`${key}/${type}`)
    if (wantsZoneHints(found)) {
      const { plan: hinted, problem } = withZoneHints(plan, zoneShares(informers.of(node).list()))
      if (problem !== undefined) {
        const told = this.#told.get(key) ?? new Map<AddressType, string>()
        const isNews = this.#disable(key, type) || told.get(type) !== problem
        this.#told.set(key, told.set(type, problem))
        if (isNews) say('Warning', DISABLED, problem)
      } else if (this.#enable(key, type) && !(isFirst && hasZoneHints(plan)))
        say('Normal', 'TopologyAwareHintsEnabled', 'Topology Aware Hints has been enabled')
      return hinted
    }
    this.#told.delete(key)
    if (this.#disable(key, type)) say('Warning', DISABLED, 'Topology Aware Hints has been disabled')
    return withHints(plan, nearHints(found) ?? (() => undefined))
  }

  forget(key: string): void {
    for (const type of ['IPv4', 'IPv6']) this.#seen.delete(`${key}/${type}`)
    this.#enabled.delete(key)
    this.#told.delete(key)
  }

  /** The services whose hints overload a zone now that a node came, went, or changed. */
  overloaded({ type, resource, previous }: InformerChange<Node>, informers: Informers): string[] {
    if (this.#enabled.size === 0) return []
    const now = type === 'deleted' ? undefined : capacityFacts(resource)
    const before = type === 'deleted' ? capacityFacts(resource) : previous && capacityFacts(previous)
    if (now === before) return []
    const shares = zoneShares(informers.of(node).list())
    return [...this.#enabled.keys()].filter((key) => {
      const uid = informers.of(service).get(key)?.metadata.uid ?? ''
      return isOverloaded(informers.of(endpointSlice).byIndex('owner', uid), shares)
    })
  }

  /** Whether no address type of the service had them before. */
  #enable(key: string, type: AddressType): boolean {
    const known = this.#enabled.get(key)
    if (known) known.add(type)
    else this.#enabled.set(key, new Set([type]))
    return !known
  }

  #disable(key: string, type: AddressType): boolean {
    const known = this.#enabled.get(key)
    if (!known?.delete(type)) return false
    if (known.size === 0) this.#enabled.delete(key)
    return true
  }
}

function hasZoneHints({ keep, update }: SlicePlan): boolean {
  return [...keep, ...update.map(({ slice }) => slice)].some(({ endpoints = [] }) =>
    endpoints.some(({ hints }) => (hints?.forZones?.length ?? 0) > 0),
  )
}
