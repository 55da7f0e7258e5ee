import { webcrypto, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type * as Library from '@peculiar/x509'
import { dateOf, parseTime } from './date.ts'

/**
 * A certificate authority of our own: P-256 keys, one CA, server and client certificates signed by it. Keys and
 * serials come from node:crypto, times are arguments (epoch ms). The library that writes certificates is loaded when
 * one has to be written: most starts find what they need.
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

export const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
export const CA_DAYS = 3650
export const LEAF_DAYS = 365

export async function certificateLibrary(): Promise<typeof Library> {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  x509.cryptoProvider.set(webcrypto)
  return x509
}

export async function createAuthority(commonName: string, now: number): Promise<Pair> {
  const x509 = await certificateLibrary()
  const keys = await newKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(now, CA_DAYS),
    serialNumber: newSerial(),
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
  return pairOf(x509, certificate, keys)
}

/** For servers: the names and addresses it answers to. */
export async function createServerCertificate(
  authority: Pair,
  options: {
    readonly commonName: string
    readonly dnsNames: readonly string[]
    readonly addresses: readonly string[]
    readonly now: number
  },
): Promise<Pair> {
  const x509 = await certificateLibrary()
  return createLeaf(x509, authority, { commonName: options.commonName }, options.now, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension([
      ...options.dnsNames.map((value) => ({ type: 'dns' as const, value })),
      ...options.addresses.map((value) => ({ type: 'ip' as const, value })),
    ]),
  ])
}

export async function createClientCertificate(authority: Pair, subject: Subject, now: number): Promise<Pair> {
  const x509 = await certificateLibrary()
  return createLeaf(x509, authority, subject, now, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
  ])
}

/** Whether the certificate ends within `withinMs` (or already has), or cannot be read. */
export function endsWithin(pair: Pick<Pair, 'certificatePem'>, now: number, withinMs: number): boolean {
  return (parseTime(new X509Certificate(pair.certificatePem).validTo) ?? 0) - now < withinMs
}

/** Whether a server certificate was made for this DNS name or address. */
export function isFor(pair: Pair, host: string): boolean {
  const certificate = new X509Certificate(pair.certificatePem)
  return (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined
}

async function createLeaf(
  x509: typeof Library,
  authority: Pair,
  subject: Subject,
  now: number,
  extensions: readonly Library.Extension[],
): Promise<Pair> {
  const issuer = new x509.X509Certificate(authority.certificatePem)
  const keys = await newKeys()
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(now, LEAF_DAYS),
    serialNumber: newSerial(),
    subject: nameOf(subject),
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: await importKey(x509, authority.keyPem),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...extensions,
    ],
  })
  return pairOf(x509, certificate, keys)
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>
}

function nameOf({ commonName, organizations = [] }: Subject): Library.JsonName {
  return [...organizations.map((name) => ({ O: [name] })), { CN: [commonName] }]
}

/** An hour early, so that clients whose clocks lag can connect at once. */
function validity(now: number, days: number) {
  return { notBefore: dateOf(now - HOUR_MS), notAfter: dateOf(now + days * DAY_MS) }
}

/** Positive, 16 bytes. */
export function newSerial(): string {
  const bytes = Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)))
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01
  return bytes.toString('hex')
}

async function pairOf(
  x509: typeof Library,
  certificate: Library.X509Certificate,
  keys: webcrypto.CryptoKeyPair,
): Promise<Pair> {
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { certificatePem: certificate.toString('pem'), keyPem: x509.PemConverter.encode(key, 'PRIVATE KEY') }
}

export function importKey(x509: typeof Library, pem: string): Promise<webcrypto.CryptoKey> {
  const [der] = x509.PemConverter.decode(pem)
  return webcrypto.subtle.importKey('pkcs8', der as ArrayBuffer, ALGORITHM, false, [
    'sign',
  ]) as Promise<webcrypto.CryptoKey>
}
