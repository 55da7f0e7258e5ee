import { canonicalQuantity, QUANTITY_ERROR } from './quantity.ts'
import { resolve, type Schema } from './schema.ts'
import { badRequest, fault, type StatusCause } from './status.ts'

/**
 * Reads unknown JSON as a schema says, as Kubernetes' decoder does: a wrong type is a BadRequest, an unknown field is
 * reported and dropped, null members are dropped, quantities become canonical texts. What needs no change is returned
 * as it is, not copied. Required fields and value rules are validation's business, but for schemas that carry such
 * rules themselves (Seamark's own kinds, custom resources): see `validateSchema`.
 */
export interface Decoded {
  readonly value: Readonly<Record<string, unknown>>
  /** `unknown field "spec.foo"`, in the order they were met. */
  readonly unknownFields: readonly string[]
}

const DEPTH_MAX = 200

export function decode(input: unknown, schema: Schema, kind: string): Decoded {
  const unknownFields: string[] = []
  const value = decodeValue(input, schema, { kind, unknownFields }, '', 0)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrongType(input, 'object', { kind, unknownFields }, '')
  return { value: value as Readonly<Record<string, unknown>>, unknownFields }
}

interface Context {
  readonly kind: string
  readonly unknownFields: string[]
}

function decodeValue(input: unknown, given: Schema, context: Context, path: string, depth: number): unknown {
  if (depth > DEPTH_MAX)
    throw badRequest(
      `Cannot read ${context.kind}: "${path.slice(0, 80)}…" is nested more than ${DEPTH_MAX} levels deep`,
    )
  const schema = given.ref === undefined ? given : resolve(given)
  if (schema.format === 'int-or-string') return decodeIntOrString(input, context, path)
  switch (schema.type) {
    case 'object':
      return decodeObject(input, schema, context, path, depth)
    case 'array':
      return decodeArray(input, schema, context, path, depth)
    case 'string':
      return decodeString(input, schema, context, path)
    case 'integer':
      return decodeInteger(input, schema, context, path)
    case 'number':
      if (typeof input !== 'number') throw wrongType(input, 'float64', context, path)
      return input
    case 'boolean':
      if (typeof input !== 'boolean') throw wrongType(input, 'bool', context, path)
      return input
    default:
      return input
  }
}

function decodeObject(
  input: unknown,
  schema: Schema,
  context: Context,
  path: string,
  depth: number,
): unknown {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw wrongType(input, schema.additionalProperties ? 'map' : 'object', context, path)
  const { properties, additionalProperties } = schema
  let copy: Record<string, unknown> | undefined
  const object = input as Record<string, unknown>
  for (const key of Object.keys(object)) {
    const member = object[key]
    const property = properties && Object.hasOwn(properties, key) ? properties[key] : additionalProperties
    let decoded: unknown
    if (property !== undefined) {
      const at = path === '' ? key : `${path}.${key}`
      if (member !== null && member !== undefined)
        decoded = decodeValue(member, property, context, at, depth + 1)
      else if (additionalProperties && !properties && property.type === 'string') decoded = ''
    } else if (schema.preserveUnknown || (!properties && !additionalProperties)) {
      continue
    } else if (member !== undefined)
      context.unknownFields.push(`unknown field "${path === '' ? key : `${path}.${key}`}"`)
    if (decoded === member) continue
    copy ??= { ...object }
    if (decoded === undefined) delete copy[key]
    else copy[key] = decoded
  }
  return copy ?? object
}

function decodeArray(input: unknown, schema: Schema, context: Context, path: string, depth: number): unknown {
  if (!Array.isArray(input)) throw wrongType(input, 'slice', context, path)
  const items = schema.items ?? {}
  let copy: unknown[] | undefined
  for (let i = 0; i < input.length; i += 1) {
    const decoded =
      input[i] === null ? zeroOf(items) : decodeValue(input[i], items, context, `${path}[${i}]`, depth + 1)
    if (decoded === input[i]) continue
    copy ??= [...input]
    copy[i] = decoded
  }
  return copy ?? input
}

function zeroOf(given: Schema): unknown {
  const { type } = resolve(given)
  return type === 'object'
    ? {}
    : type === 'array'
      ? []
      : type === 'string'
        ? ''
        : type === 'boolean'
          ? false
          : 0
}

function decodeString(input: unknown, schema: Schema, context: Context, path: string): unknown {
  if (schema.format === 'quantity') {
    if (typeof input !== 'string' && typeof input !== 'number')
      throw wrongType(input, 'resource.Quantity', context, path)
    const canonical = canonicalQuantity(String(input))
    if (canonical === undefined)
      throw badRequest(
        `${context.kind} in version is not readable: ${path}: Invalid value: ${JSON.stringify(input)}: ${QUANTITY_ERROR}`,
      )
    return canonical
  }
  if (typeof input !== 'string')
    throw wrongType(input, schema.format === 'date-time' ? 'Time' : 'string', context, path)
  if (schema.format === 'byte' && !isBase64(input)) {
    throw badRequest(
      `${context.kind}: ${path}: illegal base64 data: quote plain text under "stringData" instead of "data"`,
    )
  }
  if ((schema.format === 'date-time' || schema.format === 'date-time-micro') && !TIME.test(input)) {
    throw badRequest(
      `${context.kind}: ${path}: parsing time ${JSON.stringify(input)} as "2006-01-02T15:04:05Z07:00": cannot parse it`,
    )
  }
  return input
}

const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function isBase64(text: string): boolean {
  return BASE64.test(text.replace(/[\r\n]/g, ''))
}

function decodeInteger(input: unknown, schema: Schema, context: Context, path: string): unknown {
  const bits = schema.format === 'int32' ? 31 : 63
  if (typeof input !== 'number') throw wrongType(input, bits === 31 ? 'int32' : 'int64', context, path)
  if (!Number.isInteger(input) || Math.abs(input) >= 2 ** bits) {
    throw badRequest(
      `json: cannot unmarshal number ${input} into Go struct field ${goField(context, path)} of type ${bits === 31 ? 'int32' : 'int64'}`,
    )
  }
  return input
}

function decodeIntOrString(input: unknown, context: Context, path: string): unknown {
  if (typeof input === 'string') return input
  if (typeof input === 'number' && Number.isInteger(input)) return input
  throw wrongType(input, 'intstr.IntOrString', context, path)
}

function wrongType(input: unknown, goType: string, context: Context, path: string): Error {
  const given =
    input === null
      ? 'null'
      : Array.isArray(input)
        ? 'array'
        : typeof input === 'boolean'
          ? 'bool'
          : typeof input
  return badRequest(
    `json: cannot unmarshal ${given} into Go struct field ${goField(context, path)} of type ${goType}`,
  )
}

function goField({ kind }: Context, path: string): string {
  return path === '' ? kind : `${kind}.${path}`
}

/**
 * The value rules a schema carries itself: required, enum, bounds, lengths, pattern; worded as for custom resources.
 * Generated schemas carry only `required`, which the kinds check by hand, so this is for hand-written schemas.
 */
export function validateSchema(value: unknown, given: Schema, path = ''): StatusCause[] {
  const schema = given.ref === undefined ? given : resolve(given)
  const wrong: StatusCause[] = []
  const at = (key: string) => (path === '' ? key : `${path}.${key}`)
  if (schema.enum && !schema.enum.includes(value as string))
    wrong.push(fault.notSupported(path, value, schema.enum.map(String)))
  if (typeof value === 'number') {
    if (schema.minimum !== undefined && value < schema.minimum)
      wrong.push(fault.invalid(path, value, `should be greater than or equal to ${schema.minimum}`))
    if (schema.maximum !== undefined && value > schema.maximum)
      wrong.push(fault.invalid(path, value, `should be less than or equal to ${schema.maximum}`))
  } else if (typeof value === 'string') {
    if (schema.minLength !== undefined && value.length < schema.minLength)
      wrong.push(fault.invalid(path, value, `should be at least ${schema.minLength} chars long`))
    if (schema.maxLength !== undefined && value.length > schema.maxLength)
      wrong.push(fault.tooLong(path, schema.maxLength))
    if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value))
      wrong.push(fault.invalid(path, value, `should match '${schema.pattern}'`))
  } else if (Array.isArray(value)) {
    if (schema.minItems !== undefined && value.length < schema.minItems)
      wrong.push(fault.invalid(path, value.length, `should have at least ${schema.minItems} items`))
    const { items } = schema
    if (items)
      for (const [i, item] of value.entries()) wrong.push(...validateSchema(item, items, `${path}[${i}]`))
  } else if (typeof value === 'object' && value !== null) {
    for (const key of schema.required ?? [])
      if ((value as Record<string, unknown>)[key] === undefined) wrong.push(fault.required(at(key)))
    for (const [key, member] of Object.entries(value)) {
      const property = schema.properties?.[key] ?? schema.additionalProperties
      if (property && member !== undefined) wrong.push(...validateSchema(member, property, at(key)))
    }
  }
  return wrong
}
