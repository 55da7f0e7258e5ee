import { describe, expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { judgeMemory, overMemoryLimit } from './memory-pressure.ts'

const Mi = 2 ** 20
const pod = (limits: readonly (string | undefined)[], ofPod?: string) =>
  make.pod({
    spec: {
      containers: limits.map((memory, i) => ({
        name: `c${i}`,
        image: 'x',
        ...(memory === undefined ? {} : { resources: { limits: { memory } } }),
      })),
      ...(ofPod === undefined ? {} : { resources: { limits: { memory: ofPod } } }),
    },
  })

describe('A node short of memory', () => {
  const node = make.node({ status: { capacity: { memory: '1Gi' } } })
  const one = (name: string, request = '0', priority = 0, over: object = {}) =>
    make.pod({
      metadata: { name, uid: name, ...over },
      spec: {
        priority,
        containers: [{ name: 'app', image: 'x', resources: { requests: { memory: request } } }],
      },
    })
  const judge = (pods: readonly Pod[], mebibytes: readonly number[]) => {
    const used = mebibytes.map((mi) => mi * Mi)
    const { isShort, victim } = judgeMemory(node, pods, {
      cpu: 0,
      memory: used.reduce((sum, each) => sum + each, 0),
      pods: pods.map(({ metadata: { uid = '' } }, i) => ({
        uid,
        containers: [{ name: 'app', startedAt: 0, cpu: 0, memory: used[i] ?? 0, figures: [] }],
      })),
    })
    return [isShort, victim?.pod.metadata.name]
  }
  test.each([
    ['with 100Mi left is not', [one('a')], [924], [false, undefined]],
    ['with less evicts', [one('a')], [925], [true, 'a']],
    [
      'evicts who uses more than it asked for, however important',
      [one('promised', '600Mi', -5), one('greedy', '100Mi', 1000)],
      [500, 450],
      [true, 'greedy'],
    ],
    ['then the least important', [one('dear', '0', 10), one('cheap')], [800, 150], [true, 'cheap']],
    [
      'then who is furthest above its request',
      [one('a', '300Mi'), one('b', '100Mi')],
      [450, 480],
      [true, 'b'],
    ],
    ['evicts no critical pod', [one('system', '0', 2_000_000_000)], [1000], [true, undefined]],
    [
      'evicts nobody who is on the way out',
      [one('leaving', '0', 0, { deletionTimestamp: '2030-01-01T00:00:00Z' })],
      [1000],
      [true, undefined],
    ],
  ])('%s', (_, pods, mebibytes, expected) => {
    expect(judge(pods, mebibytes)).toEqual(expected)
  })
})

describe('Out of memory is', () => {
  test.each([
    ['nobody at the limit', pod(['100Mi']), [100], []],
    ['a container over its own limit', pod(['100Mi', '100Mi']), [101, 50], ['c0']],
    ['nobody without a limit', pod([undefined]), [5000], []],
    [
      'who has most, when all are over that of the pod',
      pod([undefined, undefined], '100Mi'),
      [30, 80],
      ['c1'],
    ],
    ['nobody while all together are within that of the pod', pod([undefined, '60Mi'], '100Mi'), [50, 50], []],
    [
      'who is over its own limit before that of the pod is looked at',
      pod(['10Mi', undefined], '100Mi'),
      [20, 90],
      ['c0'],
    ],
  ])('%s', (_, one, mebibytes, names) => {
    const used = mebibytes.map((mi, i) => ({ name: `c${i}`, memory: mi * Mi }))
    expect(overMemoryLimit(one, used)).toEqual(names)
  })
})
