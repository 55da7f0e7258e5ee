import { defineKey, isObject } from '../../base/json.ts'

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

const parsed = new WeakMap<object, Fields>()

/** Frozen fieldsV1 objects are read once. */
export function parseFields(json: unknown): Fields {
  if (!isObject(json)) return NO_FIELDS
  let fields = parsed.get(json)
  if (!fields) {
    const elements = new Map<string, FieldNode>()
    for (const [key, value] of Object.entries(json)) {
      if (key === '.') continue
      const children = parseFields(value)
      elements.set(key, { member: isEmpty(children) || (isObject(value) && '.' in value), children })
    }
    fields = elements.size === 0 ? NO_FIELDS : { elements }
    parsed.set(json, fields)
  }
  return fields
}

/** fieldsV1, keys sorted as Kubernetes writes them. */
export function formatFields(fields: Fields): Record<string, unknown> {
  const json: Record<string, unknown> = {}
  for (const key of [...fields.elements.keys()].sort()) {
    const { member, children } = fields.elements.get(key)!
    const inner = formatFields(children)
    defineKey(json, key, member && !isEmpty(children) ? { '.': {}, ...inner } : inner)
  }
  return json
}

export function union(a: Fields, b: Fields): Fields {
  if (a === b || isEmpty(b)) return a
  if (isEmpty(a)) return b
  const elements = new Map(a.elements)
  for (const [key, node] of b.elements) {
    const other = elements.get(key)
    elements.set(
      key,
      other ? { member: other.member || node.member, children: union(other.children, node.children) } : node,
    )
  }
  return { elements }
}

/** What is in `a` and not in `b`; a member of `b` takes only itself, not what is below it. */
export function difference(a: Fields, b: Fields): Fields {
  return combine(a, b, (inA, inB) => inA && !inB, true)
}

export function intersection(a: Fields, b: Fields): Fields {
  return combine(a, b, (inA, inB) => inA && inB, false)
}

function combine(
  a: Fields,
  b: Fields,
  decide: (inA: boolean, inB: boolean) => boolean,
  keepOnlyInA: boolean,
): Fields {
  const elements = new Map<string, FieldNode>()
  for (const [key, node] of a.elements) {
    const other = b.elements.get(key)
    if (!other) {
      if (keepOnlyInA) elements.set(key, node)
      continue
    }
    const children = combine(node.children, other.children, decide, keepOnlyInA)
    const member = decide(node.member, other.member)
    if (member || !isEmpty(children)) elements.set(key, { member, children })
  }
  return elements.size === 0 ? NO_FIELDS : { elements }
}

/** Without the element at `path` and all below it. */
export function without(fields: Fields, path: readonly string[]): Fields {
  const [first, ...rest] = path
  const node = first === undefined ? undefined : fields.elements.get(first)
  if (first === undefined || !node) return fields
  const elements = new Map(fields.elements)
  const children = rest.length === 0 ? NO_FIELDS : without(node.children, rest)
  const member = rest.length > 0 && node.member
  if (member || !isEmpty(children)) elements.set(first, { member, children })
  else elements.delete(first)
  return elements.size === 0 ? NO_FIELDS : { elements }
}

/** Only the element `name` of the top level and all below it. */
export function only(fields: Fields, name: string): Fields {
  const node = fields.elements.get(name)
  return node ? { elements: new Map([[name, node]]) } : NO_FIELDS
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

/** The members as people read them: .spec.template.spec.containers[name="app"].image */
export function memberPaths(fields: Fields, prefix = ''): string[] {
  return [...fields.elements].flatMap(([key, { member, children }]) => {
    const path = prefix + elementText(key)
    return [...(member ? [path] : []), ...memberPaths(children, path)]
  })
}

function elementText(element: string): string {
  const value = element.slice(2)
  if (element.startsWith('f:')) return `.${value}`
  if (element.startsWith('k:')) {
    const keys = Object.entries(JSON.parse(value) as object).sort()
    return `[${keys.map(([name, key]) => `${name}=${JSON.stringify(key)}`).join(',')}]`
  }
  return element.startsWith('v:') ? `[=${value}]` : `[${value}]`
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
