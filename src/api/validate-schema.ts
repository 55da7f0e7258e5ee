import { resolve, type Schema } from './schema.ts'
import { fault, type StatusCause } from './status.ts'

/**
 * The value rules a schema carries itself: required, enum, bounds, lengths, pattern; worded as for custom resources.
 * Generated schemas carry only `required`, which the kinds check by hand, so this is for hand-written schemas.
 */
export function validateSchema(value: unknown, given: Schema, path = ''): StatusCause[] {
  const schema = given.ref === undefined ? given : resolve(given)
  const wrong: StatusCause[] = []
  const at = (key: string) => (path === '' ? key : `${path}.${key}`)
  if (schema.enum && !schema.enum.includes(value as string))
    wrong.push(fault.notSupported(path, value, schema.enum.map(String)))
  if (typeof value === 'number') {
    if (schema.minimum !== undefined && value < schema.minimum)
      wrong.push(fault.invalid(path, value, `should be greater than or equal to ${schema.minimum}`))
    if (schema.maximum !== undefined && value > schema.maximum)
      wrong.push(fault.invalid(path, value, `should be less than or equal to ${schema.maximum}`))
  } else if (typeof value === 'string') {
    if (schema.minLength !== undefined && value.length < schema.minLength)
      wrong.push(fault.invalid(path, value, `should be at least ${schema.minLength} chars long`))
    if (schema.maxLength !== undefined && value.length > schema.maxLength)
      wrong.push(fault.tooLong(path, schema.maxLength))
    if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value))
      wrong.push(fault.invalid(path, value, `should match '${schema.pattern}'`))
  } else if (Array.isArray(value)) {
    if (schema.minItems !== undefined && value.length < schema.minItems)
      wrong.push(fault.invalid(path, value.length, `should have at least ${schema.minItems} items`))
    const { items } = schema
    if (items)
      for (const [i, item] of value.entries()) wrong.push(...validateSchema(item, items, `${path}[${i}]`))
  } else if (typeof value === 'object' && value !== null) {
    for (const key of schema.required ?? [])
      if ((value as Record<string, unknown>)[key] === undefined) wrong.push(fault.required(at(key)))
    for (const [key, member] of Object.entries(value)) {
      const property = schema.properties?.[key] ?? schema.additionalProperties
      if (property && member !== undefined) wrong.push(...validateSchema(member, property, at(key)))
    }
  }
  return wrong
}
