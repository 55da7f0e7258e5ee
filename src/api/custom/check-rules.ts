import { Optional } from '@marcbachmann/cel-js'
import { deepEqual, isObject } from '../../base/json.ts'
import type { AnyResource } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import type { JsonSchema } from './json-schema.ts'
import { type CompiledRule, type RuleNode, rulesOf } from './rules.ts'
import { itemKey } from './value-rules.ts'

/** With these an object may be of any shape, and rules count on the schema. */
const BLOCKING = new Set([
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
])

/**
 * x-kubernetes-validations of every level of the schema. Rules that compare with the old value run where there is one;
 * others are not asked about what has not changed. `faults` are what the schema itself found.
 */
export function checkRules(
  resource: AnyResource,
  old: AnyResource | undefined,
  schema: JsonSchema,
  faults: readonly StatusCause[],
): StatusCause[] {
  const root = rulesOf(schema)
  if (!root) return []
  if (faults.some(({ reason }) => BLOCKING.has(reason)))
    return [
      {
        ...fault.invalid(
          '<nil>',
          'null',
          'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
        ),
      },
    ]
  return checkNode(root, resource, old, '')
}

function checkNode(node: RuleNode, value: unknown, old: unknown, path: string): StatusCause[] {
  if (value === undefined || value === null) return []
  const faults = node.rules.flatMap((rule) => checkRule(rule, node, value, old ?? undefined, path))
  if (Array.isArray(value)) {
    const { items, schema } = node
    if (!items) return faults
    const keyOf = itemKey(schema.listType, schema.listMapKeys ?? [], schema.items)
    const before = new Map(
      schema.listType === 'map' && Array.isArray(old) ? old.map((item) => [keyOf(item), item]) : [],
    )
    for (const [i, item] of value.entries())
      faults.push(...checkNode(items, item, before.get(keyOf(item)), `${path}[${i}]`))
  } else if (isObject(value)) {
    for (const key of Object.keys(value)) {
      const child = node.properties.get(key) ?? (node.schema.properties?.[key] ? undefined : node.additional)
      const before = isObject(old) && Object.hasOwn(old, key) ? old[key] : undefined
      if (child) faults.push(...checkNode(child, value[key], before, path === '' ? key : `${path}.${key}`))
    }
  }
  return faults
}

function checkRule(
  compiled: CompiledRule,
  { type, schema }: RuleNode,
  value: unknown,
  old: unknown,
  path: string,
): StatusCause[] {
  const { rule, program, usesOldSelf } = compiled
  // Refused when the definition was made; one that was stored before has no say.
  if ('error' in program) return []
  if (usesOldSelf ? old === undefined && !rule.optionalOldSelf : old !== undefined && deepEqual(value, old))
    return []
  const said = rule.message?.trim() || `failed rule: ${rule.rule.trim()}`
  const at = path + (rule.fieldPath ?? '')
  const place = path === '' ? at.replace(/^\./, '') : at
  const typeName = schema.type ?? 'object'
  let variables: Record<string, unknown>
  try {
    const converted = old === undefined ? undefined : type.convert(old)
    variables = {
      self: type.convert(value),
      ...(rule.optionalOldSelf ? { oldSelf: Optional.of(converted) } : { oldSelf: converted }),
    }
    if (program.run(variables) === true) return []
  } catch (error) {
    return [faultOf(rule.reason, place, typeName, `${(error as Error).message} evaluating rule: ${said}`)]
  }
  return [faultOf(rule.reason, place, typeName, messageOf(compiled, variables) ?? said)]
}

const MESSAGE_MAX = 5 * 1024

/** What messageExpression says; undefined when it fails or says nothing that can be shown. */
function messageOf(
  { message }: CompiledRule,
  variables: Readonly<Record<string, unknown>>,
): string | undefined {
  if (!message || 'error' in message) return undefined
  try {
    const text = message.run(variables)
    const isUsable =
      typeof text === 'string' && text.trim() !== '' && !text.includes('\n') && text.length <= MESSAGE_MAX
    return isUsable ? text.trim() : undefined
  } catch {
    return undefined
  }
}

function faultOf(reason: string | undefined, path: string, value: string, detail: string): StatusCause {
  switch (reason) {
    case 'FieldValueForbidden':
      return fault.forbidden(path, detail)
    case 'FieldValueRequired':
      return fault.required(path, detail)
    case 'FieldValueDuplicate':
      return fault.duplicate(path, value)
    default:
      return fault.invalid(path, value, detail)
  }
}
