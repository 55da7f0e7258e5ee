import { defineKey, isObject, type JsonObject } from '../base/json.ts'
import { canonicalQuantity, QUANTITY_ERROR, roundUpToMilli } from './quantity.ts'
import { resolve, type Schema } from './schema.ts'
import { badRequest } from './status.ts'

/**
 * Reads unknown JSON as a schema says, as Kubernetes' decoder does: a wrong type is a BadRequest, an unknown field is
 * reported and dropped, null members are dropped, quantities become canonical texts. What needs no change is returned
 * as it is, not copied. Required fields and value rules are validation's business (validate-schema.ts, the kinds).
 * Errors quote no text but times: it may be part of a Secret.
 */
export interface Decoded {
  readonly value: Readonly<Record<string, unknown>>
  /** `unknown field "spec.foo"`, in the order they were met. */
  readonly unknownFields: readonly string[]
}

const DEPTH_MAX = 200
const UNKNOWN_MAX = 100

/** `known`: a decoded object of the kind; what the input shares with it, at the same place, is not decoded again. */
export function decode(input: unknown, schema: Schema, kind: string, known?: unknown): Decoded {
  const place: Place = { input, root: schema, kind, steps: [], unknownFields: [] }
  if (!isObject(input)) throw wrongType(input, schema, place)
  const value = decodeObject(input, resolve(schema), place, known)
  return { value, unknownFields: place.unknownFields }
}

/** Where the decoder is; `steps` are field names, map keys and list indexes, and become text only for a report. */
interface Place {
  readonly input: unknown
  readonly root: Schema
  readonly kind: string
  readonly steps: (string | number)[]
  readonly unknownFields: string[]
}

/** `step` leads from the object or list around to `input`. */
function decodeValue(
  input: unknown,
  given: Schema,
  step: string | number,
  place: Place,
  known: unknown,
): unknown {
  if (place.steps.push(step) > DEPTH_MAX)
    throw unreadable(place, `fields are nested more than ${DEPTH_MAX} levels deep`)
  const schema = given.ref === undefined ? given : resolve(given)
  const decoded = decodeAny(input, schema, given, place, known)
  place.steps.pop()
  return decoded
}

function decodeAny(input: unknown, schema: Schema, given: Schema, place: Place, known: unknown): unknown {
  if (schema.format === 'int-or-string') {
    if (typeof input === 'string' || Number.isInteger(input)) return input
    throw wrongType(input, given, place)
  }
  switch (schema.type) {
    case 'object':
      if (!isObject(input)) throw wrongType(input, given, place)
      return decodeObject(input, schema, place, known)
    case 'array':
      if (!Array.isArray(input)) throw wrongType(input, given, place)
      return decodeArray(input, schema.items ?? {}, place, known)
    case 'string':
      return decodeString(input, schema, place)
    case 'integer':
      if (typeof input !== 'number' || !fitsInteger(input, schema)) throw wrongType(input, given, place)
      return input
    case 'number':
      if (typeof input !== 'number') throw wrongType(input, given, place)
      return input
    case 'boolean':
      if (typeof input !== 'boolean') throw wrongType(input, given, place)
      return input
    default:
      return input
  }
}

function decodeObject(object: JsonObject, schema: Schema, place: Place, known: unknown): JsonObject {
  const before = isObject(known) ? known : undefined
  const { properties, additionalProperties } = schema
  const isAnything = schema.preserveUnknown === true || (!properties && !additionalProperties)
  const isResourceList = additionalProperties?.format === 'quantity'
  let copy: Record<string, unknown> | undefined
  for (const key of Object.keys(object)) {
    const member = object[key]
    const old = before && Object.hasOwn(before, key) ? before[key] : undefined
    if (member === old && typeof member === 'object' && member !== null) continue
    const property = properties && Object.hasOwn(properties, key) ? properties[key] : additionalProperties
    let decoded: unknown
    if (property === undefined) {
      if (isAnything) continue
      reportUnknown(key, place)
    } else if (member !== null && member !== undefined) {
      decoded = decodeValue(member, property, key, place, old)
      if (isResourceList) decoded = roundUpToMilli(decoded as string)
    } else if (!properties && property.type === 'string') decoded = ''
    if (decoded === member) continue
    copy ??= { ...object }
    if (decoded === undefined) delete copy[key]
    else defineKey(copy, key, decoded)
  }
  return copy ?? object
}

function decodeArray(
  input: readonly unknown[],
  items: Schema,
  place: Place,
  known: unknown,
): readonly unknown[] {
  const before: readonly unknown[] = Array.isArray(known) ? known : []
  let copy: unknown[] | undefined
  for (let i = 0; i < input.length; i += 1) {
    const item = input[i] ?? undefined
    if (typeof item === 'object' && item === before[i]) continue
    const decoded = item === undefined ? zeroOf(items) : decodeValue(item, items, i, place, before[i])
    if (decoded === input[i]) continue
    copy ??= [...input]
    copy[i] = decoded
  }
  return copy ?? input
}

/** What Go makes of a null in a list. */
function zeroOf(items: Schema): unknown {
  switch (resolve(items).type) {
    case 'object':
      return {}
    case 'array':
      return []
    case 'string':
      return ''
    case 'boolean':
      return false
    case 'integer':
    case 'number':
      return 0
    default:
      return null
  }
}

const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function decodeString(input: unknown, schema: Schema, place: Place): string {
  const { format } = schema
  if (format === 'quantity') {
    if (typeof input !== 'string' && typeof input !== 'number') throw unreadable(place, QUANTITY_ERROR)
    const canonical = canonicalQuantity(String(input))
    if (canonical === undefined) throw unreadable(place, QUANTITY_ERROR)
    return canonical
  }
  if (typeof input !== 'string') throw wrongType(input, schema, place)
  if (format === 'byte' && !BASE64.test(input.replace(/[\r\n]/g, ''))) {
    const at = input.search(/[^A-Za-z0-9+/\r\n]/)
    throw unreadable(
      place,
      `illegal base64 data at input byte ${at < 0 ? input.length : at} of ${pathOf(place.steps)} (plain text belongs under "stringData")`,
    )
  }
  if ((format === 'date-time' || format === 'date-time-micro') && !TIME.test(input)) {
    const layout = `2006-01-02T15:04:05${format === 'date-time' ? '' : '.000000'}Z07:00`
    throw unreadable(
      place,
      `parsing time ${JSON.stringify(input.slice(0, 40))} as "${layout}" in ${pathOf(place.steps)}: cannot parse it`,
    )
  }
  return input
}

function fitsInteger(value: number, schema: Schema): boolean {
  return Number.isInteger(value) && Math.abs(value) < 2 ** (schema.format === 'int32' ? 31 : 63)
}

function reportUnknown(key: string, { steps, unknownFields }: Place): void {
  if (unknownFields.length < UNKNOWN_MAX) unknownFields.push(`unknown field "${pathOf([...steps, key])}"`)
}

/** spec.template.spec.containers[0].image */
function pathOf(steps: readonly (string | number)[]): string {
  return steps.reduce<string>(
    (path, step) => (typeof step === 'number' ? `${path}[${step}]` : path === '' ? step : `${path}.${step}`),
    '',
  )
}

function unreadable({ input, kind }: Place, why: string): Error {
  const apiVersion = isObject(input) && typeof input['apiVersion'] === 'string' ? input['apiVersion'] : ''
  const version = apiVersion.slice(apiVersion.lastIndexOf('/') + 1) || 'v1'
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`)
}

function wrongType(input: unknown, expected: Schema, place: Place): Error {
  const given = Array.isArray(input)
    ? 'array'
    : typeof input === 'boolean'
      ? 'bool'
      : typeof input === 'number' && resolve(expected).type === 'integer'
        ? `number ${input}`
        : input === null
          ? 'null'
          : typeof input
  return unreadable(
    place,
    `json: cannot unmarshal ${given} into Go struct field ${goField(place)} of type ${goType(expected)}`,
  )
}

/** Go names the innermost struct and the fields that lead there, without indexes and map keys: Container.spec.containers.image. */
function goField({ root, kind, steps }: Place): string {
  let at = resolve(root)
  let struct = kind
  const fields: string[] = []
  for (const [i, step] of steps.entries()) {
    const isField =
      typeof step === 'string' && at.properties !== undefined && Object.hasOwn(at.properties, step)
    const next = isField
      ? at.properties?.[step]
      : typeof step === 'number'
        ? at.items
        : at.additionalProperties
    if (isField) fields.push(step)
    if (!next) break
    at = resolve(next)
    if (i < steps.length - 1 && next.ref !== undefined) struct = goName(next.ref)
  }
  return [struct, ...fields].join('.')
}

/** V1PodSpec -> PodSpec. */
function goName(definition: string): string {
  return definition.replace(/^[A-Za-z]*?V\d+((alpha|beta)\d+)?(?=[A-Z])/, '')
}

function goType(schema: Schema): string {
  if (schema.ref !== undefined) return `v1.${goName(schema.ref)}`
  if (schema.format === 'int-or-string') return 'intstr.IntOrString'
  switch (schema.type) {
    case 'array':
      return `[]${goType(schema.items ?? {})}`
    case 'object':
      return schema.additionalProperties ? `map[string]${goType(schema.additionalProperties)}` : 'struct'
    case 'integer':
      return schema.format === 'int32' ? 'int32' : 'int64'
    case 'number':
      return 'float64'
    case 'boolean':
      return 'bool'
    default:
      if (schema.format === 'quantity') return 'resource.Quantity'
      return schema.format?.startsWith('date-time') ? 'v1.Time' : 'string'
  }
}
