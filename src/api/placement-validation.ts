import { follows, oneOf } from './field-rules.ts'
import type { V1Toleration, V1TopologySpreadConstraint } from './generated/types.ts'
import { labelValue, qualifiedName } from './names.ts'
import { validateLabelSelector } from './selectors.ts'
import { fault, type StatusCause } from './status.ts'

/** Tolerations and topology spread (core/validation.go ValidateTolerations, validateTopologySpreadConstraints). */
export function validateToleration(toleration: V1Toleration, path: string): StatusCause[] {
  const { key = '', operator = '', value = '', effect = '', tolerationSeconds } = toleration
  const wrong = follows(key, qualifiedName, `${path}.key`)
  if (key === '' && operator !== 'Exists') {
    const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
    wrong.push(fault.invalid(`${path}.operator`, operator, why))
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    const why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
    wrong.push(fault.invalid(`${path}.effect`, effect, why))
  }
  if (operator === 'Exists') {
    if (value !== '')
      wrong.push(fault.invalid(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'"))
  } else if (operator === 'Equal' || operator === '')
    wrong.push(...follows(value, labelValue, `${path}.operator`))
  else wrong.push(fault.notSupported(`${path}.operator`, operator, ['Equal', 'Exists']))
  if (effect !== '')
    wrong.push(...oneOf(effect, ['NoExecute', 'NoSchedule', 'PreferNoSchedule'], `${path}.effect`))
  return wrong
}

export function validateSpread(
  constraints: readonly V1TopologySpreadConstraint[],
  path: string,
): StatusCause[] {
  const seen = new Set<string>()
  return constraints.flatMap((constraint, i) => {
    const { maxSkew, topologyKey, whenUnsatisfiable } = constraint
    const at = `${path}[${i}]`
    const wrong: StatusCause[] = []
    if (maxSkew <= 0) wrong.push(fault.invalid(`${at}.maxSkew`, maxSkew, 'must be greater than zero'))
    if (!topologyKey) wrong.push(fault.required(`${at}.topologyKey`, 'can not be empty'))
    wrong.push(...follows(topologyKey, qualifiedName, `${at}.topologyKey`))
    wrong.push(...oneOf(whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway'], `${at}.whenUnsatisfiable`))
    const pair = `{${topologyKey}, ${whenUnsatisfiable}}`
    if (seen.has(pair)) wrong.push(fault.duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pair))
    seen.add(pair)
    return [...wrong, ...validateSpreadOptions(constraint, at)]
  })
}

function validateSpreadOptions(constraint: V1TopologySpreadConstraint, path: string): StatusCause[] {
  const { whenUnsatisfiable, minDomains, nodeAffinityPolicy, nodeTaintsPolicy, labelSelector } = constraint
  const wrong: StatusCause[] = []
  if (minDomains !== undefined) {
    const at = `${path}.minDomains`
    if (minDomains <= 0) wrong.push(fault.invalid(at, minDomains, 'must be greater than zero'))
    if (whenUnsatisfiable !== 'DoNotSchedule') {
      const why = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`
      wrong.push(fault.invalid(at, minDomains, why))
    }
  }
  wrong.push(
    ...oneOf(nodeAffinityPolicy, ['Honor', 'Ignore'], `${path}.nodeAffinityPolicy`),
    ...oneOf(nodeTaintsPolicy, ['Honor', 'Ignore'], `${path}.nodeTaintsPolicy`),
    ...validateLabelSelector(labelSelector, `${path}.labelSelector`),
  )
  const keys = constraint.matchLabelKeys ?? []
  if (keys.length > 0 && !labelSelector)
    wrong.push(
      fault.forbidden(`${path}.matchLabelKeys`, 'must not be specified when labelSelector is not set'),
    )
  for (const [i, key] of keys.entries()) {
    if (
      labelSelector?.matchLabels?.[key] !== undefined ||
      labelSelector?.matchExpressions?.some((one) => one.key === key)
    )
      wrong.push(
        fault.invalid(`${path}.matchLabelKeys[${i}]`, key, 'exists in both matchLabelKeys and labelSelector'),
      )
  }
  return wrong
}
