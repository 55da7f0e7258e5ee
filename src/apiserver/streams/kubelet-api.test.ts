import { describe, expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import { kubeletAnswer } from './kubelet-api.ts'

const NOW = 1_893_456_015_000
const container = { name: 'app', startedAt: NOW - 5000, cpu: 0.25, memory: 64 * 1024 * 1024, figures: [] }
const web = make.pod({
  metadata: { name: 'web', namespace: 'shop', uid: 'u1' },
  status: { phase: 'Running' } as never,
})
const waiting = make.pod({ metadata: { name: 'next', namespace: 'shop', uid: 'u2' } })
const view = {
  node: make.node({ metadata: { name: 'a' } }),
  pods: [web, waiting],
  usage: { cpu: 0.25, memory: 64 * 1024 * 1024, pods: [{ uid: 'u1', containers: [container] }] },
  now: NOW,
}
const get = (path: string) => kubeletAnswer('GET', path, view)

describe('The kubelet of a simulated node, through nodes/proxy,', () => {
  test.each([
    ['GET', '/healthz', 200, 'ok'],
    ['GET', '/nothing', 404, '404 page not found\n'],
    ['POST', '/pods', 405, 'Method Not Allowed\n'],
  ])('answers %s %s with %d', (method, path, code, body) => {
    expect(kubeletAnswer(method, path, view)).toMatchObject({ code, body })
  })

  test('lists its pods, and those that run', () => {
    const names = (path: string) =>
      (JSON.parse(get(path).body) as { items: (typeof web)[] }).items.map(({ metadata }) => metadata.name)
    expect([names('/pods'), names('/runningpods/')]).toEqual([['web', 'next'], ['web']])
  })

  test('sums up what is used', () => {
    const summary = JSON.parse(get('/stats/summary?only_cpu_and_memory=true').body) as object
    expect(summary).toMatchObject({
      node: { nodeName: 'a', cpu: { usageNanoCores: 250_000_000 } },
      pods: [
        {
          podRef: { name: 'web', namespace: 'shop', uid: 'u1' },
          memory: { workingSetBytes: 67_108_864 },
          containers: [{ name: 'app', startTime: '2030-01-01T00:00:10Z' }],
        },
      ],
    })
  })

  test('exposes metrics of resources', () => {
    expect(get('/metrics/resource').body).toContain(
      `container_memory_working_set_bytes{container="app",namespace="shop",pod="web"} 67108864 ${NOW}\n`,
    )
  })
})
