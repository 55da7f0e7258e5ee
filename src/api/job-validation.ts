import { deepEqual } from '../base/json.ts'
import { notNegative, oneOf } from './field-rules.ts'
import type { V1JobSpec, V1PodFailurePolicyRule } from './generated/types.ts'
import { validatePodTemplate } from './pod-validation.ts'
import { labelSelectorMatches, validateLabelSelector } from './selectors.ts'
import { fault, type StatusCause } from './status.ts'

/** Rules of JobSpec (batch/validation.go), of Jobs and of what CronJobs make them from. Pure. */
const PARALLELISM_MAX_INDEXED = 100_000

/** `path` is "spec", or "spec.jobTemplate.spec" where there is no selector yet. */
export function validateJobSpec(spec: V1JobSpec, path: string): StatusCause[] {
  const numbers = [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ] as const
  const wrong = numbers.flatMap((field) => notNegative(spec[field], `${path}.${field}`))
  wrong.push(...validateMode(spec, path))
  wrong.push(
    ...oneOf(spec.podReplacementPolicy, ['Failed', 'TerminatingOrFailed'], `${path}.podReplacementPolicy`),
  )
  if (spec.podFailurePolicy && spec.podReplacementPolicy && spec.podReplacementPolicy !== 'Failed')
    wrong.push(fault.notSupported(`${path}.podReplacementPolicy`, spec.podReplacementPolicy, ['Failed']))
  wrong.push(...validateFailurePolicy(spec, path))
  wrong.push(...validateSuccessPolicy(spec, path))
  if (!spec.template?.spec) return [...wrong, fault.required(`${path}.template.spec`)]
  wrong.push(...validatePodTemplate(spec.template, `${path}.template`))
  const policy = spec.template.spec.restartPolicy
  const at = `${path}.template.spec.restartPolicy`
  if (policy === undefined || policy === '' || policy === 'Always')
    wrong.push(fault.required(at, 'valid values: "OnFailure", "Never"'))
  else if (policy !== 'OnFailure' && policy !== 'Never')
    wrong.push(fault.notSupported(at, policy, ['OnFailure', 'Never']))
  else if (spec.podFailurePolicy && policy !== 'Never')
    wrong.push(fault.invalid(at, policy, 'only "Never" is supported when podFailurePolicy is specified'))
  return wrong
}

export function validateJobSelector(spec: V1JobSpec): StatusCause[] {
  if (!spec.selector) return [fault.required('spec.selector')]
  const labels = spec.template?.metadata?.labels
  return [
    ...validateLabelSelector(spec.selector, 'spec.selector'),
    ...(labelSelectorMatches(spec.selector, labels)
      ? []
      : [
          fault.invalid(
            'spec.template.metadata.labels',
            labels ?? {},
            '`selector` does not match template `labels`',
          ),
        ]),
  ]
}

function validateMode(spec: V1JobSpec, path: string): StatusCause[] {
  const { completionMode: mode, completions, parallelism } = spec
  const wrong = oneOf(mode, ['NonIndexed', 'Indexed'], `${path}.completionMode`)
  if (mode === 'Indexed') {
    if (completions === undefined)
      wrong.push(fault.required(`${path}.completions`, 'when completion mode is Indexed'))
    if ((parallelism ?? 0) > PARALLELISM_MAX_INDEXED)
      wrong.push(
        fault.invalid(
          `${path}.parallelism`,
          parallelism,
          `must be less than or equal to ${PARALLELISM_MAX_INDEXED} when completion mode is Indexed`,
        ),
      )
  } else if (spec.backoffLimitPerIndex !== undefined)
    wrong.push(
      fault.invalid(
        `${path}.backoffLimitPerIndex`,
        spec.backoffLimitPerIndex,
        'requires indexed completion mode',
      ),
    )
  if (spec.maxFailedIndexes === undefined) return wrong
  if (spec.backoffLimitPerIndex === undefined)
    wrong.push(fault.required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'))
  if (completions !== undefined && spec.maxFailedIndexes > completions)
    wrong.push(
      fault.invalid(
        `${path}.maxFailedIndexes`,
        spec.maxFailedIndexes,
        'must be less than or equal to completions',
      ),
    )
  return wrong
}

const RULES_MAX = 20

function validateFailurePolicy(spec: V1JobSpec, path: string): StatusCause[] {
  const rules = spec.podFailurePolicy?.rules ?? []
  const at = `${path}.podFailurePolicy.rules`
  const many = rules.length > RULES_MAX ? [fault.tooMany(at, rules.length, RULES_MAX)] : []
  return [...many, ...rules.flatMap((rule, i) => validateRule(spec, rule, `${at}[${i}]`))]
}

function validateRule(spec: V1JobSpec, rule: V1PodFailurePolicyRule, path: string): StatusCause[] {
  const { action, onExitCodes, onPodConditions } = rule
  const wrong: StatusCause[] = []
  if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined)
    wrong.push(fault.invalid(`${path}.action`, action, 'requires the backoffLimitPerIndex to be set'))
  wrong.push(...oneOf(action, ['Count', 'FailIndex', 'FailJob', 'Ignore'], `${path}.action`))
  const hasConditions = (onPodConditions?.length ?? 0) > 0
  if (onExitCodes && hasConditions)
    wrong.push(fault.invalid(path, rule, 'specifying both OnExitCodes and OnPodConditions is not supported'))
  if (!onExitCodes && !hasConditions)
    wrong.push(fault.invalid(path, rule, 'specifying one of OnExitCodes and OnPodConditions is required'))
  if (onExitCodes) {
    const { operator, values } = onExitCodes
    wrong.push(...oneOf(operator, ['In', 'NotIn'], `${path}.onExitCodes.operator`))
    if (values.length === 0)
      wrong.push(fault.invalid(`${path}.onExitCodes.values`, values, 'at least one value is required'))
    if (operator === 'In' && values.includes(0))
      wrong.push(
        fault.invalid(
          `${path}.onExitCodes.values[${values.indexOf(0)}]`,
          0,
          'must not be 0 for the In operator',
        ),
      )
  }
  return wrong
}

function validateSuccessPolicy(spec: V1JobSpec, path: string): StatusCause[] {
  const { successPolicy: policy, completions = 0 } = spec
  if (!policy) return []
  const at = `${path}.successPolicy`
  if (spec.completionMode !== 'Indexed')
    return [fault.invalid(at, policy, 'requires indexed completion mode')]
  if (policy.rules.length === 0)
    return [
      fault.required(
        `${at}.rules`,
        'at least one rules must be specified when the successPolicy is specified',
      ),
    ]
  return policy.rules.flatMap((rule, i) => {
    const { succeededCount: count, succeededIndexes: indexes } = rule
    if (count === undefined && indexes === undefined)
      return [
        fault.required(
          `${at}.rules[${i}]`,
          'at least one of succeededCount or succeededIndexes must be specified',
        ),
      ]
    return [
      ...notNegative(count, `${at}.rules[${i}].succeededCount`),
      ...(count !== undefined && count > completions
        ? [
            fault.invalid(
              `${at}.rules[${i}].succeededCount`,
              count,
              `must be less than or equal to ${completions} (the number of specified completions)`,
            ),
          ]
        : []),
    ]
  })
}

const IMMUTABLE = [
  'selector',
  'completionMode',
  'podFailurePolicy',
  'backoffLimitPerIndex',
  'managedBy',
  'successPolicy',
] as const

/** `mayMove`: a Job that is suspended and has not started may be given other scheduling directives. */
export function validateJobUpdate(spec: V1JobSpec, old: V1JobSpec, mayMove: boolean): StatusCause[] {
  const wrong = IMMUTABLE.filter((field) => !deepEqual(spec[field], old[field])).map((field) =>
    fault.invalid(`spec.${field}`, spec[field], 'field is immutable'),
  )
  const isElastic = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism
  if (spec.completions !== old.completions && !isElastic)
    wrong.push(
      old.completionMode === 'Indexed'
        ? fault.invalid(
            'spec.completions',
            spec.completions,
            'can only be modified in tandem with spec.parallelism',
          )
        : fault.invalid('spec.completions', spec.completions, 'field is immutable'),
    )
  const template = mayMove ? withDirectivesOf(old.template, spec.template) : old.template
  if (!deepEqual(spec.template, template))
    wrong.push(fault.invalid('spec.template', spec.template, 'field is immutable'))
  return wrong
}

/** Where pods go, and the labels and annotations they carry (KEP-2926). */
function withDirectivesOf(old: V1JobSpec['template'], next: V1JobSpec['template']): V1JobSpec['template'] {
  if (!old.spec || !next.spec) return old
  const { nodeSelector, tolerations, affinity, schedulingGates } = next.spec
  const directives = { nodeSelector, tolerations, affinity, schedulingGates }
  const { labels, annotations } = next.metadata ?? {}
  return {
    ...old,
    metadata: { ...old.metadata, labels, annotations },
    spec: { ...old.spec, ...directives },
  }
}
