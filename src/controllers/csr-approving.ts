/** Kubelets that may have a client certificate of their own get it approved without a human. */
import {
  type CertificateSigningRequest,
  certificateSigningRequest,
} from '../api/kinds/certificate-signing-request.ts'
import { readCertificateRequest } from '../base/certificate-requests.ts'
import { formatTime } from '../base/date.ts'
import type { Controller } from './controller.ts'
import type { Issuing } from './issuing.ts'
import { CLIENT_KUBELET, kubeletClient } from './signers.ts'

export const csrApprovingController = ({ mayAskFor }: Issuing): Controller<CertificateSigningRequest> => ({
  name: 'csr-approving',
  kind: certificateSigningRequest,
  async reconcile({ client, env }, request) {
    const { spec, status = {} } = request
    const conditions = status.conditions ?? []
    const isDecided = conditions.some(({ type }) => type === 'Approved' || type === 'Denied')
    if (spec.signerName !== CLIENT_KUBELET || isDecided || status.certificate) return undefined
    const certificate = await readCertificateRequest(Buffer.from(spec.request, 'base64').toString('latin1'))
    if (kubeletClient({ certificate, usages: spec.usages ?? [] }) !== undefined) return undefined
    const { username: name = '', groups = [], uid, extra } = spec
    const requester = { name, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) }
    const isSelf = name === certificate.commonName
    const sort =
      isSelf && (await mayAskFor(requester, 'selfnodeclient'))
        ? 'self kubelet'
        : (await mayAskFor(requester, 'nodeclient'))
          ? 'kubelet'
          : undefined
    if (sort === undefined) return undefined
    const time = formatTime(env.clock.now())
    const approved = {
      type: 'Approved',
      status: 'True',
      reason: 'AutoApproved',
      message: `Auto approving ${sort} client certificate after SubjectAccessReview.`,
      lastUpdateTime: time,
      lastTransitionTime: time,
    }
    const next = { ...request, status: { ...status, conditions: [...conditions, approved] } }
    await client.update(certificateSigningRequest, next, { subresource: 'approval' })
    return undefined
  },
})
