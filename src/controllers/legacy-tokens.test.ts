import { describe, expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import { formatTime } from '../base/date.ts'
import { planLegacyTokens } from './legacy-tokens.ts'

const DAY = 24 * 3_600_000
const NOW = Date.UTC(2028, 5, 1, 12)
const day = (ago: number) => formatTime(NOW - ago * DAY).slice(0, 10)

interface Given {
  readonly madeAgo?: number
  readonly usedAgo?: number | string
  readonly invalidAgo?: number
  readonly isMounted?: boolean
  readonly isNamed?: boolean
  readonly trackedAgo?: number
  readonly uid?: string
}

function plan(given: Given): string {
  const {
    madeAgo = 800,
    usedAgo,
    invalidAgo,
    isMounted,
    isNamed = true,
    trackedAgo = 800,
    uid = 'sa',
  } = given
  const label = (ago: number | string) => (typeof ago === 'string' ? ago : day(ago))
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/service-account-token',
    metadata: {
      namespace: 'default',
      name: 'bot-token-x',
      creationTimestamp: formatTime(NOW - madeAgo * DAY),
      annotations: {
        'kubernetes.io/service-account.name': 'bot',
        'kubernetes.io/service-account.uid': uid,
      },
      labels: {
        ...(usedAgo === undefined ? {} : { 'kubernetes.io/legacy-token-last-used': label(usedAgo) }),
        ...(invalidAgo === undefined ? {} : { 'kubernetes.io/legacy-token-invalid-since': day(invalidAgo) }),
      },
    },
  }
  const account = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { namespace: 'default', name: 'bot', uid: 'sa' },
    ...(isNamed ? { secrets: [{ name: 'bot-token-x' }] } : {}),
  }
  const env = [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'bot-token-x', key: 'token' } } }]
  const pods = isMounted ? [make.pod({ spec: { containers: [{ name: 'app', image: 'x', env }] } })] : []
  const { mark, remove } = planLegacyTokens({
    secrets: [secret],
    accounts: [account],
    pods,
    trackedSince: day(trackedAgo),
    now: NOW,
  })
  return mark.length > 0 ? 'marked' : remove.length > 0 ? 'removed' : 'kept'
}

describe('An old token of a service account', () => {
  test.each<[string, Given, string]>([
    ['that was never used', {}, 'marked'],
    ['that was last used more than a year ago', { usedAgo: 366 }, 'marked'],
    ['that was used a year ago', { usedAgo: 365 }, 'kept'],
    ['that is younger than a year', { madeAgo: 364 }, 'kept'],
    ['that a pod mentions', { isMounted: true }, 'kept'],
    ['that its account does not name', { isNamed: false }, 'kept'],
    ['of an account that was made anew', { uid: 'before' }, 'kept'],
    ['whose last use cannot be read', { usedAgo: 'yesterday' }, 'kept'],
    ['when uses are noted for less than a year and a day', { trackedAgo: 365 }, 'kept'],
    ['that was marked less than a year ago', { invalidAgo: 300 }, 'kept'],
    ['that was marked more than a year ago', { invalidAgo: 366 }, 'removed'],
    ['that was used after it was marked', { invalidAgo: 366, usedAgo: 10 }, 'kept'],
  ])('%s', (_, given, expected) => expect(plan(given)).toBe(expected))
})
