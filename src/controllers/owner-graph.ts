/**
 * Who refers to whom as owner, by UID, over all kinds. Fed from informers; says what must be looked at again.
 * An owner may be known by its dependents alone (not seen yet, or gone), so the two directions are two maps:
 *
 *   nodes       uid -> { kind, resource }
 *   dependents  owner uid -> uids of what refers to it
 */
import type { KindRef } from '../api/kind.ts'
import { isBeingDeleted, type OwnerReference, type Resource } from '../api/resource.ts'

export const FOREGROUND = 'foregroundDeletion'
export const ORPHAN = 'orphan'

export interface GraphNode {
  readonly kind: KindRef
  readonly resource: Resource
}

const NOBODY: ReadonlySet<string> = new Set()

export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>()
  readonly #dependents = new Map<string, Set<string>>()

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid)
  }

  get size(): number {
    return this.#nodes.size
  }

  dependentsOf(uid: string): GraphNode[] {
    return [...this.dependentUids(uid)].flatMap((each) => this.#nodes.get(each) ?? [])
  }

  dependentUids(uid: string): ReadonlySet<string> {
    return this.#dependents.get(uid) ?? NOBODY
  }

  /** Dependents that hold up a foreground deletion of this owner. */
  blockersOf(uid: string): GraphNode[] {
    return this.dependentsOf(uid).filter(({ resource }) =>
      ownersOf(resource).some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true),
    )
  }

  /** The UIDs to look at after this resource came or changed. */
  put(kind: KindRef, resource: Resource): string[] {
    const uid = resource.metadata.uid ?? ''
    const before = this.#nodes.get(uid)?.resource
    this.#nodes.set(uid, { kind, resource })
    const look: string[] = []
    for (const owner of before ? ownersOf(before) : []) {
      const next = ownersOf(resource).find((each) => each.uid === owner.uid)
      if (!next) this.#unlink(owner.uid, uid)
      // Whoever waited for this dependent may wait no more.
      if (next?.blockOwnerDeletion !== owner.blockOwnerDeletion && this.#isWaiting(owner.uid))
        look.push(owner.uid)
    }
    for (const owner of ownersOf(resource)) this.#link(owner.uid, uid)
    const isOwnerInDoubt = ownersOf(resource).some(
      (owner) => !this.#isAsReferred(owner, resource) || this.#isWaiting(owner.uid),
    )
    if (isOwnerInDoubt || hasDeletionWork(resource)) look.push(uid)
    return look
  }

  /** The UIDs to look at after this resource went: what it owned, and what waited for it. */
  remove(resource: Resource): string[] {
    const uid = resource.metadata.uid ?? ''
    const known = this.#nodes.get(uid)?.resource ?? resource
    this.#nodes.delete(uid)
    const look = [...this.dependentUids(uid)]
    for (const owner of ownersOf(known)) {
      this.#unlink(owner.uid, uid)
      if (this.#isWaiting(owner.uid)) look.push(owner.uid)
    }
    return look
  }

  /** The owner is in the graph under the very coordinates the reference gives. */
  #isAsReferred(owner: OwnerReference, dependent: Resource): boolean {
    const node = this.#nodes.get(owner.uid)
    return node !== undefined && isAsReferred(owner, dependent, node)
  }

  #isWaiting(uid: string): boolean {
    const node = this.#nodes.get(uid)
    return node !== undefined && isDeletingDependents(node.resource)
  }

  #link(owner: string, dependent: string): void {
    const known = this.#dependents.get(owner)
    if (known) known.add(dependent)
    else this.#dependents.set(owner, new Set([dependent]))
  }

  #unlink(owner: string, dependent: string): void {
    const known = this.#dependents.get(owner)
    known?.delete(dependent)
    if (known?.size === 0) this.#dependents.delete(owner)
  }
}

export function ownersOf({ metadata }: Resource): readonly OwnerReference[] {
  return metadata.ownerReferences ?? []
}

export function isAsReferred(
  owner: OwnerReference,
  dependent: Resource,
  { kind, resource }: GraphNode,
): boolean {
  return (
    resource.metadata.uid === owner.uid &&
    resource.metadata.name === owner.name &&
    kind.kind === owner.kind &&
    resource.apiVersion === owner.apiVersion &&
    (kind.scope === 'Cluster' || resource.metadata.namespace === dependent.metadata.namespace)
  )
}

/** Deleted in the foreground: it waits for its dependents. */
export function isDeletingDependents(resource: Resource): boolean {
  return isBeingDeleted(resource) && (resource.metadata.finalizers?.includes(FOREGROUND) ?? false)
}

export function isOrphaning(resource: Resource): boolean {
  return isBeingDeleted(resource) && (resource.metadata.finalizers?.includes(ORPHAN) ?? false)
}

function hasDeletionWork(resource: Resource): boolean {
  return isDeletingDependents(resource) || isOrphaning(resource)
}
