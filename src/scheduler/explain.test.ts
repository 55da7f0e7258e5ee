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

  /** The change as one who follows it makes it, and the same a little smaller: that must not be enough. */
  interface Way {
    readonly asked: Pod
    readonly on: Snapshot
    readonly change: string
    readonly made: { readonly asked?: Pod; readonly on?: Snapshot }
    readonly less: { readonly asked?: Pod; readonly on?: Snapshot }
  }
  const affine = (...matchExpressions: { key: string; operator: string; values?: string[] }[]) => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] },
      },
    },
  })
  const taint = (key: string) => ({ key, effect: 'NoSchedule' as const })
  const tainted = snapshotOf([node('a', { spec: { taints: [taint('k'), taint('l')] } })])
  const tolerating = (...keys: string[]) =>
    pod('p', {}, { tolerations: keys.map((key) => ({ key, operator: 'Exists' })) })
  const filled = () =>
    snapshotOf([node('a'), node('b')], { a: [pod('x', { cpu: '3' })], b: [pod('y', { cpu: '1' })] })
  const ways: Readonly<Record<string, Way>> = {
    'the node with most room': {
      asked: pod('p', { cpu: '3500m' }),
      on: filled(),
      change: 'ask for at most 3 of cpu instead of 3500m',
      made: { asked: pod('p', { cpu: '3' }) },
      less: { asked: pod('p', { cpu: '3001m' }) },
    },
    'two resources': {
      asked: pod('p', { cpu: '5', memory: '20Gi' }),
      on: snapshotOf([node('a')]),
      change: 'ask for at most 4 of cpu instead of 5 and ask for at most 16Gi of memory instead of 20Gi',
      made: { asked: pod('p', { cpu: '4', memory: '16Gi' }) },
      less: { asked: pod('p', { cpu: '4', memory: '20Gi' }) },
    },
    'devices of a node': {
      asked: pod('p', { 'example.com/gpu': '4' }),
      on: snapshotOf([node('a', { allocatable: { 'example.com/gpu': '2' } })]),
      change: 'ask for at most 2 of example.com/gpu instead of 4',
      made: { asked: pod('p', { 'example.com/gpu': '2' }) },
      less: { asked: pod('p', { 'example.com/gpu': '3' }) },
    },
    'two taints': {
      asked: pod('p'),
      on: tainted,
      change: 'tolerate k:NoSchedule and l:NoSchedule',
      made: { asked: tolerating('k', 'l') },
      less: { asked: tolerating('k') },
    },
    'one taint of two': {
      asked: tolerating('k'),
      on: tainted,
      change: 'tolerate l:NoSchedule',
      made: { asked: tolerating('k', 'l') },
      less: {},
    },
    'a cordon with its taint': {
      asked: pod('p'),
      on: snapshotOf([
        node('a', { spec: { unschedulable: true, taints: [taint('node.kubernetes.io/unschedulable')] } }),
      ]),
      change: 'uncordon node "a"',
      made: { on: snapshotOf([node('a')]) },
      less: {},
    },
    'the node that lacks one label of two': {
      asked: pod('p', {}, { nodeSelector: { disk: 'ssd', arch: 'arm' } }),
      on: snapshotOf([node('a'), node('b', { labels: { disk: 'ssd' } })]),
      change: 'label node "b" arch=arm, or take it out of spec.nodeSelector',
      made: { on: snapshotOf([node('a'), node('b', { labels: { disk: 'ssd', arch: 'arm' } })]) },
      less: {
        on: snapshotOf([node('a', { labels: { arch: 'arm' } }), node('b', { labels: { disk: 'ssd' } })]),
      },
    },
    'a label that node affinity wants': {
      asked: pod('p', {}, affine({ key: 'disk', operator: 'In', values: ['ssd', 'nvme'] })),
      on: snapshotOf([node('a', { labels: { disk: 'hdd' } })]),
      change: 'label node "a" disk=ssd',
      made: { on: snapshotOf([node('a', { labels: { disk: 'ssd' } })]) },
      less: {},
    },
    'labels that node affinity wants, and one that it does not': {
      asked: pod(
        'p',
        {},
        affine(
          { key: 'old', operator: 'DoesNotExist' },
          { key: 'cores', operator: 'Gt', values: ['8'] },
          { key: 'gpu', operator: 'Exists' },
        ),
      ),
      on: snapshotOf([node('a', { labels: { old: 'yes', cores: '8' } })]),
      change: 'label node "a" old-,cores=9,gpu=true',
      made: { on: snapshotOf([node('a', { labels: { cores: '9', gpu: 'true' } })]) },
      less: { on: snapshotOf([node('a', { labels: { cores: '9', gpu: 'true', old: 'yes' } })]) },
    },
    'a taint rather than half of the memory and a label': {
      asked: pod('p', { memory: '16Gi' }, { nodeSelector: { disk: 'ssd' } }),
      on: snapshotOf([
        node('a', { allocatable: { memory: '8Gi' } }),
        node('b', { labels: { disk: 'ssd' }, spec: { taints: [taint('k')] } }),
      ]),
      change: 'tolerate k:NoSchedule',
      made: {
        asked: pod(
          'p',
          { memory: '16Gi' },
          { nodeSelector: { disk: 'ssd' }, tolerations: [{ key: 'k', operator: 'Exists' }] },
        ),
      },
      less: {},
    },
    'a little less rather than a taint': {
      asked: pod('p', { cpu: '4100m' }),
      on: snapshotOf([node('a'), node('b', { allocatable: { cpu: '8' }, spec: { taints: [taint('k')] } })]),
      change: 'ask for at most 4 of cpu instead of 4100m',
      made: { asked: pod('p', { cpu: '4' }) },
      less: { asked: pod('p', { cpu: '4001m' }) },
    },
  }
  test.each(Object.entries(ways))('proposes the smallest change that helps: %s', (_, way) => {
    const { asked, on, change, made, less } = way
    expect(explained(asked, on).changes?.[0]?.change).toBe(change)
    expect(explained(made.asked ?? asked, made.on ?? on).ties.length).toBeGreaterThan(0)
    expect(explained(less.asked ?? asked, less.on ?? on).ties).toEqual([])
  })

  test('names everything that must change for spreading over two keys', () => {
    const HOST = 'kubernetes.io/hostname'
    const both = {
      topologySpreadConstraints: [ZONE, HOST].map((topologyKey) => ({
        ...spread.topologySpreadConstraints[0]!,
        topologyKey,
      })),
    }
    const full = { pods: '0' }
    const snapshot = snapshotOf(
      [node('a', { labels: { [ZONE]: 'a' } }), node('b', { labels: { [ZONE]: 'b' }, allocatable: full })],
      { a: [web('x')] },
    )
    const asked = pod('p', {}, both, { labels: { app: 'web' } })
    expect(explained(asked, snapshot).changes?.find(({ nodes }) => nodes[0] === 'a')?.change).toBe(
      `allow a maxSkew of 2 over ${ZONE} instead of 1 and allow a maxSkew of 2 over ${HOST} instead of 1`,
    )
  })

  test('names the gates of a gated pod', () => {
    const gated = pod('p', {}, { schedulingGates: [{ name: 'x/y' }] })
    expect(explained(gated, snapshotOf([node('a')])).message).toBe('waiting for scheduling gates: [x/y]')
  })
})
