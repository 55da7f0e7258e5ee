/**
 * Keeps one pod of a DaemonSet on every node it is for. What to make and delete is decided in daemon-plan.ts, what the
 * pods look like and which nodes they are for in daemon-pod.ts.
 */
import { controllerRevision } from '../api/kinds/controller-revision.ts'
import { type DaemonSet, daemonSet } from '../api/kinds/daemon-set.ts'
import { node } from '../api/kinds/node.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { controllerOf, isBeingDeleted, keyOf } from '../api/resource.ts'
import { compileLabelSelector, labelSelectorMatches } from '../api/selectors.ts'
import { isNamespaceTerminating, isReason } from '../api/status.ts'
import { deepEqual } from '../base/json.ts'
import { claim, decideClaims } from './adoption.ts'
import { type Controller, type ReconcileContext, restFor, watched } from './controller.ts'
import { hashOf, REVISION_LABEL, syncHistory, trimHistory } from './controller-revisions.ts'
import { DAEMON_BURST, planDaemonSet } from './daemon-plan.ts'
import { daemonPod, nodeOfDaemonPod } from './daemon-pod.ts'
import type { Pauses } from './failure-pauses.ts'
import { slowStart } from './pod-set.ts'

export function daemonSetController(): Controller<DaemonSet> {
  /** By DaemonSet: the pauses of nodes that fail its pods. Lost with a restart, as upstream. */
  const pauses = new Map<string, { readonly of: string; readonly byNode: Pauses }>()
  return {
    name: 'daemonset',
    kind: daemonSet,
    owns: [pod, controllerRevision],
    watches: [
      watched({
        kind: pod,
        keys: ({ resource }, informers) =>
          controllerOf(resource)
            ? []
            : informers
                .of(daemonSet)
                .byIndex('namespace', resource.metadata.namespace ?? '')
                .filter((set) => labelSelectorMatches(set.spec.selector, resource.metadata.labels))
                .map(keyOf),
      }),
      // What decides about a node: its labels, taints and whether it is cordoned. Heartbeats decide nothing.
      watched({
        kind: node,
        keys: ({ type, resource, previous }, informers) => {
          const facts = ({ metadata, spec }: typeof resource) => [
            metadata.labels,
            spec.taints,
            spec.unschedulable,
          ]
          if (type === 'updated' && previous && deepEqual(facts(previous), facts(resource))) return []
          return informers.of(daemonSet).list().map(keyOf)
        },
      }),
    ],
    async reconcile(context, found) {
      // What it owned may be gone already: nothing that can be said of it is sure to be true.
      if (isBeingDeleted(found)) return undefined
      const { client, informers, env } = context
      const matches = compileLabelSelector(found.spec.selector)
      const history = await syncHistory(context, daemonSet, found, matches)
      const candidates = [
        ...informers.of(pod).byIndex('owner', found.metadata.uid ?? ''),
        ...informers.of(pod).byIndex('orphan', found.metadata.namespace ?? ''),
      ]
      const claims = decideClaims(found, candidates, matches)
      const pods = await claim(client, { owner: daemonSet, child: pod }, found, claims)
      const hash = hashOf(history.update)
      const nodes = informers.of(node).list()
      const key = keyOf(found)
      const of = `${found.metadata.uid}/${found.metadata.generation}`
      const known = pauses.get(key)
      const before = known?.of === of ? known.byNode : undefined
      const plan = planDaemonSet({ set: found, nodes, pods, hash, pauses: before, now: env.clock.now() })
      pauses.set(key, { of, byNode: plan.pauses })
      tellEnds(context, found, plan.ended)
      await Promise.all(plan.remove.map((each) => remove(context, found, each)))
      const waiting = [...plan.create]
      const { error } = await slowStart(waiting.length, async () => {
        const on = waiting.shift()
        if (on !== undefined) await create(context, found, daemonPod(found, on, hash))
      })
      if (!deepEqual(found.status, plan.status))
        await client.update(daemonSet, { ...found, status: plan.status }, { subresource: 'status' })
      const inUse = new Set([history.update.metadata.name])
      const hashes = new Set(pods.map(({ metadata }) => metadata.labels?.[REVISION_LABEL]))
      for (const revision of history.all) if (hashes.has(hashOf(revision))) inUse.add(revision.metadata.name)
      await trimHistory(context, found, history, inUse)
      if (error) throw error
      const isInBurst = Math.max(plan.create.length, plan.remove.length) >= DAEMON_BURST
      return {
        requeueAfterMs: plan.lookAgainInMs,
        restMs: isInBurst ? 0 : restFor(nodes.length + pods.length),
      }
    },
    deleted(_, key) {
      pauses.delete(key)
      return Promise.resolve(undefined)
    },
  }
}

function tellEnds({ events }: ReconcileContext, set: DaemonSet, ended: readonly Pod[]): void {
  for (const each of ended) {
    const has = each.status?.phase === 'Failed' ? 'failed' : 'succeeded'
    const message = `Found ${has} daemon pod ${keyOf(each)} on node ${nodeOfDaemonPod(each)}, will try to ${has === 'failed' ? 'kill' : 'delete'} it`
    const reason = has === 'failed' ? 'FailedDaemonPod' : 'SucceededDaemonPod'
    events.event(set, has === 'failed' ? 'Warning' : 'Normal', reason, message)
  }
}

async function create({ client, events }: ReconcileContext, set: DaemonSet, wanted: Pod): Promise<void> {
  try {
    const { metadata } = await client.create(pod, wanted)
    events.event(set, 'Normal', 'SuccessfulCreate', `Created pod: ${metadata.name}`)
  } catch (error) {
    // It will take this set with it: there is nothing to tell.
    if (isNamespaceTerminating(error)) return
    events.event(set, 'Warning', 'FailedCreate', `Error creating: ${(error as Error).message}`)
    throw error
  }
}

async function remove({ client, events }: ReconcileContext, set: DaemonSet, doomed: Pod): Promise<void> {
  const { namespace, name, uid } = doomed.metadata
  try {
    await client.delete(pod, { namespace, name }, { preconditions: { uid } })
    events.event(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`)
  } catch (error) {
    if (isReason(error, 'NotFound')) return
    events.event(set, 'Warning', 'FailedDelete', `Error deleting: ${(error as Error).message}`)
    throw error
  }
}
