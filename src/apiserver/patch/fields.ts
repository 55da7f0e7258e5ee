import { defineKey, isObject, type JsonObject } from '../../base/json.ts'
import { Collected, type FieldNode, type Fields, type FieldsJson, NO_FIELDS, setOf } from './field-table.ts'

/**
 * A set of field paths, as managedFields' fieldsV1 holds it: a trie of path elements.
 *
 *   { "f:spec": { "f:replicas": {}, "f:containers": { "k:{\"name\":\"app\"}": { ".": {}, "f:image": {} } } } }
 *
 * is the paths spec.replicas, spec.containers[name=app] and spec.containers[name=app].image. An element is `f:` and a
 * field name, `k:` and the JSON of an item's keys, `v:` and the JSON of a set's value, or `i:` and an index. An element
 * without children is itself a member; with children only if "." says so. Sets are immutable.
 */
export type { Fields } from './field-table.ts'
export { NO_FIELDS } from './field-table.ts'

export function isEmpty(fields: Fields): boolean {
  return fields.elements.size === 0
}

/** A path element with nothing below it, and the "." of one that is a member beside what is below. */
const LEAF: FieldsJson = Object.freeze({})

/** Two generations: objects live longer than anybody writes to them. */
let readLately = new WeakMap<object, Fields>()
let readBefore = new WeakMap<object, Fields>()
let readCount = 0
const READ_MAX = 20_000

function remember(json: object, fields: Fields): void {
  if (readCount >= READ_MAX) {
    readBefore = readLately
    readLately = new WeakMap()
    readCount = 0
  }
  readLately.set(json, fields)
  readCount += 1
}

/** Frozen fieldsV1 objects, and the parts that they share, are read once in a while. */
export function parseFields(json: unknown): Fields {
  if (!isObject(json)) return NO_FIELDS
  const known = readLately.get(json)
  if (known) return known
  const fields = readBefore.get(json) ?? read(json)
  if (Object.isFrozen(json)) remember(json, fields)
  return fields
}

function read(json: JsonObject): Fields {
  const collected = new Collected()
  for (const key of Object.keys(json)) {
    if (key === '.') continue
    const value = json[key]
    const children = parseFields(value)
    collected.add(key, children.node(isEmpty(children) || Object.hasOwn(value as object, '.')))
  }
  return collected.build()
}

/** fieldsV1, frozen, in the order Kubernetes writes it. Written once for each set; equal parts of sets are one object. */
export function formatFields(fields: Fields): FieldsJson {
  return fields.json(false, writePlain)
}

const writePlain = (fields: Fields): FieldsJson => write(fields, {})
const writeMember = (fields: Fields): FieldsJson => write(fields, { '.': LEAF })

function write(fields: Fields, json: Record<string, unknown>): FieldsJson {
  for (const key of [...fields.elements.keys()].sort(byElement)) {
    const { member, children } = fields.elements.get(key)!
    defineKey(json, key, isEmpty(children) ? LEAF : children.json(member, member ? writeMember : writePlain))
  }
  remember(Object.freeze(json), fields)
  return json
}

const KIND_ORDER = 'fkvi'

function byElement(a: string, b: string): number {
  const kind = KIND_ORDER.indexOf(a.charAt(0)) - KIND_ORDER.indexOf(b.charAt(0))
  if (kind !== 0) return kind
  if (a.startsWith('i:')) return Number(a.slice(2)) - Number(b.slice(2))
  return a < b ? -1 : a > b ? 1 : 0
}

/** `a` itself if `b` adds nothing. */
export function union(a: Fields, b: Fields): Fields {
  if (a === b || isEmpty(b)) return a
  if (isEmpty(a)) return b
  let elements: Map<string, FieldNode> | undefined
  for (const [key, node] of b.elements) {
    const other = a.elements.get(key)
    const member = node.member || other?.member === true
    const children = other ? union(other.children, node.children) : node.children
    if (other && member === other.member && children === other.children) continue
    elements ??= new Map(a.elements)
    elements.set(key, children.node(member))
  }
  return elements ? fromMap(elements) : a
}

/** What is in `a` and not in `b`; a member of `b` takes only itself, not what is below it. `a` itself if nothing goes. */
export function difference(a: Fields, b: Fields): Fields {
  if (isEmpty(a)) return a
  let elements: Map<string, FieldNode> | undefined
  for (const [key, taken] of b.elements) {
    const node = a.elements.get(key)
    if (!node) continue
    const children = difference(node.children, taken.children)
    const member = node.member && !taken.member
    if (member === node.member && children === node.children) continue
    elements ??= new Map(a.elements)
    if (member || !isEmpty(children)) elements.set(key, children.node(member))
    else elements.delete(key)
  }
  return elements ? fromMap(elements) : a
}

export function intersection(a: Fields, b: Fields): Fields {
  const collected = new Collected()
  for (const [key, node] of a.elements) {
    const other = b.elements.get(key)
    if (other)
      collected.add(key, intersection(node.children, other.children).node(node.member && other.member))
  }
  return collected.build()
}

/** The elements of a set that `keeps`, and what is below them. */
export function filterFields(
  fields: Fields,
  keeps: (element: string, node: FieldNode) => FieldNode | undefined,
): Fields {
  const collected = new Collected()
  for (const [key, node] of fields.elements) {
    const kept = keeps(key, node)
    if (kept) collected.add(key, kept)
  }
  return collected.build()
}

function fromMap(elements: ReadonlyMap<string, FieldNode>): Fields {
  return setOf([...elements.keys()], [...elements.values()])
}

/** Whether the very path is a member. */
export function has(fields: Fields, path: readonly string[]): boolean {
  const last = path.at(-1)
  let at: Fields | undefined = fields
  for (const element of path.slice(0, -1)) at = at?.elements.get(element)?.children
  return last !== undefined && at?.elements.get(last)?.member === true
}

export function equalFields(a: Fields, b: Fields): boolean {
  if (a === b) return true
  if (a.elements.size !== b.elements.size) return false
  for (const [key, node] of a.elements) {
    const other = b.elements.get(key)
    if (!other || other.member !== node.member || !equalFields(node.children, other.children)) return false
  }
  return true
}

/** The members as people read them, in order: .spec.template.spec.containers[name="app"].image */
export function memberPaths(fields: Fields, prefix = ''): string[] {
  return [...fields.elements.keys()].sort(byElement).flatMap((key) => {
    const { member, children } = fields.elements.get(key)!
    const path = prefix + elementText(key)
    return [...(member ? [path] : []), ...memberPaths(children, path)]
  })
}

/** One path element as people read it: .image, [name="app"], [="x"], [0] */
export function elementText(element: string): string {
  const value = element.slice(2)
  if (element.startsWith('f:')) return `.${value}`
  if (element.startsWith('k:')) return `[${keysText(value)}]`
  return element.startsWith('v:') ? `[=${value}]` : `[${value}]`
}

/** `{"name":"app"}` as name="app". What clients wrote into managedFields need not be JSON; it is shown as it is. */
function keysText(json: string): string {
  try {
    const keys = Object.entries(JSON.parse(json) as object)
    return keys.map(([name, key]) => `${name}=${JSON.stringify(key)}`).join(',')
  } catch {
    return json
  }
}
