export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined }

export type JsonObject = { readonly [key: string]: unknown }

/**
 * Deep equality of JSON; a key that is undefined equals a key that is not there. Looks at own members only: data may
 * have keys such as "valueOf" and "constructor", which general-purpose libraries take for methods.
 */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b || Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    return a.every((item, i) => deepEqual(item, b[i]))
  }
  return hasAllOf(a as JsonObject, b as JsonObject, true) && hasAllOf(b as JsonObject, a as JsonObject, false)
}

/** Whether each key of `a` is one of `b`, with `compared` also of the same value. */
function hasAllOf(a: JsonObject, b: JsonObject, compared: boolean): boolean {
  for (const key of Object.keys(a)) {
    const value = a[key]
    if (value === undefined) continue
    const other = Object.hasOwn(b, key) ? b[key] : undefined
    if (other === undefined || (compared && !deepEqual(value, other))) return false
  }
  return true
}

/** A plain object that is not an array or null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The value without undefined members, as it looks after a trip over the wire: a copy of what has some, the rest as it is.
 * What is shared with `clean`, at the same place, is known to have none.
 */
export function withoutUndefined<T>(value: T, clean?: unknown): T {
  if (value === clean) return value
  if (Array.isArray(value)) {
    const items = value.map((item, i) => withoutUndefined(item, Array.isArray(clean) ? clean[i] : undefined))
    return items.some((item, i) => item !== value[i]) ? (items as T) : value
  }
  if (!isObject(value)) return value
  const known = isObject(clean) ? clean : undefined
  let copy: Record<string, unknown> | undefined
  for (const key of Object.keys(value)) {
    const before = value[key]
    const after =
      typeof before === 'object' ? withoutUndefined(before, known && ownMember(known, key)) : before
    if (after === before && after !== undefined) continue
    copy ??= { ...value }
    if (after === undefined) delete copy[key]
    else defineKey(copy, key, after)
  }
  return (copy ?? value) as T
}

function ownMember(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

/** Freezes the value and all that is in it; stops at what is frozen already (shared parts are frozen once). */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const key of Object.keys(value)) deepFreeze((value as Record<string, unknown>)[key])
  return value
}

/** JSON text with sorted keys: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    isObject(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : member,
  )
}

/** Sets an own property even for "__proto__", which plain assignment would take for the prototype. */
export function defineKey(target: object, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  } else {
    ;(target as Record<string, unknown>)[key] = value
  }
}

/**
 * JSON bytes of frozen, shared objects, so that a write, its watchers and the next lists encode an object once. Two
 * generations: when the younger holds more than `bytesMax` the older is forgotten, and what is asked for from it moves to
 * the younger. So it never keeps more than twice `bytesMax`, however many objects live. What is offered is kept while
 * anybody asks: a plane that nobody watches over the network keeps nothing.
 */
export class Encodings {
  readonly #bytesMax: number
  #young = new WeakMap<object, Buffer>()
  #old = new WeakMap<object, Buffer>()
  #bytes = 0
  /** Since the younger generation began, */
  #asked = false
  /** and since the older one began. */
  #wanted = false

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Whether it is worth while to offer anything. */
  get wanted(): boolean {
    return this.#wanted
  }

  of(value: object): Buffer {
    this.#asked = true
    this.#wanted = true
    const young = this.#young.get(value)
    if (young) return young
    const bytes = this.#old.get(value) ?? ownBytes(JSON.stringify(value))
    this.offer(value, bytes)
    return bytes
  }

  /** What is known to be the JSON of the value. */
  offer(value: object, bytes: Buffer): void {
    if (this.#bytes > this.#bytesMax) {
      this.#old = this.#young
      this.#young = new WeakMap()
      this.#bytes = 0
      this.#wanted = this.#asked
      this.#asked = false
    }
    if (this.#wanted) this.#young.set(value, bytes)
    this.#bytes += bytes.length
  }
}

/** Of no larger pool: a slice that is kept would keep all of its pool. */
function ownBytes(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  bytes.write(text)
  return bytes
}

const encodings = new Encodings(32 * 1024 * 1024)

/** The JSON bytes of a frozen, shared object; lately encoded ones are kept. */
export function encodeOnce(value: object): Buffer {
  return encodings.of(value)
}

/** The JSON text of a frozen, shared object in a buffer after `before` bytes, which are left to the caller to fill. */
export function encodeAfter(before: number, value: object): Buffer {
  const text = JSON.stringify(value)
  const length = before + Buffer.byteLength(text)
  const bytes = encodings.wanted ? Buffer.allocUnsafeSlow(length) : Buffer.allocUnsafe(length)
  bytes.write(text, before)
  encodings.offer(value, bytes.subarray(before))
  return bytes
}

/** The value of JSON bytes, which are kept as its encoding. */
export function decodeOnce(bytes: Buffer): object {
  const value = JSON.parse(bytes.toString()) as object
  encodings.offer(value, bytes)
  return value
}
