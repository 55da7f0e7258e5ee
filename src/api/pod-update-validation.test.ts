import { describe, expect, test } from 'vitest'
import type { V1NodeAffinity, V1PodSpec } from './generated/types.ts'
import { validatePodUpdate } from './pod-update-validation.ts'
import type { Pod } from './pods.ts'

const CONTAINER = { name: 'app', image: 'app:1' }
const pod = (over: Partial<V1PodSpec>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web' },
  spec: { containers: [CONTAINER], terminationGracePeriodSeconds: 30, ...over },
})
const faults = (old: Partial<V1PodSpec>, now: Partial<V1PodSpec>) =>
  validatePodUpdate(pod(now), pod(old)).map(({ field, message }) => `${field}: ${message}`)

const REFUSAL =
  'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'
const gate = { schedulingGates: [{ name: 'a' }] }
const toleration = { key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }
const affinity = (...keys: string[]): { affinity: { nodeAffinity: V1NodeAffinity } } => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: keys.map((key) => ({ key, operator: 'Exists' })) }],
      },
    },
  },
})

describe('validatePodUpdate allows', () => {
  test.each<[string, Partial<V1PodSpec>, Partial<V1PodSpec>]>([
    ['nothing to change', {}, {}],
    ['another image', {}, { containers: [{ ...CONTAINER, image: 'app:2' }] }],
    [
      'another image of an init container',
      { initContainers: [CONTAINER] },
      { initContainers: [{ ...CONTAINER, image: 'app:2' }] },
    ],
    ['a first deadline', {}, { activeDeadlineSeconds: 60 }],
    ['an earlier deadline', { activeDeadlineSeconds: 60 }, { activeDeadlineSeconds: 30 }],
    [
      'one more toleration',
      { tolerations: [toleration] },
      { tolerations: [{ operator: 'Exists' }, toleration] },
    ],
    [
      'a toleration for longer',
      { tolerations: [toleration] },
      { tolerations: [{ ...toleration, tolerationSeconds: 1 }] },
    ],
    [
      'a gate to open',
      { schedulingGates: [{ name: 'a' }, { name: 'b' }] },
      { schedulingGates: [{ name: 'b' }] },
    ],
    ['the last gate to open', gate, {}],
    [
      'a negative grace period to become 1',
      { terminationGracePeriodSeconds: -1 },
      { terminationGracePeriodSeconds: 1 },
    ],
    ['a narrower node selector while it is gated', gate, { ...gate, nodeSelector: { a: 'b' } }],
    ['a first node affinity while it is gated', gate, { ...gate, ...affinity('a') }],
    [
      'a narrower node affinity while it is gated',
      { ...gate, ...affinity('a') },
      { ...gate, ...affinity('a', 'b') },
    ],
  ])('%s', (_, old, now) => expect(faults(old, now)).toEqual([]))
})

describe('validatePodUpdate refuses', () => {
  const N = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms'
  test.each<[string, Partial<V1PodSpec>, Partial<V1PodSpec>, (string | RegExp)[]]>([
    [
      'a container more',
      {},
      { containers: [CONTAINER, CONTAINER] },
      ['spec.containers: Forbidden: pod updates may not add or remove containers'],
    ],
    [
      'an init container more',
      {},
      { initContainers: [CONTAINER] },
      ['spec.initContainers: Forbidden: pod updates may not add or remove containers'],
    ],
    ['another name of a container', {}, { containers: [{ ...CONTAINER, name: 'b' }] }, [REFUSAL]],
    ['another node', {}, { nodeName: 'n' }, [REFUSAL]],
    ['another restart policy', {}, { restartPolicy: 'Never' }, [REFUSAL]],
    ['another grace period', {}, { terminationGracePeriodSeconds: 1 }, [REFUSAL]],
    ['another node selector', {}, { nodeSelector: { a: 'b' } }, [REFUSAL]],
    ['another node affinity', {}, affinity('a'), [REFUSAL]],
    [
      'a later deadline',
      { activeDeadlineSeconds: 60 },
      { activeDeadlineSeconds: 61 },
      ['spec.activeDeadlineSeconds: Invalid value: 61: must be less than or equal to previous value'],
    ],
    [
      'no deadline any more',
      { activeDeadlineSeconds: 60 },
      {},
      [
        'spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value',
      ],
    ],
    [
      'a toleration less',
      { tolerations: [toleration] },
      {},
      ['spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds'],
    ],
    [
      'another gate',
      gate,
      { schedulingGates: [{ name: 'b' }] },
      [
        "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'b'",
      ],
    ],
    [
      'a wider node selector, gated or not',
      { ...gate, nodeSelector: { a: 'b' } },
      gate,
      [
        'spec.nodeSelector: Invalid value: {}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
      ],
    ],
    [
      'a wider node affinity, gated or not',
      { ...gate, ...affinity('a', 'b') },
      { ...gate, ...affinity('a') },
      [
        `${N}[0]: Invalid value: {"matchExpressions":[{"key":"a","operator":"Exists"}]}: only additions are allowed (no mutations or deletions)`,
      ],
    ],
    [
      'no node affinity any more, gated or not',
      { ...gate, ...affinity('a') },
      gate,
      [`${N}: Invalid value: null: no additions/deletions to non-empty NodeSelectorTerms list are allowed`],
    ],
  ])('%s', (_, old, now, expected) => expect(faults(old, now)).toEqual(expected))
})
