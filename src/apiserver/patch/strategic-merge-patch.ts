import { resolve, type Schema } from '../../api/schema.ts'
import { badRequest } from '../../api/status.ts'
import { deepEqual, defineKey, isObject, type JsonObject } from '../../base/json.ts'
import { isDeeperThan } from '../content.ts'
import { checkOrder, placed } from './element-order.ts'
import { member, memberSchema } from './typed.ts'

/**
 * Strategic merge patch: like a merge patch, but lists with patchStrategy "merge" merge by their merge key, and
 * directives say what plain values cannot: $patch (replace, delete; merge is what happens anyway), $retainKeys,
 * $deleteFromPrimitiveList/FIELD and $setElementOrder/FIELD. Items stand where upstream puts them: those of the patch in
 * its order, new ones before the server's own. The original is not changed; an unknown directive, a malformed one or an
 * item without its merge key is a BadRequest. Values are not quoted in errors.
 */
const DEPTH_MAX = 1000
const ELEMENT_ORDER = '$setElementOrder/'
const DIRECTIVES: ReadonlySet<unknown> = new Set(['replace', 'merge', 'delete'])
const DELETE_FROM_LIST = '$deleteFromPrimitiveList/'

export function strategicMergePatch(original: unknown, patch: unknown, schema: Schema): unknown {
  if (!isObject(patch)) throw badRequest('error decoding patch: a strategic merge patch must be an object')
  if (isDeeperThan(patch, DEPTH_MAX))
    throw badRequest(`the patch is nested more than ${DEPTH_MAX} levels deep`)
  return mergeObject(isObject(original) ? original : {}, patch, schema)
}

function mergeObject(original: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  const directive = member(patch, '$patch')
  if (directive === 'replace') return content(patch, schema)
  if (directive === 'delete') return {}
  if (directive !== undefined && directive !== 'merge') throw unknownPatchType(directive, 'map')
  const definition = resolve(schema)
  const result = retained(original, patch)
  for (const key of Object.keys(patch)) {
    if (!key.startsWith('$')) mergeMember(result, key, patch, memberSchema(definition, key))
    else if (key.startsWith(ELEMENT_ORDER)) {
      const field = key.slice(ELEMENT_ORDER.length)
      if (!Object.hasOwn(patch, field)) reorder(result, field, patch[key], memberSchema(definition, field))
    } else if (key !== '$patch' && key !== '$retainKeys' && !key.startsWith(DELETE_FROM_LIST))
      throw badRequest(`Unknown directive ${JSON.stringify(key)} in strategic merge patch`)
  }
  for (const key of Object.keys(patch))
    if (key.startsWith(DELETE_FROM_LIST))
      deleteFromList(result, key.slice(DELETE_FROM_LIST.length), patch[key])
  return result
}

function mergeMember(result: Record<string, unknown>, key: string, patch: JsonObject, schema: Schema): void {
  const value = patch[key]
  if (value === null) {
    delete result[key]
    return
  }
  const before = member(result, key)
  const order = member(patch, ELEMENT_ORDER + key)
  if (order !== undefined && Array.isArray(value)) {
    checkOrder(orderList(order), value, schema.patchMergeKey)
    defineKey(result, key, mergeValue(before, value, schema))
    reorder(result, key, order, schema, before)
  } else defineKey(result, key, mergeValue(before, value, schema))
}

function reorder(
  result: Record<string, unknown>,
  field: string,
  order: unknown,
  schema: Schema,
  before: unknown = member(result, field),
): void {
  const list = member(result, field)
  const wanted = orderList(order)
  if (Array.isArray(list))
    defineKey(result, field, placed(list, wanted, Array.isArray(before) ? before : [], schema.patchMergeKey))
}

function orderList(order: unknown): readonly unknown[] {
  if (!Array.isArray(order)) throw badRequest('invalid patch format of setElementOrder list')
  return order
}

/** $retainKeys: of the original, only these fields stay. */
function retained(original: JsonObject, patch: JsonObject): Record<string, unknown> {
  const keys = member(patch, '$retainKeys')
  if (keys === undefined) return { ...original }
  const isComplete =
    Array.isArray(keys) &&
    Object.keys(patch).every((key) => key.startsWith('$') || patch[key] === null || keys.includes(key))
  if (!isComplete) throw badRequest('invalid patch format of retainKeys')
  return Object.fromEntries(Object.entries(original).filter(([key]) => keys.includes(key)))
}

function deleteFromList(result: Record<string, unknown>, field: string, values: unknown): void {
  if (!Array.isArray(values)) throw badRequest('invalid patch format of primitive list')
  const list = member(result, field)
  if (Array.isArray(list))
    defineKey(
      result,
      field,
      list.filter((item) => !values.some((value) => deepEqual(item, value))),
    )
}

function mergeValue(before: unknown, value: unknown, schema: Schema): unknown {
  if (isObject(value)) {
    const isReplaced = schema.patchStrategy === 'replace' || !isObject(before)
    return isReplaced && member(value, '$patch') !== 'delete'
      ? content(value, schema)
      : mergeObject(isObject(before) ? before : {}, value, schema)
  }
  if (!Array.isArray(value)) return value
  const isMerged = schema.patchStrategy?.split(',').includes('merge') === true
  return isMerged
    ? mergeList(Array.isArray(before) ? before : [], value, schema)
    : value.map((item) => itemContent(item, itemsOf(schema)))
}

function mergeList(original: readonly unknown[], patch: readonly unknown[], schema: Schema): unknown[] {
  const key = schema.patchMergeKey
  if (patch.some(Array.isArray)) throw badRequest('lists of lists are not supported')
  if (key !== undefined && patch.every(isObject)) return mergeItems(original, patch, key, itemsOf(schema))
  if (key !== undefined || patch.some(isObject)) throw badRequest('invalid patch format of a list to merge')
  const merged = [...original]
  for (const item of patch) if (!merged.some((other) => deepEqual(item, other))) merged.push(item)
  return placed(merged, patch, original, key)
}

function mergeItems(
  original: readonly unknown[],
  patch: readonly JsonObject[],
  key: string,
  items: Schema,
): unknown[] {
  const plain = patch.filter((item) => !Object.hasOwn(item, '$patch') || item['$patch'] === 'merge')
  const deleted = new Set<unknown>()
  let isReplaced = false
  for (const item of patch) {
    const directive = member(item, '$patch')
    if (directive === 'replace') isReplaced = true
    else if (directive === 'delete') deleted.add(keyOf(item, key))
    else if (directive === undefined || directive === 'merge') keyOf(item, key)
    else throw unknownPatchType(directive, 'list')
  }
  if (isReplaced) return plain.map((item) => content(item, items))
  const stays = original.filter((item) => !(isObject(item) && deleted.has(member(item, key))))
  const merged: unknown[] = [...stays]
  const places = new Map<unknown, number>()
  stays.forEach((item, i) => {
    if (isObject(item) && !places.has(member(item, key))) places.set(member(item, key), i)
  })
  for (const item of plain) {
    const id = keyOf(item, key)
    const at = places.get(id)
    if (at !== undefined) merged[at] = mergeObject(merged[at] as JsonObject, item, items)
    else places.set(id, merged.push(content(item, items)) - 1)
  }
  return placed(merged, plain, stays, key)
}

function keyOf(item: JsonObject, key: string): unknown {
  const value = member(item, key)
  if (value === undefined || value === null)
    throw badRequest(
      `map with the fields [${Object.keys(item).join(' ')}] does not contain declared merge key: ${key}`,
    )
  return value
}

function unknownPatchType(type: unknown, where: string): Error {
  return badRequest(`Unknown patch type found: ${JSON.stringify(type)?.slice(0, 100)} in ${where}`)
}

function itemsOf(schema: Schema): Schema {
  return schema.items ?? resolve(schema).items ?? {}
}

function itemContent(value: unknown, schema: Schema): unknown {
  return isObject(value) ? content(value, schema) : value
}

/** New content, without what only means something against an original: directives and nulls. */
function content(patch: JsonObject, schema: Schema): JsonObject {
  const { $patch: directive, $retainKeys: _keys, ...rest } = patch
  if (directive !== undefined && !DIRECTIVES.has(directive)) throw unknownPatchType(directive, 'map')
  return mergeObject({}, rest, schema)
}
