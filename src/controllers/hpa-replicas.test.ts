import { describe, expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import type { V2MetricTarget } from '../api/generated/types.ts'
import type { PodMetrics } from '../api/metrics-kinds.ts'
import type { Pod } from '../api/pods.ts'
import { formatTime } from '../base/date.ts'
import { proposeByAmount, proposeByPods, proposeReplicas, type ResourceQuestion } from './hpa-replicas.ts'

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
      metadata: { name, namespace: 'default' },
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
    [
      'unable to get metrics for resource cpu: failed to get container metrics: container side not present in metrics for pod default/web-0',
      '5',
      { container: 'side' },
    ],
  ])('cannot be told: %s', (message, text, more) => {
    expect(propose(text, utilization(50), 1, more)).toEqual(new Error(message))
  })
})

describe('The pods a metric of each pod calls for', () => {
  test.each<[string, string, string, number, number]>([
    ['twice the target doubles them', '40 40', '20m', 2, 4],
    ['within a tenth nothing changes', '21 22 22', '20m', 3, 3],
    ['half the target halves them', '10 10 10 10', '20m', 4, 2],
    ['a pod that never was ready counts like any other', '40 !40', '20m', 2, 4],
    ['as does one that has just started', '40 *40', '20m', 2, 4],
    ['one that is pending counts as idle when pods would come', '40 40 P', '20m', 3, 4],
    ['one that says nothing counts as idle when pods would come', '50 50 ?', '20m', 3, 5],
    ['and as at the target when pods would go', '5 5 5 ?', '20m', 4, 2],
  ])('%s', (_, text, target, current, wanted) => {
    expect(byPods(text, target, current)).toMatchObject({ replicas: wanted })
  })

  test('are told with the average, in whole thousandths', () => {
    expect(byPods('33 33 34', '20m', 3)).toEqual({ replicas: 5, average: 33 })
  })

  test.each([
    ['no pods returned by selector while calculating replica count', ''],
    ['did not receive metrics for targeted pods (pods might be unready)', 'P P'],
  ])('cannot be told: %s', (message, text) => {
    expect(byPods(text, '20m', 1)).toEqual(new Error(message))
  })

  function byPods(text: string, target: string, current: number) {
    const { pods, metrics } = fleet(text)
    const samples = new Map(
      metrics.map(({ metadata, containers }) => [
        metadata.name,
        Number.parseInt(containers[0]?.usage.cpu ?? '', 10),
      ]),
    )
    const tolerances = { up: 0.1, down: 0.1 }
    return proposeByPods(samples, { target: average(target), current, pods, tolerances })
  }
})

describe('The pods that one amount calls for', () => {
  const value = (text: string): V2MetricTarget => ({ type: 'Value', value: text })

  test.each<[string, number, V2MetricTarget, string, number, number, number]>([
    ['twice the target value doubles the ready ones', 2000, value('1'), '1 1 1', 3, 6, 2000],
    ['within a tenth nothing changes', 1090, value('1'), '1 1 1', 3, 3, 1090],
    ['only ready ones are multiplied', 2000, value('1'), '1 1 !1 P', 4, 4, 2000],
    ['and may be fewer than there are', 1500, value('1'), '1 !1 P', 3, 2, 1500],
    ['from none on it is the ratio alone', 2500, value('1'), '', 0, 3, 2500],
    ['nothing to do takes all of them', 0, value('1'), '1 1', 2, 0, 0],
    ['by average each takes its part', 95_000, average('30'), '1 1', 2, 4, 47_500],
    [
      'by average, within a tenth of what they take nothing changes',
      63_000,
      average('30'),
      '1 1',
      2,
      2,
      31_500,
    ],
    ['by average it is rounded up to what each pod has', 10, average('30m'), '1 1 1', 3, 1, 4],
    ['by average readiness does not matter', 120_000, average('30'), '!1 P', 2, 4, 60_000],
    ['by average from none on it is the parts alone', 95_000, average('30'), '', 0, 4, 0],
  ])('%s', (_, amount, target, text, current, replicas, reported) => {
    expect(byAmount(amount, target, text, current)).toEqual({ replicas, reported })
  })

  test('have a tolerance for each direction', () => {
    const tolerances = { up: 0.5, down: 0 }
    expect(byAmount(1400, value('1'), '1 1', 2, tolerances)).toMatchObject({ replicas: 2 })
    expect(byAmount(990, value('1'), '1 1', 2, tolerances)).toMatchObject({ replicas: 2 })
    expect(byAmount(499, value('1'), '1 1', 2, tolerances)).toMatchObject({ replicas: 1 })
  })

  test('cannot be told when there are none though there should be', () => {
    expect(byAmount(2000, value('1'), '', 2)).toEqual(
      new Error(
        'unable to calculate ready pods: no pods returned by selector while calculating replica count',
      ),
    )
  })

  function byAmount(
    amount: number,
    target: V2MetricTarget,
    text: string,
    current: number,
    tolerances = { up: 0.1, down: 0.1 },
  ) {
    const { pods } = fleet(text)
    return proposeByAmount(amount, { target, current, statusReplicas: current, pods, tolerances })
  }
})
