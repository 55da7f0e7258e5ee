import { describe, expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { decidePodGc } from './pod-gc.ts'

function pod(name: string, nodeName?: string, metadata: object = {}, phase = 'Running'): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', ...metadata },
    spec: { containers: [], ...(nodeName ? { nodeName } : {}) },
    status: { phase },
  }
}

const only =
  (...known: string[]) =>
  (name: string) =>
    known.includes(name) ? make.node({ metadata: { name } }) : undefined
const names = (pods: readonly Pod[]) => pods.map(({ metadata }) => metadata.name)

describe('decidePodGc', () => {
  const pods = [pod('here', 'a'), pod('lost', 'gone')]
  test('waits 40 s before a node counts as gone', () => {
    const first = decidePodGc(pods, only('a'), new Map(), 1000)
    expect(first.orphans).toEqual([])
    const before = decidePodGc(pods, only('a'), first.missed, 40_999)
    expect(before.orphans).toEqual([])
    const after = decidePodGc(pods, only('a'), before.missed, 41_000)
    expect(names(after.orphans)).toEqual(['lost'])
  })
  test('forgets a node that came back', () => {
    const first = decidePodGc(pods, only('a'), new Map(), 1000)
    expect(decidePodGc(pods, only('a', 'gone'), first.missed, 2000).missed.size).toBe(0)
  })
  test('removes pods that are being deleted and were never scheduled', () => {
    const deleted = { deletionTimestamp: '2030-01-01T00:00:00Z' }
    const { remove } = decidePodGc(
      [pod('x', undefined, deleted), pod('y', 'a', deleted), pod('z')],
      only('a'),
      new Map(),
      0,
    )
    expect(names(remove)).toEqual(['x'])
  })
  test.each<[string, string, boolean, boolean]>([
    ['of a silent node that is out of service', 'node.kubernetes.io/out-of-service', false, true],
    ['not of one that is ready', 'node.kubernetes.io/out-of-service', true, false],
    ['not of one that is only silent', 'node.kubernetes.io/unreachable', false, false],
  ])('removes pods that are being deleted, %s', (_, key, isReady, isRemoved) => {
    const home = make.node({
      spec: { taints: [{ key, effect: 'NoExecute' }] },
      status: { conditions: [{ type: 'Ready', status: isReady ? 'True' : 'Unknown' }] },
    })
    const pods = [pod('x', 'a', { deletionTimestamp: '2030-01-01T00:00:00Z' }), pod('y', 'a')]
    const { remove } = decidePodGc(pods, () => home, new Map(), 0)
    expect(names(remove)).toEqual(isRemoved ? ['x'] : [])
  })
  test('removes the oldest of more than 12,500 finished pods', () => {
    const finished = Array.from({ length: 12_502 }, (_, i) =>
      pod(`p${i}`, 'a', { creationTimestamp: `20${10 + (i < 2 ? 0 : 1)}-01-01T00:00:00Z` }, 'Succeeded'),
    )
    expect(names(decidePodGc(finished, only('a'), new Map(), 0).remove)).toEqual(['p0', 'p1'])
  })
})
