import { describe, expect, test } from 'vitest'
import { itemOf, listPlaces, type Place, plainField, sample } from '../../../test/support/merge-places.ts'
import type { AnyResource } from '../../api/resource.ts'
import { listKeys, resolve } from '../../api/schema.ts'
import { deepFreeze } from '../../base/json.ts'
import { applyPatch } from './apply.ts'
import { memberPaths } from './fields.ts'
import { readManagers } from './managed-fields.ts'
import { strategicMergePatch } from './strategic-merge-patch.ts'

/** The documented rules of merging, held for every list that the served kinds have. */
const places = listPlaces()
const isKeyed = ({ list }: Place) => list.patchStrategy?.split(',').includes('merge') && list.patchMergeKey
const named = (list: readonly Place[]) => list.map((place) => [place.name, place] as const)
const smp = ({ struct, field }: Place, original: unknown, patch: unknown) =>
  (
    strategicMergePatch(deepFreeze({ [field]: original }), deepFreeze(patch), struct) as Readonly<
      Record<string, unknown>
    >
  )[field]

describe('A strategic patch of a list with a merge key', () => {
  test.each(named(places.filter(isKeyed)))('%s merges by it', (_, place) => {
    const { list, field } = place
    const key = list.patchMergeKey ?? ''
    const [a, b, c] = [1, 2, 3].map((number) => itemOf(list, [key], number))
    const plain = plainField(list, [key])
    const value = plain && { [plain[0]]: sample(plain[1], 7) }
    expect(smp(place, [a, b], { [field]: [{ ...b, ...value }] })).toEqual([a, { ...b, ...value }])
    expect(smp(place, [a], { [field]: [c] })).toEqual([c, a])
    expect(smp(place, [a, b], { [field]: [{ ...a, $patch: 'delete' }] })).toEqual([b])
    expect(smp(place, [a, b], { [field]: [{ $patch: 'replace' }, c] })).toEqual([c])
    expect(smp(place, [a, b], { [`$setElementOrder/${field}`]: [b, a] })).toEqual([b, a])
    expect(smp(place, [a, b], { [field]: null })).toBeUndefined()
    expect(() => smp(place, [a], { [field]: [{}] })).toThrow(`does not contain declared merge key: ${key}`)
  })
})

describe('A strategic patch of a list without one', () => {
  test.each(named(places.filter((place) => !isKeyed(place))))('%s merges scalars or replaces', (_, place) => {
    const { list, field } = place
    const isMerged = list.patchStrategy?.split(',').includes('merge') === true
    const [a, b] = [1, 2].map((number) => sample(list.items ?? {}, number))
    if (typeof a === 'object') {
      expect(smp(place, [{ x: 1 }, { y: 1 }], { [field]: [{ z: 1 }] })).toEqual([{ z: 1 }])
      return
    }
    expect(smp(place, [a], { [field]: [b] })).toEqual(isMerged ? expect.arrayContaining([a, b]) : [b])
    expect(smp(place, [a, b], { [`$deleteFromPrimitiveList/${field}`]: [a] })).toEqual([b])
  })
})

const base = { kind: { group: '', version: 'v1' }, subresource: '', hasStatus: false, now: 0, force: false }
const objectOf = (fields: object) =>
  deepFreeze({ apiVersion: 'v1', kind: 'Any', metadata: { name: 'a' }, ...fields }) as unknown as AnyResource

/** Server-side apply to the struct as if it were a kind of its own. */
function applied(
  { struct }: Place,
  live: AnyResource | undefined,
  fields: object,
  manager: string,
  force = false,
) {
  const metadata = { ref: 'V1ObjectMeta' }
  const schema = { ...struct, properties: { ...struct.properties, metadata } }
  return deepFreeze(applyPatch({ ...base, schema, live, config: objectOf(fields), manager, force }))
}

const ownedBy = (object: AnyResource, manager: string) =>
  readManagers(object.metadata.managedFields)
    .filter(({ name }) => name === manager)
    .flatMap(({ fields }) => memberPaths(fields))

/** A struct that has one owner as a whole is not looked into. */
const granular = places.filter(({ struct }) => struct.mapType !== 'atomic')
const isOwnedByItem = ({ list }: Place) => listKeys(list) !== undefined
const isSet = ({ list }: Place) => list.listType === 'set'

describe('Two appliers of a list of items by key', () => {
  test.each(named(granular.filter(isOwnedByItem)))('%s own their items', (_, place) => {
    const { list, field } = place
    const keys = listKeys(list) ?? []
    const [a, b] = [itemOf(list, keys, 1), itemOf(list, keys, 2)]
    const one = applied(place, undefined, { [field]: [a] }, 'one')
    const two = applied(place, one, { [field]: [b] }, 'two')
    expect(two[field]).toEqual([a, b])
    expect(ownedBy(two, 'one')).not.toEqual([])
    expect(ownedBy(two, 'one').filter((path) => ownedBy(two, 'two').includes(path))).toEqual([])
    expect(applied(place, two, { [field]: [b] }, 'two')).toBe(two)
    // What nobody asks for any more goes; what the other asks for stays.
    expect(applied(place, two, {}, 'one')[field]).toEqual([b])
    // The order in which they came does not matter for who owns what.
    const other = applied(place, applied(place, undefined, { [field]: [b] }, 'two'), { [field]: [a] }, 'one')
    for (const manager of ['one', 'two']) expect(ownedBy(other, manager)).toEqual(ownedBy(two, manager))
    const plain = plainField(list, keys)
    if (!plain || resolve(list.items ?? {}).mapType === 'atomic') return
    const [mine, theirs] = [1, 2].map((number) => ({ ...a, [plain[0]]: sample(plain[1], number) }))
    const held = applied(place, undefined, { [field]: [mine] }, 'one')
    expect(() => applied(place, held, { [field]: [theirs] }, 'two')).toThrow('conflict with "one"')
    expect(applied(place, held, { [field]: [theirs] }, 'two', true)[field]).toEqual([theirs])
  })
})

describe('Two appliers of a set', () => {
  test.each(named(granular.filter(isSet)))('%s own their values', (_, place) => {
    const { list, field } = place
    const [a, b] = [1, 2].map((number) => sample(list.items ?? {}, number))
    const two = applied(place, applied(place, undefined, { [field]: [a] }, 'one'), { [field]: [b] }, 'two')
    expect(two[field]).toEqual([a, b])
    expect(applied(place, two, {}, 'two')[field]).toEqual([a])
  })
})

describe('Two appliers of an atomic list', () => {
  test.each(named(granular.filter((place) => !isOwnedByItem(place) && !isSet(place))))(
    '%s meet',
    (_, place) => {
      const { list, field } = place
      const [a, b] = [1, 2].map((number) => sample(list.items ?? {}, number))
      const [mine, theirs] = typeof a === 'object' ? [[{}], [{}, {}]] : [[a], [b]]
      const one = applied(place, undefined, { [field]: mine }, 'one')
      expect(ownedBy(one, 'one')).toEqual([`.${field}`])
      expect(() => applied(place, one, { [field]: theirs }, 'two')).toThrow('conflict with "one"')
      const taken = applied(place, one, { [field]: theirs }, 'two', true)
      expect(taken[field]).toEqual(theirs)
      expect(ownedBy(taken, 'one')).toEqual([])
      // The same value is owned by both, and stays until neither wants it.
      const shared = applied(place, one, { [field]: mine }, 'two')
      expect(applied(place, shared, {}, 'one')[field]).toEqual(mine)
    },
  )
})
