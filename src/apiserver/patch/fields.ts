import { isObject, type JsonObject } from '../../base/json.ts'
import { type FieldsJson, isSharedPart, LEAF, sharedPart } from './shared-fields.ts'

/**
 * A set of field paths, as managedFields' fieldsV1 holds it: a trie of path elements.
 *
 *   { "f:spec": { "f:replicas": {}, "f:containers": { "k:{\"name\":\"app\"}": { ".": {}, "f:image": {} } } } }
 *
 * is the paths spec.replicas, spec.containers[name=app] and spec.containers[name=app].image. An element is `f:` and a
 * field name, `k:` and the JSON of an item's keys, `v:` and the JSON of a set's value, or `i:` and an index. An element
 * without children is itself a member; with children only if "." says so. Sets are immutable.
 */
export interface Fields {
  readonly elements: ReadonlyMap<string, FieldNode>
}

export interface FieldNode {
  readonly member: boolean
  readonly children: Fields
}

export const NO_FIELDS: Fields = { elements: new Map() }

export function isEmpty(fields: Fields): boolean {
  return fields.elements.size === 0
}

const readOnce = new WeakMap<object, Fields>()
/** By whether they stand below a path that is a member itself. */
const writtenOnce = { plain: new WeakMap<Fields, FieldsJson>(), member: new WeakMap<Fields, FieldsJson>() }

/** Frozen fieldsV1 objects, and the parts that they share, are read once. */
export function parseFields(json: unknown): Fields {
  if (!isObject(json)) return NO_FIELDS
  const known = readOnce.get(json)
  if (known) return known
  const fields = read(json)
  if (Object.isFrozen(json)) readOnce.set(json, fields)
  // What was written here is in the order in which it would be written again.
  if (isSharedPart(json)) writtenOnce[Object.hasOwn(json, '.') ? 'member' : 'plain'].set(fields, json)
  return fields
}

function read(json: JsonObject): Fields {
  const elements = new Map<string, FieldNode>()
  for (const key of Object.keys(json)) {
    if (key === '.') continue
    const value = json[key]
    const children = parseFields(value)
    elements.set(key, { member: isEmpty(children) || Object.hasOwn(value as object, '.'), children })
  }
  return elements.size === 0 ? NO_FIELDS : { elements }
}

/** fieldsV1, frozen, in the order Kubernetes writes it. Written once for each set; equal parts of sets are one object. */
export function formatFields(fields: Fields): FieldsJson {
  return write(fields, false)
}

function write(fields: Fields, isMember: boolean): FieldsJson {
  const written = writtenOnce[isMember ? 'member' : 'plain']
  let json = written.get(fields)
  if (!json) {
    const keys = [...fields.elements.keys()].sort(byElement)
    const parts = keys.map((key) => {
      const { member, children } = fields.elements.get(key)!
      return isEmpty(children) ? LEAF : write(children, member)
    })
    json = sharedPart(isMember, keys, parts)
    written.set(fields, json)
  }
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
    elements.set(key, { member, children })
  }
  return elements ? { elements } : a
}

/** What is in `a` and not in `b`; a member of `b` takes only itself, not what is below it. `a` itself if nothing goes. */
export function difference(a: Fields, b: Fields): Fields {
  let elements: Map<string, FieldNode> | undefined
  for (const [key, taken] of b.elements) {
    const node = a.elements.get(key)
    if (!node) continue
    const children = difference(node.children, taken.children)
    const member = node.member && !taken.member
    if (member === node.member && children === node.children) continue
    elements ??= new Map(a.elements)
    if (member || !isEmpty(children)) elements.set(key, { member, children })
    else elements.delete(key)
  }
  if (!elements) return a
  return elements.size === 0 ? NO_FIELDS : { elements }
}

export function intersection(a: Fields, b: Fields): Fields {
  const elements = new Map<string, FieldNode>()
  for (const [key, node] of a.elements) {
    const other = b.elements.get(key)
    if (!other) continue
    const children = intersection(node.children, other.children)
    const member = node.member && other.member
    if (member || !isEmpty(children)) elements.set(key, { member, children })
  }
  return elements.size === 0 ? NO_FIELDS : { elements }
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

/** A mutable trie while it is being collected. */
export class FieldsBuilder {
  readonly #elements = new Map<string, { member: boolean; children: FieldsBuilder | undefined }>()

  child(element: string): FieldsBuilder {
    const node = this.#node(element)
    node.children ??= new FieldsBuilder()
    return node.children
  }

  add(element: string): void {
    this.#node(element).member = true
  }

  build(): Fields {
    const elements = new Map<string, FieldNode>()
    for (const [key, { member, children }] of this.#elements) {
      const below = children?.build() ?? NO_FIELDS
      if (member || !isEmpty(below)) elements.set(key, { member, children: below })
    }
    return elements.size === 0 ? NO_FIELDS : { elements }
  }

  #node(element: string): { member: boolean; children: FieldsBuilder | undefined } {
    let node = this.#elements.get(element)
    if (!node) {
      node = { member: false, children: undefined }
      this.#elements.set(element, node)
    }
    return node
  }
}
