import { describe, expect, test } from 'vitest'
import type { V2MetricSpec, V2MetricStatus } from './generated/types.ts'
import { metricsText, newMetric, newMetricStatus, oldMetric, oldMetricStatus } from './hpa-metrics.ts'

const main = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'main' }
const selector = { matchLabels: { queue: 'orders' } }
const pods: V2MetricSpec = {
  type: 'Pods',
  pods: { metric: { name: 'rps', selector }, target: { type: 'AverageValue', averageValue: '10' } },
}
const whole: V2MetricSpec = {
  type: 'Object',
  object: { describedObject: main, metric: { name: 'rps' }, target: { type: 'Value', value: '1k' } },
}
const each: V2MetricSpec = {
  type: 'Object',
  object: {
    describedObject: main,
    metric: { name: 'rps', selector },
    target: { type: 'AverageValue', averageValue: '50' },
  },
}
const queue: V2MetricSpec = {
  type: 'External',
  external: { metric: { name: 'queue', selector }, target: { type: 'AverageValue', averageValue: '30' } },
}
const lag: V2MetricSpec = {
  type: 'External',
  external: { metric: { name: 'lag' }, target: { type: 'Value', value: '5' } },
}

describe('A metric in the words of autoscaling/v1', () => {
  test.each<[string, V2MetricSpec, object]>([
    ['of pods', pods, { type: 'Pods', pods: { metricName: 'rps', selector, targetAverageValue: '10' } }],
    [
      'of an object, by value',
      whole,
      { type: 'Object', object: { target: main, metricName: 'rps', targetValue: '1k' } },
    ],
    [
      'of an object, by average',
      each,
      {
        type: 'Object',
        object: { target: main, metricName: 'rps', selector, targetValue: '0', averageValue: '50' },
      },
    ],
    [
      'from outside, by average',
      queue,
      {
        type: 'External',
        external: { metricName: 'queue', metricSelector: selector, targetAverageValue: '30' },
      },
    ],
    ['from outside, by value', lag, { type: 'External', external: { metricName: 'lag', targetValue: '5' } }],
  ])('%s is told, and is the same when it comes back', (_, metric, old) => {
    expect(oldMetric(metric)).toEqual(old)
    expect(newMetric(oldMetric(metric))).toEqual(metric)
  })

  test.each<V2MetricStatus>([
    { type: 'Pods', pods: { metric: { name: 'rps', selector }, current: { averageValue: '9500m' } } },
    {
      type: 'Object',
      object: { describedObject: main, metric: { name: 'rps' }, current: { value: '900' } },
    },
    { type: 'External', external: { metric: { name: 'lag' }, current: { value: '3' } } },
    { type: 'External', external: { metric: { name: 'queue' }, current: { averageValue: '29' } } },
    { type: '' },
  ])('is the same when its status comes back: $type', (status) => {
    expect(newMetricStatus(oldMetricStatus(status))).toEqual(status)
  })
})

describe('The targets that kubectl prints', () => {
  test.each<[string, readonly V2MetricSpec[], readonly V2MetricStatus[]]>([
    ['<none>', [], []],
    ['<unknown>/10', [pods], []],
    [
      '9500m/10',
      [pods],
      [{ type: 'Pods', pods: { metric: { name: 'rps' }, current: { averageValue: '9500m' } } }],
    ],
    [
      '900/1k',
      [whole],
      [
        {
          type: 'Object',
          object: { describedObject: main, metric: { name: 'rps' }, current: { value: '900' } },
        },
      ],
    ],
    [
      '45/50 (avg)',
      [each],
      [
        {
          type: 'Object',
          object: { describedObject: main, metric: { name: 'rps' }, current: { averageValue: '45' } },
        },
      ],
    ],
    ['<unknown>/30 (avg)', [queue], [{ type: '' }]],
    [
      '<unknown>/30 (avg), 3/5 + 1 more...',
      [queue, lag, pods],
      [{ type: '' }, { type: 'External', external: { metric: { name: 'lag' }, current: { value: '3' } } }],
    ],
  ])('%s', (text, specs, statuses) => expect(metricsText(specs, statuses)).toBe(text))
})
