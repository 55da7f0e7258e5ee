import { describe, expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import type { V2MetricTarget } from '../api/generated/types.ts'
import type { PodMetrics } from '../api/metrics-kinds.ts'
import type { Pod } from '../api/pods.ts'
import { formatTime } from '../base/date.ts'
import { proposeReplicas, type ResourceQuestion } from './hpa-replicas.ts'

const NOW = Date.UTC(2026, 0, 1, 12)
const ago = (seconds: number) => formatTime(NOW - seconds * 1000)

/** "500" uses 500m of 1000m and is long ready, "?" says nothing, "P" is pending, "!500" was never ready, "*500" is new. */
function fleet(text: string): { pods: Pod[]; metrics: PodMetrics[] } {
  const pods: Pod[] = []
  const metrics: PodMetrics[] = []
  for (const [i, word] of text.split(' ').filter(Boolean).entries()) {
    const name = `web-${i}`
    const isNew = word.startsWith('*')
    const ready = { type: 'Ready', status: word.startsWith('!') ? 'False' : 'True' }
    const startedAt = ago(isNew ? 20 : 600)
    pods.push(
      make.pod({
        metadata: { name },
        spec: { containers: [{ name: 'app', image: 'web', resources: { requests: { cpu: '1' } } }] },
        status: {
          phase: word === 'P' ? 'Pending' : 'Running',
          startTime: startedAt,
          conditions: [{ ...ready, lastTransitionTime: startedAt }],
        },
      }),
    )
    const used = Number(/\d+/.exec(word)?.[0] ?? Number.NaN)
    if (Number.isNaN(used)) continue
    metrics.push({
      apiVersion: 'metrics.k8s.io/v1beta1',
      kind: 'PodMetrics',
      metadata: { name },
      timestamp: ago(10),
      window: '15s',
      containers: [{ name: 'app', usage: { cpu: `${used}m`, memory: `${used}Mi` } }],
    })
  }
  return { pods, metrics }
}

const utilization = (averageUtilization: number): V2MetricTarget => ({
  type: 'Utilization',
  averageUtilization,
})
const average = (averageValue: string): V2MetricTarget => ({ type: 'AverageValue', averageValue })

function propose(
  text: string,
  target: V2MetricTarget,
  current: number,
  more: Partial<ResourceQuestion> = {},
) {
  const tolerances = { up: 0.1, down: 0.1 }
  return proposeReplicas({ resource: 'cpu', target, current, ...fleet(text), tolerances, now: NOW, ...more })
}

describe('The pods a resource metric calls for', () => {
  test.each<[string, string, V2MetricTarget, number, number]>([
    ['twice the target doubles them', '1000 1000', utilization(50), 2, 4],
    ['a part of a pod is a whole one', '700 700 700', utilization(60), 3, 4],
    ['within a tenth nothing changes', '540 540 540', utilization(50), 3, 3],
    ['just over a tenth it does', '560 560 560', utilization(50), 3, 4],
    ['half the target halves them', '250 250 250 250', utilization(50), 4, 2],
    ['one that says nothing is taken to use all when pods would go', '100 100 100 ?', utilization(50), 4, 3],
    ['and nothing when pods would come', '900 900 ?', utilization(50), 3, 4],
    ['it never turns the direction', '400 400 ?', utilization(50), 3, 3],
    ['one that is pending counts as idle when pods would come', '1000 1000 P', utilization(50), 3, 4],
    ['and not at all when pods would go', '250 250 P', utilization(50), 3, 1],
    ['one that was never ready counts as idle', '1000 1000 !1000', utilization(50), 3, 4],
    ['one that has just started counts as idle', '1000 1000 *1000', utilization(50), 3, 4],
    ['an average value is compared as it is', '300 500', average('200m'), 2, 4],
    ['one that says nothing then uses the target', '100 100 100 ?', average('200m'), 4, 3],
  ])('%s', (_, text, target, current, wanted) => {
    expect(propose(text, target, current)).toMatchObject({ replicas: wanted })
  })

  test('are told with what is used', () => {
    expect(propose('700 701', utilization(50), 2)).toEqual({ replicas: 3, average: 700, utilization: 70 })
    expect(propose('300 500', average('200m'), 2)).toEqual({ replicas: 4, average: 400 })
  })

  test('have a tolerance for each direction', () => {
    const tolerances = { up: 0.5, down: 0 }
    expect(propose('700 700', utilization(50), 2, { tolerances })).toMatchObject({ replicas: 2 })
    expect(propose('240 240 240 240 240', utilization(50), 5, { tolerances })).toMatchObject({ replicas: 3 })
  })

  test.each<[string, string, Partial<ResourceQuestion>]>([
    ['no pods returned by selector while calculating replica count', '1', { pods: [] }],
    ['unable to get metrics for resource cpu: no metrics returned from resource metrics API', '?', {}],
    ['did not receive metrics for targeted pods (pods might be unready)', '!5', {}],
    ['missing request for memory in container app of Pod web-0', '5', { resource: 'memory' }],
  ])('cannot be told: %s', (message, text, more) => {
    expect(propose(text, utilization(50), 1, more)).toEqual(new Error(message))
  })
})
