import {
  type CertificateSigningRequest,
  certificateSigningRequest,
} from '../../api/kinds/certificate-signing-request.ts'
import type { AnyResource } from '../../api/resource.ts'
import { badRequest, fault, forbidden, invalid } from '../../api/status.ts'
import { type RequestedCertificate, readCertificateRequest } from '../../base/certificate-requests.ts'
import { deepEqual } from '../../base/json.ts'
import type { Admission } from '../admission/admission.ts'
import { resourceAttributes } from './attributes.ts'
import type { User } from './authenticate.ts'
import type { Authorizer } from './authorize.ts'

const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client'

/**
 * Who asks for a certificate is written down, not believed; only who may approve for a signer approves, only who may
 * sign signs, and nobody gets a certificate of system:masters.
 */
export function certificateAdmission(authorizer: Authorizer): Admission {
  return {
    name: 'CertificateApproval',
    concerns: ({ kind, operation }) => kind === certificateSigningRequest && operation !== 'DELETE',
    mutate({ operation, subresource, object, context: { user } }) {
      if (operation !== 'CREATE' || subresource !== '') return object
      const { username: _name, uid: _uid, groups: _groups, extra: _extra, ...spec } = object.spec ?? {}
      const { name: username, groups, uid, extra } = user
      return {
        ...object,
        spec: { ...spec, username, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) },
      }
    },
    async validate({ kind, operation, subresource, object, old, context: { user } }) {
      const request = object as unknown as CertificateSigningRequest
      if (operation === 'CREATE') return checkRequest(request)
      if (subresource === 'approval' && !(await may(user, 'approve', request)))
        throw refuse(object, `user not permitted to approve requests with signerName ${quoted(request)}`)
      if (subresource !== 'status') return
      const before = old as unknown as CertificateSigningRequest
      const signs =
        request.status?.certificate !== before.status?.certificate || failed(request) !== failed(before)
      if (signs && !(await may(user, 'sign', request)))
        throw refuse(object, `user not permitted to sign requests with signerName ${quoted(request)}`)
      if (!deepEqual(words(request), words(before)))
        throw invalid(kind, object.metadata.name, [
          fault.forbidden('status.conditions', 'Approved and Denied are written through /approval'),
        ])
    },
  }

  async function may(user: User, verb: string, { spec }: CertificateSigningRequest): Promise<boolean> {
    const any = `${spec.signerName.split('/')[0]}/*`
    for (const name of [spec.signerName, any]) {
      const { allowed } = await authorizer.authorize(
        resourceAttributes(user, { verb, group: 'certificates.k8s.io', resource: 'signers', name }),
      )
      if (allowed) return true
    }
    return false
  }
}

async function checkRequest({ spec, metadata }: CertificateSigningRequest): Promise<void> {
  let wanted: RequestedCertificate
  try {
    wanted = await readCertificateRequest(Buffer.from(spec.request, 'base64').toString('latin1'))
  } catch (error) {
    throw invalid(certificateSigningRequest, metadata.name, [
      fault.invalid('spec.request', spec.request, (error as Error).message),
    ])
  }
  if (spec.signerName === CLIENT_SIGNER && wanted.organizations.includes('system:masters'))
    throw forbidden(
      certificateSigningRequest,
      metadata.name,
      `use of ${CLIENT_SIGNER} signer with system:masters group is not allowed`,
    )
}

function refuse({ metadata }: AnyResource, why: string) {
  if (!metadata.name) return badRequest(why)
  return forbidden(certificateSigningRequest, metadata.name, why)
}

function quoted({ spec }: CertificateSigningRequest): string {
  return JSON.stringify(spec.signerName)
}

function failed({ status }: CertificateSigningRequest): boolean {
  return status?.conditions?.some(({ type }) => type === 'Failed') === true
}

function words({ status }: CertificateSigningRequest): readonly string[] {
  return (status?.conditions ?? [])
    .map(({ type }) => type)
    .filter((type) => type === 'Approved' || type === 'Denied')
}
