import { describe, expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import { type DaemonSet, daemonSet } from '../api/kinds/daemon-set.ts'
import type { Node } from '../api/kinds/node.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { formatTime } from '../base/date.ts'
import { planDaemonSet } from './daemon-plan.ts'
import { daemonPod, daemonTolerations, verdictsOf } from './daemon-pod.ts'
import type { Pauses } from './failure-pauses.ts'

const NOW = Date.UTC(2026, 0, 1, 12)

const setOf = (spec: object = {}): DaemonSet =>
  daemonSet.setDefaults({
    ...daemonSet.example,
    metadata: { name: 'agent', namespace: 'default', uid: 'set', generation: 1 },
    spec: { ...daemonSet.example.spec, ...spec },
  })
const nodes = (...names: string[]): Node[] =>
  names.map((name) => make.node({ metadata: { name, labels: { 'kubernetes.io/hostname': name } } }))

/** "a" ready and of the new template on node a, "a'" of the old one, "!" not ready, "x" failed, "s" ended, "-" going, "?" without a node yet. */
function podOf(text: string): Pod {
  const node = text.charAt(0)
  const has = (mark: string) => text.includes(mark)
  const ready = {
    type: 'Ready',
    status: has('!') ? 'False' : 'True',
    lastTransitionTime: formatTime(NOW - 3_600_000),
  }
  return make.pod({
    metadata: {
      name: `agent-${text}`,
      creationTimestamp: formatTime(NOW - (has('2') ? 1000 : 3_600_000)),
      labels: { app: 'agent', 'controller-revision-hash': has("'") ? 'old' : 'new' },
      ...(has('-') ? { deletionTimestamp: formatTime(NOW) } : {}),
    },
    spec: has('?') ? { affinity: daemonPod(setOf(), node, 'new').spec.affinity ?? {} } : { nodeName: node },
    status: {
      phase: has('x') ? 'Failed' : has('s') ? 'Succeeded' : 'Running',
      conditions: has('x') || has('s') ? [] : [ready],
    },
  })
}

function plan(spec: object, onNodes: readonly Node[], pods: string) {
  const { create, remove, status } = planDaemonSet({
    set: setOf(spec),
    nodes: onNodes,
    pods: pods.split(' ').filter(Boolean).map(podOf),
    hash: 'new',
    now: NOW,
  })
  const steps = [
    ...create.map((node) => `+${node}`),
    ...remove.map(({ metadata }) => metadata.name.replace('agent-', '-')),
  ]
  return { steps: steps.join(' '), status }
}

describe('A DaemonSet', () => {
  const three = nodes('a', 'b', 'c')
  const tainted = make.node({
    metadata: { name: 'c' },
    spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] },
  })
  const [nodeA, nodeB] = nodes('a', 'b') as [Node, Node]
  const strategy = (rollingUpdate: object) => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate } })
  const surge = (maxSurge: number | string) => strategy({ maxSurge, maxUnavailable: 0 })
  test.each([
    ['makes one pod for each node', {}, '', '+a +b +c'],
    ['makes only those that are missing', {}, 'a c', '+b'],
    ['takes away the younger of two', {}, 'a a2 b c', '-a2'],
    ['waits while one is going', {}, 'a- b c', ''],
    ['replaces one that has failed', {}, 'ax b c', '-ax'],
    ['replaces one that has ended', {}, 'as b c', '-as'],
    ['does not wait for one that has failed and is going', {}, 'ax- b c', '+a'],
    ['keeps the younger of two that has its node', {}, 'a? a2 b c', '-a?'],
    ['updates within maxUnavailable', {}, "a' b' c'", "-a'"],
    ['counts what is on its way against it', {}, "a! b' c'", ''],
    ['goes on when that is up', {}, "a b' c'", "-b'"],
    ['replaces old ones that are not up without budget', {}, "a'! b'! c'", "-a'! -b'!"],
    ['rounds a share of its nodes up', strategy({ maxUnavailable: '34%' }), "a' b' c'", "-a' -b'"],
    ['never stops for a budget of nothing', strategy({ maxUnavailable: 0, maxSurge: 0 }), "a' b' c'", "-a'"],
    ['makes the new one beside the old one with maxSurge', surge(1), "a' b' c'", '+a'],
    ['waits until the new one is up', surge(1), "a' a! b' c'", ''],
    ['then takes the old one away', surge(1), "a' a b' c'", "-a'"],
    ['takes the old one away at once when it is not ready', surge(1), "a'! a! b' c'", "-a'!"],
    ['with maxSurge does not wait while one is going', surge(1), 'a- b c', '+a'],
    ['surges without budget where the old one is not up', surge(1), "a'! b' c'", '+a +b'],
    ['leaves old ones with OnDelete', { updateStrategy: { type: 'OnDelete' } }, "a' b c", ''],
    ['has nothing to do when all are there', {}, 'a b c', ''],
  ])('%s', (_, spec, pods, expected) => expect(plan(spec, three, pods).steps).toBe(expected))

  test('reports what there is', () => {
    expect(plan({}, three, "a b! c'").status).toEqual({
      observedGeneration: 1,
      desiredNumberScheduled: 3,
      currentNumberScheduled: 3,
      numberMisscheduled: 0,
      numberReady: 2,
      updatedNumberScheduled: 2,
      numberAvailable: 2,
      numberUnavailable: 1,
    })
  })

  test('counts the pod that came first to a node, also while it goes', () => {
    expect(plan(surge(1), three, "a' a2 b c'-").status).toMatchObject({
      currentNumberScheduled: 3,
      numberReady: 3,
      updatedNumberScheduled: 1,
      numberAvailable: 3,
    })
  })

  test('with maxSurge leaves a node it should not be on when there are enough elsewhere', () => {
    expect(plan(surge(1), [nodeA, nodeB, tainted], "a b c'").steps).toBe("-c'")
    expect(plan(surge(1), [nodeA, nodeB, tainted], "a b! c'").steps).toBe('')
    expect(plan({}, [nodeA, nodeB, tainted], "a b c'").steps).toBe("-c'")
  })

  test('pauses twice as long with each pod that fails on a node, at most 15 minutes', () => {
    const set = setOf()
    let pauses: Pauses = new Map()
    const at = (ms: number) => {
      const made = planDaemonSet({
        set,
        nodes: three,
        pods: ['ax', 'b', 'c'].map(podOf),
        hash: 'new',
        pauses,
        now: NOW + ms,
      })
      pauses = made.pauses
      return made.remove.length > 0 ? 'removed' : made.lookAgainInMs
    }
    expect([0, 400, 1000, 1500, 3000, 3001].map(at)).toEqual([
      'removed',
      600,
      'removed',
      1500,
      'removed',
      3999,
    ])
    for (let ms = 10_000; ms < 3 * 3_600_000; ms += 1000) at(ms)
    expect(pauses.get('a')?.ms).toBe(900_000)
  })

  test('counts and removes what runs where it should not', () => {
    const [a, b] = nodes('a', 'b')
    const tainted = make.node({
      metadata: { name: 'c' },
      spec: { taints: [{ key: 'x', effect: 'NoExecute' }] },
    })
    const { steps, status } = plan({}, [a as Node, b as Node, tainted], 'a b c')
    expect(steps).toBe('-c')
    expect(status).toMatchObject({ desiredNumberScheduled: 2, numberMisscheduled: 1 })
  })
})

describe('A node', () => {
  const template = (spec: object) => ({
    template: { ...setOf().spec.template, spec: { ...setOf().spec.template.spec, ...spec } },
  })
  const node = (spec: object, labels = {}) => make.node({ metadata: { name: 'a', labels }, spec })
  const taint = (key: string, effect: string) => ({ taints: [{ key, effect }] })
  test.each([
    ['without taints', {}, node({}), true, true],
    ['that is cordoned', {}, node({ unschedulable: true }), true, true],
    ['that is not ready', {}, node(taint('node.kubernetes.io/not-ready', 'NoExecute')), true, true],
    ['under pressure', {}, node(taint('node.kubernetes.io/disk-pressure', 'NoSchedule')), true, true],
    ['with a taint', {}, node(taint('gpu', 'NoSchedule')), false, true],
    ['with a taint that evicts', {}, node(taint('gpu', 'NoExecute')), false, false],
    [
      'with a taint that is tolerated',
      template({ tolerations: [{ operator: 'Exists' }] }),
      node(taint('gpu', 'NoExecute')),
      true,
      true,
    ],
    [
      'without the label that is selected',
      template({ nodeSelector: { disk: 'ssd' } }),
      node({}),
      false,
      false,
    ],
    ['with it', template({ nodeSelector: { disk: 'ssd' } }), node({}, { disk: 'ssd' }), true, true],
    ['that is not the named one', template({ nodeName: 'b' }), node({}), false, false],
  ])('%s', (_, spec, on, shouldRun, shouldContinue) =>
    expect(verdictsOf(setOf(spec))(on)).toEqual({ shouldRun, shouldContinue }),
  )
})

describe('A daemon pod', () => {
  test('is for its node whatever the template asked of nodes', () => {
    const affinity = {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'x', operator: 'Exists' }] }],
        },
      },
      podAffinity: {},
    }
    const set = setOf({
      template: { ...setOf().spec.template, spec: { ...setOf().spec.template.spec, affinity } },
    })
    expect(daemonPod(set, 'a', 'abc').spec.affinity).toEqual({
      podAffinity: {},
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] }],
        },
      },
    })
  })

  test('tolerates what befalls its node, and its own', () => {
    const own = { key: 'gpu', operator: 'Exists' }
    const all = daemonTolerations(
      [own, { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' }],
      true,
    )
    expect(all.map(({ key, effect }) => `${key}:${effect ?? ''}`)).toEqual([
      'gpu:',
      'node.kubernetes.io/not-ready:NoExecute',
      'node.kubernetes.io/unreachable:NoExecute',
      'node.kubernetes.io/disk-pressure:NoSchedule',
      'node.kubernetes.io/memory-pressure:NoSchedule',
      'node.kubernetes.io/pid-pressure:NoSchedule',
      'node.kubernetes.io/unschedulable:NoSchedule',
      'node.kubernetes.io/network-unavailable:NoSchedule',
    ])
  })
})
