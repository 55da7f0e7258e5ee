import type { Environment } from '@marcbachmann/cel-js'
import { isObject } from '../../base/json.ts'
import type { JsonSchema } from '../custom/json-schema.ts'
import { equalValues } from './equal-values.ts'

/** A type of CEL made from a schema, and the way of a JSON value into it: integers become bigint, times Dates … */
export interface CelType {
  readonly name: string
  convert(value: unknown): unknown
}

const DYN: CelType = { name: 'dyn', convert: dynamicValue }
const TEXT: CelType = { name: 'string', convert: (value) => value }

/** JSON of which nothing is known: whole numbers are int, others double. */
export function dynamicValue(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(dynamicValue)
  if (!isObject(value)) return value
  return new Map(Object.entries(value).map(([key, member]) => [key, dynamicValue(member)]))
}

/** Declares the types of schemas in one environment; `of` gives the same type for the same schema. */
export class SchemaTypes {
  readonly #environment: Environment
  readonly #known = new Map<JsonSchema, CelType>()
  #count = 0

  constructor(environment: Environment) {
    this.#environment = environment
  }

  /** `isResource`: apiVersion, kind, and of metadata name and generateName can be seen. */
  of(schema: JsonSchema, isResource = schema.embedded === true): CelType {
    let type = this.#known.get(schema)
    if (!type) {
      type = this.#make(schema, isResource)
      this.#known.set(schema, type)
    }
    return type
  }

  #make(schema: JsonSchema, isResource: boolean): CelType {
    if (schema.intOrString) return DYN
    switch (schema.type) {
      case 'integer':
        return {
          name: 'int',
          convert: (value) => (Number.isInteger(value) ? BigInt(value as number) : value),
        }
      case 'number':
        return { name: 'double', convert: (value) => value }
      case 'boolean':
        return { name: 'bool', convert: (value) => value }
      case 'string':
        return this.#text(schema)
      case 'array': {
        const item = schema.items ? this.of(schema.items) : DYN
        return {
          name: `list<${item.name}>`,
          convert: (value) => (Array.isArray(value) ? value.map(item.convert) : value),
        }
      }
      case 'object':
        return this.#object(schema, isResource)
      default:
        return DYN
    }
  }

  #text({ format }: JsonSchema): CelType {
    switch (format) {
      case 'date':
      case 'date-time':
      case 'datetime':
        return {
          name: 'google.protobuf.Timestamp',
          convert: (value) =>
            this.#evaluate('timestamp(x)', format === 'date' ? `${String(value)}T00:00:00Z` : value),
        }
      case 'duration':
        return { name: 'google.protobuf.Duration', convert: (value) => this.#evaluate('duration(x)', value) }
      case 'byte':
        return {
          name: 'bytes',
          convert: (value) =>
            typeof value === 'string' ? new Uint8Array(Buffer.from(value, 'base64')) : value,
        }
      default:
        return TEXT
    }
  }

  readonly #programs = new Map<string, (variables: { x: unknown }) => unknown>()

  /** The library makes these values itself. */
  #evaluate(expression: string, x: unknown): unknown {
    let program = this.#programs.get(expression)
    if (!program) {
      program = this.#environment.clone().registerVariable('x', 'string').parse(expression)
      this.#programs.set(expression, program)
    }
    return program({ x })
  }

  #object(schema: JsonSchema, isResource: boolean): CelType {
    const { properties, additionalProperties } = schema
    if (!properties && typeof additionalProperties === 'object') {
      const member = this.of(additionalProperties)
      return {
        name: `map<string, ${member.name}>`,
        convert: (value) =>
          isObject(value)
            ? new Map(Object.entries(value).map(([key, each]) => [key, member.convert(each)]))
            : value,
      }
    }
    if (!properties && !isResource) return DYN
    return this.#struct({
      ...(isResource ? RESOURCE_FIELDS : {}),
      ...properties,
      ...(isResource ? { metadata: METADATA } : {}),
    })
  }

  #struct(properties: Readonly<Record<string, JsonSchema>>): CelType {
    this.#count += 1
    const name = `Object${this.#count}`
    const fields: Record<string, string> = {}
    const members = new Map<
      string,
      { readonly as: string; readonly type: CelType; readonly isNullable: boolean }
    >()
    for (const [key, property] of Object.entries(properties)) {
      const as = escapeField(key)
      if (as === undefined) continue
      const type = this.of(property)
      fields[as] = type.name
      members.set(key, { as, type, isNullable: property.nullable === true })
    }
    const Struct = class extends CelObject {}
    this.#environment.registerType(name, { ctor: Struct, fields })
    this.#environment.registerOperator(`${name} == ${name}`, equalValues)
    return {
      name,
      convert(value) {
        if (!isObject(value)) return value
        const object = new Struct() as Record<string, unknown>
        for (const [key, { as, type }] of members) {
          const member = Object.hasOwn(value, key) ? value[key] : undefined
          if (member !== undefined && member !== null) object[as] = type.convert(member)
        }
        return object
      },
    }
  }
}

class CelObject {
  [field: string]: unknown
}

const STRING: JsonSchema = { type: 'string', refused: [] }
const RESOURCE_FIELDS = { apiVersion: STRING, kind: STRING }
const METADATA: JsonSchema = {
  type: 'object',
  properties: { name: STRING, generateName: STRING },
  refused: [],
}

const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)
const ESCAPES: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
}

/** A field's name as expressions write it; undefined when they cannot. */
export function escapeField(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`
  const escaped = name.replace(/__|[.\-/]/g, (part) => ESCAPES[part] ?? part)
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(escaped) ? escaped : undefined
}
