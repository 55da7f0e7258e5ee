import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../../test/support/cluster.ts'
import { make } from '../../../test/support/make.ts'
import { ApiError } from '../../api/status.ts'
import { formatTime } from '../../base/date.ts'
import { Tokens, tokenDueAt } from './tokens.ts'

const HOUR = 3_600_000

describe('A token', () => {
  test.each([
    ['at 80 % of an hour', HOUR, 0.8 * HOUR],
    ['at 80 % of ten minutes', HOUR / 6, 8 * 60_000],
    ['after a day of a week', 7 * 24 * HOUR, 24 * HOUR],
  ])('is replaced %s', (_, life, dueAt) => {
    expect(tokenDueAt(life, life)).toBe(dueAt)
  })
})

describe('The tokens of a pod', () => {
  const projection = { path: 'token', expirationSeconds: 3600 }
  const pod = make.pod({
    metadata: { uid: 'p-1' },
    spec: {
      serviceAccountName: 'robot',
      volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: projection }] } }],
    },
  })
  let cluster: TestCluster
  let tokens: Tokens
  let asked: unknown[]
  let refuses: boolean
  beforeEach(async () => {
    cluster = await createTestCluster()
    asked = []
    refuses = false
    cluster.registry.answers.set('serviceaccounts/token', (key, body) => {
      if (refuses) throw new ApiError('NotFound', 'no such account')
      const { spec } = body as { spec: { expirationSeconds: number } }
      asked.push([key.name, spec])
      const expirationTimestamp = formatTime(cluster.clock.now() + spec.expirationSeconds * 1000)
      return { status: { token: `t${asked.length}`, expirationTimestamp } }
    })
    tokens = new Tokens(cluster.env, cluster.client)
  })
  afterEach(() => cluster.close())

  test('are asked for when something is about to read them, once at a time, bound to the pod', async () => {
    expect(asked).toEqual([])
    await Promise.all([tokens.prepare(pod), tokens.prepare(pod)])
    await tokens.prepare(pod)
    expect(asked).toEqual([
      [
        'robot',
        {
          expirationSeconds: 3600,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'web', uid: 'p-1' },
        },
      ],
    ])
    expect(tokens.current(pod, projection)).toBe('t1')
  })

  test('are renewed for who reads after 80 % of their life', async () => {
    await tokens.prepare(pod)
    await cluster.clock.run(47 * 60_000)
    await tokens.prepare(pod)
    expect(tokens.current(pod, projection)).toBe('t1')
    await cluster.clock.run(2 * 60_000)
    await tokens.prepare(pod)
    expect(tokens.current(pod, projection)).toBe('t2')
  })

  test('stay as they were while no better one is to be had', async () => {
    await tokens.prepare(pod)
    refuses = true
    await cluster.clock.run(50 * 60_000)
    await tokens.prepare(pod)
    expect(tokens.current(pod, projection)).toBe('t1')
    refuses = false
    await cluster.clock.run(10_000)
    await tokens.prepare(pod)
    expect(tokens.current(pod, projection)).toBe('t2')
  })

  test('are gone with the pod', async () => {
    await tokens.prepare(pod)
    tokens.forget('p-1')
    expect(tokens.current(pod, projection)).toBeUndefined()
  })
})
