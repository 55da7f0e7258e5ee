import { resolve, type Schema } from '../../api/schema.ts'
import { badRequest } from '../../api/status.ts'
import { deepEqual, defineKey, isObject, type JsonObject } from '../../base/json.ts'

/**
 * Strategic merge patch: like a merge patch, but lists with patchStrategy "merge" merge by their merge key, and
 * directives say what plain values cannot: $patch (replace, merge, delete), $retainKeys,
 * $deleteFromPrimitiveList/FIELD and $setElementOrder/FIELD. The original is not changed; an unknown directive or an
 * item without its merge key is a BadRequest.
 */
const ELEMENT_ORDER = '$setElementOrder/'
const DELETE_FROM_LIST = '$deleteFromPrimitiveList/'

export function strategicMergePatch(original: unknown, patch: unknown, schema: Schema): unknown {
  if (!isObject(patch))
    throw badRequest('error decoding patch: json: cannot unmarshal the patch into an object')
  return mergeObject(isObject(original) ? original : {}, patch, schema)
}

function mergeObject(original: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  switch (patch['$patch']) {
    case undefined:
    case 'merge':
      break
    case 'replace':
      return stripDirectives(patch, schema)
    case 'delete':
      return {}
    default:
      throw badRequest(`Unknown patch type found: ${String(patch['$patch'])} in map`)
  }
  const definition = resolve(schema)
  const fieldSchema = (name: string): Schema =>
    definition.properties?.[name] ?? definition.additionalProperties ?? {}
  const result: Record<string, unknown> = retained(original, patch)
  for (const [key, value] of Object.entries(patch)) {
    if (key === '$patch' || key === '$retainKeys' || key.startsWith(ELEMENT_ORDER)) continue
    if (key.startsWith(DELETE_FROM_LIST)) {
      deleteFromList(result, key.slice(DELETE_FROM_LIST.length), value)
      continue
    }
    if (key.startsWith('$'))
      throw badRequest(`Unknown directive ${JSON.stringify(key)} in strategic merge patch`)
    if (value === null) {
      delete result[key]
      continue
    }
    const before = Object.hasOwn(result, key) ? result[key] : undefined
    defineKey(result, key, mergeValue(before, value, fieldSchema(key), patch[ELEMENT_ORDER + key]))
  }
  for (const [key, order] of Object.entries(patch)) {
    if (!key.startsWith(ELEMENT_ORDER)) continue
    const field = key.slice(ELEMENT_ORDER.length)
    const list = result[field]
    if (Array.isArray(list)) defineKey(result, field, ordered(list, order, fieldSchema(field), patch[field]))
  }
  return result
}

/** $retainKeys: of the original, only these fields stay. */
function retained(original: JsonObject, patch: JsonObject): Record<string, unknown> {
  const keys = patch['$retainKeys']
  if (keys === undefined) return { ...original }
  if (!Array.isArray(keys)) throw badRequest('$retainKeys must be a list')
  const extra = Object.keys(patch).find(
    (key) => !key.startsWith('$') && patch[key] !== null && !keys.includes(key),
  )
  if (extra !== undefined)
    throw badRequest(`$retainKeys must contain all fields of the patch: ${JSON.stringify(extra)} is missing`)
  return Object.fromEntries(Object.entries(original).filter(([key]) => keys.includes(key)))
}

function deleteFromList(result: Record<string, unknown>, field: string, values: unknown): void {
  const list = result[field]
  if (!Array.isArray(values)) throw badRequest(`${DELETE_FROM_LIST}${field} must be a list`)
  if (Array.isArray(list))
    result[field] = list.filter((item) => !values.some((value) => deepEqual(item, value)))
}

function mergeValue(before: unknown, value: unknown, schema: Schema, order: unknown): unknown {
  if (isObject(value)) {
    if (schema.patchStrategy === 'replace') return stripDirectives(value, schema)
    return mergeObject(isObject(before) ? before : {}, value, schema)
  }
  if (!Array.isArray(value)) return value
  if (!schema.patchStrategy?.split(',').includes('merge'))
    return value.map((item) => strip(item, itemsOf(schema)))
  if (!Array.isArray(before) && order === undefined && !value.some(isDirective))
    return value.map((item) => strip(item, itemsOf(schema)))
  return mergeList(Array.isArray(before) ? before : [], value, schema)
}

function mergeList(original: readonly unknown[], patch: readonly unknown[], schema: Schema): unknown[] {
  const key = schema.patchMergeKey
  const items = itemsOf(schema)
  if (key === undefined || patch.some((item) => !isObject(item))) {
    if (patch.some(isObject))
      throw badRequest('strategic merge patch format: a list of objects to merge needs a merge key')
    return [...original, ...patch.filter((item) => !original.some((other) => deepEqual(item, other)))]
  }
  if (
    patch.some((item) => isObject(item) && item['$patch'] === 'replace' && Object.keys(item).length === 1)
  ) {
    return patch.filter((item) => !isDirective(item)).map((item) => strip(item, items))
  }
  const result = [...original]
  for (const item of patch) {
    if (!isObject(item)) continue
    const id = item[key]
    if (id === undefined)
      throw badRequest(
        `map: ${JSON.stringify(item).slice(0, 200)} does not contain declared merge key: ${key}`,
      )
    const at = result.findIndex((other) => isObject(other) && other[key] === id)
    if (item['$patch'] === 'delete') {
      for (let i = result.length - 1; i >= 0; i -= 1)
        if (isObject(result[i]) && (result[i] as JsonObject)[key] === id) result.splice(i, 1)
    } else if (item['$patch'] === 'replace') {
      if (at >= 0) result[at] = strip(item, items)
      else result.push(strip(item, items))
    } else if (item['$patch'] !== undefined && item['$patch'] !== 'merge') {
      throw badRequest(`Unknown patch type found: ${String(item['$patch'])} in list`)
    } else if (at >= 0) result[at] = mergeObject(result[at] as JsonObject, item, items)
    else result.push(strip(item, items))
  }
  return result
}

/**
 * $setElementOrder: items that the order names stand in that order; others (added by somebody else meanwhile) keep
 * their place relative to the items before them.
 */
function ordered(list: readonly unknown[], order: unknown, schema: Schema, patch: unknown): unknown[] {
  if (!Array.isArray(order)) throw badRequest('$setElementOrder must be a list')
  const key = schema.patchMergeKey
  const idOf = (item: unknown) => JSON.stringify(key !== undefined && isObject(item) ? item[key] : item)
  const rank = new Map(order.map((item, i) => [idOf(item), i]))
  const missing = Array.isArray(patch)
    ? patch.find((item) => !(isObject(item) && item['$patch'] !== undefined) && !rank.has(idOf(item)))
    : undefined
  if (missing !== undefined)
    throw badRequest(
      `The order in patch list doesn't match $setElementOrder list: ${JSON.stringify(missing).slice(0, 200)} is not in it`,
    )
  const named = list
    .filter((item) => rank.has(idOf(item)))
    .sort((a, b) => (rank.get(idOf(a)) ?? 0) - (rank.get(idOf(b)) ?? 0))
  const result: unknown[] = []
  let next = 0
  for (const item of list) {
    if (!rank.has(idOf(item))) result.push(item)
    else {
      result.push(named[next])
      next += 1
    }
  }
  return result
}

function itemsOf(schema: Schema): Schema {
  return schema.items ?? resolve(schema).items ?? {}
}

function isDirective(item: unknown): boolean {
  return isObject(item) && item['$patch'] !== undefined
}

function strip(value: unknown, schema: Schema): unknown {
  return isObject(value) ? stripDirectives(value, schema) : value
}

/** New content without what only means something against an original: directives and nulls. */
function stripDirectives(patch: JsonObject, schema: Schema): JsonObject {
  const { $patch: _patch, ...rest } = patch
  return mergeObject({}, rest, schema)
}
