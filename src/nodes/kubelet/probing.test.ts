import { describe, expect, test } from 'vitest'
import type { V1Container, V1Probe } from '../../api/generated/types.ts'
import type { ProbeAnswer } from '../runtimes/runtime.ts'
import { afterAnswer, newProbe } from './probe-state.ts'
import { askProbes, probesOf } from './probing.ts'

const NEVER = Number.POSITIVE_INFINITY
const yes: ProbeAnswer = { ok: true, message: '', until: NEVER }
const no: ProbeAnswer = { ok: false, message: 'refused', until: NEVER }
const probe: V1Probe = { tcpSocket: { port: 1 }, periodSeconds: 10, failureThreshold: 3, successThreshold: 1 }

/** "y" and "n" are answers, a period apart; what it says after each. */
function verdicts(
  kind: 'startup' | 'readiness' | 'liveness',
  answers: string,
  more: Partial<V1Probe> = {},
): string {
  let state = newProbe({ ...probe, ...more }, kind, 0)
  let verdict = ''
  for (const [i, answer] of [...answers].entries()) {
    state = afterAnswer(state, { ...probe, ...more }, answer === 'y' ? yes : no, i * 10_000)
    verdict += state.passed ? 'y' : 'n'
  }
  return verdict
}

describe('A probe', () => {
  test.each([
    ['readiness', 'nnyyy', {}, 'nnyyy'],
    ['readiness', 'ynnynnny', {}, 'yyyyyyny'],
    ['readiness', 'yynyy', { successThreshold: 2 }, 'nyyyy'],
    ['liveness', 'nynnn', {}, 'yyyyn'],
    ['liveness', 'n', { failureThreshold: 1 }, 'n'],
    ['startup', 'nny', {}, 'nny'],
  ] as const)('of %s answered %s with %o says %s', (kind, answers, more, said) => {
    expect(verdicts(kind, answers, more)).toBe(said)
  })

  test('begins after its initial delay, and comes a period later', () => {
    const state = newProbe({ ...probe, initialDelaySeconds: 5 }, 'readiness', 1000)
    expect(state.nextAt).toBe(6000)
    expect(afterAnswer(state, probe, no, 6000).nextAt).toBe(16_000)
  })

  test('that cannot answer otherwise before some time is not asked before it', () => {
    const state = newProbe(probe, 'liveness', 0)
    expect(afterAnswer(state, probe, yes, 0).nextAt).toBe(NEVER)
    expect(afterAnswer(state, probe, { ...yes, until: 95_000 }, 0).nextAt).toBe(100_000)
  })
})

describe('Asking the probes of a container', () => {
  const container: V1Container = {
    name: 'app',
    startupProbe: probe,
    readinessProbe: probe,
    livenessProbe: probe,
  }

  test('asks for the startup alone until it has passed, then for the others and never again for it', () => {
    const asked: string[] = []
    const ask = (answer: ProbeAnswer) => (one: V1Probe) => {
      asked.push(one === container.startupProbe ? 'startup' : 'other')
      return answer
    }
    const distinct = { ...container, readinessProbe: { ...probe }, livenessProbe: { ...probe } }
    let state = { phase: 'running' as const, probes: probesOf(distinct, 0) }
    const first = askProbes(distinct, state, 0, ask(no))
    expect(asked).toEqual(['startup'])
    expect(first.failed).toEqual([{ kind: 'startup', message: 'refused', isFatal: false }])
    state = { ...state, probes: first.probes }
    const second = askProbes(distinct, state, 10_000, ask(yes))
    expect(asked).toEqual(['startup', 'startup', 'other', 'other'])
    expect(second.probes.startup).toMatchObject({ passed: true, nextAt: NEVER })
    expect(second.probes.readiness?.passed).toBe(true)
  })

  test('says when a failure is the last one', () => {
    const one = { name: 'app', livenessProbe: probe, readinessProbe: probe }
    const state = newProbe(probe, 'liveness', 0)
    const probes = { liveness: { ...state, failures: 2 }, readiness: { ...state, failures: 2 } }
    const { failed } = askProbes(one, { phase: 'running', probes }, 0, () => no)
    expect(failed.map(({ kind, isFatal }) => [kind, isFatal])).toEqual([
      ['readiness', false],
      ['liveness', true],
    ])
  })

  test('that is stopping asks for its readiness only', () => {
    const one = { name: 'app', livenessProbe: probe, readinessProbe: probe }
    const { failed } = askProbes(one, { phase: 'stopping', probes: probesOf(one, 0) }, 0, () => no)
    expect(failed.map(({ kind }) => kind)).toEqual(['readiness'])
  })

  test('of a container that was found running goes on from what its status says', () => {
    const found = { isReady: true, isStarted: true, now: 50_000 }
    expect(Object.values(probesOf(container, 0, found)).every(({ passed }) => passed)).toBe(true)
    expect(probesOf(container, 0, { ...found, isReady: false }).readiness?.passed).toBe(false)
  })
})
