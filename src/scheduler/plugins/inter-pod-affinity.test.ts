import { describe, expect, test } from 'vitest'
import { node, pod, scores, snapshotOf, verdicts, wakes } from '../../../test/support/scheduling.ts'
import type { V1PodAffinityTerm } from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { interPodAffinity } from './inter-pod-affinity.ts'

const ZONE = 'topology.kubernetes.io/zone'
const HOST = 'kubernetes.io/hostname'
const AFFINITY = "node(s) didn't match pod affinity rules"
const ANTI = "node(s) didn't match pod anti-affinity rules"
const EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules"
const zoned = (name: string, zone: string) => node(name, { labels: { [ZONE]: zone } })
const labelled = (name: string, app: string, spec: Partial<Pod['spec']> = {}, namespace = 'default') =>
  pod(name, {}, spec, { labels: { app }, namespace })
const term = (app: string, topologyKey = ZONE, more: Partial<V1PodAffinityTerm> = {}): V1PodAffinityTerm => ({
  topologyKey,
  labelSelector: { matchLabels: { app } },
  ...more,
})
const near = (...terms: V1PodAffinityTerm[]): Partial<Pod['spec']> => ({
  affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
})
const apart = (...terms: V1PodAffinityTerm[]): Partial<Pod['spec']> => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
})
const rather = (
  sort: 'podAffinity' | 'podAntiAffinity',
  weight: number,
  podAffinityTerm: V1PodAffinityTerm,
) => ({
  affinity: { [sort]: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm }] } },
})
const NODES = [zoned('a1', 'a'), zoned('a2', 'a'), zoned('b1', 'b'), node('bare')]
const result = (a1: string, a2: string, b1: string, bare: string) => ({ a1, a2, b1, bare })

describe('InterPodAffinity, required', () => {
  const db = { a1: [labelled('db', 'db')] }
  const cases: readonly [string, Pod, Record<string, Pod[]>, ReturnType<typeof result>][] = [
    [
      'near another in its zone',
      labelled('p', 'web', near(term('db'))),
      db,
      result('fits', 'fits', AFFINITY, AFFINITY),
    ],
    [
      'near another on its host',
      labelled('p', 'web', near(term('db', HOST))),
      db,
      result('fits', AFFINITY, AFFINITY, AFFINITY),
    ],
    [
      'all terms by one and the same pod',
      labelled('p', 'web', near(term('db'), term('cache'))),
      { a1: [labelled('db', 'db')], a2: [labelled('c', 'cache')] },
      result(AFFINITY, AFFINITY, AFFINITY, AFFINITY),
    ],
    [
      'the first of its own kind',
      labelled('p', 'db', near(term('db'))),
      {},
      result('fits', 'fits', 'fits', AFFINITY),
    ],
    [
      'not the first while nobody is there to be near',
      labelled('p', 'web', near(term('db'))),
      {},
      result(AFFINITY, AFFINITY, AFFINITY, AFFINITY),
    ],
    [
      'the second of its own kind',
      labelled('p', 'db', near(term('db'))),
      db,
      result('fits', 'fits', AFFINITY, AFFINITY),
    ],
    [
      'apart from another in its zone',
      labelled('p', 'web', apart(term('db'))),
      db,
      result(ANTI, ANTI, 'fits', 'fits'),
    ],
    [
      'apart from another on its host',
      labelled('p', 'web', apart(term('db', HOST))),
      db,
      result(ANTI, 'fits', 'fits', 'fits'),
    ],
    [
      'another that keeps apart',
      labelled('p', 'web'),
      { a1: [labelled('db', 'db', apart(term('web')))] },
      result(EXISTING, EXISTING, 'fits', 'fits'),
    ],
    [
      'another that keeps apart from others',
      labelled('p', 'web'),
      { a1: [labelled('db', 'db', apart(term('cache')))] },
      result('fits', 'fits', 'fits', 'fits'),
    ],
    [
      'only its own namespace counts',
      labelled('p', 'web', apart(term('db'))),
      { a1: [labelled('db', 'db', {}, 'other')] },
      result('fits', 'fits', 'fits', 'fits'),
    ],
    [
      'a namespace that is named counts',
      labelled('p', 'web', apart(term('db', ZONE, { namespaces: ['other'] }))),
      { a1: [labelled('db', 'db', {}, 'other')] },
      result(ANTI, ANTI, 'fits', 'fits'),
    ],
    [
      'an empty namespaceSelector is all of them',
      labelled('p', 'web', apart(term('db', ZONE, { namespaceSelector: {} }))),
      { a1: [labelled('db', 'db', {}, 'other')] },
      result(ANTI, ANTI, 'fits', 'fits'),
    ],
    [
      'a namespaceSelector selects by labels',
      labelled('p', 'web', apart(term('db', ZONE, { namespaceSelector: { matchLabels: { team: 'x' } } }))),
      { a1: [labelled('db', 'db', {}, 'other')], b1: [labelled('e', 'db', {}, 'third')] },
      result(ANTI, ANTI, 'fits', 'fits'),
    ],
  ]
  test.each(cases)('%s', (_, asked, there, expected) => {
    const snapshot = snapshotOf(NODES, there)
    snapshot.counts.setNamespace('other', { team: 'x' })
    snapshot.counts.setNamespace('third', { team: 'y' })
    expect(verdicts(interPodAffinity(), asked, snapshot)).toEqual(expected)
  })

  test('matchLabelKeys and mismatchLabelKeys stand for the own value of a label', () => {
    const of = (name: string, hash: string, spec: Partial<Pod['spec']> = {}) =>
      pod(name, {}, spec, { labels: { app: 'web', hash } })
    const snapshot = snapshotOf([zoned('a1', 'a'), zoned('b1', 'b')], { a1: [of('x', 'old')] })
    const same = of('p', 'new', apart(term('web', ZONE, { matchLabelKeys: ['hash'] })))
    expect(verdicts(interPodAffinity(), same, snapshot)).toEqual({ a1: 'fits', b1: 'fits' })
    const others = of('p', 'new', apart(term('web', ZONE, { mismatchLabelKeys: ['hash'] })))
    expect(verdicts(interPodAffinity(), others, snapshot)).toEqual({ a1: ANTI, b1: 'fits' })
  })

  test('is woken by those it wants to be near coming, and those that keep it away going', () => {
    const db = labelled('db', 'db')
    const waiting = (spec: Partial<Pod['spec']>, type: 'pod-bound' | 'pod-removed', other: Pod) =>
      wakes(interPodAffinity(), labelled('p', 'web', spec), { type, pod: other })
    expect(waiting(near(term('db')), 'pod-bound', db)).toBe(true)
    expect(waiting(near(term('db')), 'pod-bound', labelled('c', 'cache'))).toBe(false)
    expect(waiting(near(term('db')), 'pod-removed', db)).toBe(false)
    expect(waiting(apart(term('db')), 'pod-removed', db)).toBe(true)
    expect(waiting({}, 'pod-removed', labelled('x', 'x', apart(term('web'))))).toBe(true)
    expect(waiting({}, 'pod-removed', labelled('x', 'x', apart(term('db'))))).toBe(false)
  })
})

describe('InterPodAffinity, preferred', () => {
  test('scores 100·(s − min)/(max − min) of the summed weights', () => {
    const there = { a1: [labelled('d1', 'db'), labelled('d2', 'db')], b1: [labelled('d3', 'db')] }
    const snapshot = snapshotOf(NODES, there)
    const asked = labelled('p', 'web', rather('podAffinity', 10, term('db')))
    expect(scores(interPodAffinity(), asked, snapshot)).toEqual({ a1: 100, a2: 100, b1: 50, bare: 0 })
    const away = labelled('p', 'web', rather('podAntiAffinity', 10, term('db')))
    expect(scores(interPodAffinity(), away, snapshot)).toEqual({ a1: 0, a2: 0, b1: 50, bare: 100 })
  })

  test('counts what pods that are there prefer, and what they require', () => {
    const fond = {
      a1: [labelled('d', 'db', rather('podAffinity', 10, term('web')))],
      b1: [labelled('e', 'db', near(term('web')))],
    }
    const snapshot = snapshotOf(NODES, fond)
    expect(scores(interPodAffinity(), labelled('p', 'web'), snapshot)).toEqual({
      a1: 100,
      a2: 100,
      b1: 10,
      bare: 0,
    })
    const heavy = interPodAffinity({ hardPodAffinityWeight: 100 })
    expect(scores(heavy, labelled('p', 'web'), snapshot)).toEqual({ a1: 10, a2: 10, b1: 100, bare: 0 })
    const deaf = interPodAffinity({ ignorePreferredTermsOfExistingPods: true })
    expect(scores(deaf, labelled('p', 'web'), snapshot)).toEqual({ a1: 0, a2: 0, b1: 0, bare: 0 })
  })
})
