import type * as Library from '@peculiar/x509'
import { ALGORITHM, certificateLibrary, importKey, newSerial, type Pair } from './certificates.ts'
import { dateOf, parseTime } from './date.ts'

/** Certificate signing requests (PKCS 10): read, checked, and made certificates by an authority. */
export interface RequestedCertificate {
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly dnsNames: readonly string[]
  readonly addresses: readonly string[]
  readonly emails: readonly string[]
  readonly uris: readonly string[]
}

/** Throws an Error that says what is wrong with the PEM text, its signature included. */
export async function readCertificateRequest(pem: string): Promise<RequestedCertificate> {
  const x509 = await certificateLibrary()
  const request = await parse(x509, pem)
  const names = alternativeNames(x509, request)?.names.toJSON() ?? []
  const ofType = (type: string) => names.filter((name) => name.type === type).map(({ value }) => value)
  return {
    commonName: request.subjectName.getField('CN')[0] ?? '',
    organizations: request.subjectName.getField('O'),
    dnsNames: ofType('dns'),
    addresses: ofType('ip'),
    emails: ofType('email'),
    uris: ofType('url'),
  }
}

async function parse(x509: typeof Library, pem: string): Promise<Library.Pkcs10CertificateRequest> {
  if (!pem.includes('-----BEGIN CERTIFICATE REQUEST-----'))
    throw new Error('PEM block type must be CERTIFICATE REQUEST')
  const request = new x509.Pkcs10CertificateRequest(pem)
  if (!(await request.verify())) throw new Error('the signature of the request does not fit its key')
  return request
}

function alternativeNames(
  x509: typeof Library,
  { extensions }: Library.Pkcs10CertificateRequest,
): Library.SubjectAlternativeNameExtension | undefined {
  return extensions.find((extension) => extension instanceof x509.SubjectAlternativeNameExtension)
}

/** Kubernetes' words for what a certificate is for, beside those of key usage (certificates/v1 KeyUsage). */
const KEY_USAGES: Readonly<Record<string, number>> = {
  signing: 1,
  'digital signature': 1,
  'content commitment': 2,
  'key encipherment': 4,
  'data encipherment': 8,
  'key agreement': 16,
  'cert sign': 32,
  'crl sign': 64,
  'encipher only': 128,
  'decipher only': 256,
}
const EXTENDED_KEY_USAGES: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
}

const BACKDATE_MS = 5 * 60_000

/** The certificate as PEM. It never outlives its authority. `now` in epoch ms. */
export async function signCertificateRequest(
  authority: Pair,
  pem: string,
  options: { readonly usages: readonly string[]; readonly seconds: number; readonly now: number },
): Promise<string> {
  const x509 = await certificateLibrary()
  const request = await parse(x509, pem)
  const issuer = new x509.X509Certificate(authority.certificatePem)
  const wantedEnd = options.now + options.seconds * 1000
  const end = Math.min(wantedEnd, parseTime(issuer.notAfter.toISOString()) ?? wantedEnd)
  const flags = options.usages.reduce((sum, usage) => sum | (KEY_USAGES[usage] ?? 0), 0)
  const extended = options.usages.flatMap((usage) => EXTENDED_KEY_USAGES[usage] ?? [])
  const names = alternativeNames(x509, request)
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    notBefore: dateOf(options.now - BACKDATE_MS),
    notAfter: dateOf(end),
    subject: request.subjectName,
    issuer: issuer.subjectName,
    publicKey: request.publicKey,
    signingKey: await importKey(x509, authority.keyPem),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      ...(flags > 0 ? [new x509.KeyUsagesExtension(flags, true)] : []),
      ...(extended.length > 0 ? [new x509.ExtendedKeyUsageExtension(extended)] : []),
      ...(names ? [names] : []),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  })
  return certificate.toString('pem')
}
