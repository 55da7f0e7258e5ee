import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deployment } from '../../api/kinds/deployment.ts'
import { pod } from '../../api/kinds/pod.ts'
import { ApiError } from '../../api/status.ts'
import { deepFreeze } from '../../base/json.ts'
import { jsonPatch } from './json-patch.ts'
import { mergePatch } from './merge-patch.ts'
import { strategicMergePatch } from './strategic-merge-patch.ts'

const podOf = (spec: object) => deepFreeze({ metadata: { name: 'web' }, spec })
const strategic = (spec: object, patch: object) =>
  (strategicMergePatch(podOf(spec), { spec: patch }, pod.schema) as { spec: unknown }).spec

describe('strategicMergePatch', () => {
  const a = { name: 'a', image: 'a:1', env: [{ name: 'X', value: '1' }] }
  const b = { name: 'b', image: 'b:1' }

  test.each([
    [
      'merges containers by name',
      { containers: [a, b] },
      { containers: [{ name: 'b', image: 'b:2' }] },
      { containers: [a, { name: 'b', image: 'b:2' }] },
    ],
    ['adds a container that is not there', { containers: [a] }, { containers: [b] }, { containers: [a, b] }],
    [
      'deletes an item with $patch',
      { containers: [a, b] },
      { containers: [{ name: 'a', $patch: 'delete' }] },
      { containers: [b] },
    ],
    [
      'replaces an item with $patch',
      { containers: [a] },
      { containers: [{ name: 'a', image: 'x', $patch: 'replace' }] },
      { containers: [{ name: 'a', image: 'x' }] },
    ],
    [
      'replaces a whole list with $patch',
      { containers: [a, b] },
      { containers: [{ $patch: 'replace' }, { name: 'c' }] },
      { containers: [{ name: 'c' }] },
    ],
    [
      'merges lists inside items',
      { containers: [a] },
      { containers: [{ name: 'a', env: [{ name: 'Y', value: '2' }] }] },
      {
        containers: [
          {
            ...a,
            env: [
              { name: 'X', value: '1' },
              { name: 'Y', value: '2' },
            ],
          },
        ],
      },
    ],
    [
      'removes a field with null',
      { containers: [a], hostname: 'h' },
      { hostname: null },
      { containers: [a] },
    ],
    [
      'replaces lists that are atomic',
      { containers: [{ name: 'a', args: ['1', '2'] }] },
      { containers: [{ name: 'a', args: ['3'] }] },
      { containers: [{ name: 'a', args: ['3'] }] },
    ],
    [
      'replaces an atomic list of objects',
      { tolerations: [{ key: 'a' }] },
      { tolerations: [{ key: 'b' }] },
      { tolerations: [{ key: 'b' }] },
    ],
    [
      'merges maps',
      { nodeSelector: { a: '1' } },
      { nodeSelector: { b: '2' } },
      { nodeSelector: { a: '1', b: '2' } },
    ],
    [
      'replaces a map with $patch',
      { nodeSelector: { a: '1' } },
      { nodeSelector: { $patch: 'replace', b: '2' } },
      { nodeSelector: { b: '2' } },
    ],
    [
      'empties a map with $patch: delete',
      { nodeSelector: { a: '1' } },
      { nodeSelector: { $patch: 'delete' } },
      { nodeSelector: {} },
    ],
    [
      'keeps only $retainKeys',
      { volumes: [{ name: 'v', emptyDir: {} }] },
      { volumes: [{ name: 'v', $retainKeys: ['name', 'configMap'], configMap: { name: 'c' } }] },
      { volumes: [{ name: 'v', configMap: { name: 'c' } }] },
    ],
    [
      'sets the element order',
      { containers: [a, b] },
      {
        '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
        containers: [{ name: 'b', image: 'b:2' }],
      },
      { containers: [{ name: 'b', image: 'b:2' }, a] },
    ],
    [
      'leaves items that the order does not know in place',
      { containers: [a, { name: 'other' }, b] },
      { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] },
      { containers: [b, { name: 'other' }, a] },
    ],
    [
      'drops nulls and directives in new content',
      {},
      { containers: [{ name: 'a', image: null, env: [{ name: 'X', $patch: 'delete' }] }] },
      { containers: [{ name: 'a', env: [] }] },
    ],
  ])('%s', (_, spec, patch, expected) => expect(strategic(spec, patch)).toEqual(expected))

  test('merges ports by containerPort and Service ports by port', () =>
    expect(
      strategic(
        { containers: [{ name: 'a', ports: [{ containerPort: 80 }] }] },
        { containers: [{ name: 'a', ports: [{ containerPort: 80, name: 'http' }, { containerPort: 81 }] }] },
      ),
    ).toEqual({
      containers: [{ name: 'a', ports: [{ containerPort: 80, name: 'http' }, { containerPort: 81 }] }],
    }))

  test('adds to and deletes from a list of primitives (finalizers)', () => {
    const object = deepFreeze({ metadata: { finalizers: ['a', 'b'] } })
    expect(strategicMergePatch(object, { metadata: { finalizers: ['c', 'a'] } }, pod.schema)).toEqual({
      metadata: { finalizers: ['a', 'b', 'c'] },
    })
    expect(
      strategicMergePatch(object, { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } }, pod.schema),
    ).toEqual({ metadata: { finalizers: ['b'] } })
  })

  test('merges conditions by type', () => {
    const object = deepFreeze({
      status: {
        conditions: [
          { type: 'A', status: 'True' },
          { type: 'B', status: 'True' },
        ],
      },
    })
    expect(
      strategicMergePatch(
        object,
        { status: { conditions: [{ type: 'B', status: 'False' }] } },
        deployment.schema,
      ),
    ).toEqual({
      status: {
        conditions: [
          { type: 'A', status: 'True' },
          { type: 'B', status: 'False' },
        ],
      },
    })
  })

  test.each([
    ['an unknown $patch', { nodeSelector: { $patch: 'bogus' } }, 'Unknown patch type found: bogus in map'],
    ['an unknown directive', { $bogus: 1 }, 'Unknown directive "$bogus"'],
    [
      'an item without its merge key',
      { containers: [{ image: 'x' }] },
      'does not contain declared merge key: name',
    ],
    [
      'an order that misses an item of the patch',
      { '$setElementOrder/containers': [{ name: 'z' }], containers: [{ name: 'a' }] },
      "The order in patch list doesn't match",
    ],
  ])('refuses %s', (_, patch, message) =>
    expect(() => strategic({ containers: [{ name: 'a' }] }, patch)).toThrow(message),
  )
})

describe('mergePatch', () => {
  // The table of RFC 7386, appendix A.
  test.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j patched with %j is %j', (target, patch, expected) =>
    expect(mergePatch(deepFreeze(target), patch)).toEqual(expected),
  )

  test('does not touch prototypes', () => {
    const result = mergePatch({}, JSON.parse('{"__proto__":{"polluted":1}}')) as Record<string, unknown>
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(Object.keys(result)).toEqual(['__proto__'])
  })
})

describe('jsonPatch', () => {
  const target = deepFreeze({ spec: { replicas: 1, list: ['a', 'b'] } })
  test.each([
    ['add', [{ op: 'add', path: '/spec/x', value: 1 }], { spec: { replicas: 1, list: ['a', 'b'], x: 1 } }],
    [
      'append',
      [{ op: 'add', path: '/spec/list/-', value: 'c' }],
      { spec: { replicas: 1, list: ['a', 'b', 'c'] } },
    ],
    ['remove', [{ op: 'remove', path: '/spec/list/0' }], { spec: { replicas: 1, list: ['b'] } }],
    [
      'replace after test',
      [
        { op: 'test', path: '/spec/replicas', value: 1 },
        { op: 'replace', path: '/spec/replicas', value: 3 },
      ],
      { spec: { replicas: 3, list: ['a', 'b'] } },
    ],
    ['move', [{ op: 'move', from: '/spec/replicas', path: '/n' }], { spec: { list: ['a', 'b'] }, n: 1 }],
  ])('%s', (_, patch, expected) => expect(jsonPatch(target, patch)).toEqual(expected))

  test.each([
    ['a failed test', [{ op: 'test', path: '/spec/replicas', value: 2 }], 'Invalid'],
    ['a path that is not there', [{ op: 'replace', path: '/spec/nope/x', value: 1 }], 'Invalid'],
    ['an unknown operation', [{ op: 'frob', path: '/spec' }], 'Invalid'],
    ['no list', { op: 'add' }, 'BadRequest'],
    ['an operation without a path', [{ op: 'add' }], 'BadRequest'],
  ])('%s is %s', (_, patch, reason) => {
    const error = (() => {
      try {
        return jsonPatch(target, patch)
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toBeInstanceOf(ApiError)
    expect((error as ApiError).reason).toBe(reason)
  })
})

test('no patch of any shape throws anything but an ApiError', () =>
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (target, patch) => {
      for (const run of [
        () => mergePatch(target, patch),
        () => jsonPatch(target as object, patch),
        () => strategicMergePatch(target, patch, pod.schema),
      ]) {
        try {
          run()
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError)
        }
      }
    }),
  ))
