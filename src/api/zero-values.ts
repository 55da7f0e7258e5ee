import { isObject, type JsonObject } from '../base/json.ts'
import { resolve, type Schema } from './schema.ts'

/**
 * Fills in what a definition requires and the object does not have, with the empty value of its type, as a Go struct
 * has it: `{ ports: [{}] }` becomes `{ ports: [{ port: 0 }] }`. So the types tell the truth about objects that nobody
 * validated yet, and validation says what is missing instead of failing over it. The same object comes back when
 * nothing is missing.
 */
export function withZeroValues<T>(value: T, schema: Schema): T {
  return fill(value, schema) as T
}

/** Kubernetes' own kinds always have a spec in Go, though their definitions do not say so. */
export function withSpec<T extends object>(resource: T, schema: Schema): T {
  return schema.properties?.['spec'] && !('spec' in resource && resource.spec)
    ? { ...resource, spec: {} }
    : resource
}

function fill(value: unknown, given: Schema): unknown {
  const schema = given.ref === undefined ? given : resolve(given)
  if (Array.isArray(value)) return schema.items ? fillItems(value, schema.items) : value
  return isObject(value) ? fillFields(value, schema) : value
}

function fillItems(list: readonly unknown[], items: Schema): readonly unknown[] {
  let copy: unknown[] | undefined
  for (let i = 0; i < list.length; i += 1) {
    const filled = fill(list[i], items)
    if (filled === list[i]) continue
    copy ??= [...list]
    copy[i] = filled
  }
  return copy ?? list
}

function fillFields(object: JsonObject, { properties, required }: Schema): JsonObject {
  if (!properties) return object
  let copy: Record<string, unknown> | undefined
  for (const key of Object.keys(object)) {
    const member = object[key]
    if (typeof member !== 'object' || !Object.hasOwn(properties, key)) continue
    const filled = fill(member, properties[key] ?? {})
    if (filled === member) continue
    copy ??= { ...object }
    copy[key] = filled
  }
  for (const key of required ?? []) {
    if (object[key] !== undefined) continue
    const zero = zeroOf(properties[key] ?? {})
    if (zero === undefined) continue
    copy ??= { ...object }
    copy[key] = zero
  }
  return copy ?? object
}

/** Undefined where Go has a pointer: times and label selectors, for which absent and empty are different things. */
function zeroOf(given: Schema): unknown {
  if (given.ref === 'V1LabelSelector') return undefined
  const schema = resolve(given)
  if (schema.format === 'int-or-string') return 0
  switch (schema.type) {
    case 'object':
      return fill({}, schema)
    case 'array':
      return []
    case 'string':
      return schema.format === undefined || schema.format === 'byte' ? '' : undefined
    case 'boolean':
      return false
    case 'integer':
    case 'number':
      return 0
    default:
      return undefined
  }
}
