import { isObject, type JsonObject } from '../base/json.ts'

/**
 * An OpenAPI v2 document as protobuf (gnostic's openapi.v2.Document), which is the only form kubectl takes it in: it
 * validates what a `v1 List` holds with it. Definitions and what they say are written; the paths of a document, which
 * no client reads in this form, are left out.
 */
export function encodeOpenApiV2(document: JsonObject): Buffer {
  const info = asObject(document['info'])
  return message([
    text(1, document['swagger']),
    nested(2, [text(1, info['title']), text(2, info['version'])]),
    nested(8, []),
    nested(9, namedSchemas(asObject(document['definitions']))),
  ])
}

const VARINT = 0
const FIXED64 = 1
const BYTES = 2

function namedSchemas(schemas: JsonObject): Buffer[] {
  return Object.entries(schemas).map(([name, schema]) =>
    nested(1, [text(1, name), nested(2, schemaFields(asObject(schema)))]),
  )
}

/** Field numbers of openapi.v2.Schema. */
function schemaFields(schema: JsonObject): Buffer[] {
  const { additionalProperties, items, allOf, properties, required, type } = schema
  const isSchema = isObject(additionalProperties)
  return [
    text(1, schema['$ref']),
    text(2, schema['format']),
    text(3, schema['title']),
    text(4, schema['description']),
    ...(schema['default'] === undefined ? [] : [any(5, schema['default'])]),
    number(7, schema['maximum']),
    number(9, schema['minimum']),
    integer(11, schema['maxLength']),
    integer(12, schema['minLength']),
    text(13, schema['pattern']),
    integer(14, schema['maxItems']),
    integer(15, schema['minItems']),
    ...asList(required).map((name) => text(19, name)),
    ...asList(schema['enum']).map((value) => any(20, value)),
    ...(additionalProperties === undefined
      ? []
      : [
          nested(21, [
            isSchema
              ? nested(1, schemaFields(additionalProperties))
              : integer(2, additionalProperties === true ? 1 : 0),
          ]),
        ]),
    ...(type === undefined
      ? []
      : [
          nested(
            22,
            [type].flat().map((each) => text(1, each)),
          ),
        ]),
    ...(isObject(items) ? [nested(23, [nested(1, schemaFields(items))])] : []),
    ...asList(allOf).map((part) => nested(24, schemaFields(asObject(part)))),
    ...(isObject(properties) ? [nested(25, namedSchemas(properties))] : []),
    ...Object.entries(schema)
      .filter(([name]) => name.startsWith('x-'))
      .map(([name, value]) => nested(31, [text(1, name), nested(2, [yaml(value)])])),
  ]
}

/** openapi.v2.Any: the value as YAML, of which JSON is a part. */
function any(field: number, value: unknown): Buffer {
  return nested(field, [yaml(value)])
}

function yaml(value: unknown): Buffer {
  return text(2, JSON.stringify(value))
}

function text(field: number, value: unknown): Buffer {
  return typeof value === 'string' && value !== '' ? bytes(field, Buffer.from(value)) : NOTHING
}

function integer(field: number, value: unknown): Buffer {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) return NOTHING
  return Buffer.concat([varint(field * 8 + VARINT), varint(value)])
}

function number(field: number, value: unknown): Buffer {
  if (typeof value !== 'number') return NOTHING
  const double = Buffer.alloc(8)
  double.writeDoubleLE(value)
  return Buffer.concat([varint(field * 8 + FIXED64), double])
}

function nested(field: number, parts: readonly Buffer[]): Buffer {
  return bytes(field, message(parts))
}

function bytes(field: number, content: Buffer): Buffer {
  return Buffer.concat([varint(field * 8 + BYTES), varint(content.length), content])
}

function message(parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts as Buffer[])
}

const NOTHING = Buffer.alloc(0)

function varint(value: number): Buffer {
  const out: number[] = []
  let left = value
  for (; left > 127; left = Math.floor(left / 128)) out.push((left % 128) | 128)
  out.push(left)
  return Buffer.from(out)
}

function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
