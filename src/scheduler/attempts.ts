/** The scheduler's own metrics, named as kube-scheduler names them. */
import type { Env } from '../base/env.ts'
import type { SchedulingQueue } from './queue.ts'

/** Not at every pod of a long queue: a scrape comes once in many seconds. */
const PENDING_EVERY = 64

export function showPending({ metrics }: Env, { sizes }: SchedulingQueue): void {
  const { active, backoff, unschedulable, gated } = sizes
  if (active % PENDING_EVERY !== 0) return
  const gauge = metrics.gauge('scheduler_pending_pods', 'Number of pending pods, by the queue type', [
    'queue',
  ])
  for (const [queue, pods] of Object.entries({ active, backoff, unschedulable, gated }))
    gauge.set({ queue }, pods)
}

export function countAttempt(
  { metrics, clock }: Env,
  result: 'scheduled' | 'unschedulable',
  startedAt: number,
): void {
  metrics
    .counter('scheduler_schedule_attempts_total', 'Number of attempts to schedule pods, by the result', [
      'result',
    ])
    .inc({ result })
  metrics
    .histogram('scheduler_scheduling_attempt_duration_seconds', 'Scheduling attempt latency in seconds', [
      'result',
    ])
    .observe({ result }, (clock.now() - startedAt) / 1000)
}
