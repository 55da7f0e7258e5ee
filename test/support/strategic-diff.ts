import { resolve, type Schema } from '../../src/api/schema.ts'
import { deepEqual, isObject, type JsonObject } from '../../src/base/json.ts'

/** The strategic merge patch that makes `after` of `before`, as kubectl's two-way patch: changes, deletions and order. */
export function strategicDiff(before: JsonObject, after: JsonObject, schema: Schema): JsonObject {
  const patch: Record<string, unknown> = {}
  const { properties = {}, additionalProperties } = resolve(schema)
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const field = properties[key] ?? additionalProperties ?? {}
    const [was, is] = [before[key], after[key]]
    if (deepEqual(was, is)) continue
    if (is === undefined) patch[key] = null
    else if (isObject(was) && isObject(is) && field.patchStrategy !== 'replace')
      patch[key] = structDiff(was, is, field)
    else if (Array.isArray(was) && Array.isArray(is) && field.patchMergeKey) {
      const items = listDiff(was as JsonObject[], is as JsonObject[], field, field.patchMergeKey)
      if (items.length > 0) patch[key] = items
      patch[`$setElementOrder/${key}`] = is.map((item) => ({
        [field.patchMergeKey ?? '']: (item as JsonObject)[field.patchMergeKey ?? ''],
      }))
    } else patch[key] = Array.isArray(is) && field.patchStrategy ? [...is] : is
  }
  return patch
}

/** An empty struct stays as it is under a patch, so one that becomes empty is put in the place of the other. */
function structDiff(was: JsonObject, is: JsonObject, field: Schema): JsonObject {
  return Object.keys(is).length === 0 && field.additionalProperties === undefined
    ? { $patch: 'replace' }
    : strategicDiff(was, is, field)
}

function listDiff(
  was: readonly JsonObject[],
  is: readonly JsonObject[],
  list: Schema,
  key: string,
): JsonObject[] {
  const items = list.items ?? {}
  const changed = is.flatMap((item) => {
    const old = was.find((other) => other[key] === item[key])
    if (!old) return [item]
    const inner = strategicDiff(old, item, items)
    return Object.keys(inner).length > 0 ? [{ ...inner, [key]: item[key] }] : []
  })
  const gone = was
    .filter((item) => !is.some((other) => other[key] === item[key]))
    .map((item) => ({ $patch: 'delete', [key]: item[key] }))
  return [...changed, ...gone]
}
