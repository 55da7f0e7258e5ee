import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { node, pod, snapshotOf } from '../../test/support/scheduling.ts'
import { systemClock } from '../base/clock.ts'
import { seededRandom } from '../base/random.ts'
import { decide } from './decide.ts'
import { decideWithExtenders, Extender } from './extender.ts'
import { preemptionFor } from './extender-preemption.ts'
import { tlsOptions } from './extender-transport.ts'
import { fitErrorMessage } from './fit-error.ts'
import { podInfo } from './pod-info.ts'
import { defaultFramework } from './profile.ts'

/** Leaves out nodes named "bad…" and thinks best of "good…". */
const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const asked = JSON.parse(Buffer.concat(chunks).toString()) as {
      NodeNames?: string[]
      NodeNameToMetaVictims?: Record<string, object>
    }
    const nodenames = asked.NodeNames ?? []
    const bad = nodenames.filter((name) => name.startsWith('bad'))
    const answers: Record<string, unknown> = {
      '/filter': {
        nodenames: nodenames.filter((name) => !bad.includes(name)),
        failedNodes: Object.fromEntries(bad.map((name) => [name, 'is bad'])),
      },
      '/prioritize': nodenames.map((host) => ({ host, score: host.startsWith('good') ? 10 : 0 })),
      '/go': { NodeNames: nodenames.slice(0, 1), FailedNodes: {}, Error: '' },
      '/preempt': { NodeNameToMetaVictims: { a: { Pods: [{ UID: 'x' }], NumPDBViolations: 0 } } },
      '/stranger': { nodeNameToMetaVictims: { a: { pods: [{ uid: 'nobody' }] } } },
      '/spare': { NodeNameToMetaVictims: {} },
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

  test('is understood in the words of Go', async () => {
    expect(await decided(['a', 'b'], extender({ filterVerb: 'go', prioritizeVerb: '' }))).toBe('a')
  })

  test('is asked about pods with its resources only', () => {
    const managed = extender({ managedResources: [{ name: 'example.com/gpu' }] })
    expect(managed.isInterested(podInfo(pod('p')))).toBe(false)
    expect(managed.isInterested(podInfo(pod('q', { 'example.com/gpu': '1' })))).toBe(true)
  })
})

describe('An extender with a say in preemption', () => {
  const preempting = async (verb: string, more: object = {}) => {
    const small = { allocatable: { cpu: '1' } }
    const low = (name: string) => pod(name, { cpu: '1' })
    const snapshot = snapshotOf([node('a', small), node('b', small)], { a: [low('x')], b: [low('y')] })
    const info = podInfo(pod('p', { cpu: '1' }, { priority: 10 }))
    const decision = decide(info, snapshot, defaultFramework(), seededRandom(1))
    if (decision.fits) return 'fits'
    const found = await preemptionFor(
      info,
      decision.error,
      snapshot,
      defaultFramework(),
      [],
      seededRandom(1),
      [extender({ preemptVerb: verb, ...more })],
    )
    if (!found?.helps) return found?.message
    return `${found.chosen.node}: ${found.chosen.victims.map(({ key }) => key).join()}`
  }

  test('leaves nodes out', async () => {
    expect(await preempting('preempt')).toBe('a: default/x')
  })

  test('may leave none', async () => {
    expect(await preempting('spare')).toBe('no candidate node for preemption')
  })

  test('must not name a pod that is not there, unless it may be ignored', async () => {
    await expect(preempting('stranger')).rejects.toThrow(
      /claims to preempt pod \(UID: nobody\) on node: a, but the pod is not found on that node/,
    )
    expect(await preempting('stranger', { ignorable: true })).toMatch(/^[ab]: default\/[xy]$/)
  })
})

test('An extender over TLS verifies what its configuration says', () => {
  const data = Buffer.from('PEM').toString('base64')
  const ca = Buffer.from('PEM')
  expect(tlsOptions({})).toEqual({})
  expect(tlsOptions({ enableHTTPS: true })).toEqual({ rejectUnauthorized: false })
  expect(tlsOptions({ enableHTTPS: true, tlsConfig: { caData: data, serverName: 'x' } })).toEqual({
    ca,
    servername: 'x',
  })
  expect(tlsOptions({ tlsConfig: { insecure: true, certData: data, keyData: data } })).toEqual({
    rejectUnauthorized: false,
    cert: ca,
    key: ca,
  })
})
