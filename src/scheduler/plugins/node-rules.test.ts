import { describe, expect, test } from 'vitest'
import { node, pod, scores, snapshotOf, verdicts, wakes } from '../../../test/support/scheduling.ts'
import type { V1Affinity, V1Taint, V1Toleration } from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { podInfo } from '../pod-info.ts'
import { Snapshot } from '../snapshot.ts'
import { nodeAffinity } from './node-affinity.ts'
import { nodeDeclaredFeatures } from './node-declared-features.ts'
import { nodeName } from './node-name.ts'
import { nodePorts } from './node-ports.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'
import { schedulingGates } from './scheduling-gates.ts'
import { taintToleration } from './taint-toleration.ts'

test('SchedulingGates names the gates that are waited for', () => {
  const gated = pod('a', {}, { schedulingGates: [{ name: 'x/one' }, { name: 'x/two' }] })
  expect(schedulingGates.preEnqueue?.(podInfo(gated), new Snapshot())).toBe(
    'waiting for scheduling gates: [x/one x/two]',
  )
  expect(schedulingGates.preEnqueue?.(podInfo(pod('b')), new Snapshot())).toBeUndefined()
})

test('NodeName rejects all nodes but the one that is named', () => {
  const snapshot = snapshotOf([node('a'), node('b')])
  expect(verdicts(nodeName, pod('p', {}, { nodeName: 'b' }), snapshot)).toEqual({
    a: "node(s) didn't match the requested node name",
    b: 'fits',
  })
})

describe('NodeUnschedulable', () => {
  const cordoned = node('a', { spec: { unschedulable: true } })
  const tolerant = { tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }] }

  test('rejects a cordoned node unless the pod tolerates it', () => {
    const snapshot = snapshotOf([cordoned, node('b')])
    expect(verdicts(nodeUnschedulable, pod('p'), snapshot)).toEqual({
      a: 'node(s) were unschedulable',
      b: 'fits',
    })
    expect(verdicts(nodeUnschedulable, pod('p', {}, tolerant), snapshot)).toEqual({ a: 'fits', b: 'fits' })
  })

  test('is woken by uncordoning, not by cordoning', () => {
    const uncordon = { type: 'node-updated', node: node('a'), previous: cordoned } as const
    const cordon = { type: 'node-updated', node: cordoned, previous: node('a') } as const
    expect(wakes(nodeUnschedulable, pod('p'), uncordon)).toBe(true)
    expect(wakes(nodeUnschedulable, pod('p'), cordon)).toBe(false)
    expect(wakes(nodeUnschedulable, pod('p'), { type: 'node-added', node: cordoned })).toBe(false)
    expect(wakes(nodeUnschedulable, pod('p'), { type: 'pod-removed', pod: pod('q') })).toBe(false)
  })
})

describe('TaintToleration', () => {
  const taint = (effect: string, value = 'yes'): V1Taint => ({ key: 'dedicated', value, effect })
  const no: V1Toleration[] = []
  const cases: readonly [string, V1Taint, readonly V1Toleration[], boolean][] = [
    ['NoSchedule without a toleration', taint('NoSchedule'), no, false],
    ['NoExecute without a toleration', taint('NoExecute'), no, false],
    ['PreferNoSchedule without a toleration', taint('PreferNoSchedule'), no, true],
    [
      'an equal key, value and effect',
      taint('NoSchedule'),
      [{ key: 'dedicated', value: 'yes', effect: 'NoSchedule' }],
      true,
    ],
    ['another value', taint('NoSchedule'), [{ key: 'dedicated', value: 'no', effect: 'NoSchedule' }], false],
    ['another effect', taint('NoSchedule'), [{ key: 'dedicated', value: 'yes', effect: 'NoExecute' }], false],
    ['no effect, which is all of them', taint('NoExecute'), [{ key: 'dedicated', value: 'yes' }], true],
    [
      'Exists, whatever the value',
      taint('NoSchedule', 'x'),
      [{ key: 'dedicated', operator: 'Exists' }],
      true,
    ],
    ['Exists without a key', taint('NoSchedule'), [{ operator: 'Exists' }], true],
    ['another key', taint('NoSchedule'), [{ key: 'spot', operator: 'Exists' }], false],
  ]
  test.each(cases)('%s', (_, given, tolerations, fits) => {
    const snapshot = snapshotOf([node('a', { spec: { taints: [given] } })])
    expect(verdicts(taintToleration, pod('p', {}, { tolerations }), snapshot)).toEqual({
      a: fits ? 'fits' : 'node(s) had untolerated taint(s)',
    })
  })

  test('scores 100 less the part of PreferNoSchedule taints it does not tolerate', () => {
    const prefer = (key: string): V1Taint => ({ key, effect: 'PreferNoSchedule' })
    const snapshot = snapshotOf([
      node('none'),
      node('one', { spec: { taints: [prefer('a')] } }),
      node('three', { spec: { taints: [prefer('a'), prefer('b'), prefer('c')] } }),
    ])
    expect(scores(taintToleration, pod('p'), snapshot)).toEqual({ none: 100, one: 67, three: 0 })
    const tolerant = pod('p', {}, { tolerations: [{ operator: 'Exists' }] })
    expect(scores(taintToleration, tolerant, snapshot)).toEqual({ none: 100, one: 100, three: 100 })
  })

  test('is woken when a taint it does not tolerate goes, and only then', () => {
    const tainted = node('a', { spec: { taints: [taint('NoSchedule')] } })
    const other = node('a', { spec: { taints: [taint('NoSchedule', 'other')] } })
    const updated = (now: typeof tainted, previous: typeof tainted) =>
      wakes(taintToleration, pod('p'), { type: 'node-updated', node: now, previous })
    expect(updated(node('a'), tainted)).toBe(true)
    expect(updated(other, tainted)).toBe(false)
    expect(updated(node('a', { labels: { x: 'y' } }), node('a'))).toBe(false)
    expect(wakes(taintToleration, pod('p'), { type: 'node-added', node: tainted })).toBe(false)
    expect(wakes(taintToleration, pod('p'), { type: 'node-added', node: node('b') })).toBe(true)
  })
})

describe('NodeAffinity', () => {
  const REASON = "node(s) didn't match Pod's node affinity/selector"
  const required = (
    ...terms: NonNullable<
      NonNullable<V1Affinity['nodeAffinity']>['requiredDuringSchedulingIgnoredDuringExecution']
    >['nodeSelectorTerms']
  ) => ({
    affinity: {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
    },
  })
  const expression = (key: string, operator: string, ...values: string[]) => ({
    matchExpressions: [{ key, operator, ...(values.length > 0 ? { values } : {}) }],
  })
  const snapshot = snapshotOf([
    node('ssd', { labels: { disk: 'ssd', cores: '8' } }),
    node('hdd', { labels: { disk: 'hdd', cores: '4' } }),
    node('bare'),
  ])
  const cases: readonly [
    string,
    ReturnType<typeof required> | { nodeSelector: Record<string, string> },
    readonly string[],
  ][] = [
    ['nodeSelector', { nodeSelector: { disk: 'ssd' } }, ['ssd']],
    ['In', required(expression('disk', 'In', 'ssd', 'nvme')), ['ssd']],
    [
      'NotIn also matches where the label is missing',
      required(expression('disk', 'NotIn', 'ssd')),
      ['hdd', 'bare'],
    ],
    ['Exists', required(expression('disk', 'Exists')), ['ssd', 'hdd']],
    ['DoesNotExist', required(expression('disk', 'DoesNotExist')), ['bare']],
    ['Gt', required(expression('cores', 'Gt', '4')), ['ssd']],
    ['Lt', required(expression('cores', 'Lt', '5')), ['hdd']],
    [
      'terms are alternatives',
      required(expression('disk', 'In', 'ssd'), expression('disk', 'DoesNotExist')),
      ['ssd', 'bare'],
    ],
    ['an empty term matches nothing', required({}), []],
  ]
  test.each(cases)('%s', (_, spec, fitting) => {
    const expected = Object.fromEntries(
      snapshot.nodes.map(({ name }) => [name, fitting.includes(name) ? 'fits' : REASON]),
    )
    expect(verdicts(nodeAffinity(), pod('p', {}, spec), snapshot)).toEqual(expected)
  })

  test('asks only the nodes that matchFields name', () => {
    const named = (...values: string[]) => ({
      matchFields: [{ key: 'metadata.name', operator: 'In', values }],
    })
    expect(verdicts(nodeAffinity(), pod('p', {}, required(named('hdd'))), snapshot)).toEqual({
      ssd: 'not asked',
      hdd: 'fits',
      bare: 'not asked',
    })
    const both = { matchFields: [...named('hdd').matchFields, ...named('ssd').matchFields] }
    expect(verdicts(nodeAffinity(), pod('p', {}, required(both)), snapshot)).toBe(
      'pod affinity terms conflict',
    )
  })

  test('scores 100·weight/max of the preferred terms that match', () => {
    const prefers = {
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 2, preference: expression('disk', 'Exists') },
            { weight: 3, preference: expression('disk', 'In', 'ssd') },
          ],
        },
      },
    }
    expect(scores(nodeAffinity(), pod('p', {}, prefers), snapshot)).toEqual({ ssd: 100, hdd: 40, bare: 0 })
    expect(scores(nodeAffinity(), pod('p'), snapshot)).toEqual({ ssd: 0, hdd: 0, bare: 0 })
  })

  test('holds all pods of a profile to its addedAffinity', () => {
    const { nodeAffinity: addedAffinity } = required(expression('disk', 'In', 'ssd')).affinity
    expect(verdicts(nodeAffinity({ addedAffinity }), pod('p'), snapshot)).toEqual({
      ssd: 'fits',
      hdd: "node(s) didn't match scheduler-enforced node affinity",
      bare: "node(s) didn't match scheduler-enforced node affinity",
    })
  })

  test('is woken by a label that makes a node match', () => {
    const waiting = pod('p', {}, { nodeSelector: { disk: 'ssd' } })
    const ssd = node('a', { labels: { disk: 'ssd' } })
    expect(wakes(nodeAffinity(), waiting, { type: 'node-updated', node: ssd, previous: node('a') })).toBe(
      true,
    )
    expect(wakes(nodeAffinity(), waiting, { type: 'node-updated', node: node('a'), previous: ssd })).toBe(
      false,
    )
    expect(wakes(nodeAffinity(), waiting, { type: 'node-updated', node: ssd, previous: ssd })).toBe(false)
    expect(wakes(nodeAffinity(), waiting, { type: 'node-added', node: node('b') })).toBe(false)
  })
})

describe('NodePorts', () => {
  const REASON = "node(s) didn't have free ports for the requested pod ports"
  const on = (hostPort: number, hostIP?: string, protocol?: string) => ({
    containers: [
      {
        name: 'app',
        image: 'x',
        ports: [
          {
            containerPort: hostPort,
            hostPort,
            ...(hostIP ? { hostIP } : {}),
            ...(protocol ? { protocol } : {}),
          },
        ],
      },
    ],
  })
  const cases: readonly [string, ReturnType<typeof on>, ReturnType<typeof on>, boolean][] = [
    ['the same port', on(80), on(80), false],
    ['another port', on(80), on(81), true],
    ['another protocol', on(53, undefined, 'UDP'), on(53, undefined, 'TCP'), true],
    ['one address against all', on(80, '10.0.0.1'), on(80), false],
    ['all addresses against one', on(80), on(80, '10.0.0.1'), false],
    ['two addresses', on(80, '10.0.0.1'), on(80, '10.0.0.2'), true],
    ['the same address', on(80, '10.0.0.1'), on(80, '10.0.0.1'), false],
  ]
  test.each(cases)('%s', (_, there, wanted, fits) => {
    const snapshot = snapshotOf([node('a')], { a: [pod('q', {}, there)] })
    expect(verdicts(nodePorts, pod('p', {}, wanted), snapshot)).toEqual({ a: fits ? 'fits' : REASON })
    const freed = { type: 'pod-removed', pod: pod('q', {}, there) } as const
    expect(wakes(nodePorts, pod('p', {}, wanted), freed)).toBe(!fits)
  })
})

describe('NodeDeclaredFeatures', () => {
  const restarts = (action: string): Partial<Pod['spec']> => ({
    containers: [
      { name: 'app', restartPolicyRules: [{ action, exitCodes: { operator: 'In', values: [1] } }] },
    ],
  })
  test.each<[string, Partial<Pod['spec']>, string | undefined]>([
    [
      'a pod that restarts as a whole',
      restarts('RestartAllContainers'),
      'RestartAllContainersOnContainerExits',
    ],
    ['a pod that restarts one container', restarts('Restart'), undefined],
    [
      'a pod of the host network with users of its own',
      { hostNetwork: true, hostUsers: false },
      'UserNamespacesHostNetworkSupport',
    ],
    ['a pod of the host network', { hostNetwork: true }, undefined],
  ])('%s', (_, spec, feature) => {
    const declaredFeatures = feature ? [feature] : []
    const snapshot = snapshotOf([node('old'), node('new', { status: { declaredFeatures } })])
    expect(verdicts(nodeDeclaredFeatures, pod('p', {}, spec), snapshot)).toEqual({
      old: feature ? "node(s) didn't match Pod's required features" : 'fits',
      new: 'fits',
    })
  })
})
