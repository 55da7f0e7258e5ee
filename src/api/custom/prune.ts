import { defineKey, isObject, type JsonObject } from '../../base/json.ts'
import { type JsonSchema, memberOf } from './json-schema.ts'

export interface Pruned {
  readonly value: JsonObject
  /** Paths of what was dropped. */
  readonly dropped: readonly string[]
}

/**
 * Drops every field a structural schema does not name. x-kubernetes-preserve-unknown-fields keeps them, but what is
 * named below is pruned again; of an embedded resource apiVersion, kind and metadata stay.
 */
export function prune(value: JsonObject, schema: JsonSchema, isResource = true): Pruned {
  const dropped: string[] = []
  return { value: pruneObject(value, schema, isResource, '', dropped), dropped }
}

const RESOURCE_FIELDS = ['apiVersion', 'kind', 'metadata']

function pruneObject(
  object: JsonObject,
  schema: JsonSchema,
  isResource: boolean,
  path: string,
  dropped: string[],
): JsonObject {
  const isOpen = schema.preserveUnknown === true || schema.additionalProperties === true
  let copy: Record<string, unknown> | undefined
  for (const key of Object.keys(object)) {
    if (isResource && RESOURCE_FIELDS.includes(key)) continue
    const at = path === '' ? key : `${path}.${key}`
    const member = memberOf(schema, key)
    if (!member) {
      if (isOpen) continue
      dropped.push(at)
      copy ??= { ...object }
      delete copy[key]
      continue
    }
    const pruned = pruneValue(object[key], member, at, dropped)
    if (pruned === object[key]) continue
    copy ??= { ...object }
    defineKey(copy, key, pruned)
  }
  return copy ?? object
}

function pruneValue(value: unknown, schema: JsonSchema, path: string, dropped: string[]): unknown {
  if (isObject(value)) return pruneObject(value, schema, schema.embedded === true, path, dropped)
  if (!Array.isArray(value) || !schema.items) return value
  const { items } = schema
  const list = value.map((item, i) => pruneValue(item, items, `${path}[${i}]`, dropped))
  return list.some((item, i) => item !== value[i]) ? list : value
}
