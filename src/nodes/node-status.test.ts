import { describe, expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import { findCondition } from '../api/conditions.ts'
import { changesOf, isNews, type NodeFacts, nodeStatusOf } from './node-status.ts'

const node = make.node({ metadata: { name: 'a' } })
const NOW = Date.parse('2030-01-01T00:00:00Z')
const status = (facts: Partial<NodeFacts> = {}, now = NOW, posted = node.status) =>
  nodeStatusOf({ ...node, status: posted }, { runtimeVersion: 'simulated://1', images: [], now, ...facts })

describe('The status of a node', () => {
  test.each<[string, Partial<NodeFacts>, string, readonly string[]]>([
    ['is ready', {}, 'Ready', ['True', 'KubeletReady', 'kubelet is posting ready status']],
    ['shuts down', { isShuttingDown: true }, 'Ready', ['False', 'KubeletNotReady', 'node is shutting down']],
    [
      'has no room',
      { isDiskFull: true },
      'DiskPressure',
      ['True', 'KubeletHasDiskPressure', 'kubelet has disk pressure'],
    ],
    [
      'is short of memory',
      { isMemoryShort: true },
      'MemoryPressure',
      ['True', 'KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
    ],
  ])('that %s says so', (_, facts, type, expected) => {
    const { status: is, reason, message } = findCondition(status(facts).conditions, type) ?? {}
    expect([is, reason, message]).toEqual(expected)
  })

  test('names the fifty largest images, the largest first', () => {
    const images = Array.from({ length: 60 }, (_, i) => ({ name: `i${i}`, sizeBytes: i }))
    const shown = status({ images }).images ?? []
    expect(shown).toHaveLength(50)
    expect(shown[0]).toEqual({ names: ['i59'], sizeBytes: 59 })
  })

  test('is no news when only the time has passed or an image has come', () => {
    const posted = status()
    const later = status({ images: [{ name: 'new', sizeBytes: 1 }] }, NOW + 60_000, posted)
    expect(isNews(later, posted)).toBe(false)
    expect(isNews(status({ isDiskFull: true }, NOW, posted), posted)).toBe(true)
  })

  test.each<[string, NodeFacts | Partial<NodeFacts> | undefined, Partial<NodeFacts>, readonly string[]]>([
    ['the first report', undefined, {}, []],
    ['nothing new', {}, {}, []],
    ['a shutdown', {}, { isShuttingDown: true }, ['NodeNotReady']],
    ['its end', { isShuttingDown: true }, {}, ['NodeReady']],
    ['a full disk', {}, { isDiskFull: true }, ['NodeHasDiskPressure']],
    ['room again', { isDiskFull: true }, {}, ['NodeHasNoDiskPressure']],
    ['too little memory', {}, { isMemoryShort: true }, ['NodeHasInsufficientMemory']],
    ['enough again', { isMemoryShort: true }, {}, ['NodeHasSufficientMemory']],
  ])('tells by events of %s', (_, before, after, reasons) => {
    expect(changesOf(before && status(before), status(after))).toEqual(reasons)
  })
})
