import { expect, test } from 'vitest'
import { node, pod, snapshotOf } from '../../test/support/scheduling.ts'
import { seededRandom } from '../base/random.ts'
import type { SchedulerConfiguration } from './configuration.ts'
import { decide } from './decide.ts'
import { podInfo } from './pod-info.ts'
import { frameworksOf } from './profile.ts'

function scoresOf(configuration: SchedulerConfiguration, profile = 0): string {
  const { localScore, otherScore } = frameworksOf(configuration)[profile]!
  return [...localScore, ...otherScore].map(({ plugin, weight }) => `${plugin.name}=${weight}`).join(' ')
}

const SCORES =
  'TaintToleration=3 NodeAffinity=2 NodeResourcesFit=1 NodeResourcesBalancedAllocation=1 PodTopologySpread=2 InterPodAffinity=2 ImageLocality=1'

test.each<[string, SchedulerConfiguration, string]>([
  ['the defaults', {}, SCORES],
  [
    'a plugin off at one point',
    { profiles: [{ plugins: { score: { disabled: [{ name: 'ImageLocality' }] } } }] },
    SCORES.replace(' ImageLocality=1', ''),
  ],
  [
    'one on alone',
    {
      profiles: [
        {
          plugins: {
            score: { disabled: [{ name: '*' }], enabled: [{ name: 'NodeResourcesFit', weight: 7 }] },
          },
        },
      ],
    },
    'NodeResourcesFit=7',
  ],
  [
    'another weight, at all points',
    { profiles: [{ plugins: { multiPoint: { enabled: [{ name: 'TaintToleration', weight: 9 }] } } }] },
    SCORES.replace('TaintToleration=3', 'TaintToleration=9'),
  ],
  [
    'nothing by default',
    {
      profiles: [
        { plugins: { multiPoint: { disabled: [{ name: '*' }], enabled: [{ name: 'NodeAffinity' }] } } },
      ],
    },
    'NodeAffinity=1',
  ],
])('Scores of a profile with %s', (_, configuration, expected) => {
  expect(scoresOf(configuration)).toBe(expected)
})

test('A filter that is off rejects nothing, and preemption can be off', () => {
  const [framework] = frameworksOf({
    profiles: [
      {
        schedulerName: 'loose',
        plugins: {
          filter: { disabled: [{ name: 'NodeUnschedulable' }] },
          postFilter: { disabled: [{ name: '*' }] },
        },
      },
    ],
  })
  const snapshot = snapshotOf([node('a', { spec: { unschedulable: true } })])
  expect(decide(podInfo(pod('p')), snapshot, framework!, seededRandom(1))).toMatchObject({ fits: true })
  expect(framework).toMatchObject({ name: 'loose', preemption: undefined })
})

test('percentageOfNodesToScore says how many feasible nodes are enough', () => {
  const nodes = Array.from({ length: 500 }, (_, i) => node(`n${i}`))
  const feasible = (percentageOfNodesToScore: number) => {
    const [framework] = frameworksOf({ percentageOfNodesToScore })
    const decision = decide(podInfo(pod('p')), snapshotOf(nodes), framework!, seededRandom(1))
    return decision.fits ? decision.feasible.length : 0
  }
  expect([feasible(0), feasible(1), feasible(50), feasible(100)]).toEqual([230, 100, 250, 500])
})

test('Resources that an extender manages and the scheduler is to ignore are not looked at', () => {
  const managedResources = [{ name: 'example.com/gpu', ignoredByScheduler: true }]
  const [framework] = frameworksOf({ extenders: [{ urlPrefix: 'http://localhost', managedResources }] })
  const asked = podInfo(pod('p', { 'example.com/gpu': '1' }))
  expect(decide(asked, snapshotOf([node('a')]), framework!, seededRandom(1)).fits).toBe(true)
})
