/**
 * Sets of field paths, each of which is there once: thousands of pods have the same writers of the same fields, so equal
 * sets (and equal parts of sets) are one object, found by what it is made of. What is worked out of a set, such as its
 * fieldsV1, is then worked out once for all of them.
 *
 * Kept are the sets that were asked for lately; one that is made again after it was forgotten is another object, so
 * identity is a short way to "equal" and never to "different".
 */
export class Fields {
  readonly id: number
  readonly elements: ReadonlyMap<string, FieldNode>
  readonly #member: FieldNode
  readonly #way: FieldNode
  #memberJson: FieldsJson | undefined
  #wayJson: FieldsJson | undefined

  /** Only the table makes them. */
  constructor(elements: ReadonlyMap<string, FieldNode>) {
    lastId += 1
    this.id = lastId
    this.elements = elements
    this.#member = { member: true, children: this }
    this.#way = { member: false, children: this }
  }

  /** What stands at a path below which this set is. */
  node(isMember: boolean): FieldNode {
    return isMember ? this.#member : this.#way
  }

  /** Its fieldsV1, made by the first who asks; with a "." below a path that is a member itself. */
  json(isMember: boolean, make: (fields: Fields) => FieldsJson): FieldsJson {
    if (isMember) {
      this.#memberJson ??= make(this)
      return this.#memberJson
    }
    this.#wayJson ??= make(this)
    return this.#wayJson
  }
}

export interface FieldNode {
  readonly member: boolean
  readonly children: Fields
}

export type FieldsJson = Readonly<Record<string, unknown>>

let lastId = 0

export const NO_FIELDS = new Fields(new Map())
/** A member with nothing below it. */
export const LEAF_NODE = NO_FIELDS.node(true)

/** Collects the elements of a set, each once; a node that says nothing is left out. */
export class Collected {
  readonly #keys: string[] = []
  readonly #nodes: FieldNode[] = []

  add(element: string, node: FieldNode): void {
    if (!node.member && node.children === NO_FIELDS) return
    this.#keys.push(element)
    this.#nodes.push(node)
  }

  build(): Fields {
    return setOf(this.#keys, this.#nodes)
  }
}

/** The set of these elements and nodes, none of which says nothing. */
export function setOf(keys: readonly string[], nodes: readonly FieldNode[]): Fields {
  if (keys.length === 0) return NO_FIELDS
  const hash = hashOf(keys, nodes)
  return find(young, hash, keys, nodes) ?? keep(hash, keys, nodes)
}

interface Entry {
  readonly keys: readonly string[]
  readonly nodes: readonly FieldNode[]
  readonly fields: Fields
  readonly next: Entry | undefined
  /** How many of the same hash are kept, this one included. */
  readonly depth: number
}

/** Two generations: what is asked for again moves to the younger; when that is full the older is forgotten. */
const GENERATION = 10_000
/** Names that were chosen so that they meet are not worth looking for. */
const DEPTH_MAX = 8
let young = new Map<number, Entry>()
let old = new Map<number, Entry>()

function keep(hash: number, keys: readonly string[], nodes: readonly FieldNode[]): Fields {
  const fields =
    find(old, hash, keys, nodes) ?? new Fields(new Map(keys.map((key, i) => [key, nodes[i]!] as const)))
  if (young.size >= GENERATION) {
    old = young
    young = new Map()
  }
  const first = young.get(hash)
  const next = first && first.depth < DEPTH_MAX ? first : undefined
  young.set(hash, { keys, nodes, fields, next, depth: (next?.depth ?? 0) + 1 })
  return fields
}

function find(
  table: ReadonlyMap<number, Entry>,
  hash: number,
  keys: readonly string[],
  nodes: readonly FieldNode[],
): Fields | undefined {
  for (let entry = table.get(hash); entry; entry = entry.next)
    if (isMadeOf(entry, keys, nodes)) return entry.fields
  return undefined
}

function isMadeOf(entry: Entry, keys: readonly string[], nodes: readonly FieldNode[]): boolean {
  if (entry.keys.length !== keys.length) return false
  for (let i = 0; i < keys.length; i += 1)
    if (entry.nodes[i] !== nodes[i] || entry.keys[i] !== keys[i]) return false
  return true
}

function hashOf(keys: readonly string[], nodes: readonly FieldNode[]): number {
  let hash = keys.length
  for (let i = 0; i < keys.length; i += 1) {
    const key = keys[i]!
    for (let at = 2; at < key.length && at < KEY_HASHED; at += 1)
      hash = (Math.imul(hash, 31) + key.charCodeAt(at)) | 0
    const { member, children } = nodes[i]!
    hash = (Math.imul(hash, 31) + children.id * 2 + Number(member)) | 0
  }
  return hash
}

/** Of a longer key the beginning says enough: `k:{"uid":"…"}` is no longer. */
const KEY_HASHED = 64
