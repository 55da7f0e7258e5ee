import type { InventoryEntry } from '../api/kinds/application.ts'
import { type AnyResource, controllerOf } from '../api/resource.ts'
import { OWNER_ANNOTATION } from './apply.ts'

/** This many may always go; more only when they are not more than half, or with consent. */
const FREE_MAX = 10
export const ALLOW_MASS_DELETE = 'seamark.dev/allow-mass-delete'

export interface PruneQuestion {
  readonly before: readonly InventoryEntry[]
  readonly after: readonly InventoryEntry[]
  /** The commit whose mass delete a human allowed (annotation on the Application). */
  readonly allowed: string | undefined
  readonly commit: string
  /** "namespace/name" of the Application, for the message. */
  readonly application: string
}

export type PruneDecision =
  | { readonly verdict: 'prune'; readonly gone: readonly InventoryEntry[] }
  /** Too much at once: nothing is deleted until somebody says so. */
  | { readonly verdict: 'ask'; readonly gone: readonly InventoryEntry[]; readonly message: string }

/**
 * What left the source is deleted; but not everything at once by accident. A commit that leaves nothing, or that takes
 * away more than half of more than 10 objects, needs consent. Pure. It is asked only after a commit has been read and
 * rendered whole: an error is never taken for an empty source.
 */
export function decidePrune({ before, after, allowed, commit, application }: PruneQuestion): PruneDecision {
  const kept = new Set(after.map(({ id }) => id))
  const gone = before.filter(({ id }) => !kept.has(id))
  const isAll = after.length === 0 && gone.length > 0
  const isMass = gone.length > FREE_MAX && gone.length * 2 > before.length
  if (!(isAll || isMass) || isAllowed(allowed, commit)) return { verdict: 'prune', gone }
  const [namespace, name] = application.split('/')
  const command = `kubectl annotate application ${name} -n ${namespace} --overwrite ${ALLOW_MASS_DELETE}=${commit.slice(0, 12)}`
  const message = `Commit ${commit.slice(0, 7)} would delete ${gone.length} of ${before.length} objects, so nothing of it is applied; allow it with: ${command}`
  return { verdict: 'ask', gone, message }
}

/** At least seven digits of the commit: consent is for one commit, not for ever. */
export function isAllowed(allowed: string | undefined, commit: string): boolean {
  return allowed !== undefined && allowed.length >= 7 && commit.startsWith(allowed)
}

/** Why an object that left the source stays in the cluster; undefined when it may go. Pure. */
export function reasonToKeep(live: AnyResource, application: string): string | undefined {
  const { annotations = {}, deletionTimestamp } = live.metadata
  if (annotations['seamark.dev/prune'] === 'disabled')
    return 'it has the annotation seamark.dev/prune: disabled'
  const owner = annotations[OWNER_ANNOTATION]
  if (owner !== application) return owner === undefined ? 'it is no longer marked' : `it belongs to ${owner}`
  // An operator may have copied our mark onto what it made.
  if (controllerOf(live)) return 'a controller owns it'
  return deletionTimestamp === undefined ? undefined : 'it is being deleted'
}

/** Kinds that the system itself puts into every namespace, or that follow other objects. */
const FOLLOWERS = new Set(['Endpoints', 'EndpointSlice', 'Event', 'Lease'])

/** Whether an object in a namespace keeps that namespace from being deleted with its manifest: it is somebody else's. */
export function isSomebodyElses(live: AnyResource, application: string): boolean {
  if (FOLLOWERS.has(live.kind) || controllerOf(live)) return false
  if (live.kind === 'ServiceAccount' && live.metadata.name === 'default') return false
  if (live.kind === 'ConfigMap' && live.metadata.name === 'kube-root-ca.crt') return false
  return live.metadata.annotations?.[OWNER_ANNOTATION] !== application
}
