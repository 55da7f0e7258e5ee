/** What each of Kubernetes' signers signs: pure rules over a request that was read. */
import type { RequestedCertificate } from '../base/certificate-requests.ts'

export const CLIENT_KUBELET = 'kubernetes.io/kube-apiserver-client-kubelet'

export interface SigningQuestion {
  readonly certificate: RequestedCertificate
  readonly usages: readonly string[]
}

const CLIENT_USAGES = ['digital signature', 'key encipherment', 'client auth']
const SERVING_USAGES = ['digital signature', 'key encipherment', 'server auth']

/** Why the signer does not sign this; undefined when it does. A signer of somebody else's is not asked. */
const signers: Readonly<Record<string, (question: SigningQuestion) => string | undefined>> = {
  'kubernetes.io/kube-apiserver-client': ({ certificate, usages }) => {
    if (certificate.organizations.includes('system:masters')) return 'subject organization is not allowed'
    return usesOnly(usages, CLIENT_USAGES, ['client auth'])
  },
  [CLIENT_KUBELET]: kubeletClient,
  'kubernetes.io/kubelet-serving': kubeletServing,
  'kubernetes.io/legacy-unknown': () => undefined,
}

export function isOurSigner(name: string): boolean {
  return Object.hasOwn(signers, name)
}

export function whyNotSigned(signerName: string, question: SigningQuestion): string | undefined {
  return signers[signerName]?.(question)
}

export function kubeletClient({ certificate, usages }: SigningQuestion): string | undefined {
  const { dnsNames, emails, addresses, uris } = certificate
  if (dnsNames.length > 0) return 'DNS subjectAltNames are not allowed'
  if (emails.length > 0) return 'Email subjectAltNames are not allowed'
  if (addresses.length > 0) return 'IP subjectAltNames are not allowed'
  if (uris.length > 0) return 'URI subjectAltNames are not allowed'
  return ofNode(certificate) ?? usesOnly(usages, CLIENT_USAGES, ['digital signature', 'client auth'])
}

function kubeletServing({ certificate, usages }: SigningQuestion): string | undefined {
  const { dnsNames, emails, addresses, uris } = certificate
  if (emails.length > 0) return 'Email subjectAltNames are not allowed'
  if (uris.length > 0) return 'URI subjectAltNames are not allowed'
  if (dnsNames.length + addresses.length === 0) return 'DNS or IP subjectAltName is required'
  return ofNode(certificate) ?? usesOnly(usages, SERVING_USAGES, ['digital signature', 'server auth'])
}

function ofNode({ organizations, commonName }: RequestedCertificate): string | undefined {
  if (organizations.length !== 1 || organizations[0] !== 'system:nodes')
    return 'subject organization is not system:nodes'
  return commonName.startsWith('system:node:')
    ? undefined
    : 'subject common name does not begin with system:node:'
}

function usesOnly(
  usages: readonly string[],
  allowed: readonly string[],
  required: readonly string[],
): string | undefined {
  const isFine =
    usages.every((usage) => allowed.includes(usage)) && required.every((one) => usages.includes(one))
  return isFine ? undefined : `usages did not match ${JSON.stringify(allowed)}`
}
