import { defineKey } from '../../base/json.ts'

/**
 * Thousands of pods have the same writers of the same fields: equal parts of fieldsV1 are one frozen object, found by
 * what it is made of. Kept only as long as some resource holds it.
 */
export type FieldsJson = Readonly<Record<string, unknown>>

/** A path element with nothing below it, and the "." of one that is a member beside what is below. */
export const LEAF: FieldsJson = Object.freeze({})

const parts = new Map<string, WeakRef<FieldsJson>>()
const ids = new WeakMap<FieldsJson, number>([[LEAF, 0]])
const forgotten = new FinalizationRegistry<string>((name) => {
  if (parts.get(name)?.deref() === undefined) parts.delete(name)
})
let lastId = 0

/** The object with these keys, in this order; `children` come from here as well. */
export function sharedPart(
  isMember: boolean,
  keys: readonly string[],
  children: readonly FieldsJson[],
): FieldsJson {
  // A key may hold any character: its length says where it ends. Joined, for a text that was added up stays in its pieces.
  const name = [
    isMember ? '.' : '',
    ...keys.map((key, i) => `${key.length}:${key}${ids.get(children[i]!)} `),
  ].join('')
  const known = parts.get(name)?.deref()
  if (known) return known
  const part: Record<string, unknown> = isMember ? { '.': LEAF } : {}
  keys.forEach((key, i) => {
    defineKey(part, key, children[i])
  })
  Object.freeze(part)
  lastId += 1
  ids.set(part, lastId)
  parts.set(name, new WeakRef(part))
  forgotten.register(part, name)
  return part
}

export function isSharedPart(json: object): boolean {
  return ids.has(json as FieldsJson)
}
