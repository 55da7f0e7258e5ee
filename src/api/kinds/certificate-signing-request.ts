import { formatTime } from '../../base/date.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { humanDuration } from '../duration.ts'
import type { V1CertificateSigningRequest, V1CertificateSigningRequestCondition } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type CertificateSigningRequest = Stored<V1CertificateSigningRequest>
type Condition = V1CertificateSigningRequestCondition

const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
]
const MIN_SECONDS = 600
/** A word from a human or a controller that is never taken back. */
const FINAL = ['Approved', 'Denied', 'Failed']

export const certificateSigningRequest = defineKind<CertificateSigningRequest>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  scope: 'Cluster',
  shortNames: ['csr'],
  schema: 'V1CertificateSigningRequest',
  hasGeneration: false,
  applyWave: WAVE.identity,
  subresources: {
    status: true,
    others: {
      approval: {
        group: 'certificates.k8s.io',
        version: 'v1',
        kind: 'CertificateSigningRequest',
        verbs: ['get', 'patch', 'update'],
        merge: approve,
      },
    },
  },
  fieldSelectors: { 'spec.signerName': ({ spec }) => spec.signerName },
  prepareForUpdate: (resource, old) => ({ ...resource, spec: old.spec }),
  validate({ spec, status }) {
    const wrong: StatusCause[] = []
    const { request = '', signerName = '', usages = [], expirationSeconds } = spec
    if (!decodeText(request).includes('-----BEGIN CERTIFICATE REQUEST-----'))
      wrong.push(fault.invalid('spec.request', request, 'PEM block type must be CERTIFICATE REQUEST'))
    if (usages.length === 0) wrong.push(fault.required('spec.usages'))
    for (const [i, usage] of usages.entries()) {
      if (!USAGES.includes(usage)) wrong.push(fault.notSupported(`spec.usages[${i}]`, usage, USAGES))
      if (usages.indexOf(usage) !== i) wrong.push(fault.duplicate(`spec.usages[${i}]`, usage))
    }
    if (signerName === '') wrong.push(fault.required('spec.signerName'))
    else if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\.[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/\S+$/.test(signerName))
      wrong.push(
        fault.invalid(
          'spec.signerName',
          signerName,
          'must be a fully qualified domain and path of the form "example.com/signer-name"',
        ),
      )
    if (expirationSeconds !== undefined && expirationSeconds < MIN_SECONDS)
      wrong.push(
        fault.invalid(
          'spec.expirationSeconds',
          expirationSeconds,
          'may not specify a duration less than 600 seconds (10 minutes)',
        ),
      )
    return [...wrong, ...validateConditions(status?.conditions ?? [])]
  },
  validateUpdate({ status }, old) {
    const wrong: StatusCause[] = []
    for (const { type } of old.status?.conditions ?? []) {
      if (!FINAL.includes(type) || status?.conditions?.some((condition) => condition.type === type)) continue
      const why = `updates may not remove a condition of type ${JSON.stringify(type)}`
      wrong.push(fault.forbidden('status.conditions', why))
    }
    if (old.status?.certificate && status?.certificate !== old.status.certificate)
      wrong.push(fault.forbidden('status.certificate', 'updates may not modify existing certificate content'))
    return wrong
  },
  columns: [
    nameColumn,
    ageColumn,
    textColumn('SignerName', 'The signer that is asked.', ({ spec }) => spec.signerName),
    textColumn('Requestor', 'Who asks.', ({ spec }) => spec.username ?? ''),
    textColumn('RequestedDuration', 'How long the certificate is to be good.', ({ spec }) =>
      spec.expirationSeconds === undefined ? '<none>' : humanDuration(spec.expirationSeconds * 1000),
    ),
    textColumn('Condition', 'What became of it.', conditionText),
  ],
  example: {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'jane' },
    spec: {
      request:
        'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==',
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
    },
  },
})

/** /approval changes conditions only; who adds one need not say when. `now` in epoch ms. */
function approve(
  old: CertificateSigningRequest,
  sent: CertificateSigningRequest,
  now: number,
): CertificateSigningRequest {
  const time = formatTime(now)
  const conditions = (sent.status?.conditions ?? []).map((condition) => {
    const before = old.status?.conditions?.find(({ type }) => type === condition.type)
    return {
      ...condition,
      status: condition.status || 'True',
      lastUpdateTime: condition.lastUpdateTime ?? time,
      lastTransitionTime: condition.lastTransitionTime ?? before?.lastTransitionTime ?? time,
    }
  })
  return { ...old, status: { ...old.status, conditions } }
}

function validateConditions(conditions: readonly Condition[]): StatusCause[] {
  const wrong: StatusCause[] = []
  for (const [i, { type, status }] of conditions.entries()) {
    const path = `status.conditions[${i}]`
    if (type === '') wrong.push(fault.required(`${path}.type`))
    if (FINAL.includes(type) && status !== 'True')
      wrong.push(fault.notSupported(`${path}.status`, status, ['True']))
    if (conditions.findIndex((other) => other.type === type) !== i)
      wrong.push(fault.duplicate(`${path}.type`, type))
  }
  const has = (type: string) => conditions.some((condition) => condition.type === type)
  if (has('Approved') && has('Denied'))
    wrong.push(
      fault.invalid('status.conditions', 'Denied', 'Approved and Denied conditions are mutually exclusive'),
    )
  return wrong
}

function conditionText({ status }: CertificateSigningRequest): string {
  const has = (type: string) => status?.conditions?.some((condition) => condition.type === type) === true
  const word = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending'
  return [word, ...(has('Failed') ? ['Failed'] : []), ...(status?.certificate ? ['Issued'] : [])].join(',')
}

function decodeText(base64: string): string {
  return Buffer.from(base64, 'base64').toString('latin1')
}
