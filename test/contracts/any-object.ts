import fc from 'fast-check'
import { resolve, type Schema } from '../../src/api/schema.ts'

const DEPTH_MAX = 7

/** Texts that mean something somewhere, and some that do nowhere. */
const texts = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom('a', 'web', '', 'Always', 'TCP', 'ClusterIP', 'In', 'Exists', 'IPv4'),
  },
  fc.constantFrom(
    '50%',
    '8080',
    '10.0.0.1',
    'None',
    '__proto__',
    'a/b',
    'example.com/a',
    '-',
    'RollingUpdate',
  ),
  fc.string({ maxLength: 6 }),
)
const integers = fc.oneof(fc.integer({ min: -1, max: 3 }), fc.constantFrom(80, 65536, 2 ** 31 - 1))

/** Objects that the decoder takes for this schema, each field there or not, so that validation has to say what is missing. */
export function anyObject(schema: Schema): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  return anyValue(schema, 0) as fc.Arbitrary<Readonly<Record<string, unknown>>>
}

function anyValue(given: Schema, depth: number): fc.Arbitrary<unknown> {
  const schema = resolve(given)
  if (schema.format === 'int-or-string') return fc.oneof(integers, texts)
  switch (schema.type) {
    case 'object':
      return anyFields(schema, depth)
    case 'array':
      if (depth >= DEPTH_MAX) return fc.constant([])
      return fc.array(later(schema.items ?? {}, depth), { maxLength: 2 })
    case 'string':
      return anyText(schema)
    case 'integer':
      return integers
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true })
    case 'boolean':
      return fc.boolean()
    default:
      return fc.jsonValue({ maxDepth: 1 })
  }
}

function anyFields({ properties, additionalProperties }: Schema, depth: number): fc.Arbitrary<unknown> {
  if (depth >= DEPTH_MAX) return fc.constant({})
  if (!properties)
    return fc.dictionary(texts, additionalProperties ? later(additionalProperties, depth) : fc.constant(1), {
      maxKeys: 2,
      noNullPrototype: true,
    })
  const names = Object.keys(properties)
  return fc
    .subarray(names, { maxLength: depth === 0 ? names.length : Math.min(6, names.length) })
    .chain((chosen) =>
      fc.record(
        Object.fromEntries(chosen.map((name) => [name, anyValue(properties[name] ?? {}, depth + 1)])),
        { noNullPrototype: true },
      ),
    )
}

function later(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  return fc.constant(null).chain(() => anyValue(schema, depth + 1))
}

function anyText({ format }: Schema): fc.Arbitrary<string> {
  switch (format) {
    case 'quantity':
      return fc.constantFrom('1', '100m', '1Gi', '-1', '1e3', '0.1u', '0')
    case 'byte':
      return fc.constantFrom('', 'YQ==')
    case 'date-time':
    case 'date-time-micro':
      return fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-01T00:00:00.5+01:00')
    default:
      return texts
  }
}
