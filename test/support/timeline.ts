import { loadAll } from 'js-yaml'
import { parseDuration } from '../../src/api/duration.ts'
import type { AnyKind, KindRef } from '../../src/api/kind.ts'
import { kinds } from '../../src/api/kinds/index.ts'
import { namespace as namespaceKind } from '../../src/api/kinds/namespace.ts'
import { node as nodeKind } from '../../src/api/kinds/node.ts'
import { pod as podKind } from '../../src/api/kinds/pod.ts'
import type { AnyResource } from '../../src/api/resource.ts'
import { ApiError, isReason } from '../../src/api/status.ts'
import { parseTime } from '../../src/base/date.ts'
import { createEnv } from '../../src/base/env.ts'
import { seededRandom } from '../../src/base/random.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import type { Client, DeleteOptions } from '../../src/client/client.ts'
import { startControlPlane } from '../../src/control-plane.ts'
import { make } from './make.ts'
import { TimelineLog } from './timeline-log.ts'

/**
 * A scenario is a stream of documents. A manifest is applied; the others are steps: `at` moves the time (from the
 * start), `patch`, `delete` and `evict` name an object (a pod by the name the timeline gives it), `end` closes.
 * `startAt` (a time) and `nodes` (a count, or the nodes' zones) belong into the first document.
 */
interface Step {
  readonly at?: string
  readonly startAt?: string
  readonly nodes?: number | readonly string[]
  readonly end?: string
  readonly patch?: Target & { readonly merge: unknown; readonly subresource?: string }
  readonly delete?: Target & DeleteOptions
  readonly evict?: Target
}

interface Target {
  readonly kind: string
  readonly name: string
  readonly namespace?: string
}

const LEAD_MS = 5000
const START_AT = '2030-01-01T00:00:00Z'

/** What happened when, one line for each visible change, ending in a newline. Same text in, same text out. */
export async function timelineOf(text: string): Promise<string> {
  const documents = loadAll(text).filter(
    (each): each is Step | AnyResource => typeof each === 'object' && each !== null,
  )
  const steps = documents.filter((each): each is Step => !('apiVersion' in each))
  const startAt = parseTime(steps.find(({ startAt }) => startAt)?.startAt ?? START_AT) as number
  const nodes = steps.find(({ nodes }) => nodes !== undefined)?.nodes ?? 3
  const clock = new VirtualClock({ startAt: startAt - LEAD_MS, seed: 1 })
  const env = createEnv({ clock, random: seededRandom(1) })
  const plane = await startControlPlane(env, { store: 'memory', freeze: true })
  const log = new TimelineLog(clock, startAt)
  const following = new AbortController()
  const followed = log.follow(plane.store, following.signal)
  try {
    const zones =
      typeof nodes === 'number' ? Array.from({ length: nodes }, (_, i) => `zone-${'abc'[i % 3]}`) : nodes
    await ensureDefault(plane.client)
    for (const [index, zone] of zones.entries()) await addNode(plane.client, index, zone)
    await clock.run(startAt - clock.now())
    log.begin()
    for (const each of documents) {
      if ('apiVersion' in each) {
        await log.refusals(() => apply(plane.client, each))
        continue
      }
      const until = each.at ?? each.end
      if (until !== undefined) await clock.run(startAt + (parseDuration(until) ?? 0) - clock.now())
      await perform(plane.client, log, each)
    }
    return log.text()
  } finally {
    following.abort()
    const stopping = plane.stop()
    await clock.run(10_000)
    await stopping
    await followed
  }
}

async function perform(client: Client, log: TimelineLog, step: Step): Promise<void> {
  const { patch, evict } = step
  if (patch) {
    const { merge, subresource } = patch
    log.say(`> patch ${patch.kind} ${patch.name} ${JSON.stringify(merge)}`)
    const options = subresource === undefined ? {} : { subresource }
    await log.refusals(() => client.patch(kindOf(patch.kind), keyOf(patch, log), 'merge', merge, options))
  }
  if (step.delete) {
    const { kind, name, namespace: _, ...options } = step.delete
    log.say(
      `> delete ${kind} ${name} ${Object.keys(options).length ? JSON.stringify(options) : ''}`.trimEnd(),
    )
    const key = keyOf(step.delete, log)
    await log.refusals(() => client.delete(kindOf(kind), key, options))
  }
  if (evict) {
    log.say(`> evict ${evict.name}`)
    const key = keyOf(evict, log)
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: key }
    await log.refusals(() => client.createSubresource(podKind, key, 'eviction', body))
  }
}

async function apply(client: Client, manifest: AnyResource): Promise<void> {
  const kind = kindOf(manifest.kind)
  const namespaced = kind.scope === 'Namespaced' ? { namespace: 'default' } : {}
  const metadata = { ...namespaced, ...manifest.metadata }
  await client.apply(kind, { ...manifest, metadata }, { fieldManager: 'kubectl', force: true })
}

function kindOf(name: string): KindRef<AnyResource> {
  const kind = kinds.find((each: AnyKind) => each.kind === name)
  if (!kind) throw new Error(`No kind ${name}; write it as in a manifest`)
  return kind as unknown as KindRef<AnyResource>
}

function keyOf({ kind, name, namespace = 'default' }: Target, log: TimelineLog) {
  const real = log.realName(name)
  return kindOf(kind).scope === 'Namespaced' ? { namespace, name: real } : { name: real }
}

async function ensureDefault(client: Client): Promise<void> {
  try {
    await client.create(namespaceKind, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'default' },
      spec: {},
    })
  } catch (error) {
    if (!(error instanceof ApiError && isReason(error, 'AlreadyExists'))) throw error
  }
}

async function addNode(client: Client, index: number, zone: string): Promise<void> {
  const name = `node-${index + 1}`
  const labels = {
    'seamark.dev/runtime': 'simulated',
    'kubernetes.io/hostname': name,
    'topology.kubernetes.io/zone': zone,
  }
  const each = make.node({ metadata: { name, labels }, spec: { podCIDR: `10.244.${index}.0/24` } })
  await client.create(nodeKind, each)
  await client.patch(nodeKind, { name }, 'merge', { status: each.status }, { subresource: 'status' })
}
