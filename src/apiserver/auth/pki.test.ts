import { createPublicKey, X509Certificate } from 'node:crypto'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createAuthority, createClientCertificate, endsWithin } from '../../base/certificates.ts'
import { openPki } from './pki.ts'

const NOW = Date.UTC(2026, 5, 1)
const DAY_MS = 24 * 3_600_000

describe('certificates', () => {
  test('a client certificate verifies against its authority and carries name and groups', async () => {
    const authority = await createAuthority('test-ca', NOW)
    const client = await createClientCertificate(
      authority,
      { commonName: 'jane', organizations: ['dev', 'ops'] },
      NOW,
    )
    const certificate = new X509Certificate(client.certificatePem)
    expect(certificate.verify(createPublicKey(authority.certificatePem))).toBe(true)
    expect(certificate.ca).toBe(false)
    expect(certificate.subject.split('\n')).toEqual(['O=dev', 'O=ops', 'CN=jane'])
    expect(new X509Certificate(authority.certificatePem).ca).toBe(true)
  })

  test('endsWithin says when a year is nearly over', async () => {
    const authority = await createAuthority('test-ca', NOW)
    const client = await createClientCertificate(authority, { commonName: 'jane' }, NOW)
    expect([300, 340, 400].map((days) => endsWithin(client, NOW + days * DAY_MS, 30 * DAY_MS))).toEqual([
      false,
      true,
      true,
    ])
  })
})

describe('pki directory', () => {
  test('is private, made once and read again; the server certificate follows time and host', async () => {
    const directory = join(await mkdtemp(join(tmpdir(), 'seamark-pki-')), 'pki')
    try {
      const first = await openPki(directory, { host: '127.0.0.1', now: NOW })
      expect((await stat(directory)).mode & 0o777).toBe(0o700)
      for (const file of ['ca.key', 'server.key', 'admin.key', 'admin.token', 'ca.crt']) {
        expect((await stat(join(directory, file))).mode & 0o777, file).toBe(0o600)
      }
      expect(await openPki(directory, { host: '127.0.0.1', now: NOW + DAY_MS })).toEqual(first)
      const later = await openPki(directory, { host: '127.0.0.1', now: NOW + 350 * DAY_MS })
      expect(later.authority).toEqual(first.authority)
      expect(later.adminToken).toBe(first.adminToken)
      expect(later.server).not.toEqual(first.server)
      const elsewhere = await openPki(directory, { host: 'cluster.example.org', now: NOW + 350 * DAY_MS })
      expect(new X509Certificate(elsewhere.server.certificatePem).subjectAltName).toContain(
        'DNS:cluster.example.org',
      )
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})
