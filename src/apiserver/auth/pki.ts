import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import {
  createAuthority,
  createClientCertificate,
  createServerCertificate,
  endsWithin,
  isFor,
  type Pair,
} from '../../base/certificates.ts'

/**
 * What the server and its administrator prove themselves with, kept in a directory of mode 0700 with files of 0600:
 * made once, read again at every start, certificates renewed when less than 30 days are left (the authority: never;
 * it lasts ten years). `memoryPki` is the same without a directory.
 */
export interface Pki {
  readonly authority: Pair
  readonly server: Pair
  /** O=system:masters, CN=kubernetes-admin. */
  readonly admin: Pair
  /** A bearer token for the same administrator. */
  readonly adminToken: string
  /** Signs tokens of service accounts: P-256, PKCS 8. */
  readonly tokenKeyPem: string
}

const RENEW_WITHIN_MS = 30 * 24 * 3_600_000
const DNS_NAMES = [
  'localhost',
  'seamark',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
]
const ADDRESSES = ['127.0.0.1', '::1', '10.96.0.1']
const ADMIN = { commonName: 'kubernetes-admin', organizations: ['system:masters'] }

export async function memoryPki(options: { readonly host: string; readonly now: number }): Promise<Pki> {
  const authority = await createAuthority('seamark-ca', options.now)
  return {
    authority,
    server: await newServer(authority, options),
    admin: await createClientCertificate(authority, ADMIN, options.now),
    adminToken: newToken(),
    tokenKeyPem: newTokenKey(),
  }
}

/** `host`: what the server listens on; it is added to the names of its certificate. */
export async function openPki(
  directory: string,
  options: { readonly host: string; readonly now: number },
): Promise<Pki> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await chmod(directory, 0o700)
  const { now, host } = options
  const authority =
    (await readPair(directory, 'ca')) ??
    (await writePair(directory, 'ca', await createAuthority('seamark-ca', now)))
  const [server, admin, adminToken, tokenKeyPem] = await Promise.all([
    keptPair(
      directory,
      'server',
      (pair) => !endsWithin(pair, now, RENEW_WITHIN_MS) && answersTo(pair, host),
      () => newServer(authority, options),
    ),
    keptPair(
      directory,
      'admin',
      (pair) => !endsWithin(pair, now, RENEW_WITHIN_MS),
      () => createClientCertificate(authority, ADMIN, now),
    ),
    keptText(join(directory, 'admin.token'), newToken),
    keptText(join(directory, 'sa.key'), newTokenKey),
  ])
  return { authority, server, admin, adminToken, tokenKeyPem }
}

async function keptText(path: string, make: () => string): Promise<string> {
  return (await readText(path)) ?? (await writeText(path, make()))
}

async function keptPair(
  directory: string,
  name: string,
  isGood: (pair: Pair) => boolean,
  make: () => Promise<Pair>,
): Promise<Pair> {
  const kept = await readPair(directory, name)
  return kept && isGood(kept) ? kept : writePair(directory, name, await make())
}

/** Written whole or not at all, readable by the owner only. */
export async function writeText(path: string, text: string): Promise<string> {
  const part = `${path}.part`
  const file = await open(part, 'w', 0o600)
  try {
    await file.chmod(0o600)
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(part, path)
  return text
}

function newServer(
  authority: Pair,
  { host, now }: { readonly host: string; readonly now: number },
): Promise<Pair> {
  const isAddress = /^[\d.]+$|:/.test(host)
  return createServerCertificate(authority, {
    commonName: 'seamark',
    dnsNames: isAddress || DNS_NAMES.includes(host) ? DNS_NAMES : [...DNS_NAMES, host],
    addresses: isAddress && !ADDRESSES.includes(host) ? [...ADDRESSES, host] : ADDRESSES,
    now,
  })
}

function answersTo(server: Pair, host: string): boolean {
  return isFor(server, host) || host === '0.0.0.0' || host === '::'
}

function newToken(): string {
  return randomBytes(32).toString('base64url')
}

function newTokenKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
}

async function readPair(directory: string, name: string): Promise<Pair | undefined> {
  const certificatePem = await readText(join(directory, `${name}.crt`))
  const keyPem = await readText(join(directory, `${name}.key`))
  return certificatePem && keyPem ? { certificatePem, keyPem } : undefined
}

/** The key first: a certificate without its key would be taken for a pair. */
async function writePair(directory: string, name: string, pair: Pair): Promise<Pair> {
  await writeText(join(directory, `${name}.key`), pair.keyPem)
  await writeText(join(directory, `${name}.crt`), pair.certificatePem)
  return pair
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
