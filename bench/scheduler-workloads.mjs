// The workloads of upstream's scheduler_perf: same shapes, same sizes. `threshold` is upstream's (1.36.2, or the newer one
// of its main branch after "/"), pods/s on its own machine; `budget` is ours.
const ZONE = 'topology.kubernetes.io/zone'
const HOST = 'kubernetes.io/hostname'

const requests = { cpu: '100m', memory: '500Mi' }
const pod = (prefix, more = {}) => ({
  prefix,
  labels: {},
  namespace: () => 'default',
  ...more,
  spec: {
    containers: [{ name: 'pause', image: 'registry.k8s.io/pause:3.10', resources: { requests } }],
    ...more.spec,
  },
})

const plain = pod('plain')
const blue = { labels: { color: 'blue' } }
const term = (topologyKey, labels, namespaceSelector) => ({
  topologyKey,
  labelSelector: { matchLabels: labels },
  ...(namespaceSelector ? { namespaceSelector } : {}),
})
const required = (sort, ...terms) => ({
  affinity: { [sort]: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
})
const preferred = (sort, ...terms) => ({
  affinity: {
    [sort]: {
      preferredDuringSchedulingIgnoredDuringExecution: terms.map((podAffinityTerm) => ({
        weight: 1,
        podAffinityTerm,
      })),
    },
  },
})
const spread = (whenUnsatisfiable, more = {}) => ({
  topologySpreadConstraints: [
    {
      topologyKey: ZONE,
      maxSkew: 5,
      whenUnsatisfiable,
      labelSelector: { matchLabels: { color: 'blue' } },
      ...more,
    },
  ],
})
const spaces = (prefix, count) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
const inSpaces = (prefix, count) => (i) => `${prefix}-${i % count}`
const TEAM = { matchLabels: { team: 'devops' } }
const big = {
  spec: {
    containers: [
      {
        name: 'pause',
        image: 'registry.k8s.io/pause:3.10',
        resources: { requests: { cpu: '9', memory: '500Mi' } },
      },
    ],
  },
}

const secret = pod('secret', {
  spec: { volumes: ['one', 'two'].map((name) => ({ name, secret: { secretName: name, optional: true } })) },
})
const extended = pod('extended', {
  spec: {
    containers: [
      {
        name: 'pause',
        image: 'registry.k8s.io/pause:3.10',
        resources: {
          requests: { ...requests, 'example.com/device': '1' },
          limits: { 'example.com/device': '1' },
        },
      },
    ],
  },
})

export const workloads = {
  SchedulingBasic: {
    threshold: '270/680',
    budget: 5000,
    nodes: 5000,
    init: [[1000, plain]],
    measured: [10_000, plain],
  },
  'SchedulingBasic, pods wait already': {
    threshold: '270/680',
    budget: 5000,
    nodes: 5000,
    init: [[1000, plain]],
    measured: [10_000, plain],
    waiting: true,
  },
  'SchedulingBasic 50k': {
    threshold: '-/810',
    nodes: 5000,
    init: [[5000, plain]],
    measured: [50_000, plain],
  },
  SchedulingDaemonset: {
    threshold: '390/1100',
    nodes: 15_000,
    init: [],
    measured: [
      30_000,
      pod('daemon', {
        specOf: (i) => ({
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [
                  { matchFields: [{ key: 'metadata.name', operator: 'In', values: [`node-${i % 15_000}`] }] },
                ],
              },
            },
          },
        }),
      }),
    ],
  },
  SchedulingNodeAffinity: {
    threshold: '220',
    nodes: 5000,
    init: [[5000, pod('affine', { spec: zoneAffinity(['zone-0', 'zone-1']) })]],
    measured: [10_000, pod('affine', { spec: zoneAffinity(['zone-0', 'zone-1']) })],
  },
  TopologySpreading: {
    threshold: '85/460',
    budget: 2000,
    nodes: 5000,
    init: [[5000, plain]],
    measured: [5000, pod('spread', { ...blue, spec: spread('DoNotSchedule') })],
  },
  PreferredTopologySpreading: {
    threshold: '125/340',
    nodes: 5000,
    init: [[5000, plain]],
    measured: [5000, pod('spread', { ...blue, spec: spread('ScheduleAnyway') })],
  },
  DefaultTopologySpreading: {
    threshold: '-/160',
    nodes: 5000,
    service: { color: 'blue' },
    init: [],
    measured: [50_000, pod('default', blue)],
  },
  NodeInclusionPolicy: {
    threshold: '68/270',
    nodes: 5000,
    tainted: 1000,
    init: [],
    measured: [
      5000,
      pod('policy', {
        labels: { foo: 'bar' },
        spec: {
          topologySpreadConstraints: [
            {
              topologyKey: HOST,
              maxSkew: 1,
              whenUnsatisfiable: 'DoNotSchedule',
              labelSelector: { matchLabels: { foo: 'bar' } },
              nodeTaintsPolicy: 'Honor',
            },
          ],
        },
      }),
    ],
  },
  SchedulingPodAntiAffinity: {
    threshold: '60',
    budget: 2000,
    nodes: 5000,
    init: [
      [
        1000,
        pod('anti', {
          ...blue,
          labels: { color: 'green' },
          spec: required('podAntiAffinity', term(HOST, { color: 'green' })),
        }),
      ],
    ],
    measured: [
      2000,
      pod('anti', {
        labels: { color: 'green' },
        spec: required('podAntiAffinity', term(HOST, { color: 'green' })),
      }),
    ],
  },
  SchedulingPodMatchingAntiAffinity: {
    threshold: '540/543',
    nodes: 5000,
    init: [
      [
        1000,
        pod('anti', {
          labels: { color: 'green' },
          spec: required('podAntiAffinity', term(HOST, { color: 'green' })),
        }),
      ],
    ],
    measured: [5000, pod('other', blue)],
  },
  SchedulingPodAffinity: {
    threshold: '35',
    budget: 2000,
    nodes: 5000,
    zones: 1,
    init: [[5000, pod('affine', { ...blue, spec: required('podAffinity', term(ZONE, { color: 'blue' })) })]],
    measured: [
      5000,
      pod('affine', { ...blue, spec: required('podAffinity', term(ZONE, { color: 'blue' })) }),
    ],
  },
  SchedulingPreferredPodAffinity: {
    threshold: '90',
    nodes: 5000,
    init: [[5000, plain]],
    measured: [5000, pod('pref', { ...blue, spec: preferred('podAffinity', term(HOST, { color: 'blue' })) })],
  },
  SchedulingPreferredPodAntiAffinity: {
    threshold: '90',
    nodes: 5000,
    init: [[5000, plain]],
    measured: [
      5000,
      pod('pref', { ...blue, spec: preferred('podAntiAffinity', term(HOST, { color: 'blue' })) }),
    ],
  },
  MixedSchedulingBasePod: {
    threshold: '140',
    nodes: 5000,
    init: [
      [2000, plain],
      [2000, pod('affine', { ...blue, spec: required('podAffinity', term(ZONE, { color: 'blue' })) })],
      [
        2000,
        pod('anti', {
          labels: { color: 'green' },
          spec: required('podAntiAffinity', term(HOST, { color: 'green' })),
        }),
      ],
      [
        2000,
        pod('pref', {
          labels: { color: 'red' },
          spec: preferred('podAffinity', term(HOST, { color: 'red' })),
        }),
      ],
      [
        2000,
        pod('prefanti', {
          labels: { color: 'yellow' },
          spec: preferred('podAntiAffinity', term(HOST, { color: 'yellow' })),
        }),
      ],
    ],
    measured: [5000, plain],
  },
  RequiredPodAntiAffinityWithNSSelector: {
    threshold: '24',
    nodes: 6000,
    namespaces: spaces('init', 40),
    init: [
      [
        4000,
        pod('anti', {
          namespace: inSpaces('init', 40),
          labels: { color: 'green' },
          spec: required('podAntiAffinity', term(HOST, { color: 'green' }, TEAM)),
        }),
      ],
    ],
    measured: [
      2000,
      pod('anti', {
        namespace: inSpaces('init', 40),
        labels: { color: 'green' },
        spec: required('podAntiAffinity', term(HOST, { color: 'green' }, TEAM)),
      }),
    ],
  },
  PreferredAntiAffinityWithNSSelector: {
    threshold: '55',
    nodes: 5000,
    namespaces: spaces('init', 40),
    init: [
      [
        4000,
        pod('anti', {
          namespace: inSpaces('init', 40),
          labels: { color: 'green' },
          spec: preferred('podAntiAffinity', term(HOST, { color: 'green' }, TEAM)),
        }),
      ],
    ],
    measured: [
      2000,
      pod('anti', {
        namespace: inSpaces('init', 40),
        labels: { color: 'green' },
        spec: preferred('podAntiAffinity', term(HOST, { color: 'green' }, TEAM)),
      }),
    ],
  },
  RequiredPodAffinityWithNSSelector: {
    threshold: '35',
    nodes: 5000,
    zones: 1,
    namespaces: spaces('init', 50),
    init: [
      [
        5000,
        pod('affine', {
          namespace: inSpaces('init', 50),
          ...blue,
          spec: required('podAffinity', term(ZONE, { color: 'blue' }, TEAM)),
        }),
      ],
    ],
    measured: [
      2000,
      pod('affine', {
        namespace: inSpaces('init', 50),
        ...blue,
        spec: required('podAffinity', term(ZONE, { color: 'blue' }, TEAM)),
      }),
    ],
  },
  PreferredAffinityWithNSSelector: {
    threshold: '90',
    nodes: 5000,
    namespaces: spaces('init', 50),
    init: [
      [
        5000,
        pod('affine', {
          namespace: inSpaces('init', 50),
          ...blue,
          spec: preferred('podAffinity', term(HOST, { color: 'blue' }, TEAM)),
        }),
      ],
    ],
    measured: [
      5000,
      pod('affine', {
        namespace: inSpaces('init', 50),
        ...blue,
        spec: preferred('podAffinity', term(HOST, { color: 'blue' }, TEAM)),
      }),
    ],
  },
  Unschedulable: {
    threshold: '140/590',
    nodes: 5000,
    init: [[100, plain]],
    stuck: [5, pod('large', big)],
    measured: [10_000, plain],
  },
  'Unschedulable 20k': {
    threshold: '-/600',
    nodes: 5000,
    init: [],
    stuck: [20_000, pod('large', big)],
    measured: [10_000, plain],
  },
  PreemptionBasic: {
    threshold: '-',
    nodes: 500,
    init: [[2000, pod('low', { spec: { ...withCpu('900m'), priority: 0 } })]],
    measured: [500, pod('high', { spec: { ...withCpu('3'), priorityClassName: 'high' } })],
    evicting: true,
  },
  SchedulingWithMixedChurn: {
    threshold: '265/710',
    nodes: 5000,
    init: [],
    churn: true,
    measured: [10_000, plain],
  },
  SchedulingWhileGated: {
    threshold: '130/910',
    nodes: 1,
    capacity: { cpu: '4000', memory: '32Ti', pods: '50000' },
    stuck: [10_000, pod('gated', { spec: { schedulingGates: [{ name: 'test/one' }] } })],
    init: [],
    measured: [20_000, plain],
  },
  GatedPodsWithPodAffinity: {
    threshold: '110',
    nodes: 1,
    capacity: { cpu: '4000', memory: '32Ti', pods: '50000' },
    stuck: [
      10_000,
      pod('gated', {
        ...blue,
        spec: {
          schedulingGates: [{ name: 'test/one' }],
          ...required('podAffinity', term(ZONE, { color: 'blue' })),
        },
      }),
    ],
    init: [],
    measured: [20_000, plain],
  },
  SchedulingCSIPVs: {
    threshold: '48/100',
    nodes: 5000,
    csiNodes: true,
    init: [[5000, pod('bound', { claims: 'csi' })]],
    measured: [5000, pod('bound', { claims: 'csi' })],
  },
  SchedulingInTreePVs: {
    threshold: '90/290',
    nodes: 5000,
    init: [[1000, pod('bound', { claims: 'ebs' })]],
    measured: [2000, pod('bound', { claims: 'ebs' })],
  },
  SchedulingMigratedInTreePVs: {
    threshold: '35/100',
    nodes: 5000,
    csiNodes: true,
    init: [[5000, pod('bound', { claims: 'ebs' })]],
    measured: [5000, pod('bound', { claims: 'ebs' })],
  },
  SchedulingSecrets: {
    threshold: '260/790',
    nodes: 5000,
    init: [[1000, secret]],
    measured: [10_000, secret],
  },
  SchedulingDeletedPodsWithFinalizers: {
    threshold: '-/830',
    nodes: 5000,
    deleted: [5000, pod('deleted', { finalizers: ['scheduler-perf/test'] })],
    measured: [5000, plain],
  },
  SchedulingWithExtendedResource: {
    threshold: '-/180',
    nodes: 5000,
    capacity: { cpu: '4', memory: '32Gi', pods: '110', 'example.com/device': '2' },
    init: [],
    measured: [5000, extended],
  },
  SchedulingWithResourceClaimTemplate: {
    threshold: '40-56/120',
    nodes: 500,
    devices: 10,
    init: [[2500, pod('device', { deviceClaims: true })]],
    measured: [2500, pod('device', { deviceClaims: true })],
  },
  ...Object.fromEntries(
    [500, 1000, 5000, 15_000].map((nodes) => [
      `Growth: plain pods on ${nodes} nodes`,
      { threshold: '-', nodes, init: [[500, plain]], measured: [5000, plain] },
    ]),
  ),
  ...Object.fromEntries(
    [500, 1000, 5000, 15_000].map((nodes) => [
      `Growth: zone spread on ${nodes} nodes`,
      {
        threshold: '-',
        nodes,
        init: [[500, plain]],
        measured: [5000, pod('spread', { ...blue, spec: spread('DoNotSchedule') })],
      },
    ]),
  ),
}

function zoneAffinity(values) {
  return {
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: ZONE, operator: 'In', values }] }],
        },
      },
    },
  }
}

function withCpu(cpu) {
  return {
    containers: [
      {
        name: 'pause',
        image: 'registry.k8s.io/pause:3.10',
        resources: { requests: { cpu, memory: '500Mi' } },
      },
    ],
  }
}
