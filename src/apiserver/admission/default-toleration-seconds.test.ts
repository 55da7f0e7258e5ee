import { describe, expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import { pod } from '../../api/kinds/pod.ts'
import type { Pod } from '../../api/pods.ts'
import type { AnyResource } from '../../api/resource.ts'
import type { AdmissionRequest } from './admission.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'

const NOT_READY = 'node.kubernetes.io/not-ready'
const UNREACHABLE = 'node.kubernetes.io/unreachable'
const added = (key: string) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 })

async function tolerationsOf(tolerations: NonNullable<Pod['spec']['tolerations']>, more: object = {}) {
  const object = make.pod({ spec: { tolerations } }) as unknown as AnyResource
  const request = { operation: 'CREATE', kind: pod, subresource: '', object, ...more }
  const asked = request as unknown as AdmissionRequest
  if (!defaultTolerationSeconds.concerns?.(asked)) return tolerations
  const admitted = await defaultTolerationSeconds.mutate?.(asked)
  return (admitted as unknown as Pod).spec.tolerations
}

describe('Tolerations of a lost node', () => {
  test('are five minutes each', async () =>
    expect(await tolerationsOf([])).toEqual([added(NOT_READY), added(UNREACHABLE)]))

  test.each<[string, NonNullable<Pod['spec']['tolerations']>]>([
    ['everything', [{ operator: 'Exists' }]],
    ['every NoExecute taint', [{ operator: 'Exists', effect: 'NoExecute' }]],
    [
      'both, in its own time',
      [NOT_READY, UNREACHABLE].map((key) => ({ ...added(key), tolerationSeconds: 5 })),
    ],
  ])('are left alone when the pod tolerates %s', async (_, tolerations) =>
    expect(await tolerationsOf(tolerations)).toEqual(tolerations),
  )

  test('are added for the one the pod says nothing of', async () => {
    const own = { ...added(NOT_READY), tolerationSeconds: 5 }
    expect(await tolerationsOf([own])).toEqual([own, added(UNREACHABLE)])
  })

  test('are added beside one for another effect', async () => {
    const own = { key: NOT_READY, operator: 'Exists', effect: 'NoSchedule' }
    expect(await tolerationsOf([own])).toEqual([own, added(NOT_READY), added(UNREACHABLE)])
  })

  test('are no business of a subresource', async () =>
    expect(await tolerationsOf([], { subresource: 'status' })).toEqual([]))
})
