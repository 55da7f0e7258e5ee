import { describe, expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import { overMemoryLimit } from './memory-pressure.ts'

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
