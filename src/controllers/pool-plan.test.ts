import { describe, expect, test } from 'vitest'
import type { Node } from '../api/kinds/node.ts'
import type { NodePool } from '../api/kinds/node-pool.ts'
import { decidePool, nodeOf } from './pool-plan.ts'

function pool(spec: Partial<NodePool['spec']> = {}): NodePool {
  return {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'NodePool',
    metadata: { name: 'worker', uid: 'pool' },
    spec: { count: 3, runtime: 'simulated', zones: ['a', 'b'], ...spec },
  }
}

const nodesOf = (given: NodePool): Node[] =>
  Array.from({ length: given.spec.count }, (_, i) => nodeOf(given, i))
const names = (nodes: readonly Node[]) => nodes.map(({ metadata }) => metadata.name)
const NOTHING = { create: [], update: [], resize: [], remove: [] }

describe('decidePool', () => {
  test('makes nodes named after the pool, zones in turn', () => {
    const { create } = decidePool(pool(), [], 0)
    expect(names(create)).toEqual(['worker-0', 'worker-1', 'worker-2'])
    expect(create.map(({ metadata }) => metadata.labels?.['topology.kubernetes.io/zone'])).toEqual([
      'a',
      'b',
      'a',
    ])
    expect(create[0]).toMatchObject({
      metadata: {
        labels: {
          'kubernetes.io/hostname': 'worker-0',
          'kubernetes.io/os': 'linux',
          'kubernetes.io/arch': 'amd64',
          'beta.kubernetes.io/os': 'linux',
          'beta.kubernetes.io/arch': 'amd64',
          'seamark.dev/node-pool': 'worker',
          'seamark.dev/runtime': 'simulated',
        },
      },
      spec: { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] },
      status: { capacity: { cpu: '4', memory: '16Gi', pods: '110' } },
    })
  })
  test('has nothing to do when all is as declared', () => {
    expect(decidePool(pool(), nodesOf(pool()), 0)).toEqual(NOTHING)
  })
  test('takes back a node that was to go', () => {
    const [first, ...others] = nodesOf(pool())
    const annotations = {
      ...first?.metadata.annotations,
      'seamark.dev/draining-since': '2030-01-01T00:00:00Z',
    }
    const leaving = {
      ...first,
      metadata: { ...first?.metadata, annotations },
      spec: { ...first?.spec, unschedulable: true },
    } as Node
    expect(decidePool(pool(), [leaving, ...others], 0).update).toEqual([first])
  })
  test('removes the highest ordinals first', () => {
    const { remove } = decidePool(pool({ count: 1 }), nodesOf(pool({ count: 12 })), 0)
    expect(names(remove).slice(0, 3)).toEqual(['worker-11', 'worker-10', 'worker-9'])
    expect(remove).toHaveLength(11)
  })
  test('changes capacity, and takes equal amounts for equal', () => {
    const same = pool({ template: { capacity: { cpu: '4000m' } } })
    expect(decidePool(same, nodesOf(pool()), 0).resize).toEqual([])
    const bigger = pool({ template: { capacity: { cpu: '8' } } })
    const { resize } = decidePool(bigger, nodesOf(pool()), 0)
    expect(resize.map(({ status }) => status?.allocatable?.['cpu'])).toEqual(['8', '8', '8'])
  })
  test('keeps from pods what the kubelet reserves', () => {
    const kubelet = {
      systemReserved: { cpu: '500m', memory: '1Gi' },
      kubeReserved: { cpu: '500m', memory: '100Gi', 'example.com/gpu': '1' },
    }
    const { status } = nodeOf(pool({ kubelet }), 0)
    expect(status?.capacity).toMatchObject({ cpu: '4', memory: '16Gi', pods: '110' })
    expect(status?.allocatable).toMatchObject({ cpu: '3', memory: '0', pods: '110' })
    expect(decidePool(pool({ kubelet }), nodesOf(pool({ kubelet })), 0)).toEqual(NOTHING)
    expect(decidePool(pool({ kubelet }), nodesOf(pool()), 0).resize).toHaveLength(3)
  })
  test('takes off what it no longer declares and leaves what others put there', () => {
    const taint = { key: 'dedicated', value: 'db', effect: 'NoExecute' }
    const before = pool({ count: 1, template: { labels: { tier: 'db', team: 'x' }, taints: [taint] } })
    const [made] = nodesOf(before)
    const touched: Node = {
      ...made!,
      metadata: { ...made!.metadata, labels: { ...made!.metadata.labels, mine: 'yes' } },
    }
    const after = pool({ count: 1, template: { labels: { tier: 'web' } } })
    const [updated] = decidePool(after, [touched], 0).update
    expect(updated?.metadata.labels).toMatchObject({ tier: 'web', mine: 'yes' })
    expect(updated?.metadata.labels).not.toHaveProperty('team')
    expect(updated?.spec.taints?.map(({ key }) => key)).toEqual(['node.kubernetes.io/not-ready'])
    expect(decidePool(after, [updated!], 0)).toEqual(NOTHING)
  })
  test('survives a note of its own that somebody spoilt', () => {
    const [made] = nodesOf(pool({ count: 1 }))
    const spoilt: Node = {
      ...made!,
      metadata: { ...made!.metadata, annotations: { 'seamark.dev/applied-template': '{' } },
    }
    const [updated] = decidePool(pool({ count: 1 }), [spoilt], 0).update
    expect(updated?.metadata.annotations).toEqual(made!.metadata.annotations)
  })
})
