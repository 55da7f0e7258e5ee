import type { Schema } from '../../api/schema.ts'
import { deepEqual, defineKey, isObject } from '../../base/json.ts'
import { type Fields, isEmpty, NO_FIELDS } from './fields.ts'
import {
  asList,
  asObject,
  elementOf,
  elementsOf,
  isDeclared,
  member,
  memberSchema,
  type Shape,
  shapeOf,
} from './typed.ts'

/**
 * The live value with the configuration laid over it; null removes. Items that the configuration names stand in its
 * order, others keep their place among the live ones. Parts that do not change are the live ones, by identity.
 */
export function mergeApplied(live: unknown, config: unknown, schema: Schema): unknown {
  if (live === undefined) return withoutNulls(config)
  if (live === config) return live
  const shape = shapeOf(config, schema)
  if (shape.type === 'leaf' || shapeOf(live, schema).type !== shape.type)
    return deepEqual(live, config) ? live : withoutNulls(config)
  return shape.type === 'map'
    ? mergeMap(live, config, shape.definition)
    : mergeList(asList(live), asList(config), shape)
}

function mergeMap(live: unknown, config: unknown, definition: Schema): unknown {
  const base = asObject(live)
  const wanted = asObject(config)
  let merged: Record<string, unknown> | undefined
  for (const name of Object.keys(wanted)) {
    const value = wanted[name]
    const before = member(base, name)
    if (value === undefined || before === value) continue
    const after = value === null ? undefined : mergeApplied(before, value, memberSchema(definition, name))
    if (after === before) continue
    merged ??= { ...base }
    if (after === undefined) delete merged[name]
    else defineKey(merged, name, after)
  }
  return merged ?? live
}

type ListShape = Extract<Shape, { type: 'list' }>

function mergeList(
  live: readonly unknown[],
  config: readonly unknown[],
  { items, keys }: ListShape,
): unknown {
  const wanted = new Map(config.map((item) => [elementOf(item, items, keys), item]))
  const order = [...wanted.keys()]
  const elements = elementsOf(live, items, keys)
  const before = new Map(elements.map((element, i) => [element, live[i]]))
  const merged: unknown[] = []
  let next = 0
  const emit = (end: number) => {
    for (; next < end; next += 1) {
      const element = order[next]!
      const old = before.get(element)
      merged.push(keys || old === undefined ? mergeApplied(old, wanted.get(element), items) : old)
    }
  }
  elements.forEach((element, i) => {
    if (!wanted.has(element)) merged.push(live[i])
    else {
      let shared = next
      while (shared < order.length && !before.has(order[shared]!)) shared += 1
      if (order[shared] === element) emit(shared + 1)
    }
  })
  emit(order.length)
  return merged.length === live.length && merged.every((item, i) => item === live[i]) ? live : merged
}

/** New content: members that are null are not there. Itself when it has none. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(withoutNulls)
    return items.some((item, i) => item !== value[i]) ? items : value
  }
  if (!isObject(value)) return value
  let copy: Record<string, unknown> | undefined
  for (const name of Object.keys(value)) {
    const before = value[name]
    if (typeof before !== 'object') continue
    const after = before === null ? undefined : withoutNulls(before)
    if (after === before) continue
    copy ??= { ...value }
    if (after === undefined) delete copy[name]
    else defineKey(copy, name, after)
  }
  return copy ?? value
}

/**
 * The value without what an applier had set (`last`) and nobody owns any more (`kept`). A struct field nobody has a
 * part in goes whole, with the defaults that were filled in below it; so does a container that has become
 * empty, unless somebody wants it so (`emptyDir: {}`).
 * Unchanged parts stay by identity.
 */
export function removeFields(value: unknown, last: Fields, kept: Fields, schema: Schema): unknown {
  if (isEmpty(last)) return value
  const shape = shapeOf(value, schema)
  if (shape.type === 'leaf') return value
  return shape.type === 'map'
    ? removeMembers(value, last, kept, shape.definition)
    : removeItems(asList(value), last, kept, shape)
}

function removeMembers(value: unknown, last: Fields, kept: Fields, definition: Schema): unknown {
  const object = asObject(value)
  let copy: Record<string, unknown> | undefined
  for (const [element, node] of last.elements) {
    const name = element.slice(2)
    if (!element.startsWith('f:') || !Object.hasOwn(object, name)) continue
    const before = object[name]
    const keeps = kept.elements.get(element)
    const goes = !keeps && (node.member || isDeclared(definition, name))
    const after = goes
      ? undefined
      : removeFields(before, node.children, keeps?.children ?? NO_FIELDS, memberSchema(definition, name))
    if (after === before) continue
    copy ??= { ...object }
    if (after === undefined || (!keeps?.member && isHollow(after))) delete copy[name]
    else defineKey(copy, name, after)
  }
  return copy ?? value
}

function removeItems(
  list: readonly unknown[],
  last: Fields,
  kept: Fields,
  { items, keys }: ListShape,
): readonly unknown[] {
  const elements = elementsOf(list, items, keys)
  const rest: unknown[] = []
  let isSame = true
  list.forEach((item, i) => {
    const element = elements[i]!
    const node = last.elements.get(element)
    const keeps = kept.elements.get(element)
    if (node?.member && !keeps) {
      isSame = false
      return
    }
    const after = node && keys ? removeFields(item, node.children, keeps?.children ?? NO_FIELDS, items) : item
    if (after !== item) isSame = false
    rest.push(after)
  })
  return isSame ? list : rest
}

/** A container that has lost its last member. */
function isHollow(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0
}
