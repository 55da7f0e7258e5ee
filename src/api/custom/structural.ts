import { isObject } from '../../base/json.ts'
import { fault, type StatusCause } from '../status.ts'
import { withDefaults } from './defaults.ts'
import { compilePattern } from './formats.ts'
import type { JsonSchema } from './json-schema.ts'
import { prune } from './prune.ts'
import { checkValue } from './value-rules.ts'

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string']
/** Bounds on a definition, so that no schema costs more than its size. */
const NODES_MAX = 20_000

/**
 * The rules of structural schemas: every field has a type, nothing is said only inside allOf, anyOf, oneOf or not, and
 * metadata is left to Kubernetes. Paths begin with `path`.
 */
export function checkStructural(root: JsonSchema, path: string): StatusCause[] {
  const budget = { nodes: 0 }
  const faults: StatusCause[] = []
  if (root.type === undefined || root.type === '')
    faults.push(fault.required(`${path}.type`, 'must not be empty at the root'))
  else if (root.type !== 'object')
    faults.push(fault.invalid(`${path}.type`, root.type, 'must be object at the root'))
  if (root.nullable) faults.push(fault.forbidden(`${path}.nullable`, 'nullable cannot be true at the root'))
  faults.push(...checkNode(root, path, { level: 'root', budget }))
  if (budget.nodes > NODES_MAX)
    return [
      fault.forbidden(
        path,
        `schema has more than ${NODES_MAX} fields; split the kind or preserve unknown fields`,
      ),
    ]
  return faults
}

interface Where {
  readonly level: 'root' | 'resource' | 'field'
  readonly budget: { nodes: number }
}

function checkNode(schema: JsonSchema, path: string, where: Where): StatusCause[] {
  where.budget.nodes += 1
  if (where.budget.nodes > NODES_MAX) return []
  const faults: StatusCause[] = []
  const { type, intOrString, preserveUnknown, properties, additionalProperties, items } = schema
  const within = { level: 'field', budget: where.budget } as const
  if (where.level === 'field' && !type && !intOrString && !preserveUnknown)
    faults.push(fault.required(`${path}.type`, 'must not be empty for specified object fields'))
  if (type && !TYPES.includes(type)) faults.push(fault.notSupported(`${path}.type`, type, TYPES))
  faults.push(...checkKeywords(schema, path))
  const isResource = where.level === 'root' || schema.embedded === true
  if (schema.embedded && type !== 'object')
    faults.push(
      fault.invalid(`${path}.type`, type ?? '', 'must be object if x-kubernetes-embedded-resource is true'),
    )
  if (schema.embedded && !properties && !preserveUnknown)
    faults.push(
      fault.required(
        `${path}.properties`,
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      ),
    )
  if (properties && additionalProperties !== undefined)
    faults.push(
      fault.forbidden(
        `${path}.additionalProperties`,
        'additionalProperties and properties are mutual exclusive',
      ),
    )
  if (additionalProperties === false)
    faults.push(
      fault.forbidden(`${path}.additionalProperties`, 'additionalProperties cannot be set to false'),
    )
  if (where.level === 'root' && additionalProperties !== undefined && additionalProperties !== false)
    faults.push(
      fault.forbidden(`${path}.additionalProperties`, 'additionalProperties cannot be used at the root'),
    )
  if (schema.hasItemList)
    faults.push(fault.forbidden(`${path}.items`, 'items must be a schema object and not an array'))
  if (type === 'array' && !items) faults.push(fault.required(`${path}.items`, 'must be specified'))
  for (const [name, property] of Object.entries(properties ?? {})) {
    const at = `${path}.properties[${name}]`
    if (isResource && name === 'metadata') faults.push(...checkMetadata(property, at))
    faults.push(...checkNode(property, at, within))
  }
  if (items) faults.push(...checkNode(items, `${path}.items`, within))
  if (typeof additionalProperties === 'object')
    faults.push(...checkNode(additionalProperties, `${path}.additionalProperties`, within))
  faults.push(...checkLists(schema, path), ...checkDefault(schema, path), ...checkNested(schema, path))
  return faults
}

function checkKeywords(schema: JsonSchema, path: string): StatusCause[] {
  const { refused, intOrString, type, preserveUnknown, pattern, uniqueItems } = schema
  const faults = refused.map((name) =>
    name === '$ref'
      ? fault.forbidden(`${path}.$ref`, '$ref is not supported')
      : fault.forbidden(`${path}.${name}`, `${name} is not supported`),
  )
  if (intOrString && type)
    faults.push(fault.forbidden(`${path}.type`, 'must be empty if x-kubernetes-int-or-string is true'))
  if (preserveUnknown === false)
    faults.push(
      fault.invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'),
    )
  if (uniqueItems)
    faults.push(
      fault.forbidden(
        `${path}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    )
  const compiled = pattern === undefined ? undefined : compilePattern(pattern)
  if (typeof compiled === 'string')
    faults.push(
      fault.invalid(`${path}.pattern`, pattern, `must be a valid regular expression, but isn't: ${compiled}`),
    )
  return faults
}

/** Of metadata only name and generateName may be restricted. */
function checkMetadata(schema: JsonSchema, path: string): StatusCause[] {
  const extra = Object.keys(schema.properties ?? {}).filter(
    (name) => name !== 'name' && name !== 'generateName',
  )
  if (schema.type && schema.type !== 'object')
    return [fault.invalid(`${path}.type`, schema.type, 'must be object')]
  return extra.length === 0
    ? []
    : [
        fault.forbidden(
          path,
          'must not specify anything other than name and generateName, but metadata is implicitly specified',
        ),
      ]
}

function checkLists(
  { listType, listMapKeys, mapType, type, items }: JsonSchema,
  path: string,
): StatusCause[] {
  const faults: StatusCause[] = []
  const at = `${path}.x-kubernetes-list-type`
  if (listType !== undefined) {
    if (type !== 'array')
      faults.push(
        fault.invalid(`${path}.type`, type ?? '', 'must be array if x-kubernetes-list-type is specified'),
      )
    if (!['atomic', 'set', 'map'].includes(listType))
      faults.push(fault.notSupported(at, listType, ['atomic', 'set', 'map']))
    if (
      listType === 'set' &&
      items &&
      (items.type === 'array' || items.type === 'object') &&
      items.mapType !== 'atomic' &&
      items.listType !== 'atomic'
    )
      faults.push(
        fault.invalid(
          `${path}.items.${items.type === 'object' ? 'x-kubernetes-map-type' : 'x-kubernetes-list-type'}`,
          (items.type === 'object' ? items.mapType : items.listType) ?? null,
          `must be atomic as item of a list with x-kubernetes-list-type=set`,
        ),
      )
  }
  const keysAt = `${path}.x-kubernetes-list-map-keys`
  if (listMapKeys && listType !== 'map')
    faults.push(fault.invalid(at, listType ?? null, 'must be map if x-kubernetes-list-map-keys is non-empty'))
  if (listType === 'map') {
    if (!listMapKeys?.length)
      faults.push(fault.required(keysAt, 'must not be empty if x-kubernetes-list-type is map'))
    if (items && items.type !== 'object')
      faults.push(
        fault.invalid(
          `${path}.items.type`,
          items.type ?? '',
          "must be object if parent array's x-kubernetes-list-type is map",
        ),
      )
    for (const [i, key] of (listMapKeys ?? []).entries()) {
      const property = items?.properties?.[key]
      if (!property)
        faults.push(fault.invalid(`${keysAt}[${i}]`, key, 'entries must all be names of item properties'))
      else if (property.type === 'array' || property.type === 'object')
        faults.push(
          fault.invalid(
            `${path}.items.properties[${key}].type`,
            property.type,
            "must be a scalar type if parent array's x-kubernetes-list-type is map",
          ),
        )
      else if (!items?.required?.includes(key) && property.default === undefined)
        faults.push(
          fault.required(
            `${path}.items.properties[${key}].default`,
            `this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
          ),
        )
    }
    if (new Set(listMapKeys).size < (listMapKeys?.length ?? 0))
      faults.push(fault.invalid(keysAt, listMapKeys, 'must not contain duplicate entries'))
  }
  if (mapType !== undefined) {
    if (type !== 'object')
      faults.push(
        fault.invalid(`${path}.type`, type ?? '', 'must be object if x-kubernetes-map-type is specified'),
      )
    if (mapType !== 'atomic' && mapType !== 'granular')
      faults.push(fault.notSupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']))
  }
  return faults
}

/** A default must itself be what the schema takes, pruned. */
function checkDefault(schema: JsonSchema, path: string): StatusCause[] {
  const { default: value } = schema
  if (value === undefined) return []
  const at = `${path}.default`
  if (isObject(value)) {
    const { dropped } = prune(value, schema, schema.embedded === true)
    if (dropped.length > 0) return [fault.invalid(at, value, 'must not have unknown fields')]
  }
  return checkValue(withDefaults(value, schema), { ...schema, default: undefined } as JsonSchema, at)
}

const VALUE_ONLY = [
  'type',
  'default',
  'additionalProperties',
  'nullable',
  'description',
  'title',
  'embedded',
  'listType',
  'listMapKeys',
  'mapType',
  'preserveUnknown',
] as const
const WORDS: Readonly<Record<string, string>> = {
  embedded: 'x-kubernetes-embedded-resource',
  listType: 'x-kubernetes-list-type',
  listMapKeys: 'x-kubernetes-list-map-keys',
  mapType: 'x-kubernetes-map-type',
  preserveUnknown: 'x-kubernetes-preserve-unknown-fields',
}

/** Inside allOf, anyOf, oneOf and not there are only value rules, on fields that are specified outside. */
function checkNested(schema: JsonSchema, path: string): StatusCause[] {
  const nested: [string, JsonSchema][] = []
  for (const name of ['allOf', 'anyOf', 'oneOf'] as const)
    for (const [i, each] of (schema[name] ?? []).entries()) nested.push([`${path}.${name}[${i}]`, each])
  if (schema.not) nested.push([`${path}.not`, schema.not])
  return nested.flatMap(([at, each]) => checkValueOnly(each, schema, at, schema.intOrString === true))
}

function checkValueOnly(
  nested: JsonSchema,
  outer: JsonSchema | undefined,
  path: string,
  mayBeTyped: boolean,
): StatusCause[] {
  const faults = VALUE_ONLY.filter(
    (name) => nested[name] !== undefined && !(name === 'type' && mayBeTyped),
  ).map((name) => fault.forbidden(`${path}.${WORDS[name] ?? name}`, 'must be undefined to be structural'))
  const compiled = nested.pattern === undefined ? undefined : compilePattern(nested.pattern)
  if (typeof compiled === 'string')
    faults.push(
      fault.invalid(
        `${path}.pattern`,
        nested.pattern,
        `must be a valid regular expression, but isn't: ${compiled}`,
      ),
    )
  for (const [name, property] of Object.entries(nested.properties ?? {})) {
    const at = `${path}.properties[${name}]`
    const specified = outer?.properties?.[name]
    if (!specified && outer?.additionalProperties === undefined && outer?.preserveUnknown !== true)
      faults.push(
        fault.required(
          at.replace(/\.(allOf|anyOf|oneOf)\[\d+\]|\.not/, ''),
          `because it is defined in ${at}`,
        ),
      )
    faults.push(...checkValueOnly(property, specified, at, false))
  }
  if (nested.items) faults.push(...checkValueOnly(nested.items, outer?.items, `${path}.items`, false))
  for (const name of ['allOf', 'anyOf', 'oneOf'] as const)
    for (const [i, each] of (nested[name] ?? []).entries())
      faults.push(...checkValueOnly(each, outer, `${path}.${name}[${i}]`, mayBeTyped))
  if (nested.not) faults.push(...checkValueOnly(nested.not, outer, `${path}.not`, mayBeTyped))
  return faults
}
