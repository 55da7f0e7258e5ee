import { ApiError } from '../../api/status.ts'
import { type Attributes, describeRefusal, describeTarget } from './attributes.ts'

/** What an authorizer says. Neither allowed nor denied is no opinion: the next one is asked. */
export interface Verdict {
  readonly allowed: boolean
  /** Nobody after this one is asked. */
  readonly denied?: boolean
  /** Why; may be empty. */
  readonly reason: string
}

export interface Authorizer {
  authorize(attributes: Attributes): Verdict | Promise<Verdict>
}

/** Paths that need neither credentials nor permission: a probe must not depend on either. */
const PROBES = new Set(['/healthz', '/livez', '/readyz'])
/** Paths that somebody without credentials may ask for; anywhere else that is Unauthorized. */
const PUBLIC = new Set([...PROBES, '/version', '/version/'])

export function isPublic(path: string): boolean {
  return PUBLIC.has(path)
}

const MASTERS = 'system:masters'

/** Asks each in turn until one allows or denies. Members of system:masters may do everything, whatever roles say. */
export function union(authorizers: readonly Authorizer[]): Authorizer {
  return {
    async authorize(attributes) {
      if (attributes.user.groups.includes(MASTERS)) return { allowed: true, reason: '' }
      if (attributes.type === 'path' && PROBES.has(attributes.path)) return { allowed: true, reason: '' }
      const reasons: string[] = []
      for (const authorizer of authorizers) {
        const verdict = await authorizer.authorize(attributes)
        if (verdict.allowed || verdict.denied) return verdict
        if (verdict.reason !== '') reasons.push(verdict.reason)
      }
      return { allowed: false, reason: reasons.join('\n') }
    },
  }
}

/** Why it is allowed; throws Forbidden in Kubernetes' words when it is not. */
export async function mustAuthorize(authorizer: Authorizer, attributes: Attributes): Promise<string> {
  const { allowed, reason } = await authorizer.authorize(attributes)
  if (!allowed) throw refusal(attributes, reason)
  return reason
}

function refusal(attributes: Attributes, reason: string): ApiError {
  const why = `${describeRefusal(attributes)}${reason === '' ? '' : `: ${reason}`}`
  if (attributes.type === 'path') return new ApiError('Forbidden', `forbidden: ${why}`, { details: {} })
  const { group, resource, name } = attributes
  return new ApiError('Forbidden', `${describeTarget(attributes)} is forbidden: ${why}`, {
    details: { kind: resource, ...(group ? { group } : {}), ...(name ? { name } : {}) },
  })
}
