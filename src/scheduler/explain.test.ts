import { describe, expect, test } from 'vitest'
import { node, pod, snapshotOf } from '../../test/support/scheduling.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { explain } from './explain.ts'
import { podInfo } from './pod-info.ts'
import { defaultFramework } from './profile.ts'
import type { Snapshot } from './snapshot.ts'

const explained = (asked: Pod, snapshot: Snapshot) => explain(podInfo(asked), snapshot, defaultFramework())

describe('explain', () => {
  test('lists every node with its scores, and all that share the highest', () => {
    const snapshot = snapshotOf([node('a'), node('b'), node('c')], {
      c: [pod('x', { cpu: '2', memory: '8Gi' })],
    })
    const { nodes, ties, changes } = explained(pod('p', { cpu: '1', memory: '4Gi' }), snapshot)
    expect(ties).toEqual(['a', 'b'])
    expect(changes).toBeUndefined()
    expect(nodes[2]).toEqual({
      name: 'c',
      fits: true,
      verdicts: { NodeUnschedulable: 'ok', NodeName: 'ok', TaintToleration: 'ok', NodeResourcesFit: 'ok' },
      scores: { TaintToleration: 300, NodeResourcesFit: 25, NodeResourcesBalancedAllocation: 75 },
      total: 400,
    })
  })

  test('judges a pod that has a node as if it were not there', () => {
    const bound = pod('p', { cpu: '3' }, { nodeName: 'b' })
    const snapshot = snapshotOf([node('a'), node('b')], { a: [pod('x', { cpu: '2' })], b: [bound] })
    const { boundTo, ties, nodes } = explained(bound, snapshot)
    expect({ boundTo, ties }).toEqual({ boundTo: 'b', ties: ['b'] })
    expect(nodes.find(({ name }) => name === 'a')?.verdicts['NodeResourcesFit']).toBe('Insufficient cpu')
    expect(snapshot.node('b')?.pods.size).toBe(1)
  })

  test('tells all that stands in the way on a node, not only the first', () => {
    const tainted = node('a', { spec: { taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }] } })
    const { nodes, message } = explained(pod('p', { cpu: '5' }), snapshotOf([tainted]))
    expect(message).toBe('0/1 nodes are available: 1 node(s) had untolerated taint(s).')
    expect(nodes[0]?.verdicts).toMatchObject({
      TaintToleration: 'node(s) had untolerated taint(s)',
      NodeResourcesFit: 'Insufficient cpu',
    })
  })

  const ZONE = 'topology.kubernetes.io/zone'
  const spread = {
    topologySpreadConstraints: [
      {
        topologyKey: ZONE,
        maxSkew: 1,
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { app: 'web' } },
      },
    ],
  }
  const web = (name: string) => pod(name, {}, {}, { labels: { app: 'web' } })
  const cases: readonly [string, Pod, Snapshot, string][] = [
    [
      'less of a resource',
      pod('p', { cpu: '3' }),
      snapshotOf([node('a')], { a: [pod('x', { cpu: '1500m' })] }),
      'ask for at most 2500m of cpu instead of 3',
    ],
    [
      'less memory',
      pod('p', { memory: '20Gi' }),
      snapshotOf([node('a')]),
      'ask for at most 16Gi of memory instead of 20Gi',
    ],
    [
      'a toleration',
      pod('p'),
      snapshotOf([node('a', { spec: { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } })]),
      'tolerate k=v:NoSchedule',
    ],
    [
      'uncordoning',
      pod('p'),
      snapshotOf([node('a', { spec: { unschedulable: true } })]),
      'uncordon node "a"',
    ],
    [
      'a label',
      pod('p', {}, { nodeSelector: { disk: 'ssd' } }),
      snapshotOf([node('a')]),
      'label node "a" disk=ssd, or take it out of spec.nodeSelector',
    ],
    [
      'another port',
      pod('p', {}, { containers: [{ name: 'c', image: 'x', ports: [{ containerPort: 80, hostPort: 80 }] }] }),
      snapshotOf([node('a')], {
        a: [
          pod(
            'x',
            {},
            { containers: [{ name: 'c', image: 'x', ports: [{ containerPort: 80, hostPort: 80 }] }] },
          ),
        ],
      }),
      'ask for another hostPort than 80',
    ],
    [
      'more skew',
      pod('p', {}, spread, { labels: { app: 'web' } }),
      snapshotOf(
        [
          node('a', { labels: { [ZONE]: 'a' } }),
          node('b', { labels: { [ZONE]: 'b' }, allocatable: { pods: '0' } }),
        ],
        { a: [web('x')] },
      ),
      `allow a maxSkew of 2 over ${ZONE} instead of 1`,
    ],
    ['a label for spreading', pod('p', {}, spread), snapshotOf([node('a')]), `label node "a" with ${ZONE}`],
  ]
  test.each(cases)('proposes %s', (_, asked, snapshot, change) => {
    expect(explained(asked, snapshot).changes?.[0]?.change).toBe(change)
  })

  test('proposes the node that asks for least', () => {
    const taint = { key: 'k', effect: 'NoSchedule' }
    const snapshot = snapshotOf([
      node('far', { allocatable: { cpu: '1' }, spec: { taints: [taint] } }),
      node('near', { allocatable: { cpu: '1800m' } }),
    ])
    expect(explained(pod('p', { cpu: '2' }), snapshot).changes?.map(({ nodes }) => nodes)).toEqual([
      ['near'],
      ['far'],
    ])
  })

  test('names the gates of a gated pod', () => {
    const gated = pod('p', {}, { schedulingGates: [{ name: 'x/y' }] })
    expect(explained(gated, snapshotOf([node('a')])).message).toBe('waiting for scheduling gates: [x/y]')
  })
})
