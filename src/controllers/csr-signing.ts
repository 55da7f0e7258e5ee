/** Approved requests of Kubernetes' own signers get their certificate, or a reason why not. */
import { isConditionTrue } from '../api/conditions.ts'
import {
  type CertificateSigningRequest,
  certificateSigningRequest,
} from '../api/kinds/certificate-signing-request.ts'
import { readCertificateRequest, signCertificateRequest } from '../base/certificate-requests.ts'
import { formatTime } from '../base/date.ts'
import type { Controller } from './controller.ts'
import type { Issuing } from './issuing.ts'
import { isOurSigner, whyNotSigned } from './signers.ts'

const YEAR_SECONDS = 365 * 24 * 3600

export const csrSigningController = ({ authority }: Issuing): Controller<CertificateSigningRequest> => ({
  name: 'csr-signing',
  kind: certificateSigningRequest,
  async reconcile({ client, env }, request) {
    const { spec, status = {} } = request
    const { conditions } = status
    const isOver =
      Boolean(status.certificate) ||
      isConditionTrue(conditions, 'Denied') ||
      isConditionTrue(conditions, 'Failed')
    if (!isOurSigner(spec.signerName) || !isConditionTrue(conditions, 'Approved') || isOver) return undefined
    const now = env.clock.now()
    const pem = Buffer.from(spec.request, 'base64').toString('latin1')
    const usages = spec.usages ?? []
    const why = whyNotSigned(spec.signerName, { certificate: await readCertificateRequest(pem), usages })
    if (why !== undefined) {
      const time = formatTime(now)
      const failed = {
        type: 'Failed',
        status: 'True',
        reason: 'SignerValidationFailure',
        message: why,
        lastUpdateTime: time,
        lastTransitionTime: time,
      }
      await write({ ...status, conditions: [...(conditions ?? []), failed] })
      return undefined
    }
    const seconds = Math.min(spec.expirationSeconds ?? YEAR_SECONDS, YEAR_SECONDS)
    const certificate = await signCertificateRequest(authority, pem, { usages, seconds, now })
    await write({ ...status, certificate: Buffer.from(`${certificate}\n`).toString('base64') })
    return undefined

    async function write(next: CertificateSigningRequest['status']): Promise<void> {
      await client.update(
        certificateSigningRequest,
        { ...request, ...(next ? { status: next } : {}) },
        { subresource: 'status' },
      )
    }
  },
})
