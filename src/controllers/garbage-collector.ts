/**
 * Deletes what lost all its owners, in the background or in the foreground, and sets dependents free where they are to
 * be orphaned. Nothing is deleted on a cached view: the object and each owner that seems gone are read live, by their
 * exact coordinates and UID; an error is retried and never taken for an absence.
 */
import type { AnyKind, KindRef } from '../api/kind.ts'
import { apiVersionOf, isBeingDeleted, type OwnerReference, type Resource } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import { type Cancel, every } from '../base/clock.ts'
import { WorkQueue } from '../base/work-queue.ts'
import { decideCollection, type Judged, type OwnerState } from './collection.ts'
import type { Loop, ReconcileContext, Running } from './controller.ts'
import {
  FOREGROUND,
  type GraphNode,
  isAsReferred,
  isDeletingDependents,
  isOrphaning,
  ORPHAN,
  OwnerGraph,
  ownersOf,
} from './owner-graph.ts'

const CONCURRENCY = 20
/** How often the list of kinds is looked at for new ones. */
const KINDS_PERIOD_MS = 30_000

export function garbageCollectorLoop(
  kinds: () => readonly AnyKind[],
  onKinds: (listener: () => void) => Cancel = () => () => {},
): Loop {
  return { name: 'garbage-collector', start: (context) => new GarbageCollector(context, kinds, onKinds) }
}

class GarbageCollector implements Running {
  readonly #context: ReconcileContext
  readonly #kinds: () => readonly AnyKind[]
  readonly #graph = new OwnerGraph()
  readonly #watched = new Map<string, Cancel>()
  readonly #queue: WorkQueue
  readonly #cancels: readonly Cancel[]
  #isStopped = false

  constructor(
    context: ReconcileContext,
    kinds: () => readonly AnyKind[],
    onKinds: (listener: () => void) => Cancel,
  ) {
    this.#context = { ...context, client: context.client.as('generic-garbage-collector') }
    this.#kinds = kinds
    const { clock, log } = context.env
    this.#queue = new WorkQueue(clock, {
      concurrency: CONCURRENCY,
      work: (uid) => this.#look(uid),
      onError: (uid, error) => log.debug({ err: error, uid }, 'garbage collection retried'),
    })
    this.#cancels = [
      every(clock, KINDS_PERIOD_MS, () => this.#watchKinds()),
      onKinds(() => this.#watchKinds()),
    ]
    this.#watchKinds()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    for (const cancel of this.#cancels) cancel()
    for (const cancel of this.#watched.values()) cancel()
    await this.#queue.close()
  }

  #watchKinds(): void {
    const served = new Set(this.#kinds().map((kind) => `${apiVersionOf(kind)}/${kind.kind}`))
    for (const [id, cancel] of this.#watched) {
      if (served.has(id)) continue
      cancel()
      this.#watched.delete(id)
    }
    for (const kind of this.#kinds()) {
      const id = `${apiVersionOf(kind)}/${kind.kind}`
      // Events are too many and own nothing; upstream leaves them out as well.
      const isLeftOut =
        kind.kind === 'Event' ||
        kind.storedAs ||
        !kind.verbs.includes('watch') ||
        !kind.verbs.includes('delete')
      if (isLeftOut || this.#watched.has(id)) continue
      const cancel = this.#context.informers.of(kind as KindRef).onChange(({ type, resource }) => {
        const look = type === 'deleted' ? this.#graph.remove(resource) : this.#graph.put(kind, resource)
        for (const uid of look) this.#queue.add(uid)
      })
      this.#watched.set(id, cancel)
    }
  }

  async #look(uid: string): Promise<void> {
    const seen = this.#graph.get(uid)
    if (!seen || this.#isStopped) return
    if (isOrphaning(seen.resource)) return await this.#orphan(seen)
    if (isDeletingDependents(seen.resource)) return await this.#finishForeground(seen)
    if (isBeingDeleted(seen.resource) || ownersOf(seen.resource).length === 0) return
    await this.#collect(seen)
  }

  async #collect({ kind, resource: seen }: GraphNode): Promise<void> {
    const { client } = this.#context
    const live = await this.#live(kind, seen)
    if (!live || isBeingDeleted(live)) return
    const judged = await Promise.all(ownersOf(live).map((owner) => this.#judge(kind, live, owner)))
    const uid = live.metadata.uid ?? ''
    const dependents = this.#graph.dependentsOf(uid)
    const decision = decideCollection(judged, {
      finalizers: live.metadata.finalizers ?? [],
      hasDependents: dependents.length > 0,
      isInCircle: dependents.some(({ resource }) => isDeletingDependents(resource)),
    })
    const key = keyObject(live)
    if (decision.do === 'dropOwners') {
      await client.patch(kind, key, 'merge', withoutOwners(live, new Set(decision.uids)))
    } else if (decision.do === 'delete') {
      let resourceVersion = live.metadata.resourceVersion
      if (decision.unblockFirst) {
        const ownerReferences = ownersOf(live).map((owner) => ({ ...owner, blockOwnerDeletion: false }))
        const metadata = { uid, resourceVersion, ownerReferences }
        resourceVersion = (await client.patch(kind, key, 'merge', { metadata })).metadata.resourceVersion
      }
      const { propagationPolicy } = decision
      await client
        .delete(kind, key, { propagationPolicy, preconditions: { uid, resourceVersion } })
        .catch(ignoreNotFound)
    }
  }

  /** Undefined when it is gone or another object has its name. */
  async #live(kind: KindRef, seen: Resource): Promise<Resource | undefined> {
    try {
      const live = await this.#context.client.get(kind, keyObject(seen))
      return live.metadata.uid === seen.metadata.uid ? live : undefined
    } catch (error) {
      if (isReason(error, 'NotFound')) return undefined
      throw error
    }
  }

  async #judge(kind: KindRef, dependent: Resource, owner: OwnerReference): Promise<Judged> {
    return { owner, state: await this.#ownerState(kind, dependent, owner) }
  }

  async #ownerState(kind: KindRef, dependent: Resource, owner: OwnerReference): Promise<OwnerState> {
    const known = this.#graph.get(owner.uid)
    if (known && isAsReferred(owner, dependent, known)) return stateOf(known.resource)
    const ownerKind = this.#kinds().find(
      (each) => each.kind === owner.kind && apiVersionOf(each) === owner.apiVersion,
    )
    const isAcross =
      ownerKind?.scope === 'Namespaced' &&
      (kind.scope === 'Cluster' ||
        (known && known.resource.metadata.namespace !== dependent.metadata.namespace))
    if (isAcross) this.#refuse(dependent, owner)
    // A cluster-scoped object cannot say in which namespace its owner is: that is never a reason to delete it.
    if (!ownerKind || (ownerKind.scope === 'Namespaced' && kind.scope === 'Cluster')) return 'unknown'
    const namespace = ownerKind.scope === 'Namespaced' ? dependent.metadata.namespace : undefined
    try {
      const live = await this.#context.client.get(ownerKind as KindRef, { namespace, name: owner.name })
      return live.metadata.uid === owner.uid ? stateOf(live) : 'absent'
    } catch (error) {
      if (isReason(error, 'NotFound')) return 'absent'
      throw error
    }
  }

  #refuse(dependent: Resource, owner: OwnerReference): void {
    const { apiVersion, kind, name, uid } = owner
    const reference = `[${apiVersion}/${kind}, namespace: ${dependent.metadata.namespace ?? ''}, name: ${name}, uid: ${uid}]`
    const message = `ownerRef ${reference} does not exist in namespace "${dependent.metadata.namespace ?? ''}"`
    this.#context.events.event(dependent, 'Warning', 'OwnerRefInvalidNamespace', message)
  }

  async #finishForeground(seen: GraphNode): Promise<void> {
    const blockers = this.#graph.blockersOf(seen.resource.metadata.uid ?? '')
    if (blockers.length === 0) return await this.#removeFinalizer(seen, FOREGROUND)
    for (const { resource } of blockers) {
      if (!isDeletingDependents(resource)) this.#queue.add(resource.metadata.uid ?? '')
    }
  }

  /** On what the server holds, not on the graph: a dependent that is overlooked here would be deleted later. */
  async #orphan(seen: GraphNode): Promise<void> {
    const { client } = this.#context
    const { uid = '', namespace } = seen.resource.metadata
    const kinds = this.#kinds().filter(
      ({ scope, verbs, storedAs }) =>
        (namespace ? scope === 'Namespaced' : true) && verbs.includes('list') && !storedAs,
    )
    for (const kind of kinds) {
      const { items } = await client.list(kind as KindRef, { namespace })
      for (const dependent of items) {
        if (!ownersOf(dependent).some((owner) => owner.uid === uid)) continue
        const patch = withoutOwners(dependent, new Set([uid]))
        await client.patch(kind as KindRef, keyObject(dependent), 'merge', patch).catch(ignoreNotFound)
      }
    }
    await this.#removeFinalizer(seen, ORPHAN)
  }

  async #removeFinalizer({ kind, resource }: GraphNode, finalizer: string): Promise<void> {
    const live = await this.#live(kind, resource)
    if (!live?.metadata.finalizers?.includes(finalizer)) return
    const { uid, resourceVersion } = live.metadata
    const finalizers = live.metadata.finalizers.filter((each) => each !== finalizer)
    const metadata = { uid, resourceVersion, finalizers }
    await this.#context.client.patch(kind, keyObject(live), 'merge', { metadata }).catch(ignoreNotFound)
  }
}

function stateOf(owner: Resource): OwnerState {
  return isDeletingDependents(owner) ? 'waiting' : 'solid'
}

function keyObject({ metadata: { namespace, name } }: Resource) {
  return { namespace, name }
}

/** A merge patch, which custom resources know as well; it holds only for the version that was read. */
function withoutOwners(dependent: Resource, owners: ReadonlySet<string>) {
  const { uid, resourceVersion } = dependent.metadata
  const ownerReferences = ownersOf(dependent).filter((owner) => !owners.has(owner.uid))
  return { metadata: { uid, resourceVersion, ownerReferences } }
}

function ignoreNotFound(error: unknown): void {
  if (!isReason(error, 'NotFound')) throw error
}
