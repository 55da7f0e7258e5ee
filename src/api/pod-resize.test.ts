import { describe, expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import { pod as podKind } from './kinds/pod.ts'
import { allocatedSpec, heldSpec } from './pod-resize.ts'
import { usageOf } from './quota-usage.ts'

const SAID_OF = 2

/** Runs with 1 cpu, of 2 generations. */
function resized(cpu: string, condition: object | undefined, generation = SAID_OF) {
  const has = { requests: { cpu: '1' }, limits: { cpu: '2' } }
  return make.pod({
    metadata: { generation },
    spec: { containers: [{ name: 'app', image: 'x', resources: { ...has, requests: { cpu } } }] },
    status: {
      phase: 'Running',
      conditions: condition ? [{ status: 'True', observedGeneration: SAID_OF, ...condition } as never] : [],
      containerStatuses: [
        { name: 'app', image: 'x', allocatedResources: { cpu: '1' }, resources: has } as never,
      ],
    },
  })
}

const deferred = { type: 'PodResizePending', reason: 'Deferred' }
const infeasible = { type: 'PodResizePending', reason: 'Infeasible' }
const inProgress = { type: 'PodResizeInProgress' }

describe('A pod that is resized from 1 cpu', () => {
  test.each([
    ['to 3 counts for 3 until its node has seen it', '3', undefined, SAID_OF, '3', '3'],
    ['to 3, later, counts for 3 and has 1', '3', deferred, SAID_OF, '3', '1'],
    ['to 300, which cannot be, counts for what it has', '300', infeasible, SAID_OF, '1', '1'],
    ['to 3 after that counts for 3', '3', infeasible, SAID_OF + 1, '3', '1'],
    ['to 500m counts for 1 until it is done', '500m', inProgress, SAID_OF, '1', '1'],
  ])('%s', (_, cpu, condition, generation, held, allocated) => {
    const pod = resized(cpu, condition, generation)
    const cpuOf = (spec: ReturnType<typeof heldSpec>) => spec.containers[0]?.resources?.requests?.['cpu']
    expect([cpuOf(heldSpec(pod)), cpuOf(allocatedSpec(pod))]).toEqual([held, allocated])
    expect(usageOf(podKind, pod)).toMatchObject({ 'requests.cpu': held, 'limits.cpu': '2' })
  })

  test('is its spec when it is not resized', () => {
    const pod = resized('1', undefined)
    expect([heldSpec(pod), allocatedSpec(pod)].every((spec) => spec === pod.spec)).toBe(true)
  })
})
