import { describe, expect, test } from 'vitest'
import type { V1NodeCondition, V1Taint } from '../api/generated/types.ts'
import type { Lease } from '../api/kinds/lease.ts'
import type { Node } from '../api/kinds/node.ts'
import { formatTime } from '../base/date.ts'
import {
  conditionTaints,
  isSilent,
  observe,
  silentConditions,
  withConditionTaints,
  withEvictionTaint,
} from './node-health.ts'

const NOW = 1_893_456_000_000
const AT = formatTime(NOW)

function node(
  ready: string | undefined,
  more: { conditions?: V1NodeCondition[]; taints?: V1Taint[]; cordoned?: boolean } = {},
): Node {
  const condition = { type: 'Ready', status: ready ?? '', lastHeartbeatTime: AT, reason: 'KubeletReady' }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'a' },
    spec: { taints: more.taints ?? [], ...(more.cordoned ? { unschedulable: true } : {}) },
    status: { conditions: [...(ready === undefined ? [] : [condition]), ...(more.conditions ?? [])] },
  }
}

const lease = (renewTime: string): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'a', namespace: 'kube-node-lease' },
  spec: { renewTime },
})

describe('a node is silent', () => {
  const probe = observe(undefined, node('True'), lease('one'), NOW)
  test('after 50 s without a sign, not before', () => {
    expect(isSilent(probe, node('True'), NOW + 50_000)).toBe(false)
    expect(isSilent(probe, node('True'), NOW + 50_001)).toBe(true)
  })
  test('after 60 s when it never reported', () => {
    const never = observe(undefined, node(undefined), undefined, NOW)
    expect(isSilent(never, node(undefined), NOW + 60_000)).toBe(false)
    expect(isSilent(never, node(undefined), NOW + 60_001)).toBe(true)
  })
  test('not while its lease is renewed', () => {
    const next = observe(probe, node('True'), lease('two'), NOW + 45_000)
    expect(isSilent(next, node('True'), NOW + 90_000)).toBe(false)
    expect(observe(next, node('True'), lease('two'), NOW + 90_000)).toBe(next)
  })
})

describe('silentConditions', () => {
  test('says Unknown of what the kubelet reported and of what it never did', () => {
    const said = silentConditions(node('True'), NOW).map(({ type, status, reason, message }) => [
      type,
      status,
      reason,
      message,
    ])
    expect(said).toContainEqual([
      'Ready',
      'Unknown',
      'NodeStatusUnknown',
      'Kubelet stopped posting node status.',
    ])
    expect(said).toContainEqual([
      'DiskPressure',
      'Unknown',
      'NodeStatusNeverUpdated',
      'Kubelet never posted node status.',
    ])
  })
  test('changes nothing when it was said', () => {
    const conditions = silentConditions(node('True'), NOW)
    const silent = { ...node('True'), status: { conditions } }
    expect(silentConditions(silent, NOW + 5000)).toBe(conditions)
  })
})

describe('conditionTaints', () => {
  test.each<[string, Node, string[]]>([
    ['none of a ready node', node('True'), []],
    ['not-ready', node('False'), ['node.kubernetes.io/not-ready']],
    ['not-ready of a node that never reported', node(undefined), ['node.kubernetes.io/not-ready']],
    ['unreachable', node('Unknown'), ['node.kubernetes.io/unreachable']],
    [
      'memory-pressure',
      node('True', { conditions: [{ type: 'MemoryPressure', status: 'True' }] }),
      ['node.kubernetes.io/memory-pressure'],
    ],
    [
      'unschedulable of a cordoned node',
      node('True', { cordoned: true }),
      ['node.kubernetes.io/unschedulable'],
    ],
  ])('%s', (_, given, keys) => {
    expect(conditionTaints(given).map(({ key }) => key)).toEqual(keys)
  })
  test('leave the taints of others alone', () => {
    const own: V1Taint = { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }
    const stale: V1Taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }
    expect(withConditionTaints(node('True', { taints: [own, stale] }), NOW)).toEqual([own])
    expect(withConditionTaints(node('True', { taints: [own] }), NOW)).toBeUndefined()
  })
})

test('withEvictionTaint moves from not-ready to unreachable and off again', () => {
  const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', timeAdded: AT }
  const unreachable = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: AT }
  expect(withEvictionTaint(node('False'), 'False', NOW)).toEqual([notReady])
  expect(withEvictionTaint(node('Unknown', { taints: [notReady] }), 'Unknown', NOW)).toEqual([unreachable])
  expect(withEvictionTaint(node('Unknown', { taints: [unreachable] }), 'Unknown', NOW)).toBeUndefined()
  expect(withEvictionTaint(node('True', { taints: [unreachable] }), 'True', NOW)).toEqual([])
})
