import type { Schema } from '../../api/schema.ts'
import { deepEqual, defineKey } from '../../base/json.ts'
import { type Fields, isEmpty } from './fields.ts'
import { asObject, itemsByElement, shapeOf } from './typed.ts'

/**
 * The live value with the configuration laid over it. Items of associative lists keep their live order, new ones follow
 * in the order of the configuration. Parts that do not change are the live ones, by identity.
 */
export function mergeApplied(live: unknown, config: unknown, schema: Schema): unknown {
  if (live === undefined) return config
  const shape = shapeOf(config, schema)
  if (shape.type === 'leaf' || shapeOf(live, schema).type !== shape.type)
    return deepEqual(live, config) ? live : config
  if (shape.type === 'map') {
    const base = asObject(live)
    let merged: Record<string, unknown> | undefined
    for (const [name, value] of Object.entries(asObject(config))) {
      const before = Object.hasOwn(base, name) ? base[name] : undefined
      const after = mergeApplied(before, value, shape.of(name))
      if (after === before) continue
      merged ??= { ...base }
      defineKey(merged, name, after)
    }
    return merged ?? live
  }
  const before = itemsByElement(live as readonly unknown[], shape.keys, false)
  const wanted = itemsByElement(config as readonly unknown[], shape.keys, true)
  const merged: unknown[] = []
  for (const [element, item] of before)
    merged.push(
      wanted.has(element) && shape.keys ? mergeApplied(item, wanted.get(element), shape.items) : item,
    )
  for (const [element, item] of wanted) if (!before.has(element)) merged.push(item)
  const isSame =
    merged.length === (live as readonly unknown[]).length &&
    merged.every((item, i) => item === (live as readonly unknown[])[i])
  return isSame ? live : merged
}

/**
 * The value without the members of `gone`; a container that is gone stays as long as something in it is `kept` (owned
 * by somebody).
 */
export function removeFields(value: unknown, gone: Fields, kept: Fields, schema: Schema): unknown {
  if (isEmpty(gone)) return value
  const shape = shapeOf(value, schema)
  if (shape.type === 'leaf') return value
  if (shape.type === 'map') {
    const object = asObject(value)
    let copy: Record<string, unknown> | undefined
    for (const [element, node] of gone.elements) {
      const name = element.slice(2)
      if (!element.startsWith('f:') || !Object.hasOwn(object, name)) continue
      const keeps = kept.elements.get(element)
      const after = removeFields(
        object[name],
        node.children,
        keeps?.children ?? { elements: new Map() },
        shape.of(name),
      )
      if (!keeps && (node.member || isHollow(after))) {
        copy ??= { ...object }
        delete copy[name]
      } else if (after !== object[name]) {
        copy ??= { ...object }
        defineKey(copy, name, after)
      }
    }
    return copy ?? value
  }
  const rest: unknown[] = []
  for (const [element, item] of itemsByElement(value as readonly unknown[], shape.keys, false)) {
    const node = gone.elements.get(element)
    const keeps = kept.elements.get(element)
    if (node?.member && !keeps) continue
    rest.push(
      node && shape.keys
        ? removeFields(item, node.children, keeps?.children ?? { elements: new Map() }, shape.items)
        : item,
    )
  }
  return rest
}

/** A container that lost its last member because of the removal. */
function isHollow(value: unknown): boolean {
  return (
    (Array.isArray(value) && value.length === 0) ||
    (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
  )
}
