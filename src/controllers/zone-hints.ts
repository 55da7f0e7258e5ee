/**
 * Topology aware routing (`service.kubernetes.io/topology-mode: Auto`): each zone is given endpoints in proportion to
 * its CPUs, by hints on the endpoints. A zone's endpoints may be overloaded by 20 % at most, else nobody gets hints.
 * Slices that need not be written keep their hints as long as those allow every zone its minimum. Pure. (KEP-2433)
 */

import { findCondition } from '../api/conditions.ts'
import type { V1Endpoint, V1EndpointHints } from '../api/generated/types.ts'
import type { EndpointSlice } from '../api/kinds/endpoint-slice.ts'
import type { Node } from '../api/kinds/node.ts'
import { zoneOf } from '../api/placement.ts'
import { milliValue } from '../api/quantity.ts'
import { hintedEndpoint, type PortGroup, type SlicePlan, withHints } from './slice-plan.ts'

const OVERLOAD = 0.2
const NOT_COUNTED = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master']

/** Zone -> its part of all CPUs; sums up to 1. */
export type ZoneShares = ReadonlyMap<string, number>

interface Allocation {
  readonly minimum: number
  readonly maximum: number
  readonly desired: number
}

export interface HintedPlan {
  readonly plan: SlicePlan
  /** Why there are no hints, in Kubernetes' words. */
  readonly problem?: string
}

/** Undefined when there are not two zones, or a ready node does not say its zone or CPUs. */
export function zoneShares(nodes: readonly Node[]): ZoneShares | undefined {
  const cpus = new Map<string, number>()
  for (const each of nodes) {
    if (!isCounted(each)) continue
    const { zone, cpu } = capacityOf(each)
    if (!zone || cpu === 0) return undefined
    cpus.set(zone, (cpus.get(zone) ?? 0) + cpu)
  }
  const total = [...cpus.values()].reduce((sum, cpu) => sum + cpu, 0)
  if (cpus.size < 2) return undefined
  return new Map([...cpus].toSorted().map(([zone, cpu]) => [zone, cpu / total]))
}

/** What of a node moves the shares; undefined for one that does not count. */
export function capacityFacts(each: Node): string | undefined {
  if (!isCounted(each)) return undefined
  const { zone, cpu } = capacityOf(each)
  return `${zone}/${cpu}`
}

function isCounted({ metadata, status }: Node): boolean {
  return (
    !NOT_COUNTED.some((label) => metadata.labels?.[label] !== undefined) &&
    findCondition(status?.conditions, 'Ready')?.status === 'True'
  )
}

function capacityOf(each: Node): { zone: string; cpu: number } {
  return { zone: zoneOf(each), cpu: milliValue(each.status?.allocatable?.['cpu'] ?? '0') }
}

const isReady = ({ conditions }: V1Endpoint): boolean => conditions?.ready === true
const forZone = (name: string): V1EndpointHints => ({ forZones: [{ name }] })
const none = () => undefined

/** The plan with hints that give each zone its share; without any, and a problem, where that cannot be. */
export function withZoneHints(plan: SlicePlan, shares: ZoneShares | undefined): HintedPlan {
  const all = [...plan.create, ...plan.update, ...plan.keep].flatMap(({ endpoints }) => endpoints ?? [])
  const refuse = (problem: string) => ({ plan: withHints(plan, none), problem })
  if (!shares)
    return refuse('Insufficient Node information: allocatable CPU or zone not specified on one or more nodes')
  const allocations = allocate(shares, all.filter(isReady).length)
  if (typeof allocations === 'string') return refuse(allocations)
  const held = new Map<string, number>()
  const keep: EndpointSlice[] = []
  const rewritten: SlicePlan['update'][number][] = [...plan.update]
  for (const slice of plan.keep) {
    const counts = usableHints(slice, held, allocations)
    if (counts) {
      keep.push(slice)
      for (const [zone, count] of counts) add(held, zone, count)
    } else rewritten.push({ slice, ports: slice.ports ?? [], endpoints: slice.endpoints ?? [] })
  }
  const open = [...plan.create, ...rewritten].flatMap(({ endpoints }) => endpoints).filter(isReady)
  if (open.some(({ zone }) => !zone)) return refuse('One or more endpoints do not have a zone specified')
  for (const { zone = '' } of open) add(held, zone, 1)
  const moved = moves(open, allocations, held)
  const hinted = <T extends PortGroup>(group: T): T => ({
    ...group,
    endpoints: group.endpoints.map((each) =>
      hintedEndpoint(each, isReady(each) ? forZone(moved.get(each) ?? each.zone ?? '') : undefined),
    ),
  })
  return {
    plan: { create: plan.create.map(hinted), update: rewritten.map(hinted), remove: plan.remove, keep },
  }
}

function add(counts: Map<string, number>, zone: string, count: number): void {
  counts.set(zone, (counts.get(zone) ?? 0) + count)
}

/** minimum = ⌈share · endpoints / 1.2⌉; what is left over may go to any one zone. A text says why it cannot be. */
function allocate(shares: ZoneShares, count: number): ReadonlyMap<string, Allocation> | string {
  const counted = `(${count} endpoints, ${shares.size} zones)`
  if (shares.size > count) return `Insufficient number of endpoints ${counted}`
  const minimums = [...shares].map(([zone, share]) => {
    const desired = share * count
    const minimum = minimumOf(desired)
    return { zone, minimum, desired: Math.max(desired, minimum) }
  })
  const least = minimums.reduce((sum, { minimum }) => sum + minimum, 0)
  if (least > count)
    return `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${counted}`
  return new Map(
    minimums.map(({ zone, minimum, desired }) => [
      zone,
      { minimum, desired, maximum: minimum + count - least },
    ]),
  )
}

function minimumOf(desired: number): number {
  return Math.ceil(desired * (1 / (1 + OVERLOAD)))
}

/** How many hints a slice has for each zone; undefined when it has to be written anew for them. */
function usableHints(
  { endpoints = [] }: EndpointSlice,
  held: ReadonlyMap<string, number>,
  allocations: ReadonlyMap<string, Allocation>,
): ReadonlyMap<string, number> | undefined {
  const counts = new Map<string, number>()
  for (const { hints } of endpoints.filter(isReady)) {
    const zones = hints?.forZones ?? []
    if (zones.length === 0 || zones.some(({ name }) => !allocations.has(name))) return undefined
    for (const { name } of zones) add(counts, name, 1)
  }
  const fits = [...counts].every(
    ([zone, count]) => count + (held.get(zone) ?? 0) <= (allocations.get(zone)?.maximum ?? 0),
  )
  return fits ? counts : undefined
}

/** Which endpoints serve another zone than their own: from where there are more than desired to where there are fewer. */
function moves(
  open: readonly V1Endpoint[],
  allocations: ReadonlyMap<string, Allocation>,
  held: ReadonlyMap<string, number>,
): ReadonlyMap<V1Endpoint, string> {
  const surplus = new Map<string, number>()
  const lack = new Map<string, number>()
  for (const [zone, { desired }] of allocations) {
    const more = (held.get(zone) ?? 0) - desired
    if (more > 0) surplus.set(zone, more)
    else if (more < 0) lack.set(zone, -more)
  }
  const giving = new Map<string, number>()
  const receiving: string[] = []
  for (;;) {
    const [giver, toGive] = most(surplus)
    const [receiver, toReceive] = most(lack)
    if (toGive < 0.5 || toReceive < 0.5 || (toGive < 1 && toReceive < 1)) break
    add(surplus, giver, -1)
    add(lack, receiver, -1)
    add(giving, giver, 1)
    receiving.push(receiver)
  }
  const moved = new Map<V1Endpoint, string>()
  for (const each of open) {
    const { zone = '' } = each
    const left = giving.get(zone) ?? 0
    if (left === 0) continue
    const receiver = receiving.shift()
    if (receiver === undefined) break
    giving.set(zone, left - 1)
    moved.set(each, receiver)
  }
  return moved
}

function most(counts: ReadonlyMap<string, number>): readonly [string, number] {
  return [...counts].reduce<readonly [string, number]>(
    (top, each) => (each[1] > top[1] ? each : top),
    ['', 0],
  )
}

/** Whether some zone has fewer hints by now than its minimum, so that the service is worth looking at again. */
export function isOverloaded(slices: readonly EndpointSlice[], shares: ZoneShares | undefined): boolean {
  const counts = new Map<string, number>()
  for (const { endpoints = [] } of slices)
    for (const { hints } of endpoints) for (const { name } of hints?.forZones ?? []) add(counts, name, 1)
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
  if (total === 0) return false
  if (!shares) return true
  return [...shares].some(([zone, share]) => (counts.get(zone) ?? 0) < minimumOf(total * share))
}
