import type { V1LabelSelector, V1PodAffinityTerm, V1PodSpec } from '../../src/api/generated/types.ts'
import type { Node } from '../../src/api/kinds/node.ts'
import type { Pod } from '../../src/api/kinds/pod.ts'
import type { Random } from '../../src/base/random.ts'

/**
 * Small random nodes and pods with everything the scheduler looks at, out of few values, so that they meet: two
 * namespaces ("one", "two"), two apps, three zones, two kinds of disks and taints.
 */
const HOST = 'kubernetes.io/hostname'
const ZONE = 'topology.kubernetes.io/zone'

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[random.int(items.length)]!
}

function maybe<T>(random: Random, chance: number, make: () => T): T | undefined {
  return random.float() < chance ? make() : undefined
}

export function randomNode(random: Random, name: string): Node {
  const zone = maybe(random, 0.85, () => pick(random, ['a', 'b', 'c']))
  const disk = maybe(random, 0.5, () => pick(random, ['ssd', 'hdd']))
  const taint = maybe(random, 0.3, () => ({
    key: pick(random, ['dedicated', 'spot']),
    value: 'yes',
    effect: pick(random, ['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
  }))
  const allocatable = {
    cpu: pick(random, ['500m', '1', '2', '4']),
    memory: pick(random, ['512Mi', '1Gi', '4Gi']),
    pods: pick(random, ['2', '4', '10']),
    ...(random.int(4) === 0 ? { 'example.com/gpu': '2' } : {}),
  }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: { [HOST]: name, ...(zone ? { [ZONE]: zone } : {}), ...(disk ? { disk } : {}) },
    },
    spec: {
      ...(taint ? { taints: [taint] } : {}),
      ...(random.int(10) === 0 ? { unschedulable: true } : {}),
    },
    status: { capacity: allocatable, allocatable },
  }
}

function randomSelector(random: Random): V1LabelSelector {
  const dice = random.int(4)
  if (dice === 0) return {}
  if (dice === 1)
    return { matchExpressions: [{ key: 'tier', operator: pick(random, ['Exists', 'DoesNotExist']) }] }
  return { matchLabels: { app: pick(random, ['web', 'db']) } }
}

function randomTerm(random: Random): V1PodAffinityTerm {
  const namespaces = maybe(random, 0.2, () => [pick(random, ['one', 'two'])])
  const namespaceSelector = maybe(random, 0.2, () =>
    pick<V1LabelSelector>(random, [{}, { matchLabels: { team: 'x' } }]),
  )
  return {
    topologyKey: pick(random, [HOST, ZONE, 'disk']),
    labelSelector: randomSelector(random),
    ...(namespaces ? { namespaces } : {}),
    ...(namespaceSelector ? { namespaceSelector } : {}),
    ...pick<object>(random, [{}, {}, {}, {}, { matchLabelKeys: ['hash'] }, { mismatchLabelKeys: ['hash'] }]),
  }
}

function randomAffinity(random: Random): V1PodSpec['affinity'] {
  const weight = () => 1 + random.int(100)
  const terms = (chance: number) => maybe(random, chance, () => [randomTerm(random)])
  const preferredTerms = (chance: number) =>
    maybe(random, chance, () => [{ weight: weight(), podAffinityTerm: randomTerm(random) }])
  const required = maybe(random, 0.15, () => ({
    nodeSelectorTerms: [{ matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] }],
  }))
  const preferred = maybe(random, 0.2, () => [
    { weight: weight(), preference: { matchExpressions: [{ key: 'disk', operator: 'Exists' }] } },
    { weight: weight(), preference: { matchExpressions: [{ key: ZONE, operator: 'In', values: ['a'] }] } },
  ])
  const only = <K extends string, T>(key: K, value: T | undefined) =>
    value === undefined ? {} : ({ [key]: value } as { [P in K]: T })
  return {
    nodeAffinity: {
      ...only('requiredDuringSchedulingIgnoredDuringExecution', required),
      ...only('preferredDuringSchedulingIgnoredDuringExecution', preferred),
    },
    podAffinity: {
      ...only('requiredDuringSchedulingIgnoredDuringExecution', terms(0.2)),
      ...only('preferredDuringSchedulingIgnoredDuringExecution', preferredTerms(0.25)),
    },
    podAntiAffinity: {
      ...only('requiredDuringSchedulingIgnoredDuringExecution', terms(0.25)),
      ...only('preferredDuringSchedulingIgnoredDuringExecution', preferredTerms(0.25)),
    },
  }
}

/** Extended resources cannot be asked for beyond their limit. */
function extended(requests: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(requests).filter(([name]) => name.includes('/')))
}

export function randomSpec(random: Random): V1PodSpec {
  const requests = maybe(random, 0.8, () => ({
    cpu: pick(random, ['100m', '250m', '1']),
    memory: pick(random, ['64Mi', '300Mi']),
    ...(random.int(8) === 0 ? { 'example.com/gpu': '1' } : {}),
  }))
  const hostPort = maybe(random, 0.1, () => pick(random, [80, 443]))
  const spread = maybe(random, 0.4, () =>
    Array.from({ length: 1 + random.int(2) }, (_, i) => ({
      topologyKey: i === 0 ? pick(random, [ZONE, 'disk']) : HOST,
      maxSkew: 1 + random.int(2),
      whenUnsatisfiable: pick(random, ['DoNotSchedule', 'ScheduleAnyway']),
      labelSelector: randomSelector(random),
      ...(random.int(4) === 0 ? { nodeAffinityPolicy: 'Ignore' } : {}),
      ...(random.int(3) === 0 ? { nodeTaintsPolicy: 'Honor' } : {}),
      ...(random.int(5) === 0 ? { matchLabelKeys: ['hash'] } : {}),
    })).map((constraint) =>
      constraint.whenUnsatisfiable === 'DoNotSchedule' && random.int(4) === 0
        ? { ...constraint, minDomains: 1 + random.int(4) }
        : constraint,
    ),
  )
  return {
    containers: [
      {
        name: 'app',
        image: 'registry.example/app:1',
        ...(requests ? { resources: { requests, limits: extended(requests) } } : {}),
        ...(hostPort ? { ports: [{ containerPort: hostPort, hostPort }] } : {}),
      },
    ],
    ...(random.int(2) === 0 ? { affinity: randomAffinity(random) } : {}),
    ...(spread ? { topologySpreadConstraints: spread } : {}),
    ...(random.int(8) === 0 ? { nodeSelector: { disk: 'ssd' } } : {}),
    ...(random.int(3) === 0 ? { tolerations: [{ key: 'dedicated', operator: 'Exists' }] } : {}),
    ...(random.int(10) === 0 ? { tolerations: [{ operator: 'Exists' }] } : {}),
  }
}

export function randomLabels(random: Random): Record<string, string> {
  return {
    app: pick(random, ['web', 'db']),
    ...(random.int(2) === 0 ? { tier: 'front' } : {}),
    ...(random.int(2) === 0 ? { hash: pick(random, ['1', '2']) } : {}),
  }
}

export function randomPod(random: Random, name: string, specs: readonly V1PodSpec[]): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, uid: name, namespace: pick(random, ['one', 'two']), labels: randomLabels(random) },
    spec: pick(random, specs),
  }
}
