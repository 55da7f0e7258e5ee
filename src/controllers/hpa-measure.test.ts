import { describe, expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import type { V2MetricSpec } from '../api/generated/types.ts'
import { horizontalPodAutoscaler } from '../api/kinds/horizontal-pod-autoscaler.ts'
import { formatTime } from '../base/date.ts'
import { type Figures, type MetricsView, measure } from './hpa-measure.ts'

const NOW = Date.UTC(2026, 0, 1, 12)
const RPS: V2MetricSpec = {
  type: 'Pods',
  pods: { metric: { name: 'rps' }, target: { type: 'AverageValue', averageValue: '10' } },
}
const described = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'main' }
const WHOLE: V2MetricSpec = {
  type: 'Object',
  object: { describedObject: described, metric: { name: 'rps' }, target: { type: 'Value', value: '100' } },
}
const EACH: V2MetricSpec = {
  type: 'Object',
  object: {
    describedObject: described,
    metric: { name: 'rps' },
    target: { type: 'AverageValue', averageValue: '50' },
  },
}
const queue = { name: 'queue', selector: { matchLabels: { queue: 'orders', app: 'shop' } } }
const QUEUE: V2MetricSpec = {
  type: 'External',
  external: { metric: queue, target: { type: 'AverageValue', averageValue: '30' } },
}
const LAG: V2MetricSpec = {
  type: 'External',
  external: { metric: { name: 'lag' }, target: { type: 'Value', value: '5' } },
}
const ORDERS =
  '&LabelSelector{MatchLabels:map[string]string{app: shop,queue: orders,},MatchExpressions:[]LabelSelectorRequirement{},}'

const one = (name: string, amount: number): Figures => [{ name, milli: amount * 1000 }]

/** Two ready pods. */
function look(figures: readonly (readonly [V2MetricSpec, Figures])[], more: Partial<MetricsView> = {}) {
  const { example } = horizontalPodAutoscaler
  const startTime = formatTime(NOW - 3_600_000)
  return measure({
    found: { ...example, spec: { ...example.spec, metrics: figures.map(([metric]) => metric) } },
    target: { replicas: 2, statusReplicas: 2, selector: 'app=web' },
    pods: ['web-0', 'web-1'].map((name) =>
      make.pod({
        metadata: { name },
        status: { phase: 'Running', startTime, conditions: [{ type: 'Ready', status: 'True' }] },
      }),
    ),
    selectedBy: ['default/web'],
    metrics: [],
    figures: new Map(figures),
    now: NOW,
    ...more,
  })
}

describe('A metric is named, and shown in the status', () => {
  test.each<[string, V2MetricSpec, Figures, number, string, object]>([
    [
      'of pods',
      RPS,
      [
        { name: 'web-0', milli: 15_000 },
        { name: 'web-1', milli: 15_500 },
      ],
      4,
      'pods metric rps',
      { type: 'Pods', pods: { metric: { name: 'rps' }, current: { averageValue: '15250m' } } },
    ],
    [
      'of an object, by value',
      WHOLE,
      one('main', 150),
      3,
      'Ingress metric rps',
      {
        type: 'Object',
        object: { describedObject: described, metric: { name: 'rps' }, current: { value: '150' } },
      },
    ],
    [
      'of an object, by average',
      EACH,
      one('main', 150),
      3,
      'external metric rps(nil)',
      {
        type: 'Object',
        object: { describedObject: described, metric: { name: 'rps' }, current: { averageValue: '75' } },
      },
    ],
    [
      'from outside, by average, summed up',
      QUEUE,
      [...(one('queue', 50) as object[]), ...(one('queue', 45) as object[])] as unknown as Figures,
      4,
      `external metric queue(${ORDERS})`,
      { type: 'External', external: { metric: queue, current: { averageValue: '47500m' } } },
    ],
    [
      'from outside, by value',
      LAG,
      one('lag', 10),
      4,
      'external metric lag(nil)',
      { type: 'External', external: { metric: { name: 'lag' }, current: { value: '10' } } },
    ],
  ])('%s', (_, metric, figures, replicas, name, status) => {
    expect(look([[metric, figures]])).toEqual({ best: { replicas, name }, metrics: [status], events: [] })
  })
})

test('A tolerance of a direction is its own', () => {
  const { example } = horizontalPodAutoscaler
  const spec = { ...example.spec, metrics: [WHOLE], behavior: { scaleUp: { tolerance: '600m' } } }
  const found = { ...example, spec }
  expect(look([[WHOLE, one('main', 150)]], { found }).best).toMatchObject({ replicas: 2 })
  expect(look([[WHOLE, one('main', 161)]], { found }).best).toMatchObject({ replicas: 4 })
  expect(look([[WHOLE, one('main', 50)]], { found }).best).toMatchObject({ replicas: 1 })
})

describe('What cannot be measured is told', () => {
  const nothing = new Error('the server could not find the requested resource')
  const API = 'unable to fetch metrics from custom metrics API: '
  const NONE = `${API}no custom metrics API (custom.metrics.k8s.io) registered`

  test.each<[string, V2MetricSpec, Figures, string, string, string]>([
    [
      'when there is no adapter for pods',
      RPS,
      nothing,
      'FailedGetPodsMetric',
      `unable to get metric rps: ${NONE}`,
      'failed to get pods metric value: unable to get metric rps: ',
    ],
    [
      'when no pod has the metric',
      RPS,
      [],
      'FailedGetPodsMetric',
      'unable to get metric rps: no metrics returned from custom metrics API',
      'failed to get pods metric value: unable to get metric rps: ',
    ],
    [
      'when the adapter does not know the metric',
      RPS,
      new Error('the server could not find the metric rps for pods'),
      'FailedGetPodsMetric',
      `unable to get metric rps: ${API}the server could not find the metric rps for pods`,
      'failed to get pods metric value: ',
    ],
    [
      'when there is no adapter for objects',
      WHOLE,
      nothing,
      'FailedGetObjectMetric',
      `unable to get metric rps: Ingress on default main/${NONE}`,
      'failed to get object metric value: unable to get metric rps: ',
    ],
    [
      'when an object has two of them',
      EACH,
      [
        { name: 'main', milli: 1 },
        { name: 'main', milli: 2 },
      ],
      'FailedGetObjectMetric',
      `unable to get metric rps: Ingress on default main/${API}the custom metrics API server returned 2 results when we asked for exactly one`,
      'failed to get object metric value: failed to get rps object metric: unable to get metric rps: ',
    ],
    [
      'when there is no adapter for what is outside',
      LAG,
      nothing,
      'FailedGetExternalMetric',
      'unable to get external metric default/lag/nil: unable to fetch metrics from external metrics API: the server could not find the requested resource (get lag.external.metrics.k8s.io)',
      'failed to get lag external metric value: failed to get external metric lag: unable to get ',
    ],
    [
      'when nothing outside has these labels',
      QUEUE,
      [],
      'FailedGetExternalMetric',
      `unable to get external metric default/queue/${ORDERS}: no metrics returned from external metrics API`,
      'failed to get queue external metric value: failed to get queue external metric: unable to get ',
    ],
    [
      'when its type is none',
      { type: 'Cosmic' },
      [],
      'InvalidMetricSourceType',
      'unknown metric source type "Cosmic"',
      'unknown metric source type "Cosmic"',
    ],
    [
      'when an object metric has no target of its type',
      { ...WHOLE, object: { ...WHOLE.object!, target: { type: 'Value' } } },
      one('main', 1),
      'FailedGetObjectMetric',
      'invalid object metric source: neither a value target nor an average value target was set',
      'failed to get object metric value: invalid object metric source',
    ],
  ])('%s', (_, metric, figures, reason, message, first) => {
    const { failure, events, metrics, best } = look([[metric, figures]])
    expect(best).toBeUndefined()
    expect(events).toEqual([{ type: 'Warning', reason, message }])
    expect(failure).toMatchObject({
      reason,
      message: `the HPA was unable to compute the replica count: ${message}`,
    })
    expect(failure?.error).toContain(`invalid metrics (1 invalid out of 1), first error is: ${first}`)
    expect(metrics).toEqual([{ type: '' }])
  })

  test('in its place among those that can', () => {
    const { best, metrics, failure } = look([
      [LAG, nothing],
      [QUEUE, one('queue', 300)],
    ])
    expect(best).toMatchObject({ replicas: 10 })
    expect(metrics.map(({ type }) => type)).toEqual(['', 'External'])
    expect(failure?.error).toMatch(/^invalid metrics \(1 invalid out of 2\)/)
  })

  test('when other autoscalers select the same pods', () => {
    const told = look([[QUEUE, one('queue', 300)]], { selectedBy: ['default/web-b', 'default/web'] })
    const message = 'pods by selector app=web are controlled by multiple HPAs: [default/web default/web-b]'
    expect(told).toEqual({
      metrics: [],
      failure: { reason: 'AmbiguousSelector', message, error: message },
      events: [{ type: 'Warning', reason: 'AmbiguousSelector', message }],
    })
  })
})
