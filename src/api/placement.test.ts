import { describe, expect, test } from 'vitest'
import type { V1NodeSelectorTerm, V1PodSpec, V1Toleration } from './generated/types.ts'
import type { Node } from './kinds/node.ts'
import {
  matchesNodeAffinity,
  matchesTerm,
  preferredWeight,
  type Taint,
  tolerates,
  toleration,
  zoneOf,
} from './placement.ts'
import type { Pod } from './pods.ts'

const TAINT: Taint = { key: 'dedicated', value: 'db', effect: 'NoSchedule' }

describe('toleration', () => {
  test.each<[string, V1Toleration, boolean]>([
    ['everything with an empty Exists', { operator: 'Exists' }, true],
    ['a key with Exists', { key: 'dedicated', operator: 'Exists' }, true],
    [
      'a key, value and effect that are equal',
      { key: 'dedicated', operator: 'Equal', value: 'db', effect: 'NoSchedule' },
      true,
    ],
    ['any effect when it names none', { key: 'dedicated', operator: 'Equal', value: 'db' }, true],
    ['by equality when it names no operator', { key: 'dedicated', value: 'db' }, true],
    ['not another value', { key: 'dedicated', operator: 'Equal', value: 'web' }, false],
    ['not without the value', { key: 'dedicated' }, false],
    ['not another key', { key: 'other', operator: 'Exists' }, false],
    ['not another effect', { key: 'dedicated', operator: 'Exists', effect: 'NoExecute' }, false],
    ['not an empty key without Exists', { operator: 'Equal', value: 'db' }, false],
    ['not by an operator it does not know', { key: 'dedicated', operator: 'Gt', value: '0' }, false],
  ])('tolerates %s', (_, one, expected) => expect(toleration(one, TAINT)).toBe(expected))

  test('of nothing tolerates nothing', () => expect(tolerates(undefined, TAINT)).toBe(false))
  test('of an empty value tolerates a taint without one', () =>
    expect(tolerates([{ key: 'a', value: '' }], { key: 'a', effect: 'NoSchedule' })).toBe(true))
  test('is any of several', () =>
    expect(tolerates([{ key: 'x', operator: 'Exists' }, { operator: 'Exists' }], TAINT)).toBe(true))
})

const NODE: Node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: 'n1',
    labels: { disk: 'ssd', cores: '8', odd: '8x', 'topology.kubernetes.io/zone': 'a' },
  },
  spec: {},
}
const pod = (spec: Partial<V1PodSpec>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web' },
  spec: { containers: [], ...spec },
})
const requires = (...nodeSelectorTerms: V1NodeSelectorTerm[]) =>
  pod({
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
  })
const label = (key: string, operator: string, ...values: string[]): V1NodeSelectorTerm => ({
  matchExpressions: [{ key, operator, values }],
})
const field = (operator: string, ...values: string[]): V1NodeSelectorTerm => ({
  matchFields: [{ key: 'metadata.name', operator, values }],
})

describe('matchesTerm', () => {
  test.each<[string, V1NodeSelectorTerm, boolean]>([
    ['In', label('disk', 'In', 'hdd', 'ssd'), true],
    ['In without the value', label('disk', 'In', 'hdd'), false],
    ['In without the label', label('gpu', 'In', 'yes'), false],
    ['NotIn', label('disk', 'NotIn', 'hdd'), true],
    ['NotIn with the value', label('disk', 'NotIn', 'ssd'), false],
    ['NotIn without the label', label('gpu', 'NotIn', 'yes'), true],
    ['Exists', label('disk', 'Exists'), true],
    ['Exists without the label', label('gpu', 'Exists'), false],
    ['DoesNotExist', label('gpu', 'DoesNotExist'), true],
    ['DoesNotExist with the label', label('disk', 'DoesNotExist'), false],
    ['Gt', label('cores', 'Gt', '7'), true],
    ['Gt of the same', label('cores', 'Gt', '8'), false],
    ['Lt', label('cores', 'Lt', '9'), true],
    ['Lt of the same', label('cores', 'Lt', '8'), false],
    ['Gt of what is no number', label('odd', 'Gt', '7'), false],
    ['Gt without the label', label('gpu', 'Gt', '0'), false],
    ['the name', field('In', 'n1'), true],
    ['another name', field('In', 'n2'), false],
    ['not that name', field('NotIn', 'n2'), true],
    ['labels and name', { ...label('disk', 'Exists'), ...field('In', 'n2') }, false],
    [
      'several expressions, of which all must hold',
      {
        matchExpressions: [
          ...label('disk', 'Exists').matchExpressions!,
          ...label('gpu', 'Exists').matchExpressions!,
        ],
      },
      false,
    ],
    ['nothing asked', {}, false],
  ])('%s', (_, term, expected) => expect(matchesTerm(term, NODE)).toBe(expected))
})

describe('matchesNodeAffinity', () => {
  test.each<[string, Pod, boolean]>([
    ['a pod that does not care', pod({}), true],
    ['a node selector', pod({ nodeSelector: { disk: 'ssd' } }), true],
    [
      'a node selector of which one pair is missing',
      pod({ nodeSelector: { disk: 'ssd', gpu: 'yes' } }),
      false,
    ],
    ['terms of which one holds', requires(label('gpu', 'Exists'), label('disk', 'Exists')), true],
    ['terms of which none holds', requires(label('gpu', 'Exists'), label('disk', 'In', 'hdd')), false],
    ['no terms', requires(), false],
    [
      'selector and affinity, which both must hold',
      {
        ...requires(label('disk', 'Exists')),
        spec: { ...requires(label('disk', 'Exists')).spec, nodeSelector: { gpu: 'yes' } },
      },
      false,
    ],
  ])('%s', (_, given, expected) => expect(matchesNodeAffinity(given, NODE)).toBe(expected))
})

test('preferredWeight adds the weights of the terms that match; an empty one counts for nothing', () => {
  const preferred = [
    { weight: 5, preference: label('disk', 'Exists') },
    { weight: 50, preference: label('gpu', 'Exists') },
    { weight: 1, preference: {} },
  ]
  expect(preferredWeight(preferred, NODE)).toBe(5)
  expect(preferredWeight([], NODE)).toBe(0)
})

test('zoneOf is the zone, or nothing', () => {
  expect(zoneOf(NODE)).toBe('a')
  expect(zoneOf({ metadata: {} })).toBe('')
})
