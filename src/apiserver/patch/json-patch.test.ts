import fc from 'fast-check'
import jsonpatch from 'fast-json-patch'
import { describe, expect, test } from 'vitest'
import { pod } from '../../api/kinds/pod.ts'
import { ApiError } from '../../api/status.ts'
import { deepFreeze } from '../../base/json.ts'
import { jsonPatch } from './json-patch.ts'
import { mergePatch } from './merge-patch.ts'
import { strategicMergePatch } from './strategic-merge-patch.ts'

const target = deepFreeze({ spec: { replicas: 1, list: ['a', 'b'], '~/': 1 } })
const rest = { '~/': 1 }

const failure = (run: () => unknown): ApiError => {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(ApiError)
    return error as ApiError
  }
  throw new Error('Nothing was thrown')
}

describe('jsonPatch', () => {
  test.each([
    ['adds', [{ op: 'add', path: '/spec/x', value: 1 }], { ...rest, replicas: 1, list: ['a', 'b'], x: 1 }],
    [
      'adds null',
      [{ op: 'add', path: '/spec/x', value: null }],
      { ...rest, replicas: 1, list: ['a', 'b'], x: null },
    ],
    [
      'appends',
      [{ op: 'add', path: '/spec/list/-', value: 'c' }],
      { ...rest, replicas: 1, list: ['a', 'b', 'c'] },
    ],
    [
      'inserts',
      [{ op: 'add', path: '/spec/list/0', value: 'c' }],
      { ...rest, replicas: 1, list: ['c', 'a', 'b'] },
    ],
    ['removes', [{ op: 'remove', path: '/spec/list/0' }], { ...rest, replicas: 1, list: ['b'] }],
    ['reads escaped paths', [{ op: 'remove', path: '/spec/~0~1' }], { replicas: 1, list: ['a', 'b'] }],
    [
      'replaces after a test that holds',
      [
        { op: 'test', path: '/spec/replicas', value: 1 },
        { op: 'replace', path: '/spec/replicas', value: 3 },
      ],
      { ...rest, replicas: 3, list: ['a', 'b'] },
    ],
    ['moves', [{ op: 'move', from: '/spec/replicas', path: '/spec/n' }], { ...rest, list: ['a', 'b'], n: 1 }],
    [
      'copies',
      [{ op: 'copy', from: '/spec/replicas', path: '/spec/n' }],
      { ...rest, replicas: 1, list: ['a', 'b'], n: 1 },
    ],
    ['does nothing for no operations', [], { ...rest, replicas: 1, list: ['a', 'b'] }],
  ])('%s', (_, patch, spec) => expect(jsonPatch(target, patch)).toEqual({ spec }))

  const REFUSED = 'the server rejected our request due to an error in our request'
  test.each([
    ['a failed test', [{ op: 'test', path: '/spec/replicas', value: 2 }], 'Invalid', REFUSED],
    ['a test of a path that is not there', [{ op: 'test', path: '/nope', value: 2 }], 'Invalid', REFUSED],
    ['a path that is not there', [{ op: 'replace', path: '/spec/nope/x', value: 1 }], 'Invalid', REFUSED],
    ['to remove what is not there', [{ op: 'remove', path: '/spec/nope' }], 'Invalid', REFUSED],
    ['an index out of range', [{ op: 'add', path: '/spec/list/9', value: 1 }], 'Invalid', REFUSED],
    ['an unknown operation', [{ op: 'frob', path: '/spec' }], 'Invalid', REFUSED],
    ["the library's own operation", [{ op: '_get', path: '/spec' }], 'Invalid', REFUSED],
    ['an operation every object has', [{ op: 'constructor', path: '/spec' }], 'Invalid', REFUSED],
    ['a path through a prototype', [{ op: 'add', path: '/__proto__/x', value: 1 }], 'Invalid', REFUSED],
    [
      'no list',
      { op: 'add' },
      'BadRequest',
      'error decoding patch: a JSON patch must be a list of operations',
    ],
    [
      'an operation without a path',
      [{ op: 'add' }],
      'BadRequest',
      'error decoding patch: operation 0 has no "path"',
    ],
    [
      'an operation without a value',
      [{ op: 'add', path: '/x' }],
      'BadRequest',
      'error decoding patch: operation 0 has no "value"',
    ],
    [
      'a move without its source',
      [{ op: 'move', path: '/x' }],
      'BadRequest',
      'error decoding patch: operation 0 has no "from"',
    ],
    ['an operation that is null', [null], 'BadRequest', 'error decoding patch: operation 0 has no object'],
  ])('refuses %s', (_, patch, reason, message) => {
    const error = failure(() => jsonPatch(target, patch))
    expect([error.reason, error.message]).toEqual([reason, message])
  })

  test('says which operation failed, and no value', () => {
    const error = failure(() => jsonPatch({ s: 'secret' }, [{ op: 'test', path: '/s', value: 'guess' }]))
    expect(error.causes).toEqual([
      { reason: 'FieldValueInvalid', message: 'Test operation failed', field: 'patch[0]' },
    ])
  })

  test('refuses more operations than 10,000', () =>
    expect(failure(() => jsonPatch({}, Array(10_001).fill({ op: 'test', path: '', value: {} }))).code).toBe(
      413,
    ))

  test('refuses copies that double without end', () => {
    const patch = Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '/a', path: `/a/x${i}` }))
    expect(failure(() => jsonPatch({ a: { text: 'x'.repeat(1000) } }, patch)).code).toBe(413)
  })

  test('refuses nesting without end', () => {
    const patch = Array.from({ length: 5000 }, () => ({ op: 'move', from: '/a', path: '/b' })).flatMap(
      (move) => [
        { op: 'add', path: '/b', value: {} },
        { op: 'move', from: '/a', path: '/b/a' },
        { ...move, from: '/b', path: '/a' },
      ],
    )
    expect(failure(() => jsonPatch({ a: {} }, patch.slice(0, 9999))).reason).toBe('Invalid')
  })
})

test.each([
  ['mergePatch', (patch: unknown) => mergePatch({}, patch)],
  ['strategicMergePatch', (patch: unknown) => strategicMergePatch({}, patch, pod.schema)],
])('%s refuses a patch nested without end', (_, run) => {
  let patch: object = {}
  for (let i = 0; i < 100_000; i += 1) patch = { metadata: patch }
  expect(failure(() => run(patch)).reason).toBe('BadRequest')
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
  ])('%j patched with %j is %j', (before, patch, expected) =>
    expect(mergePatch(deepFreeze(before), patch)).toEqual(expected),
  )

  test('does not touch prototypes', () => {
    const result = mergePatch({}, JSON.parse('{"__proto__":{"polluted":1}}')) as object
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
    expect(Object.keys(result)).toEqual(['__proto__'])
  })
})

const key = fc.constantFrom('a', 'b', 'c', 'metadata', 'spec', 'containers', 'name', '$patch', 'finalizers')
const { object: anyObject, value: anyValue } = fc.letrec<{ object: object; value: unknown }>((tie) => ({
  object: fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>('x', 'replace', 'delete', 1, true, null),
    tie('object'),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
}))

/** The merge patch that leads from one object to another; both without nulls. */
function mergeDiff(before: Record<string, unknown>, after: Record<string, unknown>): object {
  const isMap = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return Object.fromEntries(
    [...names].map((name) => {
      const [x, y] = [before[name], after[name]] as [Record<string, unknown>, Record<string, unknown>]
      return [name, y === undefined ? null : isMap(x) && isMap(y) ? mergeDiff(x, y) : y]
    }),
  )
}

describe('a patch made from the difference of two objects', () => {
  const plain = anyObject.map((value) => JSON.parse(JSON.stringify(value).replaceAll('null', '0')))

  test('leads from one to the other as a JSON patch', () =>
    fc.assert(
      fc.property(plain, plain, (before, after) => {
        expect(jsonPatch(deepFreeze(before), jsonpatch.compare(before, after))).toEqual(after)
      }),
    ))

  test('leads from one to the other as a merge patch', () =>
    fc.assert(
      fc.property(plain, plain, (before, after) => {
        expect(mergePatch(deepFreeze(before), mergeDiff(before, after))).toEqual(after)
      }),
    ))
})

test('No patch of any shape throws anything but an ApiError, or changes the original', () => {
  const operation = fc.record(
    {
      op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'x'),
      path: fc.constantFrom('', '/', '/a', '/a/b', '/spec/containers/0', '/a/-', '/__proto__/x', 'a'),
      from: fc.constantFrom('', '/a', '/a/b', '/spec'),
      value: anyValue,
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(anyObject, fc.oneof(anyValue, fc.array(operation)), (original, patch) => {
      deepFreeze(original)
      for (const run of [
        () => mergePatch(original, patch),
        () => jsonPatch(original, patch),
        () => strategicMergePatch(original, patch, pod.schema),
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
