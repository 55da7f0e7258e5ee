import { canonicalJson, deepEqual, isObject, type JsonObject } from '../../base/json.ts'
import { fault, type StatusCause } from '../status.ts'
import { fitsFormat, matchesPattern } from './formats.ts'
import { type JsonSchema, memberOf } from './json-schema.ts'

/**
 * Checks a value by a structural schema, in Kubernetes' words. With `old` it ratchets: what has not changed is not
 * complained about, as far as the two can be correlated (fields, map keys, items of lists of type map).
 */
export function checkValue(value: unknown, schema: JsonSchema, path: string, old?: unknown): StatusCause[] {
  if (old !== undefined && deepEqual(value, old)) return []
  if (value === null && schema.nullable) return []
  const wrong = wrongType(value, schema, path)
  if (wrong) return [wrong]
  const faults: StatusCause[] = []
  if (schema.enum && !schema.enum.some((allowed) => deepEqual(allowed, value)))
    faults.push(fault.notSupported(path, value, schema.enum.map(textOf)))
  if (typeof value === 'number') faults.push(...checkNumber(value, schema, path))
  else if (typeof value === 'string') faults.push(...checkText(value, schema, path))
  else if (Array.isArray(value))
    faults.push(...checkList(value, schema, path, Array.isArray(old) ? old : undefined))
  else if (isObject(value)) faults.push(...checkObject(value, schema, path, isObject(old) ? old : undefined))
  faults.push(...checkJunctors(value, schema, path))
  return faults
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
const inBody = (path: string) => `${path} in body`

function wrongType(
  value: unknown,
  { type, intOrString, format }: JsonSchema,
  path: string,
): StatusCause | undefined {
  const given = typeName(value)
  if (intOrString) {
    if (typeof value === 'string' || Number.isInteger(value)) return undefined
    return fault.typeInvalid(
      path,
      given,
      `${inBody(path)} must be of type integer,string: ${JSON.stringify(given)}`,
    )
  }
  if (type === undefined || type === '' || type === given || (type === 'number' && given === 'integer')) {
    if (typeof value === 'string' && format !== undefined && type === 'string' && !fitsFormat(value, format))
      return fault.typeInvalid(
        path,
        value,
        `${inBody(path)} must be of type ${format}: ${JSON.stringify(value)}`,
      )
    return undefined
  }
  return fault.typeInvalid(path, given, `${inBody(path)} must be of type ${type}: ${JSON.stringify(given)}`)
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

function checkNumber(value: number, schema: JsonSchema, path: string): StatusCause[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, format } = schema
  const faults: StatusCause[] = []
  const say = (what: string) => faults.push(fault.invalid(path, value, `${inBody(path)} should be ${what}`))
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum))
    say(`less than ${exclusiveMaximum ? '' : 'or equal to '}${maximum}`)
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum))
    say(`greater than ${exclusiveMinimum ? '' : 'or equal to '}${minimum}`)
  if (multipleOf && Math.abs(value / multipleOf - Math.round(value / multipleOf)) > 1e-9)
    say(`a multiple of ${multipleOf}`)
  if (format === 'int32' && Math.abs(value) > 2 ** 31 - 1 && value !== -(2 ** 31))
    faults.push(
      fault.invalid(path, value, `${inBody(path)} must be of type int32: ${JSON.stringify(String(value))}`),
    )
  return faults
}

function checkText(
  value: string,
  { minLength, maxLength, pattern }: JsonSchema,
  path: string,
): StatusCause[] {
  const faults: StatusCause[] = []
  const length = maxLength === undefined && minLength === undefined ? 0 : [...value].length
  if (maxLength !== undefined && length > maxLength) faults.push(fault.tooLong(path, maxLength))
  if (minLength !== undefined && length < minLength)
    faults.push(fault.invalid(path, value, `${inBody(path)} should be at least ${minLength} chars long`))
  if (pattern !== undefined && !matchesPattern(value, pattern))
    faults.push(fault.invalid(path, value, `${inBody(path)} should match '${pattern}'`))
  return faults
}

function checkList(
  list: readonly unknown[],
  schema: JsonSchema,
  path: string,
  old: readonly unknown[] | undefined,
): StatusCause[] {
  const { items, minItems, maxItems, uniqueItems, listType, listMapKeys = [] } = schema
  const faults: StatusCause[] = []
  if (maxItems !== undefined && list.length > maxItems)
    faults.push(fault.tooMany(path, list.length, maxItems))
  if (minItems !== undefined && list.length < minItems)
    faults.push(fault.invalid(path, list.length, `${inBody(path)} should have at least ${minItems} items`))
  if (uniqueItems && new Set(list.map(canonicalJson)).size < list.length)
    faults.push(fault.invalid(path, list, `${inBody(path)} shouldn't contain duplicates`))
  const keyOf = itemKey(listType, listMapKeys, items)
  const before = new Map(listType === 'map' ? old?.map((item) => [keyOf(item), item]) : [])
  const seen = new Set<string>()
  for (const [i, item] of list.entries()) {
    if (items) faults.push(...checkValue(item, items, `${path}[${i}]`, before.get(keyOf(item))))
    if (listType !== 'set' && listType !== 'map') continue
    const key = keyOf(item)
    if (seen.has(key))
      faults.push(
        fault.duplicate(`${path}[${i}]`, listType === 'set' ? item : keysOf(item, listMapKeys, items)),
      )
    seen.add(key)
  }
  return faults
}

/** What tells items of a list of type set or map apart. */
export function itemKey(
  listType: string | undefined,
  keys: readonly string[],
  items: JsonSchema | undefined,
): (item: unknown) => string {
  return listType === 'map' ? (item) => canonicalJson(keysOf(item, keys, items)) : canonicalJson
}

function keysOf(item: unknown, keys: readonly string[], items: JsonSchema | undefined): JsonObject {
  if (!isObject(item)) return {}
  return Object.fromEntries(keys.map((key) => [key, item[key] ?? items?.properties?.[key]?.default]))
}

function checkObject(
  object: JsonObject,
  schema: JsonSchema,
  path: string,
  old: JsonObject | undefined,
): StatusCause[] {
  const { required = [], minProperties, maxProperties } = schema
  const faults: StatusCause[] = []
  const at = (key: string) => (path === '' ? key : `${path}.${key}`)
  const keys = Object.keys(object)
  if (maxProperties !== undefined && keys.length > maxProperties)
    faults.push(fault.tooMany(path, keys.length, maxProperties))
  if (minProperties !== undefined && keys.length < minProperties)
    faults.push(
      fault.invalid(path, keys.length, `${inBody(path)} should have at least ${minProperties} properties`),
    )
  for (const key of required) if (!Object.hasOwn(object, key)) faults.push(fault.required(at(key)))
  for (const key of keys) {
    const member = memberOf(schema, key)
    if (member)
      faults.push(
        ...checkValue(object[key], member, at(key), old && Object.hasOwn(old, key) ? old[key] : undefined),
      )
  }
  if (schema.embedded) {
    if (typeof object['apiVersion'] !== 'string' || object['apiVersion'] === '')
      faults.push(fault.required(at('apiVersion'), 'must not be empty'))
    if (typeof object['kind'] !== 'string' || object['kind'] === '')
      faults.push(fault.required(at('kind'), 'must not be empty'))
  }
  return faults
}

function checkJunctors(
  value: unknown,
  { allOf, anyOf, oneOf, not }: JsonSchema,
  path: string,
): StatusCause[] {
  const faults: StatusCause[] = []
  const named = JSON.stringify(path)
  const fits = (schema: JsonSchema) => checkValue(value, schema, path).length === 0
  const say = (what: string) => faults.push(fault.invalid(path, shown(value), `${named} ${what}`))
  for (const schema of allOf ?? []) faults.push(...checkValue(value, schema, path))
  if (anyOf && anyOf.length > 0 && !anyOf.some(fits)) {
    say('must validate at least one schema (anyOf)')
    const [first] = anyOf.map((schema) => checkValue(value, schema, path)).sort((a, b) => a.length - b.length)
    faults.push(...(first ?? []))
  }
  if (oneOf && oneOf.length > 0) {
    const count = oneOf.filter(fits).length
    if (count !== 1)
      say(
        `must validate one and only one schema (oneOf). ${count === 0 ? 'Found none valid' : `Found ${count} valid alternatives`}`,
      )
  }
  if (not && fits(not)) say('must not validate the schema (not)')
  return faults
}

/** Kubernetes shows the type of what is not plain. */
function shown(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? '' : value
}
