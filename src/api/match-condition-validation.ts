import { admissionExpression, type ExpressionOf } from './cel/admission-environment.ts'
import type { V1MatchCondition } from './generated/types.ts'
import { qualifiedName } from './names.ts'
import { fault, type StatusCause } from './status.ts'

const CONDITIONS_MAX = 64

/** matchConditions of a webhook or policy: named, all different, and each an expression that gives a bool. */
export function validateMatchConditions(
  conditions: readonly V1MatchCondition[] | undefined,
  path: string,
  of: ExpressionOf,
): StatusCause[] {
  const faults: StatusCause[] = []
  const seen = new Set<string>()
  if ((conditions?.length ?? 0) > CONDITIONS_MAX)
    faults.push(fault.tooMany(path, conditions?.length ?? 0, CONDITIONS_MAX))
  for (const [i, { name, expression }] of (conditions ?? []).entries()) {
    const at = `${path}[${i}]`
    const wrong = name ? qualifiedName(name) : undefined
    if (!name) faults.push(fault.required(`${at}.name`))
    else if (wrong) faults.push(fault.invalid(`${at}.name`, name, wrong))
    else if (seen.has(name)) faults.push(fault.duplicate(`${at}.name`, name))
    seen.add(name)
    faults.push(...validateExpression(expression, `${at}.expression`, of, ['bool']))
  }
  return faults
}

/** An expression that must give one of these types, or any when there are none; dyn is told when it runs. */
export function validateExpression(
  expression: string | undefined,
  path: string,
  of: ExpressionOf,
  types: readonly string[],
): StatusCause[] {
  if (!expression?.trim()) return [fault.required(path)]
  const compiled = admissionExpression(expression, of)
  if ('error' in compiled) return [fault.invalid(path, expression, `compilation failed: ${compiled.error}`)]
  const fits = types.length === 0 || compiled.type === 'dyn' || types.includes(compiled.type)
  return fits ? [] : [fault.invalid(path, expression, `must evaluate to ${types.join(' or ')}`)]
}
