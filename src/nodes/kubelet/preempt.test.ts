import { describe, expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import { victimsFor } from './preempt.ts'

const pod = (
  name: string,
  cpu: string,
  more: { memory?: string; priority?: number; sure?: boolean } = {},
) => {
  const { memory = '0', priority = 0, sure = false } = more
  const requests = { ...(cpu === '0' ? {} : { cpu }), ...(memory === '0' ? {} : { memory }) }
  const resources = { requests, ...(sure ? { limits: requests } : {}) }
  return make.pod({
    metadata: { name },
    spec: { priority, containers: [{ name: 'app', image: 'x', resources }] },
  })
}
const critical = pod('critical', '1', { priority: 2_000_000_000 })
const cpu = (amount: number) => ({ resource: 'cpu', amount })
const memory = (amount: number) => ({ resource: 'memory', amount })
const Gi = 2 ** 30

describe('For a critical pod goes', () => {
  test.each<[string, Parameters<typeof victimsFor>, readonly string[] | string]>([
    ['nobody when nothing is missing', [critical, [pod('a', '1')], []], []],
    ['the one that is enough', [critical, [pod('a', '500m'), pod('b', '1')], [cpu(800)]], ['b']],
    ['the smaller of two that are', [critical, [pod('a', '2'), pod('b', '1')], [cpu(800)]], ['b']],
    [
      'more than one where it takes more',
      [critical, [pod('a', '300m'), pod('b', '700m'), pod('c', '200m')], [cpu(900)]],
      ['b', 'c'],
    ],
    [
      'who was promised less',
      [
        critical,
        [pod('sure', '1', { memory: '1Gi', sure: true }), pod('a', '500m'), pod('b', '500m')],
        [cpu(900)],
      ],
      ['a', 'b'],
    ],
    [
      'who brings all that is missing',
      [critical, [pod('a', '1'), pod('b', '1', { memory: '2Gi' })], [cpu(500), memory(Gi)]],
      ['b'],
    ],
    [
      'anyone for the sake of their number',
      [critical, [pod('a', '0')], [{ resource: 'pods', amount: 1 }]],
      ['a'],
    ],
    [
      'no other critical pod',
      [critical, [pod('a', '1', { priority: 2_000_000_000 })], [cpu(500)]],
      'no set of running pods found to reclaim resources: [(res: cpu, q: 500), ]',
    ],
    [
      'nobody when all together are not enough',
      [critical, [pod('a', '1'), pod('b', '1')], [cpu(3000)]],
      'no set of running pods found to reclaim resources: [(res: cpu, q: 1000), ]',
    ],
  ])('%s', (_, given, expected) => {
    const found = victimsFor(...given)
    expect(typeof found === 'string' ? found : found.map(({ metadata }) => metadata.name)).toEqual(expected)
  })
})
