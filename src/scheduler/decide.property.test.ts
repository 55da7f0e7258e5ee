import { expect, test } from 'vitest'
import { type PlainCluster, plainSchedule } from '../../test/support/plain-scheduler.ts'
import type { V1LabelSelector, V1PodAffinityTerm, V1PodSpec } from '../api/generated/types.ts'
import type { Node } from '../api/kinds/node.ts'
import type { Pod } from '../api/kinds/pod.ts'
import type { Service } from '../api/kinds/service.ts'
import { type Random, seededRandom } from '../base/random.ts'
import { objectsOf } from './cluster-objects.ts'
import { bestOf, findFeasible } from './decide.ts'
import { podInfo } from './pod-info.ts'
import { defaultFramework } from './profile.ts'
import { Snapshot } from './snapshot.ts'

/** How many clusters; SEEDS=5000 explores further, SEED=17 replays one. */
const SEEDS = process.env['SEED']
  ? [Number(process.env['SEED'])]
  : Array.from({ length: Number(process.env['SEEDS'] ?? 1000) }, (_, i) => i + 1)
const STEPS = 40

const HOST = 'kubernetes.io/hostname'
const ZONE = 'topology.kubernetes.io/zone'

function pick<T>(random: Random, items: readonly T[]): T {
  return items[random.int(items.length)]!
}

function maybe<T>(random: Random, chance: number, make: () => T): T | undefined {
  return random.float() < chance ? make() : undefined
}

function randomNode(random: Random, name: string): Node {
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
    ...(random.int(6) === 0 ? { matchLabelKeys: ['hash'] } : {}),
    ...(random.int(8) === 0 ? { mismatchLabelKeys: ['hash'] } : {}),
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

function randomSpec(random: Random): V1PodSpec {
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
        ...(requests ? { resources: { requests } } : {}),
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

function randomLabels(random: Random): Record<string, string> {
  return {
    app: pick(random, ['web', 'db']),
    ...(random.int(2) === 0 ? { tier: 'front' } : {}),
    ...(random.int(2) === 0 ? { hash: pick(random, ['1', '2']) } : {}),
  }
}

function randomPod(random: Random, name: string, specs: readonly V1PodSpec[]): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, uid: name, namespace: pick(random, ['one', 'two']), labels: randomLabels(random) },
    spec: pick(random, specs),
  }
}

/** One cluster through many changes; after each, a pod is decided both ways. */
function live(seed: number): void {
  const random = seededRandom(seed)
  const services: Service[] = [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'one' },
      spec: { selector: { app: 'web' }, ports: [] },
    },
  ]
  const framework = defaultFramework()
  const snapshot = new Snapshot(objectsOf(services))
  const nodes = new Map<string, Node>()
  const placed = new Map<string, { readonly pod: Pod; readonly node: string }>()
  const namespaces = new Map<string, Record<string, string>>()
  // Few templates, so that verdicts of one pod are used for the next.
  const specs = Array.from({ length: 4 }, () => randomSpec(random))
  const setNode = (node: Node) => {
    nodes.set(node.metadata.name, node)
    snapshot.setNode(node)
  }
  const setNamespace = (name: string) => {
    const labels = random.int(2) === 0 ? { team: 'x' } : { team: 'y' }
    namespaces.set(name, labels)
    snapshot.counts.setNamespace(name, labels)
  }
  for (const name of ['one', 'two']) setNamespace(name)
  for (let i = 0; i < 2 + random.int(6); i += 1) setNode(randomNode(random, `n${i}`))
  for (let step = 0; step < STEPS; step += 1) {
    const dice = random.int(20)
    const some = [...placed.values()]
    if (dice === 0) setNode(randomNode(random, `n${random.int(9)}`))
    else if (dice === 1 && nodes.size > 1) {
      const name = pick(random, [...nodes.keys()])
      nodes.delete(name)
      snapshot.removeNode(name)
    } else if (dice <= 4 && some.length > 0) {
      const { pod } = pick(random, some)
      placed.delete(pod.metadata.name)
      snapshot.removePod(pod.metadata.name)
    } else if (dice <= 6 && some.length > 0) {
      const { pod, node } = pick(random, some)
      const metadata = { ...pod.metadata, labels: randomLabels(random) }
      const ending = random.int(3) === 0 ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}
      const changed = { ...pod, metadata: { ...metadata, ...ending } }
      placed.set(pod.metadata.name, { pod: changed, node })
      snapshot.setPod(podInfo(changed), node)
    } else if (dice === 7) setNamespace(pick(random, ['one', 'two']))
    else if (dice === 8) specs[random.int(specs.length)] = randomSpec(random)
    const pod = randomPod(random, `p${step}`, specs)
    const cluster: PlainCluster = {
      nodes: [...nodes.values()],
      placed: [...placed.values()].filter(({ node }) => nodes.has(node)),
      namespaces,
      services,
    }
    const chosen = compare(pod, cluster, snapshot, framework, `seed ${seed}, step ${step}`)
    if (chosen === undefined) continue
    placed.set(pod.metadata.name, { pod, node: chosen })
    snapshot.setPod(podInfo(pod), chosen)
  }
}

/** Returns one of the best nodes. */
function compare(
  pod: Pod,
  cluster: PlainCluster,
  snapshot: Snapshot,
  framework: ReturnType<typeof defaultFramework>,
  where: string,
): string | undefined {
  const plain = plainSchedule(pod, cluster)
  const found = findFeasible(podInfo(pod), snapshot, framework)
  if ('error' in found) {
    const said = new Map([...found.error.rejections].map(([name, { reasons }]) => [name, reasons.join()]))
    expect(Object.fromEntries(said), where).toEqual(Object.fromEntries(plain.verdicts))
    return undefined
  }
  const names = found.feasible.map(({ name }) => name)
  const plainNames = [...plain.verdicts].filter(([, reason]) => reason === undefined).map(([name]) => name)
  expect(names.toSorted(), where).toEqual(plainNames.toSorted())
  if (names.length === 1) return names[0]
  const scores = found.cycle.score(found.feasible)
  const said = Object.fromEntries(names.map((name, i) => [name, scores[i]]))
  expect(said, where).toEqual(Object.fromEntries(plain.scores))
  const most = Math.max(...plain.scores.values())
  const ties = [...plain.scores].filter(([, score]) => score === most).map(([name]) => name)
  const best = bestOf(found.feasible, scores).map(({ name }) => name)
  expect(best.toSorted(), where).toEqual(ties.toSorted())
  return best[0]
}

test(`The scheduler decides as the plain one does, on ${SEEDS.length} random clusters through ${STEPS} changes each`, () => {
  for (const seed of SEEDS) live(seed)
}, 120_000)
