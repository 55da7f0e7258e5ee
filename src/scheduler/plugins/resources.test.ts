import { describe, expect, test } from 'vitest'
import { node, pod, scores, snapshotOf, verdicts, wakes } from '../../../test/support/scheduling.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { balancedAllocation } from './balanced-allocation.ts'
import { imageLocality } from './image-locality.ts'
import { leastAllocated, mostAllocated, ratioScore } from './resource-strategy.ts'
import { resourcesFit } from './resources-fit.ts'

describe('NodeResourcesFit', () => {
  const container = (requests: Record<string, string>, more: object = {}) => ({
    name: `c${JSON.stringify(requests).length}`,
    image: 'x',
    resources: { requests },
    ...more,
  })
  const gpu = node('a', {
    allocatable: { cpu: '2', memory: '4Gi', 'example.com/gpu': '2', 'ephemeral-storage': '10Gi' },
  })
  const cases: readonly [string, Pod, readonly Pod[], string][] = [
    ['all of it', pod('p', { cpu: '2', memory: '4Gi' }), [], 'fits'],
    ['more than the node has', pod('p', { cpu: '2001m' }), [], 'Insufficient cpu'],
    ['what others leave', pod('p', { cpu: '1' }), [pod('q', { cpu: '1' })], 'fits'],
    ['more than others leave', pod('p', { cpu: '1001m' }), [pod('q', { cpu: '1' })], 'Insufficient cpu'],
    [
      'several at once, in order',
      pod('p', { memory: '5Gi', cpu: '3', 'example.com/gpu': '3' }),
      [],
      'Insufficient cpu + Insufficient memory + Insufficient example.com/gpu',
    ],
    ['ephemeral storage', pod('p', { 'ephemeral-storage': '11Gi' }), [], 'Insufficient ephemeral-storage'],
    [
      'an extended resource the node has not',
      pod('p', { 'example.com/fpga': '1' }),
      [],
      'Insufficient example.com/fpga',
    ],
    [
      'an extended resource in use',
      pod('p', { 'example.com/gpu': '1' }),
      [pod('q', { 'example.com/gpu': '2' })],
      'Insufficient example.com/gpu',
    ],
    ['nothing, on a node that is over its room', pod('p'), [pod('q', { cpu: '3' })], 'fits'],
    ['overhead', pod('p', { cpu: '2' }, { overhead: { cpu: '1m' } }), [], 'Insufficient cpu'],
    [
      'the larger of init containers and the others',
      pod('p', {}, { initContainers: [container({ cpu: '3' })], containers: [container({ cpu: '1' })] }),
      [],
      'Insufficient cpu',
    ],
    [
      'sidecars beside the others',
      pod(
        'p',
        {},
        {
          initContainers: [container({ cpu: '1' }, { restartPolicy: 'Always' })],
          containers: [container({ cpu: '1500m' })],
        },
      ),
      [],
      'Insufficient cpu',
    ],
    [
      'pod-level resources instead of the sum',
      pod('p', { cpu: '3' }, { resources: { requests: { cpu: '1' } } }),
      [],
      'fits',
    ],
  ]
  test.each(cases)('%s', (_, asked, others, expected) => {
    expect(verdicts(resourcesFit(), asked, snapshotOf([gpu], { a: others }))).toEqual({ a: expected })
  })

  test('counts pods', () => {
    const small = node('a', { allocatable: { pods: '1' } })
    expect(verdicts(resourcesFit(), pod('p'), snapshotOf([small], { a: [pod('q')] }))).toEqual({
      a: 'Too many pods',
    })
  })

  test('passes over resources it is told to ignore, of other groups than Kubernetes only', () => {
    const plugin = resourcesFit({
      ignoredResources: ['example.com/a', 'cpu'],
      ignoredResourceGroups: ['other.org'],
    })
    const snapshot = snapshotOf([node('a')])
    expect(verdicts(plugin, pod('p', { 'example.com/a': '1', 'other.org/b': '1' }), snapshot)).toEqual({
      a: 'fits',
    })
    expect(verdicts(plugin, pod('p', { 'example.com/c': '1' }), snapshot)).toEqual({
      a: 'Insufficient example.com/c',
    })
    expect(verdicts(plugin, pod('p', { cpu: '5' }), snapshot)).toEqual({ a: 'Insufficient cpu' })
  })

  test('scores what would be left of cpu and memory', () => {
    const nodes = [node('empty'), node('half'), node('full')]
    const there = {
      half: [pod('q', { cpu: '2', memory: '8Gi' })],
      full: [pod('r', { cpu: '4', memory: '16Gi' })],
    }
    // (4000-1000)/4000 = 75, (16-4)/16 = 75; half: 25 and 25; over the room: 0.
    expect(scores(resourcesFit(), pod('p', { cpu: '1', memory: '4Gi' }), snapshotOf(nodes, there))).toEqual({
      empty: 75,
      half: 25,
      full: 0,
    })
    // Without requests 100m and 200Mi count: (3900·100/4000 = 97, (16384-200)·100/16384 = 98) / 2.
    expect(scores(resourcesFit(), pod('p'), snapshotOf([node('empty')]))).toEqual({ empty: 97 })
  })

  test('scores by the strategy it is given', () => {
    const snapshot = snapshotOf([node('a', { allocatable: { 'example.com/gpu': '4' } })])
    const asked = pod('p', { cpu: '1', memory: '4Gi', 'example.com/gpu': '3' })
    const most = (resources: { name: string; weight?: number }[]) =>
      scores(resourcesFit({ scoringStrategy: { type: 'MostAllocated', resources } }), asked, snapshot)['a']
    expect(most([{ name: 'cpu' }, { name: 'memory' }])).toBe(25)
    expect(
      most([
        { name: 'cpu', weight: 1 },
        { name: 'example.com/gpu', weight: 3 },
      ]),
    ).toBe(62)
    expect(most([{ name: 'example.com/fpga' }])).toBe(0)
    const requestedToCapacityRatio = {
      shape: [
        { utilization: 0, score: 0 },
        { utilization: 100, score: 10 },
      ],
    }
    const ratio = {
      type: 'RequestedToCapacityRatio',
      requestedToCapacityRatio,
      resources: [{ name: 'example.com/gpu' }],
    }
    expect(scores(resourcesFit({ scoringStrategy: ratio }), asked, snapshot)).toEqual({ a: 75 })
  })

  test('is woken by room that could be enough', () => {
    const waiting = pod('p', { cpu: '3' })
    const small = node('a', { allocatable: { cpu: '2' } })
    const event = (now: ReturnType<typeof node>, previous: ReturnType<typeof node>) =>
      wakes(resourcesFit(), waiting, { type: 'node-updated', node: now, previous })
    const gone = { type: 'pod-removed', pod: pod('q', {}, { nodeName: 'a' }) } as const
    const left = (cpu: string, priority = 0) =>
      snapshotOf([node('a'), node('b')], { a: [pod('r', { cpu }, { priority })] })
    expect(wakes(resourcesFit(), waiting, gone, left('1'))).toBe(true)
    expect(wakes(resourcesFit(), waiting, gone, left('2'))).toBe(false)
    expect(wakes(resourcesFit(), waiting, gone, left('2', -1))).toBe(true)
    expect(wakes(resourcesFit(), waiting, { type: 'node-added', node: small })).toBe(false)
    expect(wakes(resourcesFit(), waiting, { type: 'node-added', node: node('b') })).toBe(true)
    expect(event(node('a'), small)).toBe(true)
    expect(event(small, node('a'))).toBe(false)
    expect(event(node('a', { labels: { x: 'y' } }), node('a'))).toBe(false)
    expect(event(node('a', { allocatable: { memory: '32Gi' } }), node('a'))).toBe(false)
    expect(wakes(resourcesFit(), waiting, { type: 'pod-bound', pod: pod('q') })).toBe(false)
  })
})

test.each([
  [0, 1000, 100, 0],
  [250, 1000, 75, 25],
  [333, 1000, 66, 33],
  [1000, 1000, 0, 100],
  [1001, 1000, 0, 100],
])('%d of %d requested scores %d (least) and %d (most allocated)', (requested, allocatable, least, most) => {
  expect(leastAllocated(requested, allocatable)).toBe(least)
  expect(mostAllocated(requested, allocatable)).toBe(most)
})

test.each([
  [0, 0],
  [20, 25],
  [40, 50],
  [70, 75],
  [100, 100],
  [150, 100],
])('RequestedToCapacityRatio at %d %% is %d on a shape of three points', (requested, expected) => {
  const shape = [
    { utilization: 0, score: 0 },
    { utilization: 40, score: 5 },
    { utilization: 100, score: 10 },
  ]
  expect(ratioScore(shape)(requested, 100)).toBe(expected)
})

describe('NodeResourcesBalancedAllocation', () => {
  test('scores what the pod changes: 50 + (50 + with − without)/2', () => {
    const nodes = [node('even'), node('cpu'), node('memory')]
    const there = { cpu: [pod('q', { cpu: '2' })], memory: [pod('r', { memory: '8Gi' })] }
    const snapshot = snapshotOf(nodes, there)
    // 1 cpu of 4 and 4Gi of 16Gi are the same part of an even node: 100 before and after.
    expect(scores(balancedAllocation(), pod('p', { cpu: '1', memory: '4Gi' }), snapshot)).toEqual({
      even: 75,
      cpu: 75,
      memory: 75,
    })
    // More cpu: parts .5/0 -> 75 on an even node; 1/0 -> 50 from 75; 0.5/0.5 -> 100 from 75.
    expect(scores(balancedAllocation(), pod('p', { cpu: '2' }), snapshot)).toEqual({
      even: 62,
      cpu: 62,
      memory: 87,
    })
  })

  test('skips pods without requests', () => {
    expect(scores(balancedAllocation(), pod('p'), snapshotOf([node('a'), node('b')]))).toEqual({ a: 0, b: 0 })
  })

  test('takes the standard deviation of more than two resources', () => {
    const resources = [{ name: 'cpu' }, { name: 'memory' }, { name: 'example.com/gpu' }]
    const snapshot = snapshotOf([node('a', { allocatable: { 'example.com/gpu': '1' } })])
    // Parts 1/4, 1/4, 1: mean 0.5, deviation 0.3535 -> 64; without 100: 50 + (50 + 64 − 100)/2.
    const asked = pod('p', { cpu: '1', memory: '4Gi', 'example.com/gpu': '1' })
    expect(scores(balancedAllocation({ resources }), asked, snapshot)).toEqual({ a: 57 })
  })
})

describe('ImageLocality', () => {
  const MEBIBYTE = 1024 * 1024
  const having = (name: string, image: string, mebibytes: number) =>
    node(name, { status: { images: [{ names: [image], sizeBytes: mebibytes * MEBIBYTE }] } })
  const asked = (image: string) => pod('p', {}, { containers: [{ name: 'app', image }] })
  const cases: readonly [string, number, string, number][] = [
    ['less than 23Mi counts for nothing', 20, 'registry.example/app:1', 0],
    ['half of the nodes have it: half the size counts', 500, 'registry.example/app:1', 23],
    ['the most a container counts is 1000Mi', 4000, 'registry.example/app:1', 100],
    ['an image without a tag is latest', 500, 'registry.example/app', 23],
  ]
  test.each(cases)('%s', (_, size, image, expected) => {
    const name = image.endsWith(':1') ? image : `${image}:latest`
    const snapshot = snapshotOf([having('a', name, size), node('b')])
    expect(scores(imageLocality, asked(image), snapshot)).toEqual({ a: expected, b: 0 })
  })

  test('forgets images of nodes that are gone', () => {
    const snapshot = snapshotOf([having('a', 'x:1', 4000), node('b')])
    snapshot.removeNode('a')
    expect(snapshot.nodesWithImage('x:1')).toBe(0)
    expect(scores(imageLocality, asked('x:1'), snapshot)).toEqual({ b: 0 })
  })
})
