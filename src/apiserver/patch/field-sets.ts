import { resolve, type Schema } from '../../api/schema.ts'
import { badRequest } from '../../api/status.ts'
import { deepEqual, isObject, type JsonObject } from '../../base/json.ts'
import { Collected, LEAF_NODE } from './field-table.ts'
import { elementText, type Fields, NO_FIELDS } from './fields.ts'
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
  NOTHING,
  type Shape,
  shapeOf,
} from './typed.ts'

/**
 * All fields a configuration sets: what its applier will own. Items of lists and values of maps own themselves too.
 * Throws BadRequest, beginning with the path, for an item that is there twice or lacks a key.
 */
export function fieldsOf(value: unknown, schema: Schema): Fields {
  return collect(value, schema, []) ?? NO_FIELDS
}

/** Undefined for a leaf, which the caller then adds as a member. */
function collect(value: unknown, schema: Schema, path: string[]): Fields | undefined {
  const shape = shapeOf(value, schema)
  if (shape.type === 'leaf') return undefined
  const collected = new Collected()
  if (shape.type === 'map') {
    const object = asObject(value)
    let isLeaf = true
    for (const name of Object.keys(object)) {
      if (object[name] === undefined) continue
      isLeaf = false
      const element = fieldElement(name)
      path.push(element)
      const inner =
        typeof object[name] === 'object'
          ? collect(object[name], memberSchema(shape.definition, name), path)
          : undefined
      path.pop()
      collected.add(element, (inner ?? NO_FIELDS).node(!inner || !isDeclared(shape.definition, name)))
    }
    return isLeaf ? undefined : collected.build()
  }
  const seen = new Set<string>()
  asList(value).forEach((item, index) => {
    const wrong = itemFault(item, shape.items, shape.keys)
    if (wrong !== undefined) throw refused(path, `element ${index}: ${wrong}`)
    const element = elementOf(item, shape.items, shape.keys)
    if (seen.has(element)) throw refused(path, `duplicate entries for key ${elementText(element)}`)
    seen.add(element)
    path.push(element)
    const inner = shape.keys ? collect(item, shape.items, path) : undefined
    path.pop()
    collected.add(element, (inner ?? NO_FIELDS).node(true))
  })
  // An empty list is stored as it is, so it has an owner; Kubernetes forgets it.
  return seen.size > 0 ? collected.build() : undefined
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

const SAME: Comparison = { changed: NO_FIELDS, removed: NO_FIELDS }

/** What differs between two forms of an object, by schema. Containers that appear or go are members themselves. */
export function compare(before: unknown, after: unknown, schema: Schema): Comparison {
  if (before === after) return SAME
  const shape = shapeOf(after === undefined ? before : after, schema)
  if (shape.type === 'leaf') return SAME
  const into = { changed: new Collected(), removed: new Collected() }
  if (shape.type === 'map') compareMembers(asObject(before), asObject(after), shape.definition, into)
  else compareItems(before, after, shape, into)
  return { changed: into.changed.build(), removed: into.removed.build() }
}

interface Differences {
  readonly changed: Collected
  readonly removed: Collected
}

function compareMembers(before: JsonObject, after: JsonObject, definition: Schema, into: Differences): void {
  for (const name of Object.keys(after)) {
    const old = member(before, name)
    const value = after[name]
    if (old !== value) step(fieldElement(name), old, value, memberSchema(definition, name), into)
  }
  if (before === NOTHING) return
  for (const name of Object.keys(before))
    if (before[name] !== undefined && !Object.hasOwn(after, name))
      step(fieldElement(name), before[name], undefined, memberSchema(definition, name), into)
}

function compareItems(
  a: unknown,
  b: unknown,
  { items, keys }: Extract<Shape, { type: 'list' }>,
  into: Differences,
): void {
  const before = byElement(asList(a), items, keys)
  const after = byElement(asList(b), items, keys)
  const schema = keys ? items : ATOM
  for (const [element, item] of after) step(element, before.get(element), item, schema, into)
  for (const [element, item] of before) if (!after.has(element)) step(element, item, undefined, schema, into)
}

const ATOM: Schema = { mapType: 'atomic' }

/** Structs that Go objects hold even when empty: they do not appear, only what is in them does. */
const ALWAYS_THERE = new Set(
  ['metadata', 'spec', 'status', 'template', 'jobTemplate', 'strategy', 'updateStrategy'].map(fieldElement),
)

function step(element: string, a: unknown, b: unknown, schema: Schema, into: Differences): void {
  if (a === b) return
  const isNew = a === undefined && !(ALWAYS_THERE.has(element) && isStruct(b, schema))
  const isGone = b === undefined
  if (!isGone && a !== undefined) {
    const { type } = shapeOf(b, schema)
    if (type === 'leaf' || type !== shapeOf(a, schema).type) {
      if (!deepEqual(a, b)) into.changed.add(element, LEAF_NODE)
      return
    }
  }
  const value = isGone ? a : b
  const inner = typeof value === 'object' && value !== null ? compare(a, b, schema) : SAME
  into.changed.add(element, inner.changed.node(isNew))
  into.removed.add(element, inner.removed.node(isGone))
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
