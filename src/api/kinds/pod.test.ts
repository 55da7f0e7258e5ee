import { describe, expect, test } from 'vitest'
import type { Pod } from '../pods.ts'
import { pod } from './pod.ts'

const make = (spec: Partial<Pod['spec']> = {}, status?: Pod['status']): Pod => ({
  ...pod.example,
  spec: { ...pod.example.spec, ...spec },
  ...(status ? { status } : {}),
})

describe('Pod', () => {
  test('is pending when it is made, whatever it says', () =>
    expect(pod.prepareForCreate(make({}, { phase: 'Running' })).status).toEqual({
      phase: 'Pending',
      qosClass: 'BestEffort',
    }))

  test('says that it is gated when it is made', () =>
    expect(pod.prepareForCreate(make({ schedulingGates: [{ name: 'a' }] })).status?.conditions).toEqual([
      {
        type: 'PodScheduled',
        status: 'False',
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ]))

  test.each<[string, Pod, string]>([
    ['spec.nodeName', make({ nodeName: 'n' }), 'n'],
    ['spec.nodeName', make(), ''],
    ['spec.restartPolicy', make({ restartPolicy: 'Never' }), 'Never'],
    ['spec.schedulerName', make({ schedulerName: 's' }), 's'],
    ['spec.serviceAccountName', make({ serviceAccountName: 'robot' }), 'robot'],
    ['spec.hostNetwork', make({ hostNetwork: true }), 'true'],
    ['spec.hostNetwork', make(), 'false'],
    ['status.phase', make({}, { phase: 'Running' }), 'Running'],
    ['status.podIP', make({}, { podIP: '10.0.0.1' }), '10.0.0.1'],
    ['status.podIPs', make({}, { podIPs: [{ ip: '10.0.0.1' }, { ip: '::1' }] }), '10.0.0.1,::1'],
    ['status.nominatedNodeName', make({}, { nominatedNodeName: 'n' }), 'n'],
  ])('is found by %s', (field, given, expected) => expect(pod.fieldSelectors[field]?.(given)).toBe(expected))
})
