/** Signing requests that are done with go: an hour after they were issued, denied or failed, a day without a decision. */
import {
  type CertificateSigningRequest,
  certificateSigningRequest,
} from '../api/kinds/certificate-signing-request.ts'
import { isReason } from '../api/status.ts'
import { endsWithin } from '../base/certificates.ts'
import { parseTime } from '../base/date.ts'
import type { Controller } from './controller.ts'

const HOUR_MS = 3_600_000

export const csrCleanerController: Controller<CertificateSigningRequest> = {
  name: 'csr-cleaner',
  kind: certificateSigningRequest,
  async reconcile({ client, env }, request) {
    const now = env.clock.now()
    const inMs = endOf(request, now) - now
    if (inMs > 0) return inMs === Number.POSITIVE_INFINITY ? undefined : { requeueAfterMs: inMs }
    const { name, uid } = request.metadata
    try {
      await client.delete(certificateSigningRequest, { name }, uid ? { preconditions: { uid } } : {})
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
    return undefined
  },
}

/** When it is over, in epoch ms: never, while an approved one waits for its signer. Pure. */
export function endOf({ metadata, status = {} }: CertificateSigningRequest, now: number): number {
  const { conditions = [], certificate } = status
  const pem = certificate ? Buffer.from(certificate, 'base64').toString('latin1') : undefined
  if (pem && endsWithin({ certificatePem: pem }, now, 0)) return now
  if (conditions.length === 0) return (parseTime(metadata.creationTimestamp) ?? 0) + 24 * HOUR_MS
  const ends = conditions
    .filter(({ type }) => type !== 'Approved' || pem !== undefined)
    .map(({ lastUpdateTime }) => (parseTime(lastUpdateTime ?? metadata.creationTimestamp) ?? 0) + HOUR_MS)
  return Math.min(Number.POSITIVE_INFINITY, ...ends)
}
