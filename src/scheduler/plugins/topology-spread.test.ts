import { describe, expect, test } from 'vitest'
import { node, pod, scores, snapshotOf, verdicts, wakes } from '../../../test/support/scheduling.ts'
import type { V1TopologySpreadConstraint } from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import type { Service } from '../../api/kinds/service.ts'
import { objectsOf } from '../cluster-objects.ts'
import { topologySpread } from './topology-spread.ts'

const ZONE = 'topology.kubernetes.io/zone'
const SKEWED = "node(s) didn't match pod topology spread constraints"
const UNLABELLED = `${SKEWED} (missing required label)`
const zoned = (name: string, zone: string) => node(name, { labels: { [ZONE]: zone } })
const web = (name: string, more: Partial<Pod['metadata']> = {}) =>
  pod(name, {}, {}, { labels: { app: 'web' }, ...more })
const webs = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => web(`${prefix}${i}`))
const constraint = (more: Partial<V1TopologySpreadConstraint> = {}): V1TopologySpreadConstraint => ({
  topologyKey: ZONE,
  maxSkew: 1,
  whenUnsatisfiable: 'DoNotSchedule',
  labelSelector: { matchLabels: { app: 'web' } },
  ...more,
})
const asking = (constraints: readonly V1TopologySpreadConstraint[], spec: Partial<Pod['spec']> = {}) =>
  pod('p', {}, { topologySpreadConstraints: constraints, ...spec }, { labels: { app: 'web' } })

describe('PodTopologySpread, DoNotSchedule', () => {
  const nodes = [zoned('a1', 'a'), zoned('a2', 'a'), zoned('b1', 'b'), node('bare')]
  const there = { a1: webs('x', 2), b1: webs('y', 1) }
  const cases: readonly [
    string,
    readonly V1TopologySpreadConstraint[],
    Partial<Pod['spec']>,
    readonly string[],
  ][] = [
    ['keeps within maxSkew of the smallest domain', [constraint()], {}, [SKEWED, SKEWED, 'fits', UNLABELLED]],
    [
      'allows more with a larger maxSkew',
      [constraint({ maxSkew: 2 })],
      {},
      ['fits', 'fits', 'fits', UNLABELLED],
    ],
    [
      'takes the smallest for 0 with fewer than minDomains',
      [constraint({ minDomains: 3, maxSkew: 2 })],
      {},
      [SKEWED, SKEWED, 'fits', UNLABELLED],
    ],
    [
      'does not with as many',
      [constraint({ minDomains: 2, maxSkew: 2 })],
      {},
      ['fits', 'fits', 'fits', UNLABELLED],
    ],
    [
      'counts nothing for a selector that matches nothing',
      [constraint({ labelSelector: { matchLabels: { app: 'db' } } })],
      {},
      ['fits', 'fits', 'fits', UNLABELLED],
    ],
    [
      'needs the label of every constraint',
      [constraint({ maxSkew: 9 }), constraint({ maxSkew: 9, topologyKey: 'rack' })],
      {},
      [UNLABELLED, UNLABELLED, UNLABELLED, UNLABELLED],
    ],
    [
      'leaves out nodes the pod cannot go to (nodeAffinityPolicy Honor)',
      [constraint()],
      { nodeSelector: { [ZONE]: 'a' } },
      ['fits', 'fits', 'fits', UNLABELLED],
    ],
    [
      'or counts them (Ignore)',
      [constraint({ nodeAffinityPolicy: 'Ignore' })],
      { nodeSelector: { [ZONE]: 'a' } },
      [SKEWED, SKEWED, 'fits', UNLABELLED],
    ],
  ]
  test.each(cases)('%s', (_, constraints, spec, [a1, a2, b1, bare]) => {
    const snapshot = snapshotOf(nodes, there)
    expect(verdicts(topologySpread(), asking(constraints, spec), snapshot)).toEqual({ a1, b1, bare, a2 })
  })

  test('spreads over nodes that the pod tolerates only, with nodeTaintsPolicy Honor', () => {
    const tainted = node('c1', {
      labels: { [ZONE]: 'c' },
      spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] },
    })
    const snapshot = snapshotOf([zoned('a1', 'a'), zoned('b1', 'b'), tainted], {
      a1: webs('x', 1),
      b1: webs('y', 1),
    })
    expect(verdicts(topologySpread(), asking([constraint()]), snapshot)).toMatchObject({
      a1: SKEWED,
      b1: SKEWED,
    })
    const honors = asking([constraint({ nodeTaintsPolicy: 'Honor' })])
    expect(verdicts(topologySpread(), honors, snapshot)).toMatchObject({ a1: 'fits', b1: 'fits' })
  })

  test('counts neither pods that end nor those of other namespaces', () => {
    const ending = web('x', { deletionTimestamp: '2026-01-01T00:00:00Z' })
    const foreign = web('y', { namespace: 'other' })
    const snapshot = snapshotOf([zoned('a1', 'a'), zoned('b1', 'b')], { a1: [ending, foreign] })
    expect(verdicts(topologySpread(), asking([constraint()]), snapshot)).toEqual({ a1: 'fits', b1: 'fits' })
  })

  test('tells revisions apart by matchLabelKeys', () => {
    const of = (name: string, hash: string) => web(name, { labels: { app: 'web', hash } })
    const snapshot = snapshotOf([zoned('a1', 'a'), zoned('b1', 'b')], {
      a1: [of('x', 'old'), of('y', 'old')],
    })
    const next = pod(
      'p',
      {},
      { topologySpreadConstraints: [constraint({ matchLabelKeys: ['hash'] })] },
      { labels: { app: 'web', hash: 'new' } },
    )
    expect(verdicts(topologySpread(), next, snapshot)).toEqual({ a1: 'fits', b1: 'fits' })
  })

  test('follows pods and labels as they change', () => {
    const snapshot = snapshotOf([zoned('a1', 'a'), zoned('b1', 'b')], { a1: webs('x', 1) })
    const asked = asking([constraint()])
    expect(verdicts(topologySpread(), asked, snapshot)).toEqual({ a1: SKEWED, b1: 'fits' })
    snapshot.removePod('x0')
    expect(verdicts(topologySpread(), asked, snapshot)).toEqual({ a1: 'fits', b1: 'fits' })
    snapshot.setNode(zoned('c1', 'c'))
    snapshot.removeNode('b1')
    snapshot.setNode(zoned('a1', 'c'))
    expect(verdicts(topologySpread(), asked, snapshot)).toEqual({ a1: 'fits', c1: 'fits' })
  })

  test('is woken by what changes the counts it rejected by', () => {
    const asked = asking([constraint()])
    const event = (type: 'pod-bound' | 'pod-removed', other: Pod) =>
      wakes(topologySpread(), asked, { type, pod: other })
    expect(event('pod-bound', web('x'))).toBe(true)
    expect(event('pod-removed', web('x'))).toBe(true)
    expect(event('pod-removed', pod('y', {}, {}, { labels: { app: 'db' } }))).toBe(false)
    expect(wakes(topologySpread(), asked, { type: 'node-added', node: node('bare') })).toBe(false)
    expect(wakes(topologySpread(), asked, { type: 'node-added', node: zoned('c1', 'c') })).toBe(true)
  })
})

describe('PodTopologySpread, ScheduleAnyway', () => {
  const soft = (more: Partial<V1TopologySpreadConstraint> = {}) =>
    constraint({ whenUnsatisfiable: 'ScheduleAnyway', ...more })

  test('scores 100·(max + min − cost)/max, a cost being count·ln(domains + 2) + maxSkew − 1', () => {
    const nodes = [zoned('a1', 'a'), zoned('b1', 'b'), zoned('c1', 'c'), node('bare')]
    const snapshot = snapshotOf(nodes, { a1: webs('x', 4), b1: webs('y', 2) })
    // ln 5 = 1.609: costs 6, 3 and 0; nodes without the label score nothing.
    expect(scores(topologySpread(), asking([soft()]), snapshot)).toEqual({ a1: 0, b1: 50, c1: 100, bare: 0 })
    // maxSkew 3 adds 2 to each: 8, 5 and 2.
    expect(scores(topologySpread(), asking([soft({ maxSkew: 3 })]), snapshot)).toEqual({
      a1: 25,
      b1: 62,
      c1: 100,
      bare: 0,
    })
  })

  test('scores 100 everywhere while nothing is there', () => {
    const snapshot = snapshotOf([zoned('a1', 'a'), zoned('b1', 'b')])
    expect(scores(topologySpread(), asking([soft()]), snapshot)).toEqual({ a1: 100, b1: 100 })
  })

  test('spreads the pods of a service over hosts and zones by default, labelled or not', () => {
    const service: Service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: { app: 'web' }, ports: [] },
    }
    const nodes = [zoned('a1', 'a'), zoned('a2', 'a'), node('bare')]
    const snapshot = snapshotOf(nodes, { a1: webs('x', 2) }, objectsOf([service]))
    // Hosts: 2·ln 5 + 2 and 2; zones (a, and none): 2·ln 4 + 4; 12, 9 and 2.
    expect(scores(topologySpread(), web('p'), snapshot)).toEqual({ a1: 16, a2: 41, bare: 100 })
    expect(scores(topologySpread(), pod('q'), snapshot)).toEqual({ a1: 0, a2: 0, bare: 0 })
    expect(scores(topologySpread({ defaultingType: 'List' }), web('p'), snapshot)).toEqual({
      a1: 0,
      a2: 0,
      bare: 0,
    })
  })

  test('can spread hard by default', () => {
    const service: Service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: { app: 'web' }, ports: [] },
    }
    const { labelSelector: _, ...plain } = constraint()
    const plugin = topologySpread({ defaultingType: 'List', defaultConstraints: [plain] })
    const snapshot = snapshotOf(
      [zoned('a1', 'a'), zoned('b1', 'b')],
      { a1: webs('x', 1) },
      objectsOf([service]),
    )
    expect(verdicts(plugin, web('p'), snapshot)).toEqual({ a1: SKEWED, b1: 'fits' })
    expect(verdicts(plugin, pod('q'), snapshot)).toEqual({ a1: 'fits', b1: 'fits' })
  })
})
