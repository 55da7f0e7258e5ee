import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { V1Endpoint } from '../api/generated/types.ts'
import type { EndpointSlice } from '../api/kinds/endpoint-slice.ts'
import { planSlices, type SlicePlan } from './slice-plan.ts'

const HTTP = [{ name: 'http', protocol: 'TCP', port: 80 }]
const OTHER = [{ name: 'http', protocol: 'TCP', port: 8080 }]

function endpoint(id: number, ready = true): V1Endpoint {
  return { addresses: [`10.0.0.${id}`], conditions: { ready }, targetRef: { kind: 'Pod', uid: `p${id}` } }
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => endpoint(from + i))

function slice(name: string, endpoints: readonly V1Endpoint[], ports = HTTP): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace: 'default' },
    addressType: 'IPv4',
    ports,
    endpoints,
  } as EndpointSlice
}

const shape = ({ create, update, remove }: SlicePlan) => ({
  create: create.map(({ endpoints }) => endpoints.length),
  update: update.map(({ slice: { metadata }, endpoints }) => [metadata.name, endpoints.length]),
  remove: remove.map(({ metadata }) => metadata.name),
})

const plan = (wanted: readonly V1Endpoint[], existing: EndpointSlice[], ports = HTTP) =>
  shape(planSlices([{ ports, endpoints: wanted }], existing, () => false))

const NOTHING = { create: [], update: [], remove: [] }

describe('planSlices', () => {
  test.each<[string, readonly V1Endpoint[], EndpointSlice[], object]>([
    ['makes one slice for a few', range(0, 3), [], { create: [3] }],
    ['makes full slices and a remainder', range(0, 230), [], { create: [100, 100, 30] }],
    ['writes nothing when nothing changed', range(0, 3), [slice('a', range(0, 3))], {}],
    ['adds to a slice with room', range(0, 4), [slice('a', range(0, 3))], { update: [['a', 4]] }],
    ['takes out what is gone', range(0, 2), [slice('a', range(0, 3))], { update: [['a', 2]] }],
    [
      'changes only the slice of the endpoint that changed',
      [...range(0, 3), endpoint(3, false)],
      [slice('a', range(0, 2)), slice('b', range(2, 4))],
      { update: [['b', 2]] },
    ],
    ['makes a slice when none has room', range(0, 101), [slice('a', range(0, 100))], { create: [1] }],
    [
      'keeps one empty slice',
      [],
      [slice('a', range(0, 3)), slice('b', range(3, 5))],
      {
        update: [['a', 0]],
        remove: ['b'],
      },
    ],
    ['makes an empty slice for a service without endpoints', [], [], { create: [0] }],
    [
      'uses a slice that would go for other ports',
      range(0, 3),
      [slice('a', range(0, 3), OTHER)],
      {
        update: [['a', 3]],
      },
    ],
  ])('%s', (_, wanted, existing, expected) => {
    expect(plan(wanted, existing)).toEqual({ ...NOTHING, ...expected })
  })

  test('rewrites a slice whose labels were changed', () => {
    const wanted = range(0, 2)
    const changed = planSlices([{ ports: HTTP, endpoints: wanted }], [slice('a', wanted)], () => true)
    expect(shape(changed)).toEqual({ ...NOTHING, update: [['a', 2]] })
  })

  test('holds each endpoint once, none too many, and rests after one round, whatever was there', () => {
    const ids = fc.uniqueArray(fc.nat(60), { maxLength: 40 })
    fc.assert(
      fc.property(ids, fc.array(ids, { maxLength: 6 }), (wantedIds, existingIds) => {
        const wanted = wantedIds.map((id) => endpoint(id))
        const existing = existingIds.map((each, i) =>
          slice(
            `s${i}`,
            each.map((id) => endpoint(id)),
          ),
        )
        const round = (slices: EndpointSlice[]) => {
          const { create, update, remove } = planSlices(
            [{ ports: HTTP, endpoints: wanted }],
            slices,
            () => false,
            5,
          )
          const gone = new Set([...remove, ...update.map((each) => each.slice)])
          return {
            writes: create.length + update.length + remove.length,
            slices: [
              ...slices.filter((each) => !gone.has(each)),
              ...update.map((each) => slice(each.slice.metadata.name, each.endpoints)),
              ...create.map((each, i) => slice(`new${i}`, each.endpoints)),
            ],
          }
        }
        const { slices } = round(existing)
        const held = slices.flatMap(({ endpoints = [] }) => endpoints.map(({ targetRef }) => targetRef?.uid))
        expect(held.toSorted()).toEqual(wantedIds.map((id) => `p${id}`).toSorted())
        expect(Math.max(0, ...slices.map(({ endpoints = [] }) => endpoints.length))).toBeLessThanOrEqual(5)
        expect(round(slices).writes).toBe(0)
      }),
    )
  })
})
