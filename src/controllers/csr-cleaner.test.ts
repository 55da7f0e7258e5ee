import { describe, expect, test } from 'vitest'
import { certificateSigningRequest } from '../api/kinds/certificate-signing-request.ts'
import { createAuthority, createClientCertificate } from '../base/certificates.ts'
import { formatTime } from '../base/date.ts'
import { endOf } from './csr-cleaner.ts'

const NOW = Date.UTC(2026, 0, 1, 12)
const HOUR = 3_600_000
const DAYS = 24 * HOUR
const authority = await createAuthority('ca', NOW - 800 * DAYS)
const issuedAt = async (at: number) => {
  const { certificatePem } = await createClientCertificate(authority, { commonName: 'jane' }, at)
  return Buffer.from(certificatePem).toString('base64')
}
const condition = (type: string, hoursAgo: number) => ({
  type,
  status: 'True',
  lastUpdateTime: formatTime(NOW - hoursAgo * HOUR),
})

describe('A signing request', () => {
  test.each([
    ['that nobody decided on goes after a day', [], undefined, 22],
    ['that was denied goes after an hour', [condition('Denied', 0.5)], undefined, 0.5],
    [
      'that failed goes after an hour',
      [condition('Approved', 9), condition('Failed', 0.25)],
      undefined,
      0.75,
    ],
    ['that was issued goes an hour after it was approved', [condition('Approved', 0.5)], NOW, 0.5],
    [
      'that was approved waits for its signer',
      [condition('Approved', 30)],
      undefined,
      Number.POSITIVE_INFINITY,
    ],
    ['whose certificate has run out goes at once', [condition('Approved', 0)], NOW - 400 * DAYS, 0],
  ])('%s', async (_, conditions, issued, hours) => {
    const request = {
      ...certificateSigningRequest.example,
      metadata: { name: 'jane', creationTimestamp: formatTime(NOW - 2 * HOUR) },
      status: { conditions, ...(issued === undefined ? {} : { certificate: await issuedAt(issued) }) },
    }
    expect((endOf(request, NOW) - NOW) / HOUR).toBe(hours)
  })
})
