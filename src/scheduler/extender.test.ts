import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { node, pod, snapshotOf } from '../../test/support/scheduling.ts'
import { systemClock } from '../base/clock.ts'
import { seededRandom } from '../base/random.ts'
import { decideWithExtenders, Extender } from './extender.ts'
import { fitErrorMessage } from './fit-error.ts'
import { podInfo } from './pod-info.ts'
import { defaultFramework } from './profile.ts'

/** Leaves out nodes named "bad…" and thinks best of "good…". */
const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const { nodenames = [] } = JSON.parse(Buffer.concat(chunks).toString()) as { nodenames?: string[] }
    const bad = nodenames.filter((name) => name.startsWith('bad'))
    const answers: Record<string, unknown> = {
      '/filter': {
        nodenames: nodenames.filter((name) => !bad.includes(name)),
        failedNodes: Object.fromEntries(bad.map((name) => [name, 'is bad'])),
      },
      '/prioritize': nodenames.map((host) => ({ host, score: host.startsWith('good') ? 10 : 0 })),
      '/error': { error: 'out of order' },
    }
    response.end(JSON.stringify(answers[request.url ?? '']))
  })
})
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve())))
afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())))

const extender = (more: object = {}) =>
  new Extender(systemClock, {
    urlPrefix: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    filterVerb: 'filter',
    prioritizeVerb: 'prioritize',
    weight: 5,
    nodeCacheCapable: true,
    ...more,
  })
const decided = async (names: readonly string[], each: Extender) => {
  const snapshot = snapshotOf(names.map((name) => node(name)))
  const decision = await decideWithExtenders(
    podInfo(pod('p')),
    snapshot,
    defaultFramework(),
    seededRandom(1),
    [each],
  )
  return decision.fits ? decision.node : fitErrorMessage(decision.error)
}

describe('An extender', () => {
  test('leaves nodes out and adds to the scores', async () => {
    expect(await decided(['bad', 'plain', 'good'], extender())).toBe('good')
  })

  test('may leave none, and its reasons are told', async () => {
    expect(await decided(['bad1', 'bad2'], extender())).toBe('0/2 nodes are available: 2 is bad.')
  })

  test('that fails stops the pod, unless it may be ignored', async () => {
    await expect(decided(['a'], extender({ filterVerb: 'error' }))).rejects.toThrow('out of order')
    expect(await decided(['a'], extender({ filterVerb: 'error', ignorable: true }))).toBe('a')
  })

  test('is asked about pods with its resources only', () => {
    const managed = extender({ managedResources: [{ name: 'example.com/gpu' }] })
    expect(managed.isInterested(podInfo(pod('p')))).toBe(false)
    expect(managed.isInterested(podInfo(pod('q', { 'example.com/gpu': '1' })))).toBe(true)
  })
})
