import { describe, expect, test } from 'vitest'
import { node, pod, snapshotOf } from '../../test/support/scheduling.ts'
import type { Pod } from '../api/kinds/pod.ts'
import type { PodDisruptionBudget } from '../api/kinds/pod-disruption-budget.ts'
import { seededRandom } from '../base/random.ts'
import { decide } from './decide.ts'
import { type PodInfo, podInfo } from './pod-info.ts'
import { type Candidate, candidatesFor, pickCandidate } from './preemption.ts'
import { defaultFramework, frameworksOf } from './profile.ts'
import type { Snapshot } from './snapshot.ts'

const framework = defaultFramework()
const random = seededRandom(1)

interface Facts {
  readonly cpu?: string
  readonly app?: string
  readonly startedAt?: string
  readonly spec?: Partial<Pod['spec']>
}

const of = (
  name: string,
  priority: number,
  { cpu = '1', app = name, startedAt, spec = {} }: Facts = {},
): Pod => ({
  ...pod(name, { cpu }, { priority, ...spec }, { labels: { app } }),
  ...(startedAt ? { status: { startTime: startedAt } } : {}),
})

const budget = (app: string, disruptionsAllowed: number): PodDisruptionBudget =>
  ({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: app, namespace: 'default' },
    spec: { selector: { matchLabels: { app } } },
    status: { disruptionsAllowed },
  }) as unknown as PodDisruptionBudget

/** "node: victims" or the message. */
function outcome(asked: Pod, snapshot: Snapshot, budgets: readonly PodDisruptionBudget[] = []): string {
  const info = podInfo(asked)
  const decision = decide(info, snapshot, framework, random)
  if (decision.fits) return `fits on ${decision.node}`
  const found = candidatesFor(info, decision.error, snapshot, framework, budgets, random)
  if ('helps' in found) return found.message
  const { node: chosen, victims } = pickCandidate(found)!
  return `${chosen}: ${victims.map(({ pod: victim }) => victim.metadata.name).join(' ')}`
}

const two = node('a', { allocatable: { cpu: '2' } })
const another = node('b', { allocatable: { cpu: '2' } })

describe('preemption', () => {
  const NOT_HELPFUL = '0/1 nodes are available: 1 Preemption is not helpful for scheduling.'
  const cases: readonly [string, Pod, readonly Pod[], string][] = [
    ['evicts as few as needed', of('p', 10), [of('x', 1), of('y', 1)], 'a: y'],
    ['evicts the least important', of('p', 10), [of('x', 1), of('y', 2)], 'a: x'],
    [
      'spares the one that runs longest',
      of('p', 10),
      [of('x', 1, { startedAt: '2026-01-02T00:00:00Z' }), of('y', 1, { startedAt: '2026-01-01T00:00:00Z' })],
      'a: x',
    ],
    ['evicts all when it must', of('p', 10, { cpu: '2' }), [of('x', 1), of('y', 9)], 'a: y x'],
    [
      'evicts nobody of the same priority',
      of('p', 10),
      [of('x', 10), of('y', 10)],
      '0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    ],
    [
      'does not evict in vain',
      of('p', 10, { cpu: '2' }),
      [of('x', 1), of('y', 10)],
      '0/1 nodes are available: 1 Insufficient cpu.',
    ],
    ['knows that no room would be enough', of('p', 10, { cpu: '3' }), [of('x', 1)], NOT_HELPFUL],
    [
      'knows that no eviction changes a label',
      of('p', 10, { spec: { nodeSelector: { disk: 'ssd' } } }),
      [of('x', 1)],
      NOT_HELPFUL,
    ],
    [
      'does nothing by policy',
      of('p', 10, { spec: { preemptionPolicy: 'Never' } }),
      [of('x', 1), of('y', 1)],
      'not eligible due to preemptionPolicy=Never.',
    ],
  ]
  test.each(cases)('%s', (_, asked, there, expected) => {
    expect(outcome(asked, snapshotOf([two], { a: there }))).toBe(expected)
  })

  test('evicts who stands in the way of spreading and anti-affinity', () => {
    const apart = {
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'x' } } },
          ],
        },
      },
    }
    const snapshot = snapshotOf([two], { a: [of('x', 1), of('y', 1, { cpu: '500m' })] })
    expect(outcome(of('p', 10, { cpu: '100m', spec: apart }), snapshot)).toBe('a: x')
  })

  test('leaves the snapshot as it was', () => {
    const snapshot = snapshotOf([two], { a: [of('x', 1), of('y', 1)] })
    const before = JSON.stringify(snapshot.nodes[0]?.requested)
    outcome(of('p', 10), snapshot)
    expect(JSON.stringify(snapshot.nodes[0]?.requested)).toBe(before)
    expect(snapshot.nodes[0]?.pods.size).toBe(2)
  })

  test('violates no budget when there is another way', () => {
    const there = { a: [of('x', 1), of('x2', 1)], b: [of('y', 2), of('y2', 2)] }
    expect(outcome(of('p', 10), snapshotOf([two, another], there))).toBe('a: x2')
    const both = [budget('x', 0), budget('x2', 0)]
    expect(outcome(of('p', 10), snapshotOf([two, another], there), both)).toBe('b: y2')
    expect(outcome(of('p', 10), snapshotOf([two], { a: there.a }), both)).toBe('a: x2')
    expect(outcome(of('p', 10), snapshotOf([two], { a: there.a }), [budget('x2', 0)])).toBe('a: x')
    expect(outcome(of('p', 10), snapshotOf([two], { a: there.a }), [budget('x2', 1)])).toBe('a: x2')
  })

  test('waits for its victims to end', () => {
    const ending: Pod = {
      ...of('x', 1),
      metadata: { ...of('x', 1).metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
      status: { conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }] },
    }
    const snapshot = snapshotOf([two], { a: [ending, of('y', 1)] })
    const asked = of('p', 10)
    snapshot.nominate(podInfo(asked), 'a')
    expect(outcome(asked, snapshot)).toBe('not eligible due to a terminating pod on the nominated node.')
  })

  test('keeps the room of a nominated pod from those of lower priority only', () => {
    const snapshot = snapshotOf([two], { a: [of('x', 1)] })
    snapshot.nominate(podInfo(of('waits', 10)), 'a')
    expect(outcome(of('lower', 5, { spec: { preemptionPolicy: 'Never' } }), snapshot)).toBe(
      'not eligible due to preemptionPolicy=Never.',
    )
    expect(outcome(of('higher', 20), snapshot)).toBe('fits on a')
    expect(outcome(of('waits', 10), snapshot)).toBe('fits on a')
  })
})

describe('pickCandidate prefers', () => {
  const victim = (priority: number, startedAt = 0) => ({ priority, startedAt }) as unknown as PodInfo
  const candidate = (name: string, victims: PodInfo[], budgetViolations = 0): Candidate => ({
    node: name,
    victims,
    budgetViolations,
  })
  const cases: readonly [string, Candidate, Candidate][] = [
    [
      'fewer budget violations',
      candidate('best', [victim(9), victim(9)], 0),
      candidate('other', [victim(1)], 1),
    ],
    [
      'the lowest highest priority',
      candidate('best', [victim(5), victim(5)]),
      candidate('other', [victim(6)]),
    ],
    [
      'the smallest sum of priorities',
      candidate('best', [victim(5), victim(1)]),
      candidate('other', [victim(5), victim(2)]),
    ],
    [
      'fewer victims, even of low priority',
      candidate('best', [victim(5)]),
      candidate('other', [victim(5), victim(-10)]),
    ],
    [
      'the latest start of the most important',
      candidate('best', [victim(5, 200)]),
      candidate('other', [victim(5, 100)]),
    ],
    ['the first, all else equal', candidate('best', [victim(5)]), candidate('other', [victim(5)])],
  ]
  test.each(cases)('%s', (title, best, other) => {
    expect(pickCandidate([best, other])).toBe(best)
    if (!title.startsWith('the first')) expect(pickCandidate([other, best])).toBe(best)
  })
})

test.each([
  ['the defaults', {}, 150, 100],
  ['a percentage', { minCandidateNodesPercentage: 50, minCandidateNodesAbsolute: 10 }, 150, 75],
  ['an absolute number', { minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 3 }, 150, 3],
  ['more than there are', { minCandidateNodesAbsolute: 500 }, 20, 20],
])('Preemption looks for as many candidates as %s say', (_, args, nodes, expected) => {
  const all = Array.from({ length: nodes }, (_each, i) => node(`n${i}`, { allocatable: { cpu: '1' } }))
  const placed = Object.fromEntries(all.map(({ metadata: { name } }) => [name, [of(`p-${name}`, 1)]]))
  const snapshot = snapshotOf(all, placed)
  const [profile] = frameworksOf({ profiles: [{ pluginConfig: [{ name: 'DefaultPreemption', args }] }] })
  const info = podInfo(of('p', 10))
  const decision = decide(info, snapshot, profile!, random)
  const found = decision.fits ? [] : candidatesFor(info, decision.error, snapshot, profile!, [], random)
  expect(found).toHaveLength(expected)
})
