import { describe, expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import type { V2MetricSpec } from '../api/generated/types.ts'
import { horizontalPodAutoscaler } from '../api/kinds/horizontal-pod-autoscaler.ts'
import { formatTime } from '../base/date.ts'
import { afterRescale, type HpaView, planAutoscaler, withoutScale } from './hpa-plan.ts'

const NOW = Date.UTC(2026, 0, 1, 12)
const LONG_AGO = formatTime(NOW - 3_600_000)
const CPU: V2MetricSpec = {
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
}
const QUEUE: V2MetricSpec = {
  type: 'External',
  external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '30' } },
}

/** As many pods as there are replicas, each of which asks for one core and uses `percent` of it. */
function viewOf(replicas: number, percent: number, metrics = [CPU], more: Partial<HpaView> = {}): HpaView {
  const names = Array.from({ length: replicas }, (_, i) => `web-${i}`)
  const { example } = horizontalPodAutoscaler
  return {
    found: { ...example, spec: { ...example.spec, minReplicas: 2, maxReplicas: 10, metrics } },
    target: { replicas, statusReplicas: replicas, selector: 'app=web' },
    selectedBy: ['default/web'],
    figures: new Map(),
    pods: names.map((name) =>
      make.pod({
        metadata: { name },
        spec: { containers: [{ name: 'app', image: 'web', resources: { requests: { cpu: '1' } } }] },
        status: {
          phase: 'Running',
          startTime: LONG_AGO,
          conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: LONG_AGO }],
        },
      }),
    ),
    metrics: names.map((name) => ({
      apiVersion: 'metrics.k8s.io/v1beta1',
      kind: 'PodMetrics',
      metadata: { name },
      timestamp: formatTime(NOW),
      window: '15s',
      containers: [{ name: 'app', usage: { cpu: `${percent * 10}m`, memory: '64Mi' } }],
    })),
    memory: { recommendations: [], changes: [] },
    now: NOW,
    ...more,
  }
}

function told(view: HpaView) {
  const { rescale, status, events } = planAutoscaler(view)
  return {
    rescale: rescale && `${rescale.to}: ${rescale.reason}`,
    conditions: status.conditions?.map(({ type, status: is, reason }) => `${type}=${is} ${reason}`),
    events: events.map(({ reason, message }) => `${reason}: ${message}`),
    status,
  }
}

describe('An autoscaler', () => {
  test.each<[string, HpaView, string | undefined, string[]]>([
    [
      'scales what is used too much',
      viewOf(3, 100),
      '6: cpu resource utilization (percentage of request) above target',
      ['SucceededGetScale→ReadyForNewScale', 'ValidMetricFound', 'DesiredWithinRange'],
    ],
    [
      'holds what it had at first for five minutes',
      viewOf(6, 20),
      undefined,
      ['ScaleDownStabilized', 'ValidMetricFound', 'DesiredWithinRange'],
    ],
    ['leaves what is switched off alone', viewOf(0, 0), undefined, ['SucceededGetScale', 'ScalingDisabled']],
    [
      'brings what is above its maximum down, whatever it uses',
      viewOf(12, 100),
      '10: Current number of replicas above Spec.MaxReplicas',
      ['SucceededGetScale'],
    ],
    [
      'brings what is below its minimum up',
      viewOf(1, 0),
      '2: Current number of replicas below Spec.MinReplicas',
      ['SucceededGetScale'],
    ],
    [
      'goes by the metric that calls for most',
      viewOf(3, 100, [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 90 } },
        },
        CPU,
      ]),
      '6: cpu resource utilization (percentage of request) above target',
      ['ReadyForNewScale', 'ValidMetricFound', 'DesiredWithinRange'],
    ],
    [
      'goes up though another metric cannot be had',
      viewOf(3, 100, [QUEUE, CPU]),
      '6: cpu resource utilization (percentage of request) above target',
      ['ReadyForNewScale', 'ValidMetricFound', 'DesiredWithinRange'],
    ],
    [
      'never goes down while one cannot be had',
      viewOf(6, 10, [CPU, QUEUE]),
      undefined,
      ['SucceededGetScale', 'FailedGetExternalMetric'],
    ],
    [
      'does not guess which pods are meant',
      { ...viewOf(3, 100), target: { replicas: 3, statusReplicas: 3, selector: '' } },
      undefined,
      ['SucceededGetScale', 'InvalidSelector'],
    ],
  ])('%s', (_, view, rescale, reasons) => {
    const { rescale: got, conditions } = told(view)
    expect(got).toBe(rescale)
    const wanted = reasons.map((reason) => reason.split('→').at(-1))
    expect(conditions?.map((text) => text.split(' ')[1])).toEqual(wanted)
  })

  test('says in full what it cannot have', () => {
    const { events, status } = told(
      viewOf(3, 100, [CPU], { metrics: new Error('the server is currently unable to handle the request') }),
    )
    const why =
      'failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server is currently unable to handle the request'
    expect(events).toEqual([
      `FailedGetResourceMetric: ${why}`,
      `FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ${why}`,
    ])
    expect(status.conditions?.at(-1)?.message).toBe(`the HPA was unable to compute the replica count: ${why}`)
  })

  test('notes when it scaled, and only then', () => {
    const view = viewOf(3, 100)
    const { rescale, status, memory } = planAutoscaler(view)
    expect(status).toMatchObject({ currentReplicas: 3, desiredReplicas: 3 })
    if (!rescale) throw new Error('it does not scale')
    const done = afterRescale({ ...view, memory }, status, rescale, undefined)
    expect(done.status).toMatchObject({ desiredReplicas: 6, lastScaleTime: '2026-01-01T12:00:00Z' })
    expect(done.events[0]).toMatchObject({ type: 'Normal', reason: 'SuccessfulRescale' })
    const failed = afterRescale({ ...view, memory }, status, rescale, 'exceeded quota')
    expect(failed.status.lastScaleTime).toBeUndefined()
    expect(failed.status.conditions?.[0]).toMatchObject({
      status: 'False',
      reason: 'FailedUpdateScale',
      message: 'the HPA controller was unable to update the target scale: exceeded quota',
    })
    const later = planAutoscaler({ ...viewOf(6, 50), found: { ...view.found, status: done.status } })
    expect(later.status.lastScaleTime).toBe('2026-01-01T12:00:00Z')
  })

  test('wants what it wanted before when its target does not take the new size', () => {
    const view = viewOf(1, 50)
    const { status, rescale, memory } = planAutoscaler(view)
    if (!rescale) throw new Error('It was to be brought within its bounds')
    expect(rescale.to).toBe(2)
    const failed = afterRescale({ ...view, memory }, status, rescale, 'exceeded quota')
    expect(failed.status).toMatchObject({ currentReplicas: 1, desiredReplicas: 0 })
    const found = { ...view.found, status: { desiredReplicas: 3 } }
    expect(afterRescale({ ...view, found, memory }, status, rescale, 'x').status.desiredReplicas).toBe(3)
  })

  test('that has lost its target for a while still waits with taking pods away', () => {
    const memory = { recommendations: [{ replicas: 6, at: NOW - 60_000 }], changes: [] }
    const lost = withoutScale(viewOf(6, 20, [CPU], { memory }), 'the server is shutting down')
    const { rescale } = planAutoscaler({ ...viewOf(6, 20), memory: lost.memory })
    expect(rescale).toBeUndefined()
  })

  test('says that its target is not there', () => {
    const { status } = withoutScale(viewOf(1, 1), 'deployments.apps "web" not found')
    expect(status.conditions).toMatchObject([
      {
        type: 'AbleToScale',
        status: 'False',
        message:
          'the HPA controller was unable to get the target\'s current scale: deployments.apps "web" not found',
      },
    ])
  })
})
