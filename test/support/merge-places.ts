import { kinds } from '../../src/api/kinds/index.ts'
import { resolve, type Schema } from '../../src/api/schema.ts'

/** One list of a built-in struct: "V1Container.env". Found in the kinds that are served, each struct once. */
export interface Place {
  readonly name: string
  /** Of the struct that has the list. */
  readonly struct: Schema
  readonly field: string
  readonly list: Schema
}

/** Every list of the served kinds, outside of status and metadata, in the order of their names. */
export function listPlaces(): readonly Place[] {
  const places = new Map<string, Place>()
  const seen = new Set<string>()
  const walk = (name: string, given: Schema) => {
    const struct = resolve(given)
    const id = given.ref ?? name
    if (seen.has(id)) return
    seen.add(id)
    for (const [field, schema] of Object.entries(struct.properties ?? {})) {
      if (field === 'status' || field === 'metadata') continue
      const at = `${id}.${field}`
      if (schema.type === 'array') places.set(at, { name: at, struct, field, list: schema })
      const inner = schema.items ?? schema.additionalProperties ?? schema
      if (inner.ref !== undefined || inner.properties) walk(at, inner)
    }
  }
  for (const kind of kinds)
    if (kind.group !== 'seamark.dev') walk(`${kind.kind}.${kind.version}`, kind.schema)
  return [...places.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** A value of the type of this field, another one for each number. */
export function sample(given: Schema, number: number): unknown {
  const schema = resolve(given)
  if (schema.enum) return schema.enum[number % schema.enum.length]
  if (schema.format === 'int-or-string') return number
  if (schema.format === 'quantity') return `${number}`
  if (schema.format?.startsWith('date-time')) return `2026-01-0${number}T00:00:00Z`
  switch (schema.type) {
    case 'string':
      return `v${number}`
    case 'integer':
    case 'number':
      return number
    case 'boolean':
      return number % 2 === 1
    case 'array':
      return []
    default:
      return {}
  }
}

/** An item of the list with its keys, told apart from others by the number. */
export function itemOf(list: Schema, keys: readonly string[], number: number, more: object = {}): object {
  const fields = resolve(list.items ?? {}).properties ?? {}
  return { ...Object.fromEntries(keys.map((key) => [key, sample(fields[key] ?? {}, number)])), ...more }
}

/** A field of the items that is no key and no container, to be changed; undefined when there is none. */
export function plainField(list: Schema, keys: readonly string[]): readonly [string, Schema] | undefined {
  const fields = Object.entries(resolve(list.items ?? {}).properties ?? {})
  return fields.find(([name, given]) => {
    const { type, format } = resolve(given)
    return !keys.includes(name) && format === undefined && (type === 'string' || type === 'integer')
  })
}
