import { listKeys, resolve, type Schema } from '../../api/schema.ts'
import { isObject, type JsonObject } from '../../base/json.ts'

/** How a value is shared between writers, by schema (structured-merge-diff's view of a value). */
export type Shape =
  /** Scalars, and atomic values: one owner, replaced whole. */
  | { readonly type: 'leaf' }
  | { readonly type: 'map'; readonly definition: Schema }
  /** Items are told apart by `elementOf`: by their keys, or in a set (no keys) by their value. */
  | { readonly type: 'list'; readonly items: Schema; readonly keys: readonly string[] | undefined }

const LEAF: Shape = { type: 'leaf' }
/** Of fields that no schema declares: maps are granular, lists atomic. */
const UNKNOWN: Schema = {}

export function shapeOf(value: unknown, schema: Schema): Shape {
  if (Array.isArray(value)) {
    const definition = resolve(schema)
    const keys = listKeys(schema) ?? listKeys(definition)
    if (keys || (schema.listType ?? definition.listType) === 'set')
      return { type: 'list', items: definition.items ?? UNKNOWN, keys }
    return LEAF
  }
  if (!isObject(value)) return LEAF
  const definition = resolve(schema)
  return (schema.mapType ?? definition.mapType) === 'atomic' ? LEAF : { type: 'map', definition }
}

/** Whether the definition names this field, as a struct does; keys of a map are not named. */
export function isDeclared(definition: Schema, field: string): boolean {
  return definition.properties !== undefined && Object.hasOwn(definition.properties, field)
}

/** The schema of a member of a map or struct; `definition` is resolved. */
export function memberSchema(definition: Schema, field: string): Schema {
  if (isDeclared(definition, field)) return definition.properties?.[field] ?? UNKNOWN
  return definition.additionalProperties ?? UNKNOWN
}

/** An own member; undefined for what is only inherited. */
export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

/** Kubernetes' only key with a default: the protocol of container and Service ports. */
const KEY_DEFAULTS: Readonly<Record<string, unknown>> = { protocol: 'TCP' }

/** What is wrong with an item of a list; undefined when its element can be told. */
export function itemFault(
  item: unknown,
  items: Schema,
  keys: readonly string[] | undefined,
): string | undefined {
  if (!keys) return undefined
  if (!isObject(item)) return 'associative list with keys may not have non-map elements'
  const missing = keys.find((key) => keyOf(item, key, items) === undefined)
  return missing === undefined
    ? undefined
    : `associative list with keys has an element that omits key field ${JSON.stringify(missing)} (and doesn't have default value)`
}

/** The path element of an item without a fault: k:{"name":"app"} or v:"x". */
export function elementOf(item: unknown, items: Schema, keys: readonly string[] | undefined): string {
  if (!keys) return `v:${JSON.stringify(item)}`
  const object = item as JsonObject
  const [only] = keys
  if (keys.length === 1 && only !== undefined)
    return `k:{${JSON.stringify(only)}:${JSON.stringify(keyOf(object, only, items))}}`
  const parts = [...keys]
    .sort()
    .map((key) => `${JSON.stringify(key)}:${JSON.stringify(keyOf(object, key, items))}`)
  return `k:{${parts.join(',')}}`
}

function keyOf(item: JsonObject, key: string, items: Schema): unknown {
  return member(item, key) ?? memberSchema(resolve(items), key).default ?? member(KEY_DEFAULTS, key)
}

/**
 * The elements of a stored list, in order. Stored lists may repeat an item (env names do) or lack a key, which only
 * validation can judge; an item that cannot be told by its keys stands for itself by its value.
 */
export function elementsOf(
  list: readonly unknown[],
  items: Schema,
  keys: readonly string[] | undefined,
): readonly string[] {
  return list.map((item) =>
    itemFault(item, items, keys) === undefined ? elementOf(item, items, keys) : `v:${JSON.stringify(item)}`,
  )
}

/** Names come again and again; their elements are made once. */
const elements = new Map<string, string>()
const ELEMENTS_MAX = 10_000

export function fieldElement(name: string): string {
  let element = elements.get(name)
  if (element === undefined) {
    if (elements.size >= ELEMENTS_MAX) elements.clear()
    element = `f:${name}`
    elements.set(name, element)
  }
  return element
}

export function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : NOTHING
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** What has no members. */
export const NOTHING: JsonObject = {}
