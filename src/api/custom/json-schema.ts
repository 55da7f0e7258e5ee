import { isObject, type JsonObject } from '../../base/json.ts'

/**
 * An openAPIV3Schema as a CustomResourceDefinition holds it, read once into a form in which every field has its type;
 * what has another one is left out, and told to `onWrong`. Everything about custom resources works on this form.
 */
export interface JsonSchema {
  readonly type?: string
  readonly format?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: boolean
  readonly exclusiveMaximum?: boolean
  readonly multipleOf?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema
  /** A list of schemas, which is not supported. */
  readonly hasItemList?: boolean
  readonly additionalProperties?: JsonSchema | boolean
  readonly allOf?: readonly JsonSchema[]
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly not?: JsonSchema
  readonly nullable?: boolean
  readonly description?: string
  readonly title?: string
  /** Keywords that structural schemas may not have, by name: $ref, definitions, dependencies, patternProperties … */
  readonly refused: readonly string[]
  readonly preserveUnknown?: boolean
  readonly embedded?: boolean
  readonly intOrString?: boolean
  readonly listType?: string
  readonly listMapKeys?: readonly string[]
  readonly mapType?: string
  readonly rules?: readonly ValidationRule[]
}

export interface ValidationRule {
  readonly rule: string
  readonly message?: string
  readonly messageExpression?: string
  readonly reason?: string
  readonly fieldPath?: string
  readonly optionalOldSelf?: boolean
}

const EMPTY: JsonSchema = { refused: [] }
const REFUSED = [
  '$ref',
  'additionalItems',
  'definitions',
  'dependencies',
  'deprecated',
  'discriminator',
  'id',
  'patternProperties',
  'readOnly',
  'writeOnly',
  'xml',
]
const TEXTS = ['type', 'format', 'pattern', 'description', 'title'] as const
const NUMBERS = [
  'minimum',
  'maximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
] as const
const FLAGS = ['exclusiveMinimum', 'exclusiveMaximum', 'uniqueItems', 'nullable'] as const
const EXTENSION_FLAGS = {
  'x-kubernetes-preserve-unknown-fields': 'preserveUnknown',
  'x-kubernetes-embedded-resource': 'embedded',
  'x-kubernetes-int-or-string': 'intOrString',
} as const
const EXTENSION_TEXTS = { 'x-kubernetes-list-type': 'listType', 'x-kubernetes-map-type': 'mapType' } as const
const JUNCTORS = ['allOf', 'anyOf', 'oneOf'] as const

const readOnce = new WeakMap<object, JsonSchema>()

/** Frozen schemas are read once. `onWrong` is given the path of a keyword that has a value of the wrong type. */
export function readJsonSchema(raw: unknown, onWrong?: (path: string) => void, path = ''): JsonSchema {
  if (!isObject(raw)) return EMPTY
  const known = onWrong ? undefined : readOnce.get(raw)
  if (known) return known
  const schema = read(raw, onWrong, path)
  if (Object.isFrozen(raw)) readOnce.set(raw, schema)
  return schema
}

function read(raw: JsonObject, onWrong: ((path: string) => void) | undefined, path: string): JsonSchema {
  const schema: Record<string, unknown> = {
    refused: REFUSED.filter((name) => raw[name] !== undefined && raw[name] !== false && raw[name] !== ''),
  }
  const at = (name: string) => (path === '' ? name : `${path}.${name}`)
  const take = (name: string, as: string, fits: (value: unknown) => boolean) => {
    const value = raw[name]
    if (value === undefined || value === null) return
    if (fits(value)) schema[as] = value
    else onWrong?.(at(name))
  }
  const sub = (value: unknown, name: string) => {
    if (!isObject(value)) onWrong?.(at(name))
    return readJsonSchema(value, onWrong, at(name))
  }
  for (const name of TEXTS) take(name, name, (value) => typeof value === 'string')
  for (const name of NUMBERS) take(name, name, (value) => typeof value === 'number')
  for (const name of FLAGS) take(name, name, (value) => typeof value === 'boolean')
  for (const [name, as] of Object.entries(EXTENSION_FLAGS))
    take(name, as, (value) => typeof value === 'boolean')
  for (const [name, as] of Object.entries(EXTENSION_TEXTS))
    take(name, as, (value) => typeof value === 'string')
  const areTexts = (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'string')
  take('required', 'required', areTexts)
  take('x-kubernetes-list-map-keys', 'listMapKeys', areTexts)
  take('enum', 'enum', Array.isArray)
  take(
    'x-kubernetes-validations',
    'rules',
    (value) =>
      Array.isArray(value) && value.every((rule) => isObject(rule) && typeof rule['rule'] === 'string'),
  )
  if (raw['default'] !== undefined) schema['default'] = raw['default']
  const { properties, items, additionalProperties } = raw
  if (isObject(properties))
    schema['properties'] = Object.fromEntries(
      Object.entries(properties).map(([name, value]) => [name, sub(value, `properties[${name}]`)]),
    )
  else if (properties !== undefined && properties !== null) onWrong?.(at('properties'))
  if (Array.isArray(items)) schema['hasItemList'] = true
  else if (items !== undefined && items !== null) schema['items'] = sub(items, 'items')
  if (typeof additionalProperties === 'boolean') schema['additionalProperties'] = additionalProperties
  else if (additionalProperties !== undefined && additionalProperties !== null)
    schema['additionalProperties'] = sub(additionalProperties, 'additionalProperties')
  for (const name of JUNCTORS) {
    const list = raw[name]
    if (Array.isArray(list)) schema[name] = list.map((value, i) => sub(value, `${name}[${i}]`))
    else if (list !== undefined && list !== null) onWrong?.(at(name))
  }
  if (raw['not'] !== undefined && raw['not'] !== null) schema['not'] = sub(raw['not'], 'not')
  return schema as unknown as JsonSchema
}

/** The schema of a member; undefined where nothing is said of it. */
export function memberOf(schema: JsonSchema, name: string): JsonSchema | undefined {
  const { properties, additionalProperties } = schema
  if (properties && Object.hasOwn(properties, name)) return properties[name]
  return typeof additionalProperties === 'object' ? additionalProperties : undefined
}
