import { describe, expect, test } from 'vitest'
import type { V1PodSpec } from '../generated/types.ts'
import { type NodePool, nodePool } from './node-pool.ts'

const image = 'registry.example/app:1'
const faultsOf = (spec: Omit<NodePool['spec'], 'count'>) =>
  nodePool
    .validate({ ...nodePool.example, spec: { count: 1, ...spec } })
    .map(({ field, message }) => `${field}: ${message}`)
const staticPod = (spec: Partial<V1PodSpec>) =>
  faultsOf({
    staticPods: [{ metadata: { name: 'a' }, spec: { containers: [{ name: 'c', image }], ...spec } }],
  })
const refused = (resource: string) => [
  `spec.staticPods[0].spec: Forbidden: static pods may not reference ${resource}`,
]

describe('A node pool', () => {
  test.each<[string, Partial<V1PodSpec>, readonly string[]]>([
    ['nothing', {}, []],
    ['files of the node', { volumes: [{ name: 'v', hostPath: { path: '/etc' } }] }, []],
    ['a service account', { serviceAccountName: 'robot' }, refused('serviceaccounts')],
    ['a Secret', { volumes: [{ name: 'v', secret: { secretName: 's' } }] }, refused('secrets')],
    ['pull secrets', { imagePullSecrets: [{ name: 's' }] }, refused('secrets')],
    [
      'a ConfigMap',
      { containers: [{ name: 'c', image, envFrom: [{ configMapRef: { name: 'm' } }] }] },
      refused('configmaps'),
    ],
    [
      'a claim',
      { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'p' } }] },
      refused('persistentvolumeclaims'),
    ],
    [
      'a token',
      { volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }] },
      refused('serviceaccounts'),
    ],
  ])('whose static pod needs %s says whether that can be', (_, spec, faults) => {
    expect(staticPod(spec)).toEqual(faults)
  })

  test('has static pods with names, each once', () => {
    const spec = { containers: [{ name: 'c', image }] }
    expect(
      faultsOf({
        staticPods: [
          { metadata: {}, spec },
          { metadata: { name: 'a' }, spec },
          { metadata: { name: 'a' }, spec },
        ],
      }),
    ).toEqual([
      'spec.staticPods[0].metadata.name: Required value',
      'spec.staticPods[2].metadata.name: Duplicate value: "default/a"',
    ])
  })

  test.each<[NodePool['spec']['kubelet'] & object, readonly string[]]>([
    [{ shutdownGracePeriod: '30s', shutdownGracePeriodCriticalPods: '10s' }, []],
    [
      { shutdownGracePeriod: '10s', shutdownGracePeriodCriticalPods: '30s' },
      ['spec.kubelet.shutdownGracePeriodCriticalPods: Invalid value: "30s": must be <= shutdownGracePeriod'],
    ],
    [{ crashLoopBackOff: { maxContainerRestartPeriod: '1s' } }, []],
    [
      { crashLoopBackOff: { maxContainerRestartPeriod: '10m' } },
      [
        'spec.kubelet.crashLoopBackOff.maxContainerRestartPeriod: Invalid value: "10m": must be set between 1s and 300s',
      ],
    ],
    [
      { shutdownGracePeriod: 'soon' },
      [
        'spec.kubelet.shutdownGracePeriod: Invalid value: "soon": must be a duration of at least 0, such as "30s"',
      ],
    ],
    [
      { imageGCHighThresholdPercent: 50 },
      [
        'spec.kubelet.imageGCLowThresholdPercent: Invalid value: 80: must be less than imageGCHighThresholdPercent (50)',
      ],
    ],
  ])('with kubelet settings %j says what is wrong with them', (kubelet, faults) => {
    expect(faultsOf({ kubelet })).toEqual(faults)
  })
})
