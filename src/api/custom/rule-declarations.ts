import { fault, type StatusCause } from '../status.ts'
import { parseJsonPath } from './json-path.ts'
import { type JsonSchema, memberOf } from './json-schema.ts'
import { type CompiledRule, type RuleNode, rulesOf } from './rules.ts'

/** What one rule, and what all rules of a schema together, may cost by Kubernetes' static estimate. */
const RULE_COST_MAX = 10_000_000
const SCHEMA_COST_MAX = 100_000_000
const HINT =
  '(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)'
const REASONS = ['FieldValueRequired', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueDuplicate']

/** Whether every rule of x-kubernetes-validations compiles and stays within its cost. */
export function checkRuleDeclarations(schema: JsonSchema, path: string): StatusCause[] {
  const root = rulesOf(schema)
  if (!root) return []
  const total = { cost: 0 }
  const faults = checkNode(root, path, total, undefined)
  if (total.cost > SCHEMA_COST_MAX)
    faults.push(
      fault.forbidden(
        path,
        `x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of ${factor(total.cost, SCHEMA_COST_MAX)} ${HINT}`,
      ),
    )
  return faults
}

function factor(cost: number, max: number): string {
  return cost / max > 100 ? 'more than 100x' : `${(cost / max).toFixed(1)}x`
}

/** `uncorrelatable`: the list above in which old and new items cannot be told to be the same. */
function checkNode(
  node: RuleNode,
  path: string,
  total: { cost: number },
  uncorrelatable: string | undefined,
): StatusCause[] {
  const faults: StatusCause[] = []
  const seen = new Set<string>()
  for (const [i, compiled] of node.rules.entries()) {
    const at = `${path}.x-kubernetes-validations[${i}]`
    faults.push(...checkRule(compiled, node.schema, at, uncorrelatable))
    if (seen.has(compiled.rule.rule)) faults.push(fault.duplicate(`${at}.rule`, compiled.rule.rule))
    seen.add(compiled.rule.rule)
    total.cost += compiled.cost
  }
  for (const [name, child] of node.properties)
    faults.push(...checkNode(child, `${path}.properties[${name}]`, total, uncorrelatable))
  const inItems = node.schema.listType === 'map' ? uncorrelatable : (uncorrelatable ?? path)
  if (node.items) faults.push(...checkNode(node.items, `${path}.items`, total, inItems))
  if (node.additional)
    faults.push(...checkNode(node.additional, `${path}.additionalProperties`, total, uncorrelatable))
  return faults
}

function checkRule(
  { rule, program, message, usesOldSelf, cost }: CompiledRule,
  schema: JsonSchema,
  at: string,
  uncorrelatable: string | undefined,
): StatusCause[] {
  const faults: StatusCause[] = []
  const text = rule.rule.trim()
  if (text === '') faults.push(fault.required(`${at}.rule`, 'rule is not specified'))
  else if ('error' in program)
    faults.push(fault.invalid(`${at}.rule`, rule.rule, `compilation failed: ${program.error}`))
  else if (program.type !== 'bool' && program.type !== 'dyn')
    faults.push(fault.invalid(`${at}.rule`, rule.rule, 'cel expression must evaluate to a bool'))
  else if (cost > RULE_COST_MAX)
    faults.push(
      fault.forbidden(
        `${at}.rule`,
        `estimated rule cost exceeds budget by factor of ${factor(cost, RULE_COST_MAX)} ${HINT}`,
      ),
    )
  if (usesOldSelf && uncorrelatable !== undefined)
    faults.push(
      fault.invalid(
        `${at}.rule`,
        rule.rule,
        `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`,
      ),
    )
  if (rule.optionalOldSelf !== undefined && !usesOldSelf && !('error' in program))
    faults.push(
      fault.invalid(
        `${at}.optionalOldSelf`,
        rule.optionalOldSelf,
        'may not be set if oldSelf is not used in rule',
      ),
    )
  if (rule.message !== undefined && rule.message !== '') {
    if (rule.message.trim() === '')
      faults.push(fault.invalid(`${at}.message`, rule.message, 'message must be non-empty if specified'))
    else if (rule.message.trim().includes('\n'))
      faults.push(fault.invalid(`${at}.message`, rule.message, 'message must not contain line breaks'))
  } else if (text.includes('\n') && !rule.messageExpression)
    faults.push(fault.required(`${at}.message`, 'message must be specified if rule contains line breaks'))
  if (message && 'error' in message)
    faults.push(
      fault.invalid(
        `${at}.messageExpression`,
        rule.messageExpression,
        `messageExpression compilation failed: ${message.error}`,
      ),
    )
  else if (message && message.type !== 'string' && message.type !== 'dyn')
    faults.push(
      fault.invalid(
        `${at}.messageExpression`,
        rule.messageExpression,
        'messageExpression must evaluate to a string',
      ),
    )
  if (rule.reason !== undefined && rule.reason !== '' && !REASONS.includes(rule.reason))
    faults.push(fault.notSupported(`${at}.reason`, rule.reason, REASONS))
  if (rule.fieldPath && !leadsSomewhere(rule.fieldPath, schema))
    faults.push(
      fault.invalid(
        `${at}.fieldPath`,
        rule.fieldPath,
        'fieldPath must be a valid path: does not refer to a valid field',
      ),
    )
  return faults
}

function leadsSomewhere(fieldPath: string, schema: JsonSchema): boolean {
  const steps = parseJsonPath(fieldPath)
  if (!steps) return false
  return (
    steps.reduce<JsonSchema | undefined>(
      (at, step) => (at && step.type === 'field' ? memberOf(at, step.name) : undefined),
      schema,
    ) !== undefined
  )
}
