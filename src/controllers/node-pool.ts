/** Makes, changes and removes the Nodes a NodePool declares; their kubelets start where Nodes are watched. */
import { findCondition } from '../api/conditions.ts'
import { parseDuration } from '../api/duration.ts'
import { type Node, node } from '../api/kinds/node.ts'
import { type NodePool, nodePool } from '../api/kinds/node-pool.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { isBeingDeleted, keyOf } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import { deepEqual } from '../base/json.ts'
import { evict } from '../client/evict.ts'
import type { Controller, ReconcileContext } from './controller.ts'
import type { PodNetworks } from './pod-networks.ts'
import { drainStep } from './pool-drain.ts'
import { decidePool, withCapacity } from './pool-plan.ts'

/** How long budgets hold up the end of a node whose pool does not say. */
const DRAIN_TIMEOUT_MS = 5 * 60_000
const DRAIN_AGAIN_MS = 5000
/** Nodes made at once. */
const BATCH = 50

export function nodePoolController(networks: PodNetworks): Controller<NodePool> {
  return {
    name: 'node-pool',
    kind: nodePool,
    owns: [node],
    concurrency: 1,
    async reconcile(context, pool) {
      if (isBeingDeleted(pool)) return undefined
      const { client, informers, env } = context
      const owned = informers.of(node).byIndex('owner', pool.metadata.uid ?? '')
      const plan = decidePool(pool, owned, env.clock.now(), settledFor(pool))
      const updated = new Map<string, Node>()
      for (const each of plan.update) updated.set(each.metadata.name, await client.update(node, each))
      for (const each of plan.resize) {
        const { resourceVersion } = updated.get(each.metadata.name)?.metadata ?? each.metadata
        const metadata = { ...each.metadata, resourceVersion }
        await client.update(node, { ...each, metadata }, { subresource: 'status' })
      }
      const draining: string[] = []
      for (const each of plan.remove)
        if (!(await giveUp(context, pool, each))) draining.push(each.metadata.name)
      const failure = await create(context, networks, pool, plan.create)
      await writeStatus(context, pool, owned, draining)
      if (failure) throw failure
      return draining.length > 0 ? { requeueAfterMs: DRAIN_AGAIN_MS } : undefined
    },
  }
}

/** Of one spec of a pool; another generation is another question. */
const settledNodes = new WeakMap<NodePool['spec'], WeakSet<Node>>()

function settledFor({ spec }: NodePool): WeakSet<Node> {
  const known = settledNodes.get(spec) ?? new WeakSet<Node>()
  settledNodes.set(spec, known)
  return known
}

async function create(
  { client, events }: ReconcileContext,
  networks: PodNetworks,
  pool: NodePool,
  wanted: readonly Node[],
) {
  if (wanted.length === 0) return undefined
  const cidrs = networks.take(
    (await client.list(node)).items,
    wanted.map(({ metadata }) => metadata.name),
  )
  let failure: unknown
  for (let at = 0; at < wanted.length; at += BATCH) {
    const batch = wanted.slice(at, at + BATCH).map(async (each, i) => {
      const podCIDR = cidrs[at + i]
      const made = await client.create(node, {
        ...each,
        spec: { ...each.spec, ...(podCIDR === undefined ? {} : { podCIDR, podCIDRs: [podCIDR] }) },
      })
      // The status of what is created is the server's; capacity is ours to say.
      const sized = withCapacity(made, each)
      if (sized !== made) await client.update(node, sized, { subresource: 'status' })
    })
    for (const [i, result] of (await Promise.allSettled(batch)).entries()) {
      if (result.status === 'fulfilled') continue
      failure = result.reason
      if (!isReason(failure, 'AlreadyExists')) continue
      networks.forget(wanted[at + i]?.metadata.name ?? '')
      const message = `Node "${wanted[at + i]?.metadata.name}" exists and does not belong to this pool`
      events.event(pool, 'Warning', 'NodeNameTaken', message)
    }
  }
  return failure
}

/** Brings a node one step nearer to its end; true: it is gone. */
async function giveUp(context: ReconcileContext, pool: NodePool, doomed: Node): Promise<boolean> {
  const { client, events, informers, env } = context
  const { name, uid } = doomed.metadata
  const pods = informers.of(pod).byIndex('node', name)
  const timeoutMs = parseDuration(pool.spec.drainTimeout ?? '') ?? DRAIN_TIMEOUT_MS
  const step = drainStep(doomed, pods, timeoutMs, env.clock.now())
  try {
    switch (step.do) {
      case 'cordon':
        await client.update(node, step.node)
        return false
      case 'evict':
        for (const each of step.pods) {
          const refusal = await evict(client, each)
          if (refusal === undefined) continue
          const message = `Node ${name} is not empty yet: pod ${keyOf(each)}: ${refusal}`
          events.event(pool, 'Warning', 'DrainBlocked', message)
        }
        return false
      case 'delete':
        for (const each of step.pods) await deleteAnyway(context, pool, each)
        return false
      case 'remove':
        await client.delete(node, { name }, { preconditions: { uid } })
        events.event(
          doomed,
          'Normal',
          'DeletingNode',
          `Deleting node ${name} because its pool was scaled down`,
        )
        return true
    }
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error
    return true
  }
}

async function deleteAnyway(
  { client, events }: ReconcileContext,
  pool: NodePool,
  doomed: Pod,
): Promise<void> {
  const { namespace, name, uid = '' } = doomed.metadata
  const message = `Deleting pod ${keyOf(doomed)} from node ${doomed.spec.nodeName}: it could not be evicted in time`
  events.event(pool, 'Warning', 'DrainTimedOut', message)
  await client.delete(pod, { namespace, name }, { preconditions: { uid } })
}

async function writeStatus(
  { client }: ReconcileContext,
  pool: NodePool,
  owned: readonly Node[],
  draining: readonly string[],
): Promise<void> {
  const present = owned.filter((each) => !isBeingDeleted(each))
  const ready = present.filter(({ status }) => findCondition(status?.conditions, 'Ready')?.status === 'True')
  const status = {
    nodes: present.length,
    readyNodes: ready.length,
    ...(draining.length > 0 ? { draining } : {}),
    observedGeneration: pool.metadata.generation,
  }
  if (!deepEqual(pool.status, status))
    await client.update(nodePool, { ...pool, status }, { subresource: 'status' })
}
