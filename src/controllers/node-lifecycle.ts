/**
 * Watches over nodes: says Unknown of those that fell silent, taints them by their conditions at once (NoSchedule) and
 * for eviction at the pace of zone-disruption.ts (NoExecute), and says of the pods of unreachable nodes that they are
 * not ready. Looks at everything every 5 s and derives each step from what is stored, so that a crash between two
 * writes is made good by the next look.
 */
import { findCondition } from '../api/conditions.ts'
import type { V1Taint } from '../api/generated/types.ts'
import { lease } from '../api/kinds/lease.ts'
import { type Node, node } from '../api/kinds/node.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { isPodReady } from '../api/pods.ts'
import { isBeingDeleted } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import { type Cancel, every } from '../base/clock.ts'
import { formatTime } from '../base/date.ts'
import { WorkQueue } from '../base/work-queue.ts'
import type { Loop, ReconcileContext, Running } from './controller.ts'
import {
  isSilent,
  observe,
  type Probe,
  readinessOf,
  silentConditions,
  withConditionTaints,
  withEvictionTaint,
} from './node-health.ts'
import { EvictionPace, evictionRates, isTotalDisruption, type ZoneCounts } from './zone-disruption.ts'

const PERIOD_MS = 5_000
/** A look that comes so late means that this process slept; the nodes get their grace anew. */
const PAUSE_MS = 20_000
const LOOK = '*'

export const nodeLifecycleLoop: Loop = {
  name: 'node-lifecycle',
  start: (context) => new NodeLifecycle(context),
}

class NodeLifecycle implements Running {
  readonly #context: ReconcileContext
  readonly #queue: WorkQueue
  readonly #probes = new Map<string, Probe>()
  readonly #paces = new Map<string, EvictionPace>()
  readonly #cancels: Cancel[]
  #lookedAt: number

  constructor(context: ReconcileContext) {
    this.#context = { ...context, client: context.client.as('node-controller') }
    const { env, informers } = context
    this.#lookedAt = env.clock.now()
    this.#queue = new WorkQueue(env.clock, {
      concurrency: 4,
      backoffMaxMs: PERIOD_MS,
      work: (key) => (key === LOOK ? this.#look() : this.#putTaintsRight(key)),
      onError: (key, error) => {
        if (!isReason(error, 'Conflict')) env.log.warn({ err: error, node: key }, 'node not updated')
      },
    })
    this.#cancels = [
      every(env.clock, PERIOD_MS, () => this.#queue.add(LOOK)),
      informers.of(node).onChange(({ type, resource }) => this.#changed(type, resource)),
    ]
    informers.of(lease)
    informers.of(pod)
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels) cancel()
    await this.#queue.close()
  }

  #changed(type: 'added' | 'updated' | 'deleted', changed: Node): void {
    const { name } = changed.metadata
    const { events } = this.#context
    if (type === 'deleted') {
      this.#probes.delete(name)
      events.event(
        changed,
        'Normal',
        'RemovingNode',
        `Node ${name} event: Removing Node ${name} from Controller`,
      )
      return
    }
    if (type === 'added' && !findCondition(changed.status?.conditions, 'Ready'))
      events.event(
        changed,
        'Normal',
        'RegisteredNode',
        `Node ${name} event: Registered Node ${name} in Controller`,
      )
    this.#queue.add(name)
  }

  /** NoSchedule taints follow at once; the end of an eviction too. */
  async #putTaintsRight(name: string): Promise<void> {
    const { informers, env } = this.#context
    const found = informers.of(node).get(name)
    if (!found) return
    const now = env.clock.now()
    const taints = withConditionTaints(found, now)
    const tainted = taints ? { ...found, spec: { ...found.spec, taints } } : found
    const reachable = readinessOf(found) === 'True' ? withEvictionTaint(tainted, 'True', now) : undefined
    const wanted = reachable ?? taints
    if (wanted) await this.#setTaints(found, wanted)
  }

  async #setTaints(found: Node, taints: readonly V1Taint[]): Promise<void> {
    await this.#context.client.update(node, { ...found, spec: { ...found.spec, taints } })
  }

  async #look(): Promise<void> {
    const { informers, env } = this.#context
    const views = [informers.of(node), informers.of(lease), informers.of(pod)]
    if (!views.every(({ hasSynced }) => hasSynced)) return
    const now = env.clock.now()
    if (now - this.#lookedAt > PAUSE_MS) this.#probes.clear()
    this.#lookedAt = now
    const nodes = informers
      .of(node)
      .list()
      .filter((each) => !isBeingDeleted(each))
    const judged: Node[] = []
    for (const each of nodes) judged.push(await this.#judged(each, now))
    await this.#evict(judged, now)
    for (const each of judged) if (readinessOf(each) === 'Unknown') await this.#markPodsNotReady(each, now)
  }

  /** One node that cannot be written must not keep the others from being judged; the next look tries again. */
  async #judged(found: Node, now: number): Promise<Node> {
    try {
      return await this.#judge(found, now)
    } catch (error) {
      this.#context.env.log.debug({ err: error, node: found.metadata.name }, 'node not judged')
      return found
    }
  }

  /** The node, its conditions Unknown if it is silent. */
  async #judge(found: Node, now: number): Promise<Node> {
    const { informers, client, events } = this.#context
    const { name } = found.metadata
    const probe = observe(
      this.#probes.get(name),
      found,
      informers.of(lease).get(`kube-node-lease/${name}`),
      now,
    )
    this.#probes.set(name, probe)
    if (!isSilent(probe, found, now)) return found
    const conditions = silentConditions(found, now)
    if (conditions === found.status?.conditions) return found
    const silent = { ...found, status: { ...found.status, conditions } }
    const written = await client.update(node, silent, { subresource: 'status' })
    if (readinessOf(found) === 'True')
      events.event(found, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`)
    return written
  }

  async #evict(nodes: readonly Node[], now: number): Promise<void> {
    const zones = new Map<string, ZoneCounts>()
    for (const each of nodes) {
      const { ready, notReady } = zones.get(zoneIdOf(each)) ?? { ready: 0, notReady: 0 }
      const isReady = readinessOf(each) === 'True'
      zones.set(zoneIdOf(each), isReady ? { ready: ready + 1, notReady } : { ready, notReady: notReady + 1 })
    }
    if (isTotalDisruption(zones)) {
      // Pods that were about to go may stay: taints off, and nobody is tainted while it lasts.
      for (const each of nodes) await this.#taint(each, 'True', now)
      return
    }
    const rates = evictionRates(zones)
    for (const each of nodes) {
      const readiness = readinessOf(each)
      if (readiness === 'True' || !withEvictionTaint(each, readiness, now)) continue
      const zone = zoneIdOf(each)
      const pace = this.#paces.get(zone) ?? new EvictionPace()
      this.#paces.set(zone, pace)
      // From not-ready to unreachable is no new eviction.
      const isTainted = each.spec.taints?.some(
        ({ effect, key }) => effect === 'NoExecute' && isReadinessTaint(key),
      )
      if (isTainted || pace.take(rates.get(zone) ?? 0, now)) await this.#taint(each, readiness, now)
    }
  }

  async #taint(found: Node, readiness: 'True' | 'False' | 'Unknown', now: number): Promise<void> {
    const taints = withEvictionTaint(found, readiness, now)
    if (!taints) return
    try {
      await this.#setTaints(found, taints)
    } catch (error) {
      // The next look sees what it has become.
      if (!isReason(error, 'Conflict') && !isReason(error, 'NotFound')) throw error
    }
  }

  async #markPodsNotReady(unreachable: Node, now: number): Promise<void> {
    const { informers, client, events } = this.#context
    for (const each of informers.of(pod).byIndex('node', unreachable.metadata.name)) {
      if (!isPodReady(each)) continue
      try {
        await client.update(pod, notReady(each, now), { subresource: 'status' })
        events.event(each, 'Warning', 'NodeNotReady', 'Node is not ready')
      } catch (error) {
        if (!isReason(error, 'Conflict') && !isReason(error, 'NotFound')) throw error
      }
    }
  }
}

function isReadinessTaint(key: string): boolean {
  return key === 'node.kubernetes.io/not-ready' || key === 'node.kubernetes.io/unreachable'
}

function zoneIdOf({ metadata: { labels } }: Node): string {
  return `${labels?.['topology.kubernetes.io/region'] ?? ''}:${labels?.['topology.kubernetes.io/zone'] ?? ''}`
}

function notReady(found: Pod, now: number): Pod {
  const conditions = found.status?.conditions?.map((condition) =>
    condition.type === 'Ready'
      ? { ...condition, status: 'False', lastTransitionTime: formatTime(now) }
      : condition,
  )
  return { ...found, status: { ...found.status, conditions } }
}
