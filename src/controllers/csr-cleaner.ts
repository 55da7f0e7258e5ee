/** Signing requests that are done with go: an hour after a decision, a day without one. */
import {
  type CertificateSigningRequest,
  certificateSigningRequest,
} from '../api/kinds/certificate-signing-request.ts'
import { isReason } from '../api/status.ts'
import { parseTime } from '../base/date.ts'
import type { Controller } from './controller.ts'

const HOUR_MS = 3_600_000

export const csrCleanerController: Controller<CertificateSigningRequest> = {
  name: 'csr-cleaner',
  kind: certificateSigningRequest,
  async reconcile({ client, env }, request) {
    const inMs = endOf(request) - env.clock.now()
    if (inMs > 0) return { requeueAfterMs: inMs }
    const { name, uid } = request.metadata
    try {
      await client.delete(certificateSigningRequest, { name }, uid ? { preconditions: { uid } } : {})
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
    return undefined
  },
}

/** When it is over, in epoch ms. Pure. */
export function endOf({ metadata, status }: CertificateSigningRequest): number {
  const ends = (status?.conditions ?? []).map(
    ({ lastUpdateTime }) => (parseTime(lastUpdateTime ?? metadata.creationTimestamp) ?? 0) + HOUR_MS,
  )
  const created = (parseTime(metadata.creationTimestamp) ?? 0) + 24 * HOUR_MS
  return ends.length > 0 ? Math.min(...ends) : created
}
