import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deployment } from '../../api/kinds/deployment.ts'
import type { AnyResource } from '../../api/resource.ts'
import { ApiError } from '../../api/status.ts'
import { deepFreeze } from '../../base/json.ts'
import { applyPatch } from './apply.ts'
import {
  difference,
  equalFields,
  formatFields,
  has,
  intersection,
  memberPaths,
  NO_FIELDS,
  parseFields,
  union,
} from './fields.ts'
import { readManagers, trackUpdate } from './managed-fields.ts'

const a = parseFields({ 'f:a': { '.': {}, 'f:x': {}, 'f:y': {} }, 'f:b': {} })
const b = parseFields({ 'f:a': { 'f:x': {} }, 'f:c': {} })

describe('Fields', () => {
  test.each([
    ['union', union(a, b), ['.a', '.a.x', '.a.y', '.b', '.c']],
    ['intersection', intersection(a, b), ['.a.x']],
    ['difference', difference(a, b), ['.a', '.a.y', '.b']],
    ['difference of a container', difference(a, parseFields({ 'f:a': {} })), ['.a.x', '.a.y', '.b']],
    ['difference with itself', difference(a, a), []],
  ])('%s', (_, fields, paths) => expect(memberPaths(fields)).toEqual(paths))

  test('a difference that takes nothing is the set itself', () =>
    expect(difference(a, parseFields({ 'f:z': {} }))).toBe(a))

  test('has the paths that are members, not the ones on the way', () => {
    expect([
      has(a, ['f:a']),
      has(a, ['f:a', 'f:x']),
      has(b, ['f:a']),
      has(a, ['f:z', 'f:x']),
      has(a, []),
    ]).toEqual([true, true, false, false, false])
  })

  test('is read and written as it is, in the order Kubernetes writes', () => {
    const json = {
      'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
      'f:spec': {
        'f:containers': { 'k:{"name":"a"}': { '.': {}, 'f:image': {} }, 'k:{"name":"b"}': {} },
        'f:finalizers': { 'v:"x"': {} },
        'f:list': { 'i:2': {}, 'i:10': {} },
      },
    }
    expect(JSON.stringify(formatFields(parseFields(json)))).toBe(JSON.stringify(json))
  })

  test('is read once from a frozen object, and anew from one that may change', () => {
    const json = deepFreeze({ 'f:a': {} })
    expect(parseFields(json)).toBe(parseFields(json))
    const open: Record<string, object> = { 'f:a': {} }
    parseFields(open)
    open['f:b'] = {}
    expect(memberPaths(parseFields(open))).toEqual(['.a', '.b'])
  })

  test('shows keys that are no JSON as they are', () =>
    expect(memberPaths(parseFields({ 'k:{odd': {} }))).toEqual(['[{odd]']))
})

const { trie } = fc.letrec<{ trie: object }>((tie) => ({
  trie: fc.oneof(
    { maxDepth: 4 },
    fc.constant({}),
    fc.dictionary(fc.constantFrom('.', 'f:a', 'f:b', 'k:{"name":"x"}', 'v:1'), tie('trie'), { maxKeys: 3 }),
  ),
}))

test('Sets obey the laws of sets', () =>
  fc.assert(
    fc.property(trie, trie, (x, y) => {
      const [p, q] = [parseFields(x), parseFields(y)]
      const same = (left: typeof p, right: typeof p) => expect(memberPaths(left)).toEqual(memberPaths(right))
      same(union(p, q), union(q, p))
      same(intersection(p, q), intersection(q, p))
      same(union(difference(p, q), intersection(p, q)), p)
      same(intersection(difference(p, q), q), NO_FIELDS)
      expect(equalFields(parseFields(formatFields(p)), p)).toBe(true)
    }),
  ))

const options = { kind: deployment, schema: deployment.schema, subresource: '', hasStatus: true, now: 0 }
const apply = (live: AnyResource | undefined, config: AnyResource, manager: string, force = false) =>
  deepFreeze(applyPatch({ ...options, live, config: deepFreeze(config), manager, force }))
const objectOf = (spec: object) =>
  ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec }) as AnyResource

const label = fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'constructor'), fc.constantFrom('1', '2'))
const container = fc.record(
  {
    name: fc.constantFrom('a', 'b', 'c'),
    image: fc.constantFrom('x', 'y'),
    args: fc.array(fc.constantFrom('1', '2'), { maxLength: 2 }),
  },
  { requiredKeys: ['name'] },
)
const spec = fc.record(
  {
    replicas: fc.nat(3),
    selector: fc.record({ matchLabels: label }),
    strategy: fc.record({ type: fc.constantFrom('Recreate', 'RollingUpdate') }, { requiredKeys: [] }),
    template: fc.record({
      metadata: fc.record({ labels: label }),
      spec: fc.record({
        containers: fc.uniqueArray(container, { selector: ({ name }) => name, maxLength: 3 }),
      }),
    }),
  },
  { requiredKeys: [] },
)

describe('Applying', () => {
  test('twice is applying once', () =>
    fc.assert(
      fc.property(spec, spec, (first, second) => {
        const once = apply(apply(undefined, objectOf(first), 'one'), objectOf(second), 'two', true)
        expect(apply(once, objectOf(second), 'two')).toBe(once)
      }),
    ))

  test('another configuration leaves just that configuration, when nobody else applied', () =>
    fc.assert(
      fc.property(spec, spec, (first, second) => {
        const left = apply(apply(undefined, objectOf(first), 'one'), objectOf(second), 'one')
        expect(apply(left, objectOf(second), 'one')).toBe(left)
        expect(hollowed(left.spec)).toEqual(hollowed(second))
      }),
    ))

  test('leaves the owners of different fields alone, in any order', () =>
    fc.assert(
      fc.property(spec, fc.nat(5), ({ replicas: _, ...rest }, minReadySeconds) => {
        const [x, y] = [objectOf({ ...rest, replicas: 1 }), objectOf({ minReadySeconds })]
        expect(apply(apply(undefined, x, 'one'), y, 'two')).toEqual(
          apply(apply(undefined, y, 'two'), x, 'one'),
        )
      }),
    ))

  test('by two who agree where they meet ends the same, whoever comes first', () =>
    fc.assert(
      fc.property(whole, share, share, (all, mine, theirs) => {
        const [x, y] = [objectOf(partOf(all, mine)), objectOf(partOf(all, theirs))]
        const ends = [
          apply(apply(undefined, x, 'one'), y, 'two'),
          apply(apply(undefined, y, 'two'), x, 'one'),
        ]
        const [one, other] = ends.map((end) => ({
          spec: sortedByName(end.spec),
          owners: readManagers(end.metadata.managedFields).map(({ name, fields }) => [
            name,
            memberPaths(fields),
          ]),
        }))
        expect(one).toEqual(other)
      }),
    ))

  test('and updating throw nothing but ApiErrors, for any JSON', () => {
    const name = fc.constantFrom(
      'metadata',
      'spec',
      'template',
      'containers',
      'name',
      'labels',
      'finalizers',
      'status',
      '__proto__',
    )
    const { any } = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom<unknown>('x', 1, null, true),
        fc.dictionary(name, tie('any'), { maxKeys: 4 }),
        fc.array(tie('any'), { maxLength: 3 }),
      ),
    }))
    fc.assert(
      fc.property(any, any, any, any, (x, y, labels, fieldsV1) => {
        const entry = { manager: 'odd', operation: 'Update', apiVersion: 'v1', fieldsV1 }
        const live = deepFreeze({
          ...objectOf({}),
          spec: x,
          metadata: { name: 'web', labels, managedFields: [entry] },
        })
        for (const run of [
          () =>
            apply(live as unknown as AnyResource, { ...objectOf({}), spec: y } as AnyResource, 'one', true),
          () =>
            trackUpdate(live as unknown as AnyResource, { ...live, spec: y } as unknown as AnyResource, {
              ...options,
              manager: 'm',
            }),
        ]) {
          try {
            run()
          } catch (error) {
            expect(error).toBeInstanceOf(ApiError)
          }
        }
      }),
      { numRuns: 1000 },
    )
  })
})

/** A configuration, and which parts of it somebody asks for. */
const whole = fc.record({
  replicas: fc.nat(3),
  paused: fc.boolean(),
  labels: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2')),
  containers: fc.uniqueArray(container, { selector: ({ name }) => name, maxLength: 3 }),
})
const share = fc.record({
  replicas: fc.boolean(),
  paused: fc.boolean(),
  labels: fc.subarray(['a', 'b', 'c']),
  containers: fc.subarray(['a', 'b', 'c']),
})
type Whole = typeof whole extends fc.Arbitrary<infer T> ? T : never
type Share = typeof share extends fc.Arbitrary<infer T> ? T : never

function partOf({ replicas, paused, labels, containers }: Whole, asked: Share): object {
  const own = Object.fromEntries(Object.entries(labels).filter(([key]) => asked.labels.includes(key)))
  return {
    ...(asked.replicas ? { replicas } : {}),
    ...(asked.paused ? { paused } : {}),
    template: {
      metadata: { labels: own },
      spec: { containers: containers.filter(({ name }) => asked.containers.includes(name)) },
    },
  }
}

function sortedByName(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedByName).sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, sortedByName(inner)]))
}

function textOf(value: unknown): string {
  return JSON.stringify(value)
}

/** Without empty containers: those that an applier leaves behind are its own business. */
function hollowed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hollowed)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [key, hollowed(inner)] as const)
  const full = entries.filter(
    ([, inner]) => typeof inner !== 'object' || (inner !== null && Object.keys(inner).length > 0),
  )
  return Object.fromEntries(full)
}

describe('fieldsV1 of different objects', () => {
  const of = (ip: string) =>
    formatFields(
      parseFields({
        'f:spec': { 'f:containers': { 'k:{"name":"app"}': { '.': {}, 'f:image': {} } } },
        'f:status': { 'f:podIPs': { [`k:{"ip":"${ip}"}`]: { '.': {}, 'f:ip': {} } } },
      }),
    )

  test('share what is equal in them, and are told apart where they differ', () => {
    const [one, other] = [of('10.244.0.1'), of('10.244.0.2')]
    expect(one['f:spec']).toBe(other['f:spec'])
    expect(one).not.toBe(other)
    expect(of('10.244.0.1')).toBe(one)
    expect(JSON.stringify(one)).toBe(
      '{"f:spec":{"f:containers":{"k:{\\"name\\":\\"app\\"}":{".":{},"f:image":{}}}},"f:status":{"f:podIPs":{"k:{\\"ip\\":\\"10.244.0.1\\"}":{".":{},"f:ip":{}}}}}',
    )
  })

  test('do not take a member for a mere container of members', () => {
    const member = formatFields(parseFields({ 'f:a': { '.': {}, 'f:b': {} } }))
    const container = formatFields(parseFields({ 'f:a': { 'f:b': {} } }))
    expect([member, container]).toEqual([{ 'f:a': { '.': {}, 'f:b': {} } }, { 'f:a': { 'f:b': {} } }])
    expect(member).not.toBe(container)
  })
})
