import { describe, expect, test } from 'vitest'
import type { KindRef } from '../api/kind.ts'
import type { Resource } from '../api/resource.ts'
import { OwnerGraph } from './owner-graph.ts'

const configMap: KindRef = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  scope: 'Namespaced',
}

function object(uid: string, owners: readonly string[] = [], metadata: object = {}): Resource {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: uid,
      namespace: 'default',
      uid,
      ownerReferences: owners.map((owner) => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name: owner,
        uid: owner,
        blockOwnerDeletion: true,
      })),
      ...metadata,
    },
  }
}

const deleted = (finalizer: string) => ({
  deletionTimestamp: '2030-01-01T00:00:00Z',
  finalizers: [finalizer],
})

function graphOf(...objects: Resource[]): OwnerGraph {
  const graph = new OwnerGraph()
  for (const each of objects) graph.put(configMap, each)
  return graph
}

describe('OwnerGraph', () => {
  test('has nothing to look at while owners are there', () => {
    expect(graphOf(object('a')).put(configMap, object('b', ['a']))).toEqual([])
  })
  test('looks at an object whose owner was never seen', () => {
    expect(graphOf().put(configMap, object('b', ['a']))).toEqual(['b'])
  })
  test('looks at an object whose owner is in another namespace', () => {
    const graph = graphOf(object('a', [], { namespace: 'elsewhere' }))
    expect(graph.put(configMap, object('b', ['a']))).toEqual(['b'])
  })
  test('looks at all dependents of what went', () => {
    const graph = graphOf(object('a'), object('b', ['a']), object('c', ['a', 'b']))
    expect(graph.remove(object('a'))).toEqual(['b', 'c'])
  })
  test.each(['foregroundDeletion', 'orphan'])('looks at an owner that is deleted with %s', (finalizer) => {
    expect(graphOf(object('a')).put(configMap, object('a', [], deleted(finalizer)))).toEqual(['a'])
  })
  test('looks at a waiting owner when a dependent goes or is unblocked', () => {
    const graph = graphOf(
      object('a', [], deleted('foregroundDeletion')),
      object('b', ['a']),
      object('c', ['a']),
    )
    expect(graph.blockersOf('a').map(({ resource }) => resource.metadata.uid)).toEqual(['b', 'c'])
    expect(graph.put(configMap, object('b'))).toEqual(['a'])
    expect(graph.remove(object('c', ['a']))).toEqual(['a'])
    expect(graph.blockersOf('a')).toEqual([])
  })
  test('forgets everything of what is gone', () => {
    const graph = graphOf(object('a'), object('b', ['a']))
    graph.remove(object('b', ['a']))
    graph.remove(object('a'))
    expect(graph.size).toBe(0)
    expect(graph.dependentUids('a').size).toBe(0)
  })
})
