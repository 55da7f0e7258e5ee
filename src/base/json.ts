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

/** A deep copy without undefined members; what the value looks like after a trip over the wire. */
export function withoutUndefined<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutUndefined) as T
  if (!isObject(value)) return value
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const member = value[key]
    if (member !== undefined) defineKey(copy, key, withoutUndefined(member))
  }
  return copy as T
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

const encodings = new WeakMap<object, Buffer>()

/** The JSON bytes of a frozen, shared object; encoded once and kept as long as the object lives. */
export function encodeOnce(value: object): Buffer {
  let bytes = encodings.get(value)
  if (!bytes) {
    bytes = Buffer.from(JSON.stringify(value))
    encodings.set(value, bytes)
  }
  return bytes
}
