import { expect, test } from 'vitest'
import { type PlainCluster, plainSchedule } from '../../test/support/plain-scheduler.ts'
import { pick, randomLabels, randomNode, randomPod, randomSpec } from '../../test/support/random-pods.ts'
import type { Node } from '../api/kinds/node.ts'
import type { Pod } from '../api/kinds/pod.ts'
import type { Service } from '../api/kinds/service.ts'
import { seededRandom } from '../base/random.ts'
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
