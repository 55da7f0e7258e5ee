/**
 * The history of a StatefulSet or DaemonSet: one ControllerRevision for each template it had, numbered; going back to an
 * old template gives its revision the next number. `kubectl rollout history` and `undo` read and patch back what is here.
 */
import type { V1PodTemplateSpec } from '../api/generated/types.ts'
import type { KindRef } from '../api/kind.ts'
import { type ControllerRevision, controllerRevision } from '../api/kinds/controller-revision.ts'
import { controllerOf, controllerReference, isBeingDeleted, type Resource } from '../api/resource.ts'
import type { LabelPredicate } from '../api/selectors.ts'
import { isReason } from '../api/status.ts'
import { deepEqual, isObject } from '../base/json.ts'
import { claim, decideClaims } from './adoption.ts'
import type { ReconcileContext } from './controller.ts'
import { podTemplateHash } from './pod-template-hash.ts'

/** On pods: which revision they are of. */
export const REVISION_LABEL = 'controller-revision-hash'
/** On the revisions themselves. */
const HASH_LABEL = 'controller.kubernetes.io/hash'
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

export interface Templated extends Resource {
  readonly spec: { readonly template: V1PodTemplateSpec; readonly revisionHistoryLimit?: number | undefined }
  readonly status?: { readonly collisionCount?: number | undefined } | undefined
}

/** What `kubectl rollout undo` applies as a strategic merge patch. */
export function revisionData(template: V1PodTemplateSpec): object {
  return { spec: { template: { ...template, $patch: 'replace' } } }
}

export function templateOf(revision: ControllerRevision): V1PodTemplateSpec {
  const spec = isObject(revision.data) ? revision.data['spec'] : undefined
  const template = isObject(spec) && isObject(spec['template']) ? spec['template'] : {}
  const { $patch: _, ...rest } = template
  return rest as V1PodTemplateSpec
}

export type RevisionStep =
  | { readonly type: 'keep' | 'renumber'; readonly revision: ControllerRevision }
  | { readonly type: 'create'; readonly revision: ControllerRevision }

/** What is to be done so that the newest revision is the template's. `known` is ordered by number. Pure. */
export function nextRevision(owner: Templated, known: readonly ControllerRevision[]): RevisionStep {
  const data = revisionData(owner.spec.template)
  const newest = known.at(-1)
  const number = (newest?.revision ?? 0) + 1
  const same = known.findLast((revision) => deepEqual(revision.data, data))
  if (same && same === newest) return { type: 'keep', revision: same }
  if (same) return { type: 'renumber', revision: { ...same, revision: number } }
  const hash = podTemplateHash(owner.spec.template, owner.status?.collisionCount)
  const { [LAST_APPLIED]: _, ...annotations } = owner.metadata.annotations ?? {}
  return {
    type: 'create',
    revision: {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name: `${owner.metadata.name}-${hash}`,
        namespace: owner.metadata.namespace,
        labels: { ...owner.spec.template.metadata?.labels, [REVISION_LABEL]: hash, [HASH_LABEL]: hash },
        annotations,
        ownerReferences: [controllerReference(owner)],
      },
      data,
      revision: number,
    },
  }
}

/** The oldest ones beyond the history limit, of those that neither a pod nor the set itself refers to. Pure. */
export function revisionsToRemove(
  known: readonly ControllerRevision[],
  inUse: ReadonlySet<string>,
  limit: number,
): readonly ControllerRevision[] {
  const free = known.filter(({ metadata }) => !inUse.has(metadata.name))
  return free.slice(0, Math.max(0, free.length - limit))
}

/** The short hash of a revision: what a DaemonSet's pods are labelled with. */
export function hashOf({ metadata }: ControllerRevision): string {
  return metadata.labels?.[HASH_LABEL] ?? metadata.name
}

export interface History {
  readonly update: ControllerRevision
  /** By number, `update` last. */
  readonly all: readonly ControllerRevision[]
}

/** Adopts what belongs to the owner and makes the template's revision the newest. */
export async function syncHistory<O extends Templated>(
  { client, informers }: ReconcileContext,
  kind: KindRef<O>,
  owner: O,
  matches: LabelPredicate,
): Promise<History> {
  const revisions = informers.of(controllerRevision)
  const candidates = [
    ...revisions.byIndex('owner', owner.metadata.uid ?? ''),
    ...revisions.byIndex('orphan', owner.metadata.namespace ?? ''),
  ]
  const claims = decideClaims(owner, candidates, matches)
  const owned = await claim(client, { owner: kind, child: controllerRevision }, owner, claims)
  const known = owned.toSorted((a, b) => a.revision - b.revision)
  const step = nextRevision(owner, known)
  // What goes away makes no more history: with a deletion in the foreground the garbage collector takes it down.
  if (step.type === 'keep' || isBeingDeleted(owner)) return { update: step.revision, all: known }
  const others = known.filter(({ metadata }) => metadata.name !== step.revision.metadata.name)
  if (step.type === 'renumber') {
    const update = await client.update(controllerRevision, step.revision)
    return { update, all: [...others, update] }
  }
  try {
    const update = await client.create(controllerRevision, step.revision)
    return { update, all: [...known, update] }
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error
    const { namespace, name } = step.revision.metadata
    const taken = await client.get(controllerRevision, { namespace, name })
    // Our own, which the view lacks; else another template has the name, and the next try takes another hash.
    if (controllerOf(taken)?.uid === owner.metadata.uid && deepEqual(taken.data, step.revision.data))
      return { update: taken, all: [...others, taken] }
    const status = { ...owner.status, collisionCount: (owner.status?.collisionCount ?? 0) + 1 }
    await client.update(kind, { ...owner, status }, { subresource: 'status' })
    throw error
  }
}

export async function trimHistory(
  { client }: ReconcileContext,
  { spec }: Templated,
  { all }: History,
  inUse: ReadonlySet<string>,
): Promise<void> {
  for (const { metadata } of revisionsToRemove(all, inUse, spec.revisionHistoryLimit ?? 10)) {
    const { namespace, name, uid } = metadata
    try {
      await client.delete(controllerRevision, { namespace, name }, { preconditions: { uid } })
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }
}
