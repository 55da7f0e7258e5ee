import { expect, test } from 'vitest'
import { readConfiguration } from './configuration.ts'
import { plugins } from './plugins/index.ts'

/** Each fault as "field: message". */
function faultsOf(rest: object): readonly string[] {
  const head = { apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration' }
  const read = readConfiguration({ ...head, ...rest }, plugins)
  return 'faults' in read ? read.faults.map(({ field, message }) => `${field}: ${message}`) : []
}
const profile = (sets: object) => ({ profiles: [{ plugins: sets }] })
const args = (given: object) => ({
  profiles: [{ pluginConfig: [{ name: 'DefaultPreemption', args: given }] }],
})
const extenders = (...each: object[]) => ({
  extenders: each.map((one) => ({ urlPrefix: 'http://127.0.0.1:1', ...one })),
})
const one = [{ name: 'example.com/gpu' }]

test.each<[string, object, readonly string[]]>([
  ['all by default', {}, []],
  [
    'an extender with everything',
    extenders({ filterVerb: 'f', preemptVerb: 'p', enableHTTPS: true, tlsConfig: { caData: 'eA==' } }),
    [],
  ],
  [
    'a plugin at a point where it says nothing',
    profile({ score: { enabled: [{ name: 'NodeName' }] } }),
    [
      'profiles[0].plugins.score.enabled[0].name: Invalid value: "NodeName": plugin "NodeName" does not extend ScorePlugin plugin',
    ],
  ],
  ['preemption after the filters', profile({ postFilter: { enabled: [{ name: 'DefaultPreemption' }] } }), []],
  [
    'nothing that binds',
    profile({ bind: { disabled: [{ name: '*' }] } }),
    [
      'profiles[0].plugins.bind: Required value: at least one bind plugin is needed for profile with scheduler name "default-scheduler"',
    ],
  ],
  [
    'all off, and on again what is needed',
    profile({
      multiPoint: { disabled: [{ name: '*' }], enabled: [{ name: 'PrioritySort' }] },
      bind: { enabled: [{ name: 'DefaultBinder' }] },
    }),
    [],
  ],
  [
    'nothing that sorts',
    profile({ multiPoint: { disabled: [{ name: 'PrioritySort' }] } }),
    [
      'profiles[0].plugins.queueSort: Required value: only one queue sort plugin required for profile with scheduler name "default-scheduler", but got 0',
    ],
  ],
  [
    'no candidates for preemption',
    args({ minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 0 }),
    [
      'profiles[0].pluginConfig[0].args.minCandidateNodesPercentage: Invalid value: 0: cannot be zero at the same time as minCandidateNodesAbsolute',
      'profiles[0].pluginConfig[0].args.minCandidateNodesAbsolute: Invalid value: 0: cannot be zero at the same time as minCandidateNodesPercentage',
    ],
  ],
  [
    'more than all nodes',
    args({ minCandidateNodesPercentage: 101 }),
    [
      'profiles[0].pluginConfig[0].args.minCandidateNodesPercentage: Invalid value: 101: should be less than or equal to 100',
    ],
  ],
  [
    'two extenders that bind',
    extenders({ bindVerb: 'b' }, { bindVerb: 'b' }),
    ['extenders: Invalid value: "found 2 extenders implementing bind": only one extender can implement bind'],
  ],
  [
    'a resource that two extenders look after',
    extenders({ managedResources: one }, { managedResources: one }),
    ['extenders[1].managedResources[0].name: Duplicate value: "example.com/gpu"'],
  ],
  [
    'an extender that scores without a weight',
    extenders({ prioritizeVerb: 'p' }),
    ['extenders[0].weight: Required value: must have a positive weight applied to it'],
  ],
  [
    'backoffs the wrong way round',
    { podInitialBackoffSeconds: 20, podMaxBackoffSeconds: 10 },
    ['podMaxBackoffSeconds: Invalid value: 10: must be greater than or equal to PodInitialBackoffSeconds'],
  ],
])('A configuration with %s', (_, rest, expected) => {
  expect(faultsOf(rest)).toEqual(expected)
})
