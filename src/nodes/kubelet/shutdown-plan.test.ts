import { describe, expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import type { KubeletConfiguration } from '../../api/kubelet-configuration.ts'
import { graceIn, shutdownGroups } from './shutdown-plan.ts'

const pod = (name: string, priority: number) => make.pod({ metadata: { name }, spec: { priority } })
const PODS = [pod('low', -5), pod('plain', 0), pod('dear', 100_000), pod('system', 2_000_000_000)]
const byPriority = (...periods: readonly (readonly [number, number])[]) => ({
  shutdownGracePeriodByPodPriority: periods.map(([priority, shutdownGracePeriodSeconds]) => ({
    priority,
    shutdownGracePeriodSeconds,
  })),
})
const shown = (config: KubeletConfiguration) =>
  shutdownGroups(config, PODS).map(
    ({ graceMs, pods }) => `${graceMs / 1000}s ${pods.map(({ metadata }) => metadata.name).join(' ')}`,
  )

describe('A node that shuts down', () => {
  test.each<[string, KubeletConfiguration, readonly string[]]>([
    ['nothing is set', {}, []],
    ['there is time', { shutdownGracePeriod: '30s' }, ['30s low plain dear', '0s system']],
    [
      'a part of it is for critical pods',
      { shutdownGracePeriod: '30s', shutdownGracePeriodCriticalPods: '10s' },
      ['20s low plain dear', '10s system'],
    ],
    [
      'all of it is for critical pods',
      { shutdownGracePeriod: '10s', shutdownGracePeriodCriticalPods: '10s' },
      ['0s low plain dear', '10s system'],
    ],
    [
      'priorities have their own, in any order',
      byPriority([100_000, 20], [0, 5], [2_000_000_000, 60]),
      ['5s low plain', '20s dear', '60s system'],
    ],
    ['a pod is below all priorities', byPriority([1000, 7], [10_000, 9]), ['7s low plain', '9s dear system']],
    ['a priority has no pods', byPriority([0, 5], [500, 50]), ['5s low plain', '50s dear system']],
    ['there are no pods of some', byPriority([-10, 1], [-7, 2], [0, 3]), ['2s low', '3s plain dear system']],
  ])('ends its pods in order when %s', (_, config, groups) => {
    expect(shown(config)).toEqual(groups)
  })

  test.each([
    [20_000, 30, 20_000],
    [20_000, 5, 5000],
    [20_000, undefined, 20_000],
  ])('with %i ms for a group gives a pod that asks for %s s %i ms', (graceMs, seconds, expected) => {
    const one = make.pod({
      spec: seconds === undefined ? {} : { terminationGracePeriodSeconds: seconds },
    })
    expect(graceIn({ priority: 0, graceMs, pods: [one] }, one)).toBe(expected)
  })
})
