import { describe, expect, test } from 'vitest'
import { deepFreeze } from '../../base/json.ts'
import type { AnyResource } from '../resource.ts'
import { checkRules } from './check-rules.ts'
import { readJsonSchema } from './json-schema.ts'
import { checkRuleDeclarations } from './rule-declarations.ts'

const rule = (text: string, more: object = {}) => ({ rule: text, ...more })
const schema = (rules: object[], specMore: object = {}, specRules: object[] = []) =>
  readJsonSchema(
    deepFreeze({
      type: 'object',
      'x-kubernetes-validations': rules,
      properties: {
        spec: {
          type: 'object',
          'x-kubernetes-validations': specRules,
          properties: {
            min: { type: 'integer' },
            max: { type: 'integer' },
            ratio: { type: 'number' },
            name: { type: 'string', maxLength: 100 },
            image: { type: 'string' },
            when: { type: 'string', format: 'date-time' },
            wait: { type: 'string', format: 'duration' },
            any: { 'x-kubernetes-int-or-string': true },
            'with-dash': { type: 'string', maxLength: 10 },
            ports: {
              type: 'array',
              maxItems: 10,
              'x-kubernetes-list-type': 'map',
              'x-kubernetes-list-map-keys': ['name'],
              items: {
                type: 'object',
                required: ['name'],
                properties: { name: { type: 'string' }, port: { type: 'integer' } },
              },
            },
            tags: { type: 'array', maxItems: 20, items: { type: 'string', maxLength: 20 } },
            labels: {
              type: 'object',
              maxProperties: 10,
              additionalProperties: { type: 'string', maxLength: 20 },
            },
            ...specMore,
          },
        },
      },
    }),
  )
const resource = (spec: object): AnyResource =>
  ({ apiVersion: 'a.b/v1', kind: 'A', metadata: { name: 'web' }, spec }) as AnyResource

const SPEC = {
  min: 1,
  max: 5,
  ratio: 0.5,
  name: 'web-1',
  image: 'registry.example/web:1',
  when: '2026-01-02T03:04:05Z',
  wait: '90s',
  any: 3,
  'with-dash': 'x',
  ports: [
    { name: 'http', port: 80 },
    { name: 'tls', port: 443 },
  ],
  tags: ['a', 'b'],
  labels: { app: 'web' },
}

describe('A rule', () => {
  test.each<[string, boolean]>([
    ['self.spec.min <= self.spec.max', true],
    ['self.spec.min > self.spec.max', false],
    ['self.metadata.name == "web"', true],
    ['self.kind == "A" && self.apiVersion.startsWith("a.b/")', true],
    ['has(self.spec.name) && !has(self.spec.tags) || self.spec.tags.size() == 2', true],
    ['self.spec.ports.all(p, p.port > 0 && p.port < 65536)', true],
    ['self.spec.ports.exists_one(p, p.name == "http")', true],
    ['self.spec.ports.filter(p, p.port < 100).size() == 1', true],
    ['self.spec.ports.map(p, p.port).sum() == 523', true],
    ['self.spec.tags.isSorted() && self.spec.tags.max() == "b"', true],
    ['self.spec.tags.indexOf("b") == 1', true],
    ['sets.contains(self.spec.tags, ["a"])', true],
    ['self.spec.labels["app"] == "web" && "app" in self.spec.labels', true],
    ['self.spec.labels.all(k, self.spec.labels[k] != "")', true],
    ['self.spec.with__dash__dash == "x"', true],
    ['self.spec.name.matches("^[a-z]+-[0-9]$")', true],
    ['self.spec.name.find("[0-9]+") == "1"', true],
    ['self.spec.name.replace("web", "db") == "db-1"', true],
    ['"%s has %d".format([self.spec.name, self.spec.max]) == "web-1 has 5"', true],
    ['type(self.spec.any) == int ? self.spec.any > 2 : self.spec.any == "50%"', true],
    ['self.spec.when > timestamp("2026-01-01T00:00:00Z")', true],
    ['self.spec.wait < duration("2m")', true],
    ['double(self.spec.min) + self.spec.ratio < 2.0', true],
    ['self.spec.?name.orValue("") != ""', true],
    ['self.spec.ports == self.spec.ports && self.spec == self.spec', true],
    ['quantity("1Gi").isGreaterThan(quantity("1000M"))', true],
    ['quantity("200m").add(quantity("800m")) == quantity("1")', true],
    ['isQuantity("wat")', false],
    ['ip("10.0.0.1").family() == 4 && cidr("10.0.0.0/8").containsIP("10.1.2.3")', true],
    ['isIP("010.0.0.1") || isCIDR("10.0.0.0/33")', false],
    ['url("https://example.com:80/a?b=1").getHost() == "example.com:80"', true],
    ['isURL("/path") && !isURL("no")', true],
    [
      'semver("1.2.3").isLessThan(semver("1.10.0")) && semver("1.0.0-rc.1").isLessThan(semver("1.0.0"))',
      true,
    ],
    ['cel.bind(n, self.spec.max - self.spec.min, n == 4)', true],
    ['1 == 1.0 && self.spec.max == 5', true],
    ['has(self.spec.ports[0].port) && has(self.spec.name)', true],
    ['self.spec.ports.map(p, {"a": p})[0].a.name == "http"', true],
  ])('%s', (text, isTrue) => {
    const given = schema([rule(text)])
    const declared = checkRuleDeclarations(given, 's')
    expect(declared).toEqual([])
    expect(checkRules(resource(SPEC), undefined, given, []).length).toBe(isTrue ? 0 : 1)
  })

  test.each<[string, object, string]>([
    ['self.spec.max < 3', { message: 'max is too large' }, 'Invalid value: "object": max is too large'],
    ['self.spec.max < 3', {}, 'Invalid value: "object": failed rule: self.spec.max < 3'],
    [
      'self.spec.max < 3',
      { message: 'no', messageExpression: '"max is " + string(self.spec.max)' },
      'Invalid value: "object": max is 5',
    ],
    ['self.spec.max < 3', { reason: 'FieldValueForbidden', message: 'no' }, 'Forbidden: no'],
    [
      'self.spec.labels["none"] == "x"',
      { message: 'no' },
      'Invalid value: "object": no such key: none evaluating rule: no',
    ],
  ])('%s %j says why it refuses', (text, more, message) => {
    const [found] = checkRules(resource(SPEC), undefined, schema([rule(text, more)]), [])
    expect(found?.message).toBe(message)
  })

  test('of a field names it, and the one its fieldPath leads to', () => {
    const given = schema([], {}, [rule('self.min > self.max', { fieldPath: '.min', message: 'no' })])
    expect(checkRules(resource(SPEC), undefined, given, [])).toMatchObject([{ field: 'spec.min' }])
  })

  test('that compares with oldSelf runs on updates only', () => {
    const given = schema([], {
      fixed: { type: 'string', 'x-kubernetes-validations': [rule('self == oldSelf', { message: 'fixed' })] },
    })
    const check = (now: string, before?: string) =>
      checkRules(
        resource({ fixed: now }),
        before === undefined ? undefined : resource({ fixed: before }),
        given,
        [],
      )
    expect([check('a'), check('a', 'a'), check('b', 'a')].map(({ length }) => length)).toEqual([0, 0, 1])
  })

  test('with optionalOldSelf runs always', () => {
    const given = schema([
      rule('!oldSelf.hasValue() || oldSelf.value().spec.min <= self.spec.min', { optionalOldSelf: true }),
    ])
    const check = (now: number, before?: number) =>
      checkRules(
        resource({ min: now }),
        before === undefined ? undefined : resource({ min: before }),
        given,
        [],
      ).length
    expect([check(1), check(2, 1), check(1, 2)]).toEqual([0, 0, 1])
  })

  test('of an item compares with the item of the same keys', () => {
    const ports = {
      type: 'array',
      maxItems: 10,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string' }, port: { type: 'integer' } },
        'x-kubernetes-validations': [rule('self.port >= oldSelf.port', { message: 'may only grow' })],
      },
    }
    const given = schema([], { ports })
    expect(checkRuleDeclarations(given, 's')).toEqual([])
    const found = checkRules(
      resource({
        ports: [
          { name: 'b', port: 1 },
          { name: 'a', port: 2 },
        ],
      }),
      resource({
        ports: [
          { name: 'a', port: 1 },
          { name: 'b', port: 5 },
        ],
      }),
      given,
      [],
    )
    expect(found.map(({ field, message }) => `${field}: ${message}`)).toEqual([
      'spec.ports[0]: Invalid value: "object": may only grow',
    ])
  })

  test('is not asked about what is malformed anyway', () => {
    const found = checkRules(resource({}), undefined, schema([rule('self.spec.min > 0')]), [
      { reason: 'FieldValueRequired', message: 'Required value', field: 'spec' },
    ])
    expect(found[0]?.message).toContain('some validation rules were not checked')
  })

  test('of a pattern that backtracks takes no longer than another', () => {
    const given = schema([rule('!self.spec.name.matches("^(a+)+$")')])
    expect(checkRules(resource({ name: `${'a'.repeat(90)}!` }), undefined, given, [])).toEqual([])
  })
})

describe('A declaration', () => {
  test.each<[string, object, string]>([
    [
      'self.spec.wat == 1',
      {},
      "compilation failed: ERROR: <input>:1:10: undefined field 'wat'\n | self.spec.wat == 1\n | .........^",
    ],
    [
      'wat == 1',
      {},
      "compilation failed: ERROR: <input>:1:1: undeclared reference to 'wat' (in container '')",
    ],
    ['self.spec.min == "a"', {}, 'compilation failed: ERROR'],
    ['self.spec.min +', {}, 'compilation failed: ERROR: <input>:1:16: Syntax error'],
    ['self.spec.min', {}, 'cel expression must evaluate to a bool'],
    ['', {}, 'rule is not specified'],
    ['true\n&& true', {}, 'message must be specified if rule contains line breaks'],
    ['true', { messageExpression: '1' }, 'messageExpression must evaluate to a string'],
    ['true', { reason: 'Because' }, 'Unsupported value: "Because"'],
    ['true', { fieldPath: '.nowhere' }, 'does not refer to a valid field'],
    ['true', { optionalOldSelf: true }, 'may not be set if oldSelf is not used in rule'],
  ])('%j %j is refused', (text, more, message) => {
    const found = checkRuleDeclarations(schema([rule(text, more)]), 's')
    expect(found[0]?.message).toContain(message)
    expect(found[0]?.field).toMatch(/^s\.x-kubernetes-validations\[0\]/)
  })

  test('that may cost too much is refused with the way out', () => {
    const big = { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } } }
    const given = schema([rule('self.spec.big.all(a, self.spec.big.all(b, a.name != b.name))')], { big })
    expect(checkRuleDeclarations(given, 's')[0]).toMatchObject({
      field: 's.x-kubernetes-validations[0].rule',
      message: expect.stringMatching(
        /^Forbidden: estimated rule cost exceeds budget by factor of more than 100x \(try simplifying/,
      ),
    })
    const bounded = {
      ...big,
      maxItems: 50,
      items: { type: 'object', properties: { name: { type: 'string', maxLength: 60 } } },
    }
    expect(
      checkRuleDeclarations(
        schema([rule('self.spec.big.all(a, self.spec.big.all(b, a.name != b.name))')], { big: bounded }),
        's',
      ),
    ).toEqual([])
  })

  test('in a list without keys may not ask for oldSelf', () => {
    const big = {
      type: 'array',
      maxItems: 3,
      items: { type: 'integer', 'x-kubernetes-validations': [rule('self > oldSelf')] },
    }
    expect(checkRuleDeclarations(schema([], { big }), 's')[0]?.message).toContain(
      'uncorrelatable portion of the schema',
    )
  })
})
