import { describe, expect, test } from 'vitest'
import type { Deployment } from '../api/kinds/deployment.ts'
import type { ReplicaSet } from '../api/kinds/replica-set.ts'
import { podTemplateHash } from './pod-template-hash.ts'
import { findNewSet, newSetOf, revisionOf, syncedNewSet } from './revisions.ts'

const AMOUNTS = { desired: 3, maxSurge: 1, maxUnavailable: 0 }

function web(image: string, metadata: object = {}, status: Deployment['status'] = {}): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default', uid: 'd', ...metadata },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'app', image }] } },
    },
    status,
  }
}

const make = (deployment: Deployment, old: ReplicaSet[] = []) => newSetOf(deployment, old, AMOUNTS, 3)
const REVISION = 'deployment.kubernetes.io/revision'

describe('newSetOf', () => {
  test('names, labels and selects by the template hash', () => {
    const set = make(
      web('v1', { annotations: { note: 'x', 'kubectl.kubernetes.io/last-applied-configuration': '{}' } }),
    )
    const hash = podTemplateHash(web('v1').spec.template, undefined)
    expect(hash).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/)
    expect(set).toMatchObject({
      metadata: {
        name: `web-${hash}`,
        labels: { app: 'web', 'pod-template-hash': hash },
        annotations: {
          note: 'x',
          [REVISION]: '1',
          'deployment.kubernetes.io/desired-replicas': '3',
          'deployment.kubernetes.io/max-replicas': '4',
        },
        ownerReferences: [{ kind: 'Deployment', name: 'web', controller: true, blockOwnerDeletion: true }],
      },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'web', 'pod-template-hash': hash } },
        template: { metadata: { labels: { app: 'web', 'pod-template-hash': hash } } },
      },
    })
    expect(set.metadata.annotations).not.toHaveProperty('kubectl.kubernetes.io/last-applied-configuration')
  })
  test('has another name after a collision', () => {
    const names = [undefined, 1, 2].map(
      (collisionCount) =>
        make(web('v1', {}, collisionCount === undefined ? {} : { collisionCount })).metadata.name,
    )
    expect(new Set(names).size).toBe(3)
  })
})

describe('findNewSet', () => {
  const v1 = make(web('v1'))
  const v2 = make(web('v2'), [v1])
  test('finds the set of the template, also an old one (undo)', () => {
    expect(findNewSet(web('v2'), [v1, v2])).toBe(v2)
    expect(findNewSet(web('v1'), [v1, v2])).toBe(v1)
    expect(findNewSet(web('v3'), [v1, v2])).toBeUndefined()
  })
  test('finds a set whose template was changed when it was admitted', () => {
    const changed = { ...v2, spec: { ...v2.spec, template: make(web('mirror/v2')).spec.template } }
    expect(findNewSet(web('v2'), [v1, changed])).toBe(changed)
  })
  test('finds a set by its template when it carries no digest', () => {
    const { 'seamark.dev/pod-template-digest': _, ...annotations } = v1.metadata.annotations ?? {}
    const adopted = { ...v1, metadata: { ...v1.metadata, annotations } }
    expect(findNewSet(web('v1'), [adopted])).toBe(adopted)
  })
})

describe('syncedNewSet', () => {
  const v1 = make(web('v1'))
  const v2 = make(web('v2'), [v1])
  test('gives an old set that is new again the next revision and keeps the history', () => {
    const again = syncedNewSet(web('v1'), v1, [v2])
    expect(revisionOf(again)).toBe(3)
    expect(again.metadata.annotations?.['deployment.kubernetes.io/revision-history']).toBe('1')
  })
  test('leaves a set that is in sync as it is', () => {
    expect(syncedNewSet(web('v2'), v2, [v1])).toBe(v2)
  })
  test('takes over annotations and minReadySeconds', () => {
    const deployment = web('v2', { annotations: { team: 'x' } })
    const changed = { ...deployment, spec: { ...deployment.spec, minReadySeconds: 5 } }
    const synced = syncedNewSet(changed, v2, [v1])
    expect(synced.metadata.annotations?.['team']).toBe('x')
    expect(synced.spec.minReadySeconds).toBe(5)
  })
})
