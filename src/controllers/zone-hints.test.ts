import { describe, expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import type { V1Endpoint } from '../api/generated/types.ts'
import type { EndpointSlice } from '../api/kinds/endpoint-slice.ts'
import type { SlicePlan } from './slice-plan.ts'
import { isOverloaded, withZoneHints, zoneShares } from './zone-hints.ts'

const node = (name: string, zone: string, cpu: string, more: { ready?: boolean; role?: string } = {}) =>
  make.node({
    metadata: {
      name,
      labels: {
        ...(zone ? { 'topology.kubernetes.io/zone': zone } : {}),
        ...(more.role ? { [`node-role.kubernetes.io/${more.role}`]: '' } : {}),
      },
    },
    status: {
      allocatable: { cpu },
      conditions: [{ type: 'Ready', status: more.ready === false ? 'False' : 'True' }],
    },
  })

describe('Shares of zones', () => {
  test.each<[string, ReturnType<typeof node>[], [string, number][] | undefined]>([
    [
      'are by allocatable CPU',
      [node('1', 'a', '3'), node('2', 'b', '500m'), node('3', 'b', '500m')],
      [
        ['a', 0.75],
        ['b', 0.25],
      ],
    ],
    [
      'do not count nodes that are not ready, nor the control plane',
      [
        node('1', 'a', '1'),
        node('2', 'b', '1'),
        node('3', 'c', '1', { ready: false }),
        node('4', 'c', '1', { role: 'control-plane' }),
      ],
      [
        ['a', 0.5],
        ['b', 0.5],
      ],
    ],
    ['are none with one zone', [node('1', 'a', '1'), node('2', 'a', '1')], undefined],
    [
      'are none when a node has no zone',
      [node('1', 'a', '1'), node('2', 'b', '1'), node('3', '', '1')],
      undefined,
    ],
    ['are none when a node has no CPU', [node('1', 'a', '1'), node('2', 'b', '0')], undefined],
  ])('%s', (_, nodes, expected) => {
    expect(zoneShares(nodes)).toEqual(expected && new Map(expected))
  })
})

let serial = 0
const endpoint = (zone: string, more: { ready?: boolean; hint?: string } = {}): V1Endpoint => {
  serial += 1
  return {
    addresses: [`10.0.0.${serial}`],
    conditions: { ready: more.ready !== false },
    ...(zone ? { zone } : {}),
    ...(more.hint ? { hints: { forZones: [{ name: more.hint }] } } : {}),
  }
}
const times = (count: number, zone: string, hint?: string) =>
  Array.from({ length: count }, () => endpoint(zone, hint ? { hint } : {}))
const slice = (endpoints: readonly V1Endpoint[]): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web-1', namespace: 'default' },
  addressType: 'IPv4',
  ports: [],
  endpoints,
})
const planOf = (fresh: readonly V1Endpoint[], keep: readonly EndpointSlice[] = []): SlicePlan => ({
  create: fresh.length > 0 ? [{ ports: [], endpoints: fresh }] : [],
  update: [],
  remove: [],
  keep,
})
const shares = (numbers: Record<string, number>) => new Map(Object.entries(numbers))
const hintCounts = ({ create, update, keep }: SlicePlan) => {
  const counts: Record<string, number> = {}
  for (const { endpoints = [] } of [...create, ...update, ...keep])
    for (const { hints } of endpoints)
      for (const { name } of hints?.forZones ?? []) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
const THIRDS = { a: 1 / 3, b: 1 / 3, c: 1 / 3 }

describe('Hints by the CPUs of zones', () => {
  test.each<[string, Record<string, number>, V1Endpoint[], Record<string, number>]>([
    [
      'stay in the zone where all is even',
      THIRDS,
      [...times(2, 'a'), ...times(2, 'b'), ...times(2, 'c')],
      { a: 2, b: 2, c: 2 },
    ],
    [
      'move endpoints to a zone that has too few',
      THIRDS,
      [...times(4, 'a'), ...times(1, 'b'), ...times(1, 'c')],
      { a: 2, b: 2, c: 2 },
    ],
    ['move endpoints to a zone that has none', { a: 0.5, b: 0.5 }, times(6, 'a'), { a: 3, b: 3 }],
    ['follow the shares', { a: 0.75, b: 0.25 }, [...times(4, 'a'), ...times(4, 'b')], { a: 6, b: 2 }],
    [
      'move nothing for less than a whole endpoint',
      { a: 0.55, b: 0.45 },
      [...times(5, 'a'), ...times(5, 'b')],
      { a: 5, b: 5 },
    ],
  ])('%s', (_, cpus, endpoints, expected) => {
    const { plan, problem } = withZoneHints(planOf(endpoints), shares(cpus))
    expect([problem, hintCounts(plan)]).toEqual([undefined, expected])
  })

  test.each<[string, Record<string, number> | undefined, V1Endpoint[], string]>([
    [
      'there is nothing to know of nodes',
      undefined,
      times(9, 'a'),
      'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes',
    ],
    [
      'there are fewer endpoints than zones',
      THIRDS,
      times(2, 'a'),
      'Insufficient number of endpoints (2 endpoints, 3 zones)',
    ],
    [
      'the minimums of all zones are more than there is',
      THIRDS,
      [...times(2, 'a'), ...times(1, 'b'), ...times(1, 'c')],
      'Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (4 endpoints, 3 zones)',
    ],
    [
      'an endpoint has no zone',
      { a: 0.5, b: 0.5 },
      [...times(3, 'a'), ...times(3, 'b'), endpoint('')],
      'One or more endpoints do not have a zone specified',
    ],
  ])('are none, and said so, where %s', (_, cpus, endpoints, words) => {
    const { plan, problem } = withZoneHints(planOf(endpoints), cpus && shares(cpus))
    expect([problem, hintCounts(plan)]).toEqual([words, {}])
  })

  test('are taken from slices that had some', () => {
    const before = slice(times(2, 'a', 'a'))
    const { plan } = withZoneHints(planOf([], [before]), undefined)
    expect(plan.update.map((each) => each.slice)).toEqual([before])
    expect(hintCounts(plan)).toEqual({})
  })

  test('count ready endpoints only', () => {
    const endpoints = [...times(2, 'a'), ...times(2, 'b'), endpoint('b', { ready: false })]
    const { plan } = withZoneHints(planOf(endpoints), shares({ a: 0.5, b: 0.5 }))
    expect(hintCounts(plan)).toEqual({ a: 2, b: 2 })
  })

  test('leave slices that fit unwritten, and write those whose hints take too much', () => {
    const fits = slice([...times(2, 'a', 'a'), ...times(2, 'b', 'b')])
    const cpus = shares({ a: 0.5, b: 0.5 })
    expect(withZoneHints(planOf([], [fits]), cpus).plan).toEqual(planOf([], [fits]))
    const tilted = slice([...times(4, 'a', 'a')])
    const { plan } = withZoneHints(planOf([], [tilted]), cpus)
    expect(plan.update.map((each) => each.slice)).toEqual([tilted])
    expect(hintCounts(plan)).toEqual({ a: 2, b: 2 })
  })
})

test.each<[string, Record<string, number>, Record<string, number> | undefined, boolean]>([
  ['within 20 % nothing is overloaded', { a: 5, b: 6 }, { a: 0.5, b: 0.5 }, false],
  ['a zone below its minimum is', { a: 4, b: 7 }, { a: 0.5, b: 0.5 }, true],
  ['a zone without any is', { a: 4 }, { a: 0.9, b: 0.1 }, true],
  ['without shares hints are too many', { a: 4, b: 4 }, undefined, true],
  ['without hints nothing is', {}, { a: 0.5, b: 0.5 }, false],
])('Of a service, %s', (_, counts, cpus, expected) => {
  const endpoints = Object.entries(counts).flatMap(([zone, count]) => times(count, zone, zone))
  expect(isOverloaded([slice(endpoints)], cpus && shares(cpus))).toBe(expected)
})
