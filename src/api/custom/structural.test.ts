import { describe, expect, test } from 'vitest'
import { deepFreeze } from '../../base/json.ts'
import type { StatusCause } from '../status.ts'
import { withDefaults } from './defaults.ts'
import { isPlainPath, parseJsonPath, readJsonPath, withValueAt } from './json-path.ts'
import { readJsonSchema } from './json-schema.ts'
import { prune } from './prune.ts'
import { checkStructural } from './structural.ts'
import { checkValue } from './value-rules.ts'

const lines = (faults: readonly StatusCause[]) => faults.map(({ field, message }) => `${field}: ${message}`)
const root = (spec: object) => readJsonSchema(deepFreeze({ type: 'object', properties: { a: spec } }))

describe('A schema', () => {
  test.each<[string, object, readonly string[]]>([
    [
      'of every kind of field',
      { type: 'object', properties: { b: { type: 'array', items: { 'x-kubernetes-int-or-string': true } } } },
      [],
    ],
    [
      'without a type',
      {},
      ['s.properties[a].type: Required value: must not be empty for specified object fields'],
    ],
    ['that keeps anything needs no type', { 'x-kubernetes-preserve-unknown-fields': true }, []],
    [
      'of an unknown type',
      { type: 'text' },
      [
        's.properties[a].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"',
      ],
    ],
    ['of a list of nothing', { type: 'array' }, ['s.properties[a].items: Required value: must be specified']],
    [
      'of a list of several',
      { type: 'array', items: [{ type: 'string' }] },
      [
        's.properties[a].items: Forbidden: items must be a schema object and not an array',
        's.properties[a].items: Required value: must be specified',
      ],
    ],
    [
      'with both sorts of members',
      { type: 'object', properties: {}, additionalProperties: { type: 'string' } },
      [
        's.properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive',
      ],
    ],
    [
      'without other members',
      { type: 'object', additionalProperties: false },
      ['s.properties[a].additionalProperties: Forbidden: additionalProperties cannot be set to false'],
    ],
    [
      'with a reference',
      { type: 'object', $ref: '#/x' },
      ['s.properties[a].$ref: Forbidden: $ref is not supported'],
    ],
    [
      'with definitions',
      { type: 'object', definitions: { x: {} } },
      ['s.properties[a].definitions: Forbidden: definitions is not supported'],
    ],
    [
      'with a type for int or string',
      { type: 'string', 'x-kubernetes-int-or-string': true },
      ['s.properties[a].type: Forbidden: must be empty if x-kubernetes-int-or-string is true'],
    ],
    [
      'that keeps nothing',
      { type: 'object', 'x-kubernetes-preserve-unknown-fields': false },
      [
        's.properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined',
      ],
    ],
    [
      'with unique items',
      { type: 'array', items: { type: 'string' }, uniqueItems: true },
      [
        's.properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ],
    ],
    [
      'with a default that does not fit',
      { type: 'integer', maximum: 3, default: 5 },
      [
        's.properties[a].default: Invalid value: 5: s.properties[a].default in body should be less than or equal to 3',
      ],
    ],
    [
      'with a default that is not known',
      { type: 'object', properties: {}, default: { b: 1 } },
      ['s.properties[a].default: Invalid value: {"b":1}: must not have unknown fields'],
    ],
    [
      'with a default that fits',
      { type: 'object', required: ['b'], properties: { b: { type: 'integer', default: 1 } }, default: {} },
      [],
    ],
    [
      'with values only',
      {
        type: 'object',
        properties: { b: { type: 'string' } },
        anyOf: [{ properties: { b: { minLength: 1 } } }, { required: ['b'] }],
      },
      [],
    ],
    [
      'with a type inside anyOf',
      {
        type: 'object',
        properties: { b: { type: 'string' } },
        anyOf: [{ properties: { b: { type: 'string' } } }],
      },
      ['s.properties[a].anyOf[0].properties[b].type: Forbidden: must be undefined to be structural'],
    ],
    [
      'with a field only inside oneOf',
      { type: 'object', properties: {}, oneOf: [{ properties: { b: { minLength: 1 } } }] },
      [
        's.properties[a].properties[b]: Required value: because it is defined in s.properties[a].oneOf[0].properties[b]',
      ],
    ],
    [
      'with a list type for no list',
      { type: 'string', 'x-kubernetes-list-type': 'set' },
      ['s.properties[a].type: Invalid value: "string": must be array if x-kubernetes-list-type is specified'],
    ],
    [
      'with an unknown list type',
      { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'bag' },
      [
        's.properties[a].x-kubernetes-list-type: Unsupported value: "bag": supported values: "atomic", "map", "set"',
      ],
    ],
    [
      'with a map list without keys',
      { type: 'array', items: { type: 'object', properties: {} }, 'x-kubernetes-list-type': 'map' },
      [
        's.properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map',
      ],
    ],
    [
      'with a key nobody has',
      {
        type: 'array',
        items: { type: 'object', properties: {} },
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['b'],
      },
      [
        's.properties[a].x-kubernetes-list-map-keys[0]: Invalid value: "b": entries must all be names of item properties',
      ],
    ],
    [
      'with a key that may be missing',
      {
        type: 'array',
        items: { type: 'object', properties: { b: { type: 'string' } } },
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['b'],
      },
      [
        's.properties[a].items.properties[b].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
      ],
    ],
    [
      'with a set of objects',
      { type: 'array', items: { type: 'object', properties: {} }, 'x-kubernetes-list-type': 'set' },
      [
        's.properties[a].items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set',
      ],
    ],
    [
      'with an unknown map type',
      { type: 'object', 'x-kubernetes-map-type': 'x' },
      [
        's.properties[a].x-kubernetes-map-type: Unsupported value: "x": supported values: "atomic", "granular"',
      ],
    ],
    [
      'with an embedded text',
      { type: 'string', 'x-kubernetes-embedded-resource': true },
      [
        's.properties[a].type: Invalid value: "string": must be object if x-kubernetes-embedded-resource is true',
        's.properties[a].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      ],
    ],
  ])('%s', (_, given, expected) => {
    expect(lines(checkStructural(root(given), 's'))).toEqual(expected)
  })

  test.each<[string, object, readonly string[]]>([
    ['no type', {}, ['s.type: Required value: must not be empty at the root']],
    [
      'another type',
      { type: 'array', items: { type: 'string' } },
      ['s.type: Invalid value: "array": must be object at the root'],
    ],
    [
      'null',
      { type: 'object', nullable: true },
      ['s.nullable: Forbidden: nullable cannot be true at the root'],
    ],
    [
      'any members',
      { type: 'object', additionalProperties: { type: 'string' } },
      ['s.additionalProperties: Forbidden: additionalProperties cannot be used at the root'],
    ],
    [
      'metadata of its own',
      {
        type: 'object',
        properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } },
      },
      [
        's.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified',
      ],
    ],
  ])('with %s at its root is refused', (_, given, expected) => {
    expect(lines(checkStructural(readJsonSchema(deepFreeze(given)), 's'))).toEqual(expected)
  })

  test('with a pattern that is none says so', () => {
    expect(lines(checkStructural(root({ type: 'string', pattern: '(' }), 's'))[0]).toMatch(
      /^s\.properties\[a\]\.pattern: Invalid value: "\(": must be a valid regular expression, but isn't/,
    )
  })

  test('whose keywords have wrong types names them', () => {
    const wrong: string[] = []
    readJsonSchema(
      { type: 'object', items: { minimum: 'x' }, properties: { a: 5, b: { required: [1] } } },
      (path) => wrong.push(path),
    )
    expect(wrong.sort()).toEqual(['items.minimum', 'properties[a]', 'properties[b].required'])
  })

  test('of ten thousand levels is read or refused, and nothing hangs', () => {
    let deep: object = { type: 'string' }
    for (let i = 0; i < 500; i += 1) deep = { type: 'object', properties: { a: deep } }
    expect(checkStructural(readJsonSchema(deep), 's')).toEqual([])
  })
})

describe('A value', () => {
  test.each<[string, object, unknown, readonly string[]]>([
    [
      'a text for a number',
      { type: 'integer' },
      'x',
      ['a: Invalid value: "string": a in body must be of type integer: "string"'],
    ],
    [
      'a fraction for an integer',
      { type: 'integer' },
      1.5,
      ['a: Invalid value: "number": a in body must be of type integer: "number"'],
    ],
    ['an integer for a number', { type: 'number' }, 1, []],
    [
      'null',
      { type: 'string' },
      null,
      ['a: Invalid value: "null": a in body must be of type string: "null"'],
    ],
    ['null where it may be', { type: 'string', nullable: true }, null, []],
    [
      'a list for an object',
      { type: 'object' },
      [],
      ['a: Invalid value: "array": a in body must be of type object: "array"'],
    ],
    ['an int or string', { 'x-kubernetes-int-or-string': true }, '50%', []],
    [
      'no int or string',
      { 'x-kubernetes-int-or-string': true },
      true,
      ['a: Invalid value: "boolean": a in body must be of type integer,string: "boolean"'],
    ],
    [
      'too small',
      { type: 'integer', minimum: 3 },
      2,
      ['a: Invalid value: 2: a in body should be greater than or equal to 3'],
    ],
    [
      'not greater',
      { type: 'integer', minimum: 3, exclusiveMinimum: true },
      3,
      ['a: Invalid value: 3: a in body should be greater than 3'],
    ],
    [
      'not less',
      { type: 'number', maximum: 3, exclusiveMaximum: true },
      3,
      ['a: Invalid value: 3: a in body should be less than 3'],
    ],
    [
      'no multiple',
      { type: 'integer', multipleOf: 5 },
      7,
      ['a: Invalid value: 7: a in body should be a multiple of 5'],
    ],
    ['a multiple of a fraction', { type: 'number', multipleOf: 0.1 }, 0.3, []],
    ['too long', { type: 'string', maxLength: 2 }, 'abc', ['a: Too long: may not be more than 2 bytes']],
    ['as long as characters count', { type: 'string', maxLength: 2 }, 'äö', []],
    [
      'too short',
      { type: 'string', minLength: 2 },
      'a',
      ['a: Invalid value: "a": a in body should be at least 2 chars long'],
    ],
    [
      'not matching',
      { type: 'string', pattern: '^a+$' },
      'b',
      ['a: Invalid value: "b": a in body should match \'^a+$\''],
    ],
    [
      'no date',
      { type: 'string', format: 'date' },
      '2026-02-30',
      ['a: Invalid value: "2026-02-30": a in body must be of type date: "2026-02-30"'],
    ],
    ['a date', { type: 'string', format: 'date' }, '2024-02-29', []],
    [
      'no time',
      { type: 'string', format: 'date-time' },
      'now',
      ['a: Invalid value: "now": a in body must be of type date-time: "now"'],
    ],
    ['a time', { type: 'string', format: 'date-time' }, '2026-01-02T03:04:05.678+01:00', []],
    ['an address', { type: 'string', format: 'ipv4' }, '10.0.0.1', []],
    [
      'no address',
      { type: 'string', format: 'ipv4' },
      '10.0.0.256',
      ['a: Invalid value: "10.0.0.256": a in body must be of type ipv4: "10.0.0.256"'],
    ],
    ['an address of six', { type: 'string', format: 'ipv6' }, '2001:db8::1', []],
    [
      'no address of six',
      { type: 'string', format: 'ipv6' },
      '1::2::3',
      ['a: Invalid value: "1::2::3": a in body must be of type ipv6: "1::2::3"'],
    ],
    ['a network', { type: 'string', format: 'cidr' }, '10.0.0.0/8', []],
    [
      'no network',
      { type: 'string', format: 'cidr' },
      '10.0.0.0/33',
      ['a: Invalid value: "10.0.0.0/33": a in body must be of type cidr: "10.0.0.0/33"'],
    ],
    ['an email', { type: 'string', format: 'email' }, 'a@b.example', []],
    ['a uuid', { type: 'string', format: 'uuid' }, '123e4567-e89b-12d3-a456-426614174000', []],
    [
      'no uuid',
      { type: 'string', format: 'uuid' },
      '123',
      ['a: Invalid value: "123": a in body must be of type uuid: "123"'],
    ],
    ['a duration', { type: 'string', format: 'duration' }, '1h30m', []],
    [
      'no bytes',
      { type: 'string', format: 'byte' },
      '!',
      ['a: Invalid value: "!": a in body must be of type byte: "!"'],
    ],
    ['of a format nobody knows', { type: 'string', format: 'smoke' }, '!', []],
    [
      'not in the list',
      { type: 'string', enum: ['x', 'y'] },
      'z',
      ['a: Unsupported value: "z": supported values: "x", "y"'],
    ],
    [
      'too few items',
      { type: 'array', items: { type: 'string' }, minItems: 1 },
      [],
      ['a: Invalid value: 0: a in body should have at least 1 items'],
    ],
    [
      'too many items',
      { type: 'array', items: { type: 'string' }, maxItems: 1 },
      ['x', 'y'],
      ['a: Too many: 2: must have at most 1 items'],
    ],
    [
      'a set with the same twice',
      { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
      ['x', 'x'],
      ['a[1]: Duplicate value: "x"'],
    ],
    [
      'too few members',
      { type: 'object', minProperties: 1, additionalProperties: { type: 'string' } },
      {},
      ['a: Invalid value: 0: a in body should have at least 1 properties'],
    ],
    [
      'a wrong member',
      { type: 'object', additionalProperties: { type: 'string' } },
      { x: 1 },
      ['a.x: Invalid value: "integer": a.x in body must be of type string: "integer"'],
    ],
    [
      'none of any',
      { type: 'integer', anyOf: [{ minimum: 5 }, { maximum: 1 }] },
      3,
      [
        'a: Invalid value: 3: "a" must validate at least one schema (anyOf)',
        'a: Invalid value: 3: a in body should be greater than or equal to 5',
      ],
    ],
    [
      'two of one',
      { type: 'integer', oneOf: [{ minimum: 1 }, { maximum: 5 }] },
      3,
      ['a: Invalid value: 3: "a" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
    ],
    [
      'what it must not be',
      { type: 'integer', not: { minimum: 1 } },
      3,
      ['a: Invalid value: 3: "a" must not validate the schema (not)'],
    ],
    [
      'an embedded object without a kind',
      {
        type: 'object',
        'x-kubernetes-embedded-resource': true,
        'x-kubernetes-preserve-unknown-fields': true,
      },
      { apiVersion: 'v1' },
      ['a.kind: Required value: must not be empty'],
    ],
  ])('%s', (_, schema, value, expected) => {
    expect(lines(checkValue({ a: value }, root(schema), ''))).toEqual(expected)
  })

  test('that has not changed is not complained about', () => {
    const schema = root({
      type: 'object',
      properties: { n: { type: 'integer', maximum: 1 }, m: { type: 'integer' } },
    })
    expect(lines(checkValue({ a: { n: 5, m: 2 } }, schema, '', { a: { n: 5, m: 1 } }))).toEqual([])
    expect(lines(checkValue({ a: { n: 6 } }, schema, '', { a: { n: 5 } }))).toHaveLength(1)
  })
})

describe('Defaults and pruning', () => {
  test.each<[string, object, unknown, unknown]>([
    ['fill what is missing', { type: 'integer', default: 1 }, undefined, 1],
    ['leave what is there', { type: 'integer', default: 1 }, 0, 0],
    ['take null for missing', { type: 'integer', default: 1 }, null, 1],
    ['leave null where it may be', { type: 'integer', default: 1, nullable: true }, null, null],
    [
      'reach into defaults',
      { type: 'object', default: {}, properties: { b: { type: 'integer', default: 2 } } },
      undefined,
      { b: 2 },
    ],
    [
      'reach into items',
      { type: 'array', items: { type: 'object', properties: { b: { type: 'integer', default: 2 } } } },
      [{}, { b: 1 }],
      [{ b: 2 }, { b: 1 }],
    ],
    [
      'reach into members',
      { type: 'object', additionalProperties: { type: 'object', properties: { b: { default: 2 } } } },
      { x: {} },
      { x: { b: 2 } },
    ],
    [
      'do not make what is not there',
      { type: 'object', properties: { b: { default: 2 } } },
      undefined,
      undefined,
    ],
  ])('%s', (_, schema, value, expected) => {
    const given = value === undefined ? {} : { a: value }
    expect(withDefaults(deepFreeze(given), root(schema))).toEqual(
      expected === undefined ? {} : { a: expected },
    )
  })

  test.each<[string, object, unknown, unknown, readonly string[]]>([
    [
      'drop what is not declared',
      { type: 'object', properties: { b: {} } },
      { b: 1, c: 2 },
      { b: 1 },
      ['a.c'],
    ],
    [
      'drop in items',
      { type: 'array', items: { type: 'object', properties: {} } },
      [{ b: 1 }],
      [{}],
      ['a[0].b'],
    ],
    [
      'keep what may be anything',
      { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      { b: { c: 1 } },
      { b: { c: 1 } },
      [],
    ],
    [
      'drop below what is kept, where it is declared',
      {
        type: 'object',
        'x-kubernetes-preserve-unknown-fields': true,
        properties: { b: { type: 'object', properties: {} } },
      },
      { b: { c: 1 }, d: 1 },
      { b: {}, d: 1 },
      ['a.b.c'],
    ],
    [
      'keep what an embedded resource has',
      {
        type: 'object',
        'x-kubernetes-embedded-resource': true,
        properties: { spec: { type: 'object', properties: {} } },
      },
      { apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, spec: { y: 1 } },
      { apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, spec: {} },
      ['a.spec.y'],
    ],
    [
      'take keys that only look inherited for what they are',
      { type: 'object', properties: {} },
      JSON.parse('{"__proto__":1,"constructor":2}'),
      {},
      ['a.__proto__', 'a.constructor'],
    ],
  ])('%s', (_, schema, value, expected, dropped) => {
    const result = prune(deepFreeze({ apiVersion: 'v1', a: value }), root(schema))
    expect(result).toEqual({ value: { apiVersion: 'v1', a: expected }, dropped })
  })
})

test.each<[string, unknown]>([
  ['.spec.replicas', 3],
  ['.spec.list[0].name', 'x'],
  ['.spec.list[-1].name', 'y'],
  ['.spec.list[*].name', 'x'],
  ['.spec.list[?(@.name=="y")].on', true],
  ['.spec.list[?(@.on==true)].name', 'y'],
  ["['spec']['with.dot']", 1],
  ['.spec.with\\.dot', 1],
  ['.spec.none', undefined],
  ['{.spec.replicas}', 3],
])('the path %s leads to %j', (path, expected) => {
  const value = { spec: { replicas: 3, 'with.dot': 1, list: [{ name: 'x' }, { name: 'y', on: true }] } }
  expect(readJsonPath(value, parseJsonPath(path) ?? [])[0]).toBe(expected)
})

test.each(['spec', '.a[', '.a[?(@.b', '..a'])('the text %s is no path', (text) => {
  expect(parseJsonPath(text)).toBeUndefined()
})

test('a value is put where a plain path leads', () => {
  const path = parseJsonPath('.spec.deep.replicas') ?? []
  expect(isPlainPath(path)).toBe(true)
  expect(withValueAt({ spec: { a: 1 } }, path, 5)).toEqual({ spec: { a: 1, deep: { replicas: 5 } } })
})
