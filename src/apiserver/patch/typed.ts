import { listKeys, resolve, type Schema } from '../../api/schema.ts'
import { badRequest } from '../../api/status.ts'
import { isObject, type JsonObject } from '../../base/json.ts'

/** How a value is shared between writers, by schema (structured-merge-diff's view of a value). */
export type Shape =
  | { readonly type: 'leaf' }
  | { readonly type: 'map'; readonly of: (field: string) => Schema }
  /** Items are told apart by `elementOf`: an associative list or a set. */
  | { readonly type: 'list'; readonly items: Schema; readonly keys: readonly string[] | undefined }

const LEAF: Shape = { type: 'leaf' }
const UNKNOWN: Schema = {}

/** Atomic values are leaves: they have one owner and are replaced whole. */
export function shapeOf(value: unknown, schema: Schema): Shape {
  if (Array.isArray(value)) {
    const keys = listKeys(schema)
    const items = schema.items ?? resolve(schema).items ?? UNKNOWN
    if (keys) return { type: 'list', items, keys }
    if (schema.listType === 'set') return { type: 'list', items, keys: undefined }
    return LEAF
  }
  if (!isObject(value)) return LEAF
  const definition = resolve(schema)
  if ((schema.mapType ?? definition.mapType) === 'atomic') return LEAF
  return {
    type: 'map',
    of: (field) => definition.properties?.[field] ?? definition.additionalProperties ?? UNKNOWN,
  }
}

/** The keys of a list whose protocol may be left out (container and service ports). */
const KEY_DEFAULTS: Readonly<Record<string, unknown>> = { protocol: 'TCP' }

/** The path element of an item: k:{"name":"app"} or v:"x". Throws BadRequest when a key is missing and has no default. */
export function elementOf(item: unknown, keys: readonly string[] | undefined): string {
  if (!keys) return `v:${JSON.stringify(item)}`
  if (!isObject(item)) throw badRequest('associative list with keys has an element that is not an object')
  const parts = keys.map((key) => {
    const value = item[key] ?? KEY_DEFAULTS[key]
    if (value === undefined)
      throw badRequest(
        `associative list with keys has an element that omits key field ${JSON.stringify(key)} (and doesn't have default value)`,
      )
    return [key, value] as const
  })
  return `k:${JSON.stringify(Object.fromEntries([...parts].sort(([a], [b]) => (a < b ? -1 : 1))))}`
}

/** Items by element, in order. With `strict` a second item of the same element is a BadRequest; else the last one wins. */
export function itemsByElement(
  list: readonly unknown[],
  keys: readonly string[] | undefined,
  strict: boolean,
): Map<string, unknown> {
  const items = new Map<string, unknown>()
  for (const item of list) {
    const element = elementOf(item, keys)
    if (strict && items.has(element)) throw badRequest(`duplicate entries for key ${element.slice(2)}`)
    items.set(element, item)
  }
  return items
}

export function fieldElement(name: string): string {
  return `f:${name}`
}

export function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}
