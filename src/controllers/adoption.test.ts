import { describe, expect, test } from 'vitest'
import { clientWith } from '../../test/support/client-with.ts'
import { pod } from '../api/kinds/pod.ts'
import type { Resource } from '../api/resource.ts'
import { conflict, notFound } from '../api/status.ts'
import type { Client } from '../client/client.ts'
import { decideClaims, letGo } from './adoption.ts'

const owner = (metadata: object = {}): Resource => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'web', namespace: 'default', uid: 'me', ...metadata },
})

function child(labels: Record<string, string>, controller?: string, metadata: object = {}): Resource {
  const reference = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: 'x',
    uid: controller ?? '',
    controller: true,
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', labels, ownerReferences: controller ? [reference] : [], ...metadata },
  }
}

const matches = (labels: Readonly<Record<string, string>>) => labels['app'] === 'web'
const GOING = { deletionTimestamp: '2030-01-01T00:00:00Z' }

describe('decideClaims', () => {
  test.each<[string, Resource, Resource, 'owned' | 'adopt' | 'release' | undefined]>([
    ['owns what matches and refers to it', owner(), child({ app: 'web' }, 'me'), 'owned'],
    ['releases what no longer matches', owner(), child({ app: 'db' }, 'me'), 'release'],
    ['adopts what matches and has no controller', owner(), child({ app: 'web' }), 'adopt'],
    ['leaves what another one controls', owner(), child({ app: 'web' }, 'other'), undefined],
    ['leaves what does not match', owner(), child({ app: 'db' }), undefined],
    ['does not adopt what is going', owner(), child({ app: 'web' }, undefined, GOING), undefined],
    ['does not adopt while going itself', owner(GOING), child({ app: 'web' }), undefined],
    ['does not release while going itself', owner(GOING), child({ app: 'db' }, 'me'), undefined],
  ])('%s', (_, me, candidate, expected) => {
    const claims = decideClaims(me, [candidate], matches)
    const found = (['owned', 'adopt', 'release'] as const).find((each) => claims[each].length > 0)
    expect(found).toBe(expected)
  })
})

describe('Letting go', () => {
  const mine = child({ app: 'web' }, 'me', { uid: 'a' })
  const refused = conflict(pod, 'p')
  test.each<[string, () => unknown, boolean]>([
    ['is tried again when somebody else wrote to the object', () => mine, true],
    ['is over when another object has its name', () => child({}, undefined, { uid: 'b' }), false],
    ['is over when it has gone', () => Promise.reject(notFound(pod, 'p')), false],
  ])('%s', async (_, get, throws) => {
    const client = clientWith({} as Client, {
      patch: () => Promise.reject(refused),
      get: async () => (await get()) as never,
    })
    const letting = letGo(client, pod, mine, { finalizers: [] })
    if (throws) await expect(letting).rejects.toBe(refused)
    else await letting
  })
})
