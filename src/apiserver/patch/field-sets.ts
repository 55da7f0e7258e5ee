import type { Schema } from '../../api/schema.ts'
import { deepEqual } from '../../base/json.ts'
import { type Fields, FieldsBuilder } from './fields.ts'
import { asObject, fieldElement, itemsByElement, shapeOf } from './typed.ts'

/** All fields a configuration sets: what its applier will own. Items of lists own themselves too. */
export function fieldsOf(value: unknown, schema: Schema): Fields {
  const builder = new FieldsBuilder()
  collect(value, schema, builder)
  return builder.build()
}

/** Returns false for a leaf, which the caller then adds as a member. */
function collect(value: unknown, schema: Schema, into: FieldsBuilder): boolean {
  const shape = shapeOf(value, schema)
  if (shape.type === 'leaf') return false
  if (shape.type === 'map') {
    const entries = Object.entries(asObject(value)).filter(([, member]) => member !== undefined)
    if (entries.length === 0) return false
    for (const [name, member] of entries) {
      const element = fieldElement(name)
      if (!collect(member, shape.of(name), into.child(element))) into.add(element)
    }
    return true
  }
  const items = itemsByElement(value as readonly unknown[], shape.keys, true)
  if (items.size === 0) return false
  for (const [element, item] of items) {
    into.add(element)
    if (shape.keys) collect(item, shape.items, into.child(element))
  }
  return true
}

export interface Comparison {
  /** In the second and not in the first, or different. */
  readonly changed: Fields
  /** In the first and not in the second. */
  readonly removed: Fields
}

/** What differs between two forms of an object, by schema. Containers that appear are members themselves. */
export function compare(before: unknown, after: unknown, schema: Schema): Comparison {
  const changed = new FieldsBuilder()
  const removed = new FieldsBuilder()
  walk(before, after, schema, changed, removed)
  return { changed: changed.build(), removed: removed.build() }
}

function walk(
  before: unknown,
  after: unknown,
  schema: Schema,
  changed: FieldsBuilder,
  removed: FieldsBuilder,
): void {
  if (before === after) return
  for (const [element, a, b, inner] of pairs(before, after, schema)) {
    if (a === b) continue
    if (a === undefined) changed.add(element)
    else if (b === undefined) removed.add(element)
    if (isContainer(a, b, inner)) walk(a, b, inner, changed.child(element), removed.child(element))
    else if (a !== undefined && b !== undefined && !deepEqual(a, b)) changed.add(element)
  }
}

function isContainer(a: unknown, b: unknown, schema: Schema): boolean {
  const shapes = [a, b].filter((value) => value !== undefined).map((value) => shapeOf(value, schema).type)
  return shapes.every((type) => type !== 'leaf') && new Set(shapes).size === 1
}

function* pairs(
  before: unknown,
  after: unknown,
  schema: Schema,
): Iterable<readonly [string, unknown, unknown, Schema]> {
  const shape = shapeOf(after === undefined ? before : after, schema)
  if (shape.type === 'map') {
    const a = asObject(before)
    const b = asObject(after)
    for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
      yield [
        fieldElement(name),
        Object.hasOwn(a, name) ? a[name] : undefined,
        Object.hasOwn(b, name) ? b[name] : undefined,
        shape.of(name),
      ]
    }
  } else if (shape.type === 'list') {
    const a = itemsByElement(Array.isArray(before) ? before : [], shape.keys, false)
    const b = itemsByElement(Array.isArray(after) ? after : [], shape.keys, false)
    for (const element of new Set([...a.keys(), ...b.keys()]))
      yield [element, a.get(element), b.get(element), shape.items]
  }
}
