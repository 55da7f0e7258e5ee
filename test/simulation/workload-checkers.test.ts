import { describe, expect, test } from 'vitest'
import type { Resource } from '../../src/api/resource.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import { autoscalerBounds } from '../support/checkers/autoscaler-bounds.ts'
import { type Checker, Watchers } from '../support/checkers/checker.ts'
import { evictionBudget } from '../support/checkers/eviction-budget.ts'
import { jobCompletions } from '../support/checkers/job-completions.ts'
import { liveEndpoints } from '../support/checkers/live-endpoints.ts'
import { noOrphans } from '../support/checkers/no-orphans.ts'
import { preemptionChoice } from '../support/checkers/preemption-choice.ts'
import { quotaBounds } from '../support/checkers/quota-bounds.ts'
import { statefulIdentity } from '../support/checkers/stateful-identity.ts'
import { workloadsArrive } from '../support/checkers/workloads-arrive.ts'

/** A change of an object (`gone`: its deletion), or a wait in ms. */
type Step = { readonly put: object } | { readonly gone: object } | { readonly wait: number }

const put = (kind: string, name: string, more: object = {}, metadata: object = {}): Step => ({
  put: { kind, metadata: { namespace: 'default', name, uid: name, ...metadata }, ...more },
})
const gone = (step: Step): Step => ({ gone: 'put' in step ? step.put : {} })

/** What the checker says of this stream, and of its end when asked. */
async function saidBy(checker: Checker, steps: readonly Step[]): Promise<string[]> {
  const clock = new VirtualClock()
  const watchers = new Watchers(clock, [checker])
  const known = new Map<string, Resource>()
  for (const step of steps) {
    if ('wait' in step) {
      await clock.run(step.wait)
      continue
    }
    const value = ('put' in step ? step.put : step.gone) as Resource
    const key = `/registry/${value.kind}/${value.metadata.name}`
    watchers.see({ type: 'put' in step ? 'put' : 'delete', key, value, previous: known.get(key) })
    known.set(key, value)
  }
  watchers.atRest()
  return watchers.violations.map((text) => text.slice(text.indexOf(' ') + 1))
}

const owned = (kind: string, name: string, more: object = {}) => ({
  ownerReferences: [{ kind, name, uid: name, controller: true }],
  ...more,
})
const ordinal = (set: string, index: string) =>
  owned('StatefulSet', set, { labels: { 'apps.kubernetes.io/pod-index': index } })
const ready = { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } }
const evicted = {
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'DisruptionTarget', reason: 'EvictionByEvictionAPI' },
    ],
  },
}
const running = { spec: { nodeName: 'a' }, status: { containerStatuses: [{ state: { running: {} } }] } }
const succeeded = { status: { phase: 'Succeeded' } }
const task = (name: string, index: string, finalizers: string[] = []) =>
  put(
    'Pod',
    name,
    succeeded,
    owned('Job', 'sum', { finalizers, annotations: { 'batch.kubernetes.io/job-completion-index': index } }),
  )
const tracked = ['batch.kubernetes.io/job-tracking']
const job = (spec: object, status: object) => put('Job', 'sum', { spec, status })
const complete = [{ type: 'Complete', status: 'True' }]
const indexed = { completionMode: 'Indexed', completions: 2 }
const quota = (hard: object) => put('ResourceQuota', 'bounds', { spec: { hard } })
const pdb = put('PodDisruptionBudget', 'guard', {
  spec: { minAvailable: 2, selector: { matchLabels: { app: 'web' } } },
})
const web = (name: string, more: object = ready, metadata: object = {}) =>
  put('Pod', name, { spec: { containers: [] }, ...more }, { labels: { app: 'web' }, ...metadata })
const going = { deletionTimestamp: '2030-01-01T00:00:00Z' }
const hpa = (max: number, desiredReplicas: number) =>
  put('HorizontalPodAutoscaler', 'web', {
    spec: { minReplicas: 2, maxReplicas: max, scaleTargetRef: { kind: 'Deployment', name: 'web' } },
    status: { desiredReplicas },
  })
const slice = put(
  'EndpointSlice',
  'web-1',
  {
    endpoints: [{ conditions: { ready: true }, targetRef: { kind: 'Pod', uid: 'one', name: 'one' } }],
  },
  { labels: { 'kubernetes.io/service-name': 'web' } },
)

const full = { status: { allocatable: { cpu: '1', memory: '1Gi', pods: '10' } } }
const filling = (name: string, node: string, priority: number, status: object = {}) =>
  put(
    'Pod',
    name,
    {
      spec: {
        priority,
        containers: [{ name: 'app', resources: { requests: { cpu: '1' } } }],
        ...(node ? { nodeName: node } : {}),
      },
      status,
    },
    { labels: { app: name } },
  )
const twoFullNodes = [
  put('Node', 'a', full),
  put('Node', 'b', full),
  put('PodDisruptionBudget', 'guard', { spec: { selector: { matchLabels: { app: 'web-a' } } } }),
  filling('web-a', 'a', 0),
  filling('plain-b', 'b', 0),
  filling('urgent', '', 10),
]
const preempted = (node: string, victim: string) => [
  filling('urgent', '', 10, { nominatedNodeName: node }),
  filling(victim, node, 0, { conditions: [{ type: 'DisruptionTarget', reason: 'PreemptionByScheduler' }] }),
]

describe('A checker', () => {
  test.each<[string, Checker, readonly Step[], readonly string[]]>([
    [
      'of identities sees two pods of one ordinal',
      statefulIdentity(),
      [
        put('Pod', 'db-0', { spec: {} }, ordinal('db', '0')),
        put('Pod', 'db-1', { spec: {} }, ordinal('db', '0')),
      ],
      [
        'Pod db-1 of StatefulSet db has the name of another ordinal',
        'Pods db-1 and db-0 are both ordinal 0 of db',
      ],
    ],
    [
      'of identities sees a pod that goes while it runs',
      statefulIdentity(),
      [
        put('Node', 'a'),
        put('Pod', 'db-0', running, ordinal('db', '0')),
        gone(put('Pod', 'db-0', running, ordinal('db', '0'))),
      ],
      ['Pod db-0 is gone while a still runs it'],
    ],
    [
      'of identities excuses a pod whose node is gone',
      statefulIdentity(),
      [
        put('Pod', 'db-0', running, ordinal('db', '0')),
        gone(put('Pod', 'db-0', running, ordinal('db', '0'))),
      ],
      [],
    ],
    [
      'of Jobs sees a pod let go and never counted',
      jobCompletions(),
      [job({ completions: 2 }, {}), task('p', '0', tracked), task('p', '0')],
      ['Job sum let go of 1 pods that succeeded, and counts 0 + 0'],
    ],
    [
      'of Jobs leaves out a pod that succeeds after it was counted as a failure',
      jobCompletions(),
      [
        task('p', '', tracked),
        job({ completions: 1 }, { uncountedTerminatedPods: { failed: ['q'] } }),
        task('q', '', tracked),
        task('q', ''),
        job({ completions: 1 }, { succeeded: 1, failed: 1, conditions: complete }),
      ],
      [],
    ],
    [
      'of Jobs sees a pod counted twice',
      jobCompletions(),
      [task('p', '0', tracked), job({ completions: 2 }, { succeeded: 2 })],
      ['Job sum counts 2 + 0 pods, of 1 that succeeded'],
    ],
    [
      'of Jobs sees an end that comes too early, and a pod left out of it',
      jobCompletions(),
      [
        task('p', '', tracked),
        task('q', '', tracked),
        job({ completions: 3 }, { succeeded: 1, conditions: complete }),
      ],
      ['Job sum is complete with 1 pods, and 2 succeeded', 'Job sum is complete with 1 of 3 pods'],
    ],
    [
      'of Jobs sees what was counted being forgotten',
      jobCompletions(),
      [task('p', '', tracked), job({}, { succeeded: 1, failed: 1 }), job({}, {})],
      ['Job sum forgot pods that succeeded', 'Job sum forgot pods that failed'],
    ],
    [
      'of Jobs sees an index twice, one that nobody did, and an end without all',
      jobCompletions(),
      [
        task('p', '0', tracked),
        job(indexed, { succeeded: 2, completedIndexes: '0,0' }),
        job(indexed, { succeeded: 2, completedIndexes: '0-1' }),
        job(indexed, { succeeded: 2, completedIndexes: '0', conditions: complete }),
      ],
      [
        'Job sum lists an index twice: 0,0',
        'Job sum calls index 1 completed, which no pod did',
        'Job sum counts 2 and lists 1 completed indexes',
        'Job sum is complete with 1 of 2 indexes',
      ],
    ],
    [
      'of quotas sees one pod too many, and does not count those that ended',
      quotaBounds(),
      [quota({ pods: '1' }), put('Pod', 'old', succeeded), web('one'), web('two')],
      ['Pod two takes bounds to 2 pods of 1'],
    ],
    [
      'of evictions sees one that leaves too few',
      evictionBudget(),
      [pdb, web('one'), web('two'), web('two', evicted, going)],
      ['Eviction of two leaves 1 of 2 pods of guard'],
    ],
    [
      'of evictions excuses what the budget could not know, for a while',
      evictionBudget(),
      [pdb, web('one'), web('two'), web('three'), web('one', ready, going), web('two', evicted, going)],
      [],
    ],
    [
      'of evictions excuses it for no longer than that',
      evictionBudget(),
      [
        pdb,
        web('one'),
        web('two'),
        web('three'),
        web('one', ready, going),
        { wait: 31_000 },
        web('two', evicted, going),
      ],
      ['Eviction of two leaves 1 of 2 pods of guard'],
    ],
    [
      'of orphans sees who outlives its owner, and who cannot go',
      noOrphans(),
      [put('Pod', 'p', {}, owned('Job', 'sum')), put('Job', 'stuck', {}, { ...going, finalizers: ['x'] })],
      ['Pod p outlives its owner Job sum', 'Job stuck still waits to be deleted: x'],
    ],
    [
      'of autoscalers sees what lies outside the bounds, and a target left outside',
      autoscalerBounds(),
      [put('Deployment', 'web', { spec: { replicas: 7 } }), hpa(5, 5), hpa(3, 5), hpa(3, 4)],
      ['HorizontalPodAutoscaler web wants 4, outside 2 to 3', 'web rests at 7, outside 2 to 3'],
    ],
    [
      'of endpoints sees a pod listed that is long gone',
      liveEndpoints(),
      [web('one'), slice, gone(web('one')), { wait: 61_000 }, web('other')],
      [
        'EndpointSlice web-1 still lists one, gone for 61 s',
        'EndpointSlice web-1 lists one as ready, which it is not',
      ],
    ],
    [
      'of endpoints sees a pod listed that is not ready, and one that is not listed',
      liveEndpoints(),
      [put('Service', 'web', { spec: { selector: { app: 'web' } } }), slice, web('one', {}), web('two')],
      [
        'EndpointSlice web-1 lists one as ready, which it is not',
        'Service web does not reach two, which is ready',
      ],
    ],
    [
      'of preemption sees a budget violated on one node when another could be cleared for nothing',
      preemptionChoice(),
      [...twoFullNodes, ...preempted('a', 'web-a'), { wait: 10 }, put('Node', 'late', full)],
      ['Pod urgent violates 1 budgets on a, and would violate 0 on b'],
    ],
    [
      'of preemption is content when the node without a budget is cleared',
      preemptionChoice(),
      [...twoFullNodes, ...preempted('b', 'plain-b'), { wait: 10 }, put('Node', 'late', full)],
      [],
    ],
    [
      'of arrivals sees who is not where its spec wants it',
      workloadsArrive(),
      [
        put('Deployment', 'web', {
          spec: { replicas: 2 },
          status: { replicas: 2, updatedReplicas: 2, availableReplicas: 1 },
        }),
        job({}, {}),
      ],
      ['Deployment web rests with 1 of 2 available', 'Job sum never ends'],
    ],
  ])('%s', async (_, checker, steps, expected) => {
    expect(await saidBy(checker, steps)).toEqual(expected)
  })
})
