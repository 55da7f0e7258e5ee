/**
 * What the garbage collector does with one object, given what is known of its owners: a pure table.
 *
 *   a solid owner is left      drop the references to owners that are gone or going
 *   none, one is waiting,      delete in the foreground, so that the owner also waits for the object's own
 *   and it has dependents      dependents (references are unblocked first where the wait would be a circle)
 *   none                       delete; what hangs on it follows by its finalizer, or in the background
 */
import type { OwnerReference } from '../api/resource.ts'
import { FOREGROUND, ORPHAN } from './owner-graph.ts'

/** `waiting` is being deleted in the foreground; `unknown` cannot be looked up: then nothing is ever deleted. */
export type OwnerState = 'solid' | 'waiting' | 'absent' | 'unknown'

export interface Judged {
  readonly owner: OwnerReference
  readonly state: OwnerState
}

export interface Subject {
  readonly finalizers: readonly string[]
  readonly hasDependents: boolean
  /** One of its dependents waits for it: they own one another. */
  readonly isInCircle: boolean
}

export type Collection =
  | { readonly do: 'keep' }
  | { readonly do: 'dropOwners'; readonly uids: readonly string[] }
  | {
      readonly do: 'delete'
      readonly propagationPolicy: 'Foreground' | 'Background' | 'Orphan'
      readonly unblockFirst: boolean
    }

export function decideCollection(judged: readonly Judged[], subject: Subject): Collection {
  if (judged.length === 0) return { do: 'keep' }
  const going = judged.filter(({ state }) => state === 'absent' || state === 'waiting')
  const isHeld = judged.some(({ state }) => state === 'solid' || state === 'unknown')
  if (isHeld) {
    const uids = judged.some(({ state }) => state === 'solid') ? going.map(({ owner }) => owner.uid) : []
    return uids.length > 0 ? { do: 'dropOwners', uids } : { do: 'keep' }
  }
  if (judged.some(({ state }) => state === 'waiting') && subject.hasDependents)
    return { do: 'delete', propagationPolicy: 'Foreground', unblockFirst: subject.isInCircle }
  const propagationPolicy = subject.finalizers.includes(ORPHAN)
    ? 'Orphan'
    : subject.finalizers.includes(FOREGROUND)
      ? 'Foreground'
      : 'Background'
  return { do: 'delete', propagationPolicy, unblockFirst: false }
}
