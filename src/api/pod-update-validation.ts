import { deepEqual } from '../base/json.ts'
import type { V1Container, V1NodeAffinity, V1PodSpec } from './generated/types.ts'
import type { Pod } from './pods.ts'
import { fault, type StatusCause } from './status.ts'

/**
 * What may change in a pod (core/validation.go ValidatePodUpdate): images, tolerations that are added, a shorter
 * deadline, scheduling gates that go; while it is gated, also where it may be scheduled, if only to fewer nodes.
 */
const MESSAGE = `pod updates may not change fields other than ${[
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',')}`
const SECONDS_MAX = 2 ** 31 - 1

export function validatePodUpdate({ spec }: Pod, { spec: old }: Pod): StatusCause[] {
  for (const field of ['containers', 'initContainers'] as const) {
    if ((spec[field] ?? []).length !== (old[field] ?? []).length)
      return [fault.forbidden(`spec.${field}`, 'pod updates may not add or remove containers')]
  }
  const deadline = validateDeadline(spec.activeDeadlineSeconds, old.activeDeadlineSeconds)
  if (deadline.length > 0) return deadline
  return [
    ...validateTolerations(spec, old),
    ...validateGates(spec, old),
    ...validateNodeChoice(spec, old),
    ...(deepEqual(withoutMutable(spec, old), withoutMutable(old, old))
      ? []
      : [fault.forbidden('spec', MESSAGE)]),
  ]
}

function validateDeadline(seconds: number | undefined, before: number | undefined): StatusCause[] {
  const path = 'spec.activeDeadlineSeconds'
  if (seconds === undefined)
    return before === undefined
      ? []
      : [fault.invalid(path, null, 'must not update from a positive integer to nil value')]
  if (seconds < 0 || seconds > SECONDS_MAX)
    return [fault.invalid(path, seconds, `must be between 0 and ${SECONDS_MAX}, inclusive`)]
  return before !== undefined && before < seconds
    ? [fault.invalid(path, seconds, 'must be less than or equal to previous value')]
    : []
}

function validateTolerations(spec: V1PodSpec, old: V1PodSpec): StatusCause[] {
  const isKept = (old.tolerations ?? []).every((one) =>
    spec.tolerations?.some((other) =>
      deepEqual({ ...one, tolerationSeconds: other.tolerationSeconds }, other),
    ),
  )
  return isKept
    ? []
    : [
        fault.forbidden(
          'spec.tolerations',
          'existing toleration can not be modified except its tolerationSeconds',
        ),
      ]
}

function validateGates(spec: V1PodSpec, old: V1PodSpec): StatusCause[] {
  const known = new Set((old.schedulingGates ?? []).map(({ name }) => name))
  return (spec.schedulingGates ?? []).flatMap(({ name }, i) =>
    known.has(name)
      ? []
      : [
          fault.forbidden(
            `spec.schedulingGates[${i}].name`,
            `only deletion is allowed, but found new scheduling gate '${name}'`,
          ),
        ],
  )
}

/** Of a gated pod: node selector and node affinity may become narrower, never wider. */
function validateNodeChoice(spec: V1PodSpec, old: V1PodSpec): StatusCause[] {
  if (!isGated(old)) return []
  const wrong: StatusCause[] = []
  const selector = spec.nodeSelector ?? {}
  if (Object.entries(old.nodeSelector ?? {}).some(([key, value]) => selector[key] !== value)) {
    wrong.push(
      fault.invalid(
        'spec.nodeSelector',
        selector,
        'only additions to spec.nodeSelector are allowed (no mutations or deletions)',
      ),
    )
  }
  return [...wrong, ...validateNodeTerms(spec.affinity?.nodeAffinity, old.affinity?.nodeAffinity)]
}

function validateNodeTerms(now: V1NodeAffinity | undefined, old: V1NodeAffinity | undefined): StatusCause[] {
  const before = old?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  if (!before?.length) return []
  const path = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution'
  const terms = now?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  if (terms?.length !== before.length)
    return [
      fault.invalid(
        `${path}.nodeSelectorTerms`,
        terms ?? null,
        'no additions/deletions to non-empty NodeSelectorTerms list are allowed',
      ),
    ]
  return terms.flatMap((term, i) => {
    const grows = (['matchExpressions', 'matchFields'] as const).every((field) =>
      (before[i]?.[field] ?? []).every((one, j) => deepEqual(one, term[field]?.[j])),
    )
    return grows
      ? []
      : [
          fault.invalid(
            `${path}.nodeSelectorTerms[${i}]`,
            term,
            'only additions are allowed (no mutations or deletions)',
          ),
        ]
  })
}

function isGated({ schedulingGates }: V1PodSpec): boolean {
  return schedulingGates !== undefined && schedulingGates.length > 0
}

/** The spec without the fields that may change, which the other rules judge. */
function withoutMutable(spec: V1PodSpec, old: V1PodSpec): object {
  const {
    activeDeadlineSeconds: _deadline,
    tolerations: _tolerations,
    schedulingGates: _gates,
    terminationGracePeriodSeconds: grace,
    nodeSelector,
    affinity: { nodeAffinity, ...podAffinities } = {},
    ...rest
  } = spec
  const wasNegative = (old.terminationGracePeriodSeconds ?? 0) < 0
  return {
    ...rest,
    containers: withoutImages(spec.containers),
    initContainers: withoutImages(spec.initContainers),
    podAffinities,
    ...(isGated(old) ? {} : { nodeSelector, nodeAffinity }),
    terminationGracePeriodSeconds: wasNegative && grace === 1 ? old.terminationGracePeriodSeconds : grace,
  }
}

function withoutImages(containers: readonly V1Container[] | undefined): readonly object[] {
  return (containers ?? []).map(({ image: _, ...rest }) => rest)
}
