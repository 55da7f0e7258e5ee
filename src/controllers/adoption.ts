/**
 * Who belongs to whom. A controller owns what carries its controller reference; it lets go what its selector no longer
 * matches and takes what matches and has no controller. Deciding is pure; `claim` performs it.
 */
import type { KindRef } from '../api/kind.ts'
import { controllerOf, controllerReference, isBeingDeleted, type Resource } from '../api/resource.ts'
import type { LabelPredicate } from '../api/selectors.ts'
import { isReason } from '../api/status.ts'
import type { Client } from '../client/client.ts'

export interface Claims<R extends Resource> {
  readonly owned: readonly R[]
  readonly adopt: readonly R[]
  readonly release: readonly R[]
}

/** `matches` must be false for everything when the selector is empty: an empty selector is a mistake, not a claim. */
export function decideClaims<R extends Resource>(
  owner: Resource,
  candidates: readonly R[],
  matches: LabelPredicate,
): Claims<R> {
  const isGoing = isBeingDeleted(owner)
  const owned: R[] = []
  const adopt: R[] = []
  const release: R[] = []
  for (const candidate of candidates) {
    const controller = controllerOf(candidate)
    const isMatch = matches(candidate.metadata.labels ?? {})
    if (controller) {
      if (controller.uid !== owner.metadata.uid) continue
      if (isMatch) owned.push(candidate)
      else if (isGoing) continue
      else release.push(candidate)
    } else if (isMatch && !isGoing && !isBeingDeleted(candidate)) adopt.push(candidate)
  }
  return { owned, adopt, release }
}

/**
 * Performs the claims and returns what the owner has then.
 * @param finalizer put on what is adopted, and taken off what is released
 */
export async function claim<R extends Resource, O extends Resource>(
  client: Client,
  kinds: { readonly owner: KindRef<O>; readonly child: KindRef<R> },
  owner: O,
  claims: Claims<R>,
  finalizer?: string,
): Promise<readonly R[]> {
  const { owned, adopt, release } = claims
  for (const child of release) await releaseOne(client, kinds.child, owner, child, finalizer)
  if (adopt.length === 0) return owned
  // The informer may be behind a deletion of the owner: nothing may be adopted by what is going away.
  const { namespace, name, uid } = owner.metadata
  const live = await client.get(kinds.owner, { namespace, name })
  if (live.metadata.uid !== uid || isBeingDeleted(live)) return owned
  const adopted: R[] = []
  for (const child of adopt) {
    const metadata = {
      uid: child.metadata.uid,
      ownerReferences: [controllerReference(owner)],
      ...(finalizer === undefined ? {} : { finalizers: [finalizer] }),
    }
    const { namespace, name } = child.metadata
    try {
      adopted.push(await client.patch(kinds.child, { namespace, name }, 'strategic', { metadata }))
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }
  return [...owned, ...adopted]
}

async function releaseOne(
  client: Client,
  kind: KindRef,
  owner: Resource,
  child: Resource,
  finalizer: string | undefined,
): Promise<void> {
  const ownerReferences = [{ $patch: 'delete', uid: owner.metadata.uid }]
  const off = finalizer === undefined ? {} : { '$deleteFromPrimitiveList/finalizers': [finalizer] }
  try {
    await letGo(client, kind, child, { ownerReferences, ...off })
  } catch (error) {
    if (!isReason(error, 'Invalid')) throw error
  }
}

/** Takes something of ours off an object's metadata. Gone, or another one under its name: then nothing of ours is left. */
export async function letGo(
  client: Client,
  kind: KindRef,
  { metadata: { namespace, name, uid } }: Resource,
  off: object,
): Promise<void> {
  const key = { namespace, name }
  try {
    await client.patch(kind, key, 'strategic', { metadata: { uid, ...off } })
  } catch (error) {
    if (isReason(error, 'NotFound')) return
    if (!isReason(error, 'Conflict')) throw error
    const found = await client.get(kind, key).catch((missing: unknown) => {
      if (!isReason(missing, 'NotFound')) throw missing
      return undefined
    })
    // It is still the same: somebody else wrote to it, and nobody would come back to it.
    if (found?.metadata.uid === uid) throw error
  }
}
