import { describe, expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import type { ImageOnDisk } from '../runtimes/image-cache.ts'
import { collectImages, type DiskView, judgeDisk } from './disk-pressure.ts'

const Gi = 2 ** 30
const HOUR = 3_600_000
const pod = (name: string, gib: number, request = '0', priority = 0) => ({
  pod: make.pod({
    metadata: { name },
    spec: {
      priority,
      containers: [{ name: 'app', image: 'x', resources: { requests: { 'ephemeral-storage': request } } }],
    },
  }),
  containers: [{ name: 'app', bytes: gib * Gi }],
  volumes: [],
  inodes: 0,
})
const image = (name: string, gib: number, usedAt = 0, pulledAt = 0): ImageOnDisk => ({
  name,
  sizeBytes: gib * Gi,
  pulledAt,
  usedAt,
})
const IN_USE = Number.POSITIVE_INFINITY
const view = (change: Partial<DiskView>): DiskView => ({
  capacity: 100 * Gi,
  images: [],
  pods: [],
  filled: undefined,
  now: HOUR,
  ...change,
})
const verdict = (change: Partial<DiskView>) => {
  const { isFull, remove, victim } = judgeDisk(view(change))
  return [isFull, remove.join(' '), victim?.pod.metadata.name]
}

describe('A node is short of disk', () => {
  test.each<[string, Partial<DiskView>, readonly unknown[]]>([
    ['not with 15 % left', { pods: [pod('a', 85)] }, [false, '', undefined]],
    ['with less', { pods: [pod('a', 86)] }, [true, '', 'a']],
    ['not when it does not say what it has', { capacity: 0, pods: [pod('a', 86)] }, [false, '', undefined]],
    ['when something else fills it', { filled: 'bytes', pods: [pod('a', 1)] }, [true, '', 'a']],
    [
      'and removes images first',
      { images: [image('old', 10)], pods: [pod('a', 80)] },
      [true, 'old', undefined],
    ],
    [
      'but no image that is used or new',
      { images: [image('used', 10, IN_USE), image('new', 1, HOUR, HOUR - 60_000)], pods: [pod('a', 80)] },
      [true, '', 'a'],
    ],
    [
      'and evicts when images are not enough',
      { images: [image('old', 1)], pods: [pod('a', 90)] },
      [true, 'old', 'a'],
    ],
    [
      'and evicts who writes more than was asked for',
      { pods: [pod('promised', 60, '70Gi', -5), pod('greedy', 30, '10Gi', 1000)] },
      [true, '', 'greedy'],
    ],
    ['then the least important', { pods: [pod('dear', 60, '0', 10), pod('cheap', 30)] }, [true, '', 'cheap']],
    ['then who is furthest above it', { pods: [pod('a', 30), pod('b', 60)] }, [true, '', 'b']],
    ['and no critical pod', { pods: [pod('system', 90, '0', 2_000_000_000)] }, [true, '', undefined]],
  ])('%s', (_, change, expected) => {
    expect(verdict(change)).toEqual(expected)
  })

  const files = (name: string, count: number, priority = 0) => ({
    ...pod(name, 0, '0', priority),
    inodes: count,
  })
  const all = (100 * Gi) / 16_384

  test.each<[string, Partial<DiskView>, readonly unknown[]]>([
    ['not with 5 % left', { pods: [files('a', all * 0.95)] }, [false, '', undefined]],
    ['with less', { pods: [files('a', all * 0.95 + 1)] }, [true, '', 'a']],
    ['when something else makes too many', { filled: 'inodes', pods: [files('a', 1)] }, [true, '', 'a']],
    [
      'and removes images first',
      { images: [image('old', 30)], pods: [files('a', all * 0.9)] },
      [true, 'old', undefined],
    ],
    [
      'and evicts the least important',
      { filled: 'inodes', pods: [files('dear', 900, 10), files('cheap', 1)] },
      [true, '', 'cheap'],
    ],
    [
      'then who has most',
      { filled: 'inodes', pods: [files('a', 1), files('b', 2), files('none', 0, -5)] },
      [true, '', 'b'],
    ],
  ])('of files: %s', (_, change, expected) => {
    expect(verdict(change)).toEqual(expected)
  })

  test('and says of files so as a kubelet does', () => {
    expect(judgeDisk(view({ filled: 'inodes', pods: [files('a', 1)] })).victim?.message).toBe(
      'The node was low on resource: inodes. Threshold quantity: 327680, available: 0. ',
    )
  })

  test('and says so as a kubelet does', () => {
    expect(judgeDisk(view({ pods: [pod('a', 90, '10Gi')] })).victim?.message).toBe(
      'The node was low on resource: ephemeral-storage. Threshold quantity: 15Gi, available: 10Gi. Container app was using 90Gi, request is 10Gi, has larger consumption of ephemeral-storage. ',
    )
  })
})

describe('The garbage collection of images', () => {
  const images = [
    image('young', 10, HOUR - 1),
    image('old', 10, 1),
    image('older', 10, 0, 0),
    image('run', 30, IN_USE),
  ]
  test.each<[string, Partial<DiskView>, readonly string[]]>([
    ['does nothing below 85 %', { images, pods: [pod('a', 24)] }, []],
    ['takes those unused for longest until 80 %', { images, pods: [pod('a', 26)] }, ['older']],
    ['takes as many as it needs', { images, pods: [pod('a', 33)] }, ['older', 'old']],
    ['leaves what was pulled just now', { images: [image('new', 90, HOUR, HOUR)] }, []],
  ])('%s', (_, change, remove) => {
    expect(collectImages(view(change), {}).remove).toEqual(remove)
  })

  test('has the thresholds that the settings say', () => {
    const settings = { imageGCHighThresholdPercent: 50, imageGCLowThresholdPercent: 40 }
    expect(collectImages(view({ images, pods: [] }), settings).remove).toEqual(['older', 'old'])
  })

  test('says when there is not enough to take', () => {
    const { failure } = collectImages(view({ images: [image('old', 10)], pods: [pod('a', 90)] }), {})
    expect(failure).toBe(
      `Failed to garbage collect required amount of images. Attempted to free ${20 * Gi} bytes, but only found ${10 * Gi} bytes eligible to free.`,
    )
  })
})
