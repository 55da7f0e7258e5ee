import { defineKey, isObject, type JsonObject } from '../../base/json.ts'
import { type JsonSchema, memberOf } from './json-schema.ts'

/** Fills in the defaults of a structural schema; a null where null is not allowed counts as absent if there is a default. */
export function withDefaults<T>(value: T, schema: JsonSchema): T {
  return fill(value, schema) as T
}

function fill(value: unknown, schema: JsonSchema): unknown {
  if (isObject(value)) return fillObject(value, schema)
  if (!Array.isArray(value) || !schema.items) return value
  const { items } = schema
  const list = value.map((item) =>
    fill(item === null && !items.nullable && items.default !== undefined ? items.default : item, items),
  )
  return list.some((item, i) => item !== value[i]) ? list : value
}

function fillObject(object: JsonObject, schema: JsonSchema): JsonObject {
  let copy: Record<string, unknown> | undefined
  const set = (key: string, value: unknown) => {
    copy ??= { ...object }
    defineKey(copy, key, value)
  }
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const has = Object.hasOwn(object, key) && object[key] !== undefined
    if (property.default === undefined || (has && (object[key] !== null || property.nullable === true)))
      continue
    set(key, fill(property.default, property))
  }
  for (const key of Object.keys(object)) {
    const member = memberOf(schema, key)
    if (!member || (copy && copy[key] !== object[key])) continue
    const filled = fill(object[key], member)
    if (filled !== object[key]) set(key, filled)
  }
  return copy ?? object
}
