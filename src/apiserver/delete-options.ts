import { badRequest, fault, invalid, type StatusCause } from '../api/status.ts'
import { isObject } from '../base/json.ts'
import type { DeleteOptions } from '../client/client.ts'

export interface ReadDeleteOptions {
  readonly options: DeleteOptions
  readonly dryRun: boolean
}

const POLICIES = ['Orphan', 'Background', 'Foreground'] as const
type Policy = (typeof POLICIES)[number]

/**
 * metav1.DeleteOptions from the body, and from the query, which wins where both speak. What cannot be understood is
 * refused, never left out: a misspelt dry run or precondition must not delete. Pure; throws BadRequest or Invalid.
 */
export function readDeleteOptions(body: unknown, query: URLSearchParams = NO_QUERY): ReadDeleteOptions {
  if (body !== undefined && body !== null && !isObject(body))
    throw badRequest('json: cannot unmarshal the request body into Go value of type v1.DeleteOptions')
  const sent = body ?? {}
  const wrong: StatusCause[] = []
  const policy = query.get('propagationPolicy') ?? sent['propagationPolicy'] ?? ''
  const orphan = query.get('orphanDependents') ?? sent['orphanDependents']
  if (policy !== '' && !isPolicy(policy))
    wrong.push(fault.notSupported('propagationPolicy', policy, [...POLICIES, '']))
  if (policy !== '' && orphan !== undefined && orphan !== null)
    wrong.push(
      fault.invalid(
        'propagationPolicy',
        policy,
        'orphanDependents and deletionPropagation cannot be both set',
      ),
    )
  const dryRun = query.has('dryRun') ? query.getAll('dryRun') : (sent['dryRun'] ?? [])
  const isList = Array.isArray(dryRun) && dryRun.every((value) => value === 'All' || value === '')
  if (!isList) wrong.push(fault.notSupported('dryRun', dryRun, ['All']))
  if (wrong.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', wrong)
  return {
    options: {
      gracePeriodSeconds: wholeNumber(query.get('gracePeriodSeconds') ?? sent['gracePeriodSeconds']),
      propagationPolicy: isPolicy(policy) ? policy : policyOfOrphan(orphan),
      preconditions: preconditionsOf(sent['preconditions']),
    },
    dryRun: isList && dryRun.includes('All'),
  }
}

const NO_QUERY = new URLSearchParams()

function isPolicy(value: unknown): value is Policy {
  return POLICIES.some((policy) => policy === value)
}

/** The older way to say it. */
function policyOfOrphan(orphan: unknown): Policy | undefined {
  if (orphan === undefined || orphan === null) return undefined
  return orphan === true || orphan === 'true' || orphan === '1' ? 'Orphan' : 'Background'
}

function wholeNumber(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  const number = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value
  if (typeof number === 'number' && Number.isInteger(number)) return number
  throw badRequest(`gracePeriodSeconds: Invalid value: ${JSON.stringify(value)}: must be a whole number`)
}

function preconditionsOf(value: unknown): DeleteOptions['preconditions'] {
  if (value === undefined || value === null) return undefined
  if (!isObject(value)) throw badRequest('preconditions: must be an object with uid or resourceVersion')
  const { uid, resourceVersion } = value
  return { uid: textOf('uid', uid), resourceVersion: textOf('resourceVersion', resourceVersion) }
}

function textOf(field: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  throw badRequest(`preconditions.${field}: Invalid value: ${JSON.stringify(value)}: must be a text`)
}
