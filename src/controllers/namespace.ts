/**
 * Empties a namespace that is being deleted and lets it go: pods first, so that nothing they need is taken from under
 * them, then all other kinds. A kind that cannot be listed or deleted is named in a condition and does not hold up the
 * others; the namespace is finalized only when every kind was seen to be empty.
 */
import type { AnyKind } from '../api/kind.ts'
import { type Namespace, namespace } from '../api/kinds/namespace.ts'
import { pod } from '../api/kinds/pod.ts'
import { isBeingDeleted, type Resource } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import { deepEqual } from '../base/json.ts'
import type { Client } from '../client/client.ts'
import { type Controller, watched } from './controller.ts'
import { namespaceConditions, type Remains } from './namespace-conditions.ts'

const FINALIZER = 'kubernetes'
/** How long finalizers are thought to take, when something waits for them. */
const FINALIZER_ESTIMATE_SECONDS = 15

export function namespaceController(kinds: () => readonly AnyKind[]): Controller<Namespace> {
  return {
    name: 'namespace',
    kind: namespace,
    watches: [
      watched({
        kind: pod,
        keys: ({ type, resource }, informers) => {
          const home = informers.of(namespace).get(resource.metadata.namespace ?? '')
          return type === 'deleted' && home && isBeingDeleted(home) ? [home.metadata.name] : []
        },
      }),
    ],
    concurrency: 10,
    async reconcile({ client, env }, seen) {
      if (!isBeingDeleted(seen)) return undefined
      const found = await current(client, seen)
      if (!found?.spec.finalizers?.includes(FINALIZER)) return undefined
      const { estimateSeconds, ...remains } = await empty(client, found.metadata.name, kinds())
      const conditions = namespaceConditions(found.status?.conditions, remains, env.clock.now())
      const status = { ...found.status, phase: 'Terminating', conditions }
      const said = deepEqual(found.status, status)
        ? found
        : await client.update(namespace, { ...found, status }, { subresource: 'status' })
      if (remains.failures.length > 0)
        throw new Error(
          `Namespace "${found.metadata.name}" cannot be emptied: ${remains.failures.join(', ')}`,
        )
      if (remains.resources.size > 0) return { requeueAfterMs: (Math.floor(estimateSeconds / 2) + 1) * 1000 }
      const finalizers = said.spec.finalizers?.filter((each) => each !== FINALIZER) ?? []
      try {
        await client.update(
          namespace,
          { ...said, spec: { ...said.spec, finalizers } },
          { subresource: 'finalize' },
        )
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error
      }
      return undefined
    },
  }
}

async function current(client: Client, seen: Namespace): Promise<Namespace | undefined> {
  try {
    const live = await client.get(namespace, { name: seen.metadata.name })
    return live.metadata.uid === seen.metadata.uid && isBeingDeleted(live) ? live : undefined
  } catch (error) {
    if (isReason(error, 'NotFound')) return undefined
    throw error
  }
}

type Left = Remains & { readonly estimateSeconds: number }

async function empty(client: Client, name: string, kinds: readonly AnyKind[]): Promise<Left> {
  const deletable = kinds.filter(
    ({ scope, verbs, storedAs }) =>
      scope === 'Namespaced' && !storedAs && verbs.includes('delete') && verbs.includes('list'),
  )
  const isPods = (kind: AnyKind) => kind.group === '' && kind.plural === 'pods'
  const pods = await emptyOf(client, name, deletable.filter(isPods))
  if (pods.resources.size > 0 || pods.failures.length > 0) return pods
  return await emptyOf(
    client,
    name,
    deletable.filter((kind) => !isPods(kind)),
  )
}

async function emptyOf(client: Client, name: string, kinds: readonly AnyKind[]): Promise<Left> {
  const resources = new Map<string, number>()
  const finalizers = new Map<string, number>()
  const failures: string[] = []
  let estimateSeconds = 0
  for (const kind of kinds) {
    try {
      const left = await deleteAll(client, name, kind)
      if (left.length > 0) resources.set(`${kind.plural}.${kind.group}`, left.length)
      for (const { metadata } of left) {
        const grace = metadata.deletionGracePeriodSeconds ?? 0
        const isHeld = (metadata.finalizers?.length ?? 0) > 0
        estimateSeconds = Math.max(estimateSeconds, grace, isHeld ? FINALIZER_ESTIMATE_SECONDS : 0)
        for (const each of metadata.finalizers ?? []) finalizers.set(each, (finalizers.get(each) ?? 0) + 1)
      }
    } catch (error) {
      failures.push(
        `unexpected error deleting ${kind.plural}.${kind.group}: ${error instanceof Error ? error.message : error}`,
      )
    }
  }
  return { resources, finalizers, failures, estimateSeconds }
}

/** What is left after everything was told to go. */
async function deleteAll(client: Client, name: string, kind: AnyKind): Promise<readonly Resource[]> {
  const before = await client.list(kind, { namespace: name })
  if (before.items.every(isBeingDeleted)) return before.items
  if (kind.verbs.includes('deletecollection')) {
    await client.deleteCollection(kind, { namespace: name }, { propagationPolicy: 'Background' })
  } else {
    for (const { metadata } of before.items) {
      const key = { namespace: name, name: metadata.name }
      await client.delete(kind, key, { propagationPolicy: 'Background' }).catch((error: unknown) => {
        if (!isReason(error, 'NotFound')) throw error
      })
    }
  }
  return (await client.list(kind, { namespace: name })).items
}
