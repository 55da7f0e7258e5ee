import { expect, test } from 'vitest'
import { deepFreeze } from '../../base/json.ts'
import type { AnyResource } from '../resource.ts'
import { checkRules } from './check-rules.ts'
import { readJsonSchema } from './json-schema.ts'
import { checkRuleDeclarations } from './rule-declarations.ts'

/** Rules in the manner of definitions that are in wide use: of gateways, routes, autoscalers, certificates. */
const text = (maxLength = 253) => ({ type: 'string', maxLength })
const rules = (...all: readonly string[]) => ({
  'x-kubernetes-validations': all.map((rule) => ({ rule, message: rule })),
})
const schema = readJsonSchema(
  deepFreeze({
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        ...rules(
          '!has(self.minReplicas) || self.minReplicas <= self.maxReplicas',
          'has(self.selector) ? !has(self.ref) : has(self.ref)',
          "self.type != 'Delayed' || (has(self.wait) && duration(self.wait) > duration('0s'))",
          '(!has(oldSelf.size) || has(self.size))',
        ),
        properties: {
          type: text(20),
          wait: { type: 'string', pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$' },
          size: { type: 'integer', ...rules('self == oldSelf') },
          minReplicas: { type: 'integer' },
          maxReplicas: { type: 'integer' },
          selector: { type: 'object', additionalProperties: text(63), maxProperties: 10 },
          ref: {
            type: 'object',
            ...rules("(size(self.group) == 0 && self.kind == 'Service') ? has(self.port) : true"),
            properties: { group: text(), kind: text(63), port: { type: 'integer' } },
          },
          addresses: {
            type: 'array',
            maxItems: 16,
            items: { ...text(), ...rules('isIP(self) || self.matches("^[a-z.]+$")') },
          },
          listeners: {
            type: 'array',
            maxItems: 64,
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['name'],
            ...rules(
              "self.all(l, l.protocol in ['HTTP', 'TCP', 'UDP'] ? !has(l.tls) : true)",
              'self.all(l1, self.exists_one(l2, l1.name == l2.name))',
              'self.all(l1, self.exists_one(l2, l1.port == l2.port && l1.protocol == l2.protocol && (has(l1.hostname) && has(l2.hostname) ? l1.hostname == l2.hostname : !has(l1.hostname) && !has(l2.hostname))))',
              "self.filter(f, f.protocol == 'HTTPS').size() <= 2",
              "!self.exists(f, f.hostname == 'blocked')",
            ),
            items: {
              type: 'object',
              required: ['name', 'port', 'protocol'],
              properties: {
                name: text(),
                port: { type: 'integer' },
                protocol: text(63),
                hostname: text(),
                tls: {
                  type: 'object',
                  ...rules(
                    "self.mode == 'Terminate' ? size(self.certificateRefs) > 0 || size(self.options) > 0 : true",
                  ),
                  properties: {
                    mode: text(20),
                    certificateRefs: {
                      type: 'array',
                      maxItems: 64,
                      items: { type: 'object', properties: { name: text() } },
                    },
                    options: { type: 'object', maxProperties: 16, additionalProperties: text(4096) },
                  },
                },
              },
            },
          },
        },
      },
    },
  }),
)
const good = {
  type: 'Delayed',
  wait: '10s',
  size: 1,
  minReplicas: 1,
  maxReplicas: 2,
  ref: { group: '', kind: 'Service', port: 80 },
  addresses: ['10.0.0.1', 'example.com'],
  listeners: [
    { name: 'a', port: 80, protocol: 'HTTP', hostname: 'a.example' },
    {
      name: 'b',
      port: 443,
      protocol: 'HTTPS',
      hostname: 'b.example',
      tls: { mode: 'Terminate', certificateRefs: [{ name: 'c' }] },
    },
  ],
}
const check = (spec: object, old?: object) => {
  const resource = (given: object) =>
    ({ apiVersion: 'a.b/v1', kind: 'A', metadata: { name: 'a' }, spec: given }) as AnyResource
  return checkRules(resource(spec), old && resource(old), schema, []).map(({ field }) => field)
}

test('Rules as they are written in the world are taken', () => {
  expect(checkRuleDeclarations(schema, 's')).toEqual([])
  expect(check(good)).toEqual([])
  expect(check(good, good)).toEqual([])
})

test.each<[string, object, readonly string[]]>([
  ['bounds the wrong way', { minReplicas: 3 }, ['spec']],
  ['both of two', { selector: { a: 'b' } }, ['spec']],
  ['no time to wait', { wait: '0s' }, ['spec']],
  ['a Service without a port', { ref: { group: '', kind: 'Service' } }, ['spec.ref']],
  ['no address', { addresses: ['10.0.0.1', 'A_B'] }, ['spec.addresses[1]']],
  [
    'TLS where there is none',
    { listeners: [{ name: 'a', port: 1, protocol: 'TCP', hostname: 'x', tls: { mode: 'None' } }] },
    ['spec.listeners'],
  ],
  [
    'one port twice',
    {
      listeners: [
        { name: 'a', port: 1, protocol: 'X', hostname: 'x' },
        { name: 'b', port: 1, protocol: 'X', hostname: 'x' },
      ],
    },
    ['spec.listeners'],
  ],
  [
    'no certificate',
    {
      listeners: [
        {
          name: 'a',
          port: 1,
          protocol: 'X',
          hostname: 'x',
          tls: { mode: 'Terminate', certificateRefs: [], options: {} },
        },
      ],
    },
    ['spec.listeners[0].tls'],
  ],
  ['another size than before', { size: 2 }, ['spec.size']],
])('%s is refused at its place', (_, change, fields) => {
  expect(check({ ...good, ...change }, good)).toEqual(fields)
})
