import { oneOf } from './field-rules.ts'
import type {
  V1MatchCondition,
  V1MatchResources,
  V1ParamKind,
  V1ParamRef,
  V1Validation,
  V1Variable,
} from './generated/types.ts'
import { validateExpression, validateMatchConditions } from './match-condition-validation.ts'
import { validateLabelSelector } from './selectors.ts'
import { fault, type StatusCause } from './status.ts'
import { validateRule } from './webhook-validation.ts'

/** What validating and mutating admission policies have in common. */
interface PolicySpec {
  readonly failurePolicy?: string | undefined
  readonly matchConditions?: readonly V1MatchCondition[] | undefined
  readonly matchConstraints?: V1MatchResources | undefined
  readonly paramKind?: V1ParamKind | undefined
  readonly variables?: readonly V1Variable[] | undefined
}

interface BindingSpec {
  readonly policyName?: string | undefined
  readonly matchResources?: V1MatchResources | undefined
  readonly paramRef?: V1ParamRef | undefined
}

export function withPolicyDefaults<S extends PolicySpec>(spec: S): S {
  const { matchConstraints } = spec
  return {
    ...spec,
    failurePolicy: spec.failurePolicy ?? 'Fail',
    ...(matchConstraints ? { matchConstraints: withMatchDefaults(matchConstraints) } : {}),
  }
}

export function withBindingDefaults<S extends BindingSpec>(spec: S): S {
  return spec.matchResources ? { ...spec, matchResources: withMatchDefaults(spec.matchResources) } : spec
}

function withMatchDefaults(match: V1MatchResources): V1MatchResources {
  const scoped = (rules: V1MatchResources['resourceRules']) =>
    rules?.map((rule) => ({ ...rule, scope: rule.scope ?? '*' }))
  return {
    ...match,
    matchPolicy: match.matchPolicy ?? 'Equivalent',
    namespaceSelector: match.namespaceSelector ?? {},
    objectSelector: match.objectSelector ?? {},
    ...(match.resourceRules ? { resourceRules: scoped(match.resourceRules) } : {}),
    ...(match.excludeResourceRules ? { excludeResourceRules: scoped(match.excludeResourceRules) } : {}),
  }
}

export function validatePolicy(spec: PolicySpec): StatusCause[] {
  const { failurePolicy, matchConditions, matchConstraints, paramKind, variables } = spec
  const faults: StatusCause[] = [...oneOf(failurePolicy, ['Fail', 'Ignore'], 'spec.failurePolicy')]
  if (!matchConstraints) faults.push(fault.required('spec.matchConstraints'))
  else {
    faults.push(...validateMatch(matchConstraints, 'spec.matchConstraints'))
    if (!matchConstraints.resourceRules?.length)
      faults.push(fault.required('spec.matchConstraints.resourceRules'))
  }
  if (paramKind && !paramKind.kind) faults.push(fault.required('spec.paramKind.kind'))
  if (paramKind && !paramKind.apiVersion) faults.push(fault.required('spec.paramKind.apiVersion'))
  faults.push(...validateMatchConditions(matchConditions, 'spec.matchConditions', 'policy'))
  const seen = new Set<string>()
  for (const [i, { name, expression }] of (variables ?? []).entries()) {
    const at = `spec.variables[${i}]`
    if (!name) faults.push(fault.required(`${at}.name`, 'name is not specified'))
    else if (!/^[A-Za-z_]\w*$/.test(name))
      faults.push(fault.invalid(`${at}.name`, name, 'name is not a valid CEL identifier'))
    else if (seen.has(name)) faults.push(fault.duplicate(`${at}.name`, name))
    seen.add(name)
    faults.push(...validateExpression(expression, `${at}.expression`, 'policy', ANY))
  }
  return faults
}

/** Whatever a variable gives. */
const ANY: readonly string[] = []
const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized']

export function validateValidation(
  { expression, message, messageExpression, reason }: V1Validation,
  at: string,
): StatusCause[] {
  const faults = validateExpression(expression, `${at}.expression`, 'policy', ['bool'])
  if (message?.trim().includes('\n'))
    faults.push(fault.invalid(`${at}.message`, message, 'message must not contain line breaks'))
  if (message !== undefined && message !== '' && message.trim() === '')
    faults.push(fault.invalid(`${at}.message`, message, 'message must be non-empty if specified'))
  if (!message && expression.trim().includes('\n'))
    faults.push(
      fault.required(`${at}.message`, 'message must be specified if expression contains line breaks'),
    )
  if (messageExpression)
    faults.push(...validateExpression(messageExpression, `${at}.messageExpression`, 'policy', ['string']))
  faults.push(...oneOf(reason, REASONS, `${at}.reason`))
  return faults
}

export function validateBinding({ policyName, matchResources, paramRef }: BindingSpec): StatusCause[] {
  const faults: StatusCause[] = policyName ? [] : [fault.required('spec.policyName')]
  if (matchResources) faults.push(...validateMatch(matchResources, 'spec.matchResources'))
  if (!paramRef) return faults
  const at = 'spec.paramRef'
  if (paramRef.name && paramRef.selector)
    faults.push(fault.forbidden(`${at}.name`, 'name and selector are mutually exclusive'))
  if (!paramRef.name && !paramRef.selector)
    faults.push(fault.required(at, 'one of name or selector must be specified'))
  if (!paramRef.parameterNotFoundAction) faults.push(fault.required(`${at}.parameterNotFoundAction`))
  else
    faults.push(
      ...oneOf(paramRef.parameterNotFoundAction, ['Allow', 'Deny'], `${at}.parameterNotFoundAction`),
    )
  return [...faults, ...validateLabelSelector(paramRef.selector, `${at}.selector`)]
}

function validateMatch(
  { matchPolicy, namespaceSelector, objectSelector, resourceRules, excludeResourceRules }: V1MatchResources,
  at: string,
): StatusCause[] {
  return [
    ...oneOf(matchPolicy, ['Equivalent', 'Exact'], `${at}.matchPolicy`),
    ...validateLabelSelector(namespaceSelector, `${at}.namespaceSelector`),
    ...validateLabelSelector(objectSelector, `${at}.objectSelector`),
    ...(resourceRules ?? []).flatMap((rule, i) => validateRule(rule, `${at}.resourceRules[${i}]`)),
    ...(excludeResourceRules ?? []).flatMap((rule, i) =>
      validateRule(rule, `${at}.excludeResourceRules[${i}]`),
    ),
  ]
}
