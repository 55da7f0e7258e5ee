import { describe, expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import { persistentVolumeClaim } from '../api/kinds/persistent-volume-claim.ts'
import { uses } from './volume-protection.ts'

const owned = (uid: string) => ({
  ...persistentVolumeClaim.example,
  metadata: {
    name: 'app-data',
    namespace: 'default',
    ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'app', uid, controller: true }],
  },
})
const mounted = [{ name: 'v', persistentVolumeClaim: { claimName: 'app-data' } }]
const made = [{ name: 'data', ephemeral: { volumeClaimTemplate: { spec: {} } } }]
const gone = { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 }

describe('A pod', () => {
  test.each([
    ['with a node uses the claim it mounts', 'a', mounted, {}, 'Running', true],
    ['that has ended still uses it', 'a', mounted, {}, 'Succeeded', true],
    ['without a node does not', undefined, mounted, {}, 'Pending', false],
    ['uses the claim that was made for it', 'a', made, { uid: 'own' }, 'Running', true],
    [
      'does not use a claim that was made for one of its name before',
      'a',
      made,
      { uid: 'x' },
      'Running',
      false,
    ],
    [
      'does not use the claim made for it when nothing of it runs',
      'a',
      made,
      { uid: 'own', ...gone },
      'Running',
      false,
    ],
    ['of which nothing runs still uses one it only mounts', 'a', mounted, gone, 'Running', true],
  ])('%s', (_, nodeName, volumes, metadata, phase, expected) => {
    const pod = make.pod({
      metadata: { name: 'app', ...metadata },
      spec: { volumes, ...(nodeName ? { nodeName } : {}) },
      status: { phase },
    })
    expect(uses(pod, owned('own'))).toBe(expected)
  })
})
