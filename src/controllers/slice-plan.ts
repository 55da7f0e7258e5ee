/**
 * How a service's endpoints are spread over EndpointSlices with the fewest writes: slices of one port set hold at most
 * 100; what still fits stays where it is; what changed is updated in place; new endpoints fill slices that are written
 * anyway, then new ones, and a remainder goes where there is room, so that each endpoint that comes or goes costs
 * one write. Slices that would go are reused before others are made. Hints are not looked at here: `withHints` and
 * zone-hints.ts put them on a plan, and write a slice more where only they differ. Pure.
 */
import type { DiscoveryV1EndpointPort, V1Endpoint, V1EndpointHints } from '../api/generated/types.ts'
import type { EndpointSlice } from '../api/kinds/endpoint-slice.ts'
import { canonicalJson, deepEqual } from '../base/json.ts'

const ENDPOINTS_PER_SLICE = 100

export interface PortGroup {
  readonly ports: readonly DiscoveryV1EndpointPort[]
  readonly endpoints: readonly V1Endpoint[]
}

type Rewritten = PortGroup & { readonly slice: EndpointSlice }

export interface SlicePlan {
  readonly create: readonly PortGroup[]
  readonly update: readonly Rewritten[]
  readonly remove: readonly EndpointSlice[]
  /** Those that need not be written. */
  readonly keep: readonly EndpointSlice[]
}

/**
 * @param existing all of one address type
 * @param needsUpdate whether a slice must be written for another reason (its labels)
 */
export function planSlices(
  groups: readonly PortGroup[],
  existing: readonly EndpointSlice[],
  needsUpdate: (slice: EndpointSlice) => boolean,
  max = ENDPOINTS_PER_SLICE,
): SlicePlan {
  const byPorts = new Map<string, EndpointSlice[]>()
  for (const slice of existing) {
    const key = portsKey(slice.ports ?? [])
    byPorts.set(key, [...(byPorts.get(key) ?? []), slice])
  }
  const create: PortGroup[] = []
  const update: Rewritten[] = []
  const remove: EndpointSlice[] = []
  const keep: EndpointSlice[] = []
  for (const group of groups) {
    const key = portsKey(group.ports)
    const plan = planGroup(group, byPorts.get(key) ?? [], needsUpdate, max)
    byPorts.delete(key)
    create.push(...plan.create)
    update.push(...plan.update)
    remove.push(...plan.remove)
    keep.push(...plan.keep)
  }
  for (const left of byPorts.values()) remove.push(...left)
  // A slice that would go may as well carry what would be made: one write less. Its ports are mutable.
  while (create.length > 0 && remove.length > 0) {
    const slice = remove.shift()!
    update.push({ ...create.shift()!, slice })
  }
  return { create, update, remove, keep }
}

/** The plan with each endpoint's hints as `hintsOf` says. */
export function withHints(
  plan: SlicePlan,
  hintsOf: (endpoint: V1Endpoint) => V1EndpointHints | undefined,
): SlicePlan {
  const hinted = (endpoints: readonly V1Endpoint[]) =>
    endpoints.map((endpoint) => hintedEndpoint(endpoint, hintsOf(endpoint)))
  const isRight = ({ endpoints = [] }: EndpointSlice) =>
    endpoints.every((endpoint) => deepEqual(endpoint.hints, hintsOf(endpoint)))
  const rewritten = (slice: EndpointSlice) => ({
    slice,
    ports: slice.ports ?? [],
    endpoints: hinted(slice.endpoints ?? []),
  })
  return {
    create: plan.create.map((each) => ({ ...each, endpoints: hinted(each.endpoints) })),
    update: [
      ...plan.update.map((each) => ({ ...each, endpoints: hinted(each.endpoints) })),
      ...plan.keep.filter((slice) => !isRight(slice)).map(rewritten),
    ],
    remove: plan.remove,
    keep: plan.keep.filter(isRight),
  }
}

export function hintedEndpoint(endpoint: V1Endpoint, hints: V1EndpointHints | undefined): V1Endpoint {
  if (!hints && !endpoint.hints) return endpoint
  const { hints: _, ...bare } = endpoint
  return hints ? { ...bare, hints } : bare
}

function portsKey(ports: readonly DiscoveryV1EndpointPort[]): string {
  return ports.map(canonicalJson).sort().join()
}

function endpointKey({ targetRef, addresses }: V1Endpoint): string {
  return `${targetRef?.uid ?? ''}/${addresses[0] ?? ''}`
}

interface Filled {
  readonly slice: EndpointSlice
  endpoints: V1Endpoint[]
  isChanged: boolean
}

function planGroup(
  { ports, endpoints }: PortGroup,
  existing: readonly EndpointSlice[],
  needsUpdate: (slice: EndpointSlice) => boolean,
  max: number,
): SlicePlan {
  const wanted = new Map(endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]))
  const filled = existing.map((slice): Filled => {
    const kept: V1Endpoint[] = []
    let isChanged = needsUpdate(slice)
    for (const endpoint of slice.endpoints ?? []) {
      const next = wanted.get(endpointKey(endpoint))
      if (!next || kept.length >= max) {
        isChanged = true
        continue
      }
      wanted.delete(endpointKey(endpoint))
      kept.push(next)
      if (!deepEqual(hintedEndpoint(endpoint, undefined), next)) isChanged = true
    }
    return { slice, endpoints: kept, isChanged }
  })
  const left = [...wanted.values()]
  const fill = (into: Filled) => {
    const taken = left.splice(0, max - into.endpoints.length)
    if (taken.length === 0) return
    into.endpoints = [...into.endpoints, ...taken]
    into.isChanged = true
  }
  for (const each of filled.filter(({ isChanged }) => isChanged).toSorted(fullestFirst)) fill(each)
  const create: PortGroup[] = []
  while (left.length >= max) create.push({ ports, endpoints: left.splice(0, max) })
  if (left.length > 0) {
    const room = filled.filter((each) => each.endpoints.length + left.length <= max).toSorted(fullestFirst)[0]
    if (room) fill(room)
    else create.push({ ports, endpoints: left })
  }
  const isUseless = ({ endpoints: held }: Filled) => held.length === 0
  // A service without any endpoint keeps one empty slice.
  const placeholder = endpoints.length === 0 ? filled[0] : undefined
  if (endpoints.length === 0 && !placeholder) create.push({ ports, endpoints: [] })
  return {
    create,
    update: filled
      .filter((each) => each.isChanged && (!isUseless(each) || each === placeholder))
      .map((each) => ({ slice: each.slice, ports, endpoints: each.endpoints })),
    remove: filled.filter((each) => isUseless(each) && each !== placeholder).map(({ slice }) => slice),
    keep: filled
      .filter((each) => !each.isChanged && (!isUseless(each) || each === placeholder))
      .map(({ slice }) => slice),
  }
}

function fullestFirst(a: Filled, b: Filled): number {
  return b.endpoints.length - a.endpoints.length
}
