import type {
  V1Affinity,
  V1NodeSelector,
  V1NodeSelectorRequirement,
  V1NodeSelectorTerm,
  V1PodAffinityTerm,
} from './generated/types.ts'
import { dns1123Subdomain, labelValue, qualifiedName } from './names.ts'
import { validateLabelSelector } from './selectors.ts'
import { fault, type StatusCause } from './status.ts'

/** Where a pod wants to be, near what and apart from what (core/validation.go validateAffinity). */
export function validateAffinity(affinity: V1Affinity | undefined, path: string): StatusCause[] {
  if (!affinity) return []
  const wrong: StatusCause[] = []
  const node = affinity.nodeAffinity
  const required = node?.requiredDuringSchedulingIgnoredDuringExecution
  const requiredPath = `${path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution`
  if (required) wrong.push(...validateNodeSelector(required, requiredPath))
  for (const [i, { weight, preference }] of (
    node?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  ).entries()) {
    const at = `${path}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[${i}]`
    wrong.push(...validateWeight(weight, at), ...validateTerm(preference, `${at}.preference`))
  }
  for (const kind of ['podAffinity', 'podAntiAffinity'] as const) {
    const terms = affinity[kind]
    for (const [i, term] of (terms?.requiredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      wrong.push(
        ...validatePodTerm(term, `${path}.${kind}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`),
      )
    }
    for (const [i, { weight, podAffinityTerm }] of (
      terms?.preferredDuringSchedulingIgnoredDuringExecution ?? []
    ).entries()) {
      const at = `${path}.${kind}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`
      wrong.push(...validateWeight(weight, at), ...validatePodTerm(podAffinityTerm, `${at}.podAffinityTerm`))
    }
  }
  return wrong
}

export function validateNodeSelector({ nodeSelectorTerms }: V1NodeSelector, path: string): StatusCause[] {
  const at = `${path}.nodeSelectorTerms`
  return nodeSelectorTerms?.length
    ? nodeSelectorTerms.flatMap((term, i) => validateTerm(term, `${at}[${i}]`))
    : [fault.required(at, 'must have at least one node selector term')]
}

function validateWeight(weight: number, at: string): StatusCause[] {
  return weight >= 1 && weight <= 100
    ? []
    : [fault.invalid(`${at}.weight`, weight, 'must be in the range 1-100')]
}

function validateTerm(term: V1NodeSelectorTerm, path: string): StatusCause[] {
  return [
    ...(term.matchExpressions ?? []).flatMap((requirement, i) =>
      validateRequirement(requirement, `${path}.matchExpressions[${i}]`),
    ),
    ...(term.matchFields ?? []).flatMap((requirement, i) =>
      validateFieldRequirement(requirement, `${path}.matchFields[${i}]`),
    ),
  ]
}

/** Nodes are found by field by their name only, and by one name at a time. */
function validateFieldRequirement(
  { key, operator, values = [] }: V1NodeSelectorRequirement,
  at: string,
): StatusCause[] {
  const wrong: StatusCause[] = []
  if (operator !== 'In' && operator !== 'NotIn')
    wrong.push(fault.invalid(`${at}.operator`, operator, 'not a valid selector operator'))
  else if (values.length !== 1)
    wrong.push(
      fault.required(
        `${at}.values`,
        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
      ),
    )
  if (key !== 'metadata.name')
    return [...wrong, fault.invalid(`${at}.key`, key, 'not a valid field selector key')]
  for (const [i, value] of values.entries()) {
    const why = dns1123Subdomain(value)
    if (why !== undefined) wrong.push(fault.invalid(`${at}.values[${i}]`, value, why))
  }
  return wrong
}

function validateRequirement(
  { key, operator, values = [] }: V1NodeSelectorRequirement,
  at: string,
): StatusCause[] {
  const wrong: StatusCause[] = []
  const why = qualifiedName(key)
  if (why) wrong.push(fault.invalid(`${at}.key`, key, why))
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0)
        wrong.push(fault.required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
      break
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0)
        wrong.push(
          fault.forbidden(
            `${at}.values`,
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
          ),
        )
      break
    case 'Gt':
    case 'Lt':
      if (values.length !== 1)
        wrong.push(
          fault.required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"),
        )
      break
    default:
      wrong.push(fault.invalid(`${at}.operator`, operator, 'not a valid selector operator'))
  }
  for (const [i, value] of values.entries()) {
    const wrongValue = labelValue(value)
    if (wrongValue !== undefined) wrong.push(fault.invalid(`${at}.values[${i}]`, value, wrongValue))
  }
  return wrong
}

function validatePodTerm(term: V1PodAffinityTerm, path: string): StatusCause[] {
  return [
    ...(term.topologyKey ? [] : [fault.required(`${path}.topologyKey`, 'can not be empty')]),
    ...validateLabelSelector(term.labelSelector, `${path}.labelSelector`),
    ...validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`),
  ]
}
