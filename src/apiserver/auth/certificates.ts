import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { dateOf } from '../../base/date.ts'

/**
 * A certificate authority of our own: P-256 keys, one CA, server and client certificates signed by it. Keys and
 * serials come from node:crypto, times are arguments (epoch ms).
 */
export interface Pair {
  readonly certificatePem: string
  readonly keyPem: string
}

interface Subject {
  readonly commonName: string
  /** Kubernetes reads them as groups. */
  readonly organizations?: readonly string[]
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
export const CA_DAYS = 3650
export const LEAF_DAYS = 365

x509.cryptoProvider.set(webcrypto)

export async function createAuthority(commonName: string, now: number): Promise<Pair> {
  const keys = await newKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(now, CA_DAYS),
    serialNumber: serial(),
    name: nameOf({ commonName }),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return pairOf(certificate, keys)
}

/** For servers: the names and addresses it answers to. */
export function createServerCertificate(
  authority: Pair,
  options: {
    readonly commonName: string
    readonly dnsNames: readonly string[]
    readonly addresses: readonly string[]
    readonly now: number
  },
): Promise<Pair> {
  return createLeaf(authority, { commonName: options.commonName }, options.now, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension([
      ...options.dnsNames.map((value) => ({ type: 'dns' as const, value })),
      ...options.addresses.map((value) => ({ type: 'ip' as const, value })),
    ]),
  ])
}

export function createClientCertificate(authority: Pair, subject: Subject, now: number): Promise<Pair> {
  return createLeaf(authority, subject, now, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
  ])
}

/** Whether the certificate ends within `withinMs` (or already has), or cannot be read. */
export function endsWithin(pair: Pair, now: number, withinMs: number): boolean {
  return new x509.X509Certificate(pair.certificatePem).notAfter.getTime() - now < withinMs
}

/** The DNS names and addresses a server certificate was made for. */
export function namesOf(pair: Pair): readonly string[] {
  const extension = new x509.X509Certificate(pair.certificatePem).getExtension(
    x509.SubjectAlternativeNameExtension,
  )
  return extension?.names.items.map(({ value }) => value) ?? []
}

async function createLeaf(
  authority: Pair,
  subject: Subject,
  now: number,
  extensions: readonly x509.Extension[],
): Promise<Pair> {
  const issuer = new x509.X509Certificate(authority.certificatePem)
  const keys = await newKeys()
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(now, LEAF_DAYS),
    serialNumber: serial(),
    subject: nameOf(subject),
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.keyPem),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...extensions,
    ],
  })
  return pairOf(certificate, keys)
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>
}

function nameOf({ commonName, organizations = [] }: Subject): x509.JsonName {
  return [...organizations.map((name) => ({ O: [name] })), { CN: [commonName] }]
}

/** An hour early, so that clients whose clocks lag can connect at once. */
function validity(now: number, days: number) {
  return { notBefore: dateOf(now - HOUR_MS), notAfter: dateOf(now + days * DAY_MS) }
}

/** Positive, 16 bytes. */
function serial(): string {
  const bytes = Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)))
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01
  return bytes.toString('hex')
}

async function pairOf(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair): Promise<Pair> {
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { certificatePem: certificate.toString('pem'), keyPem: x509.PemConverter.encode(key, 'PRIVATE KEY') }
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const [der] = x509.PemConverter.decode(pem)
  return webcrypto.subtle.importKey('pkcs8', der as ArrayBuffer, ALGORITHM, false, [
    'sign',
  ]) as Promise<webcrypto.CryptoKey>
}
