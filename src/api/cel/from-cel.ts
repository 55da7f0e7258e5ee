import { Optional } from '@marcbachmann/cel-js'
import { defineKey } from '../../base/json.ts'

/** A value of CEL as JSON. A member "?name" holds an optional: it is left out when there is none. */
export function fromCel(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Optional) return value.hasValue() ? fromCel(value.value()) : undefined
  if (Array.isArray(value)) return value.map(fromCel)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (typeof value !== 'object' || value === null) return value
  if ('toISOString' in value) return (value as { toISOString(): string }).toISOString().replace('.000Z', 'Z')
  const entries: Iterable<readonly [unknown, unknown]> = value instanceof Map ? value : Object.entries(value)
  const object: Record<string, unknown> = {}
  for (const [key, member] of entries) {
    const name = String(key)
    const made = fromCel(member)
    if (made !== undefined) defineKey(object, name.startsWith('?') ? name.slice(1) : name, made)
  }
  return object
}
