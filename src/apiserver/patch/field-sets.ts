import { resolve, type Schema } from '../../api/schema.ts'
import { badRequest } from '../../api/status.ts'
import { deepEqual, isObject } from '../../base/json.ts'
import { elementText, type Fields, FieldsBuilder } from './fields.ts'
import {
  asList,
  asObject,
  elementOf,
  elementsOf,
  fieldElement,
  isDeclared,
  itemFault,
  member,
  memberSchema,
  shapeOf,
} from './typed.ts'

/**
 * All fields a configuration sets: what its applier will own. Items of lists and values of maps own themselves too.
 * Throws BadRequest, beginning with the path, for an item that is there twice or lacks a key.
 */
export function fieldsOf(value: unknown, schema: Schema): Fields {
  const builder = new FieldsBuilder()
  collect(value, schema, builder, [])
  return builder.build()
}

/** Returns false for a leaf, which the caller then adds as a member. */
function collect(value: unknown, schema: Schema, into: FieldsBuilder, path: string[]): boolean {
  const shape = shapeOf(value, schema)
  if (shape.type === 'leaf') return false
  if (shape.type === 'map') {
    const object = asObject(value)
    let isLeaf = true
    for (const name of Object.keys(object)) {
      if (object[name] === undefined) continue
      isLeaf = false
      const element = fieldElement(name)
      path.push(element)
      const isInner =
        typeof object[name] === 'object' &&
        collect(object[name], memberSchema(shape.definition, name), into.child(element), path)
      path.pop()
      if (!isInner || !isDeclared(shape.definition, name)) into.add(element)
    }
    return !isLeaf
  }
  const seen = new Set<string>()
  asList(value).forEach((item, index) => {
    const wrong = itemFault(item, shape.items, shape.keys)
    if (wrong !== undefined) throw refused(path, `element ${index}: ${wrong}`)
    const element = elementOf(item, shape.items, shape.keys)
    if (seen.has(element)) throw refused(path, `duplicate entries for key ${elementText(element)}`)
    seen.add(element)
    into.add(element)
    path.push(element)
    if (shape.keys) collect(item, shape.items, into.child(element), path)
    path.pop()
  })
  // An empty list is stored as it is, so it has an owner; Kubernetes forgets it.
  return seen.size > 0
}

function refused(path: readonly string[], why: string): Error {
  return badRequest(`${path.map(elementText).join('')}: ${why}`)
}

export interface Comparison {
  /** In the second and not in the first, or different. */
  readonly changed: Fields
  /** In the first and not in the second. */
  readonly removed: Fields
}

/** What differs between two forms of an object, by schema. Containers that appear or go are members themselves. */
export function compare(before: unknown, after: unknown, schema: Schema): Comparison {
  const changed = new FieldsBuilder()
  const removed = new FieldsBuilder()
  walk(before, after, schema, changed, removed)
  return { changed: changed.build(), removed: removed.build() }
}

function walk(a: unknown, b: unknown, schema: Schema, changed: FieldsBuilder, removed: FieldsBuilder): void {
  if (a === b) return
  const shape = shapeOf(b === undefined ? a : b, schema)
  if (shape.type === 'map') {
    const before = asObject(a)
    const after = asObject(b)
    for (const name of Object.keys(after)) {
      const old = member(before, name)
      if (old !== after[name])
        step(fieldElement(name), old, after[name], memberSchema(shape.definition, name), changed, removed)
    }
    for (const name of Object.keys(before)) {
      if (before[name] !== undefined && !Object.hasOwn(after, name))
        step(
          fieldElement(name),
          before[name],
          undefined,
          memberSchema(shape.definition, name),
          changed,
          removed,
        )
    }
  } else if (shape.type === 'list') {
    const before = byElement(asList(a), shape.items, shape.keys)
    const after = byElement(asList(b), shape.items, shape.keys)
    for (const [element, item] of after)
      step(element, before.get(element), item, shape.keys ? shape.items : ATOM, changed, removed)
    for (const [element, item] of before)
      if (!after.has(element))
        step(element, item, undefined, shape.keys ? shape.items : ATOM, changed, removed)
  }
}

const ATOM: Schema = { mapType: 'atomic' }

/** Structs that Go objects hold even when empty: they do not appear, only what is in them does. */
const ALWAYS_THERE = new Set(
  ['metadata', 'spec', 'status', 'template', 'jobTemplate', 'strategy', 'updateStrategy'].map(fieldElement),
)

function step(
  element: string,
  a: unknown,
  b: unknown,
  schema: Schema,
  changed: FieldsBuilder,
  removed: FieldsBuilder,
): void {
  if (a === b) return
  if (a === undefined) {
    if (!(ALWAYS_THERE.has(element) && isStruct(b, schema))) changed.add(element)
  } else if (b === undefined) removed.add(element)
  else if (shapeOf(a, schema).type !== shapeOf(b, schema).type || shapeOf(b, schema).type === 'leaf') {
    if (!deepEqual(a, b)) changed.add(element)
    return
  }
  const value = b === undefined ? a : b
  if (typeof value === 'object' && value !== null)
    walk(a, b, schema, changed.child(element), removed.child(element))
}

function isStruct(value: unknown, schema: Schema): boolean {
  return isObject(value) && Object.keys(value).length > 0 && resolve(schema).properties !== undefined
}

/** A repeated item counts as what all of its appearances are together. */
function byElement(
  list: readonly unknown[],
  items: Schema,
  keys: readonly string[] | undefined,
): ReadonlyMap<string, unknown> {
  const elements = elementsOf(list, items, keys)
  const map = new Map<string, unknown>()
  elements.forEach((element, i) => {
    if (!map.has(element)) map.set(element, list[i])
    else map.set(element, [map.get(element), list[i]])
  })
  return map
}
