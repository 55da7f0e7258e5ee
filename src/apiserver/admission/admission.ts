import type { AnyKind, KindRef } from '../../api/kind.ts'
import type { AnyResource, ObjectKey, Resource } from '../../api/resource.ts'
import type { Env } from '../../base/env.ts'
import type { RequestContext } from '../request.ts'
import type { Condition, Write } from '../store/store.ts'

/** What admission may look at: the store's newest state, not the network. */
export interface Reader {
  find<R extends Resource>(kind: KindRef<R>, key: ObjectKey): Promise<R | undefined>
  all<R extends Resource>(kind: KindRef<R>, namespace?: string): Promise<readonly R[]>
  /** Whether nothing of the kind is stored, in the namespace or anywhere. */
  isEmpty(kind: KindRef, namespace?: string): boolean
}

export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE'
  readonly kind: AnyKind
  readonly subresource: string
  readonly object: AnyResource
  readonly old: AnyResource | undefined
  readonly context: RequestContext
  readonly env: Env
  readonly reader: Reader
  /** All that are served. */
  readonly kinds: readonly AnyKind[]
  /** Has another object written in the same transaction; when the condition fails the request is decided again. */
  together(condition: Condition, write: Write): void
  /** Called when the write has happened or has failed: gives back what was held for it. */
  onSettled(release: () => void): void
}

/**
 * One step of the chain. `mutate` returns the object to go on with; `validate` throws Forbidden or another ApiError to
 * refuse. All of `mutate` run before all of `validate`, each in the order of the list.
 */
export interface Admission {
  readonly name: string
  /** Whether the step can have anything to say, asked before either half; absent: always. Most are about few requests. */
  concerns?(request: AdmissionRequest): boolean
  mutate?(request: AdmissionRequest): Promise<AnyResource> | AnyResource
  validate?(request: AdmissionRequest): Promise<void> | void
}

/** Concerns objects of this kind when they are made. */
export function creationOf(about: AnyKind): (request: AdmissionRequest) => boolean {
  return ({ operation, kind, subresource }) => kind === about && operation === 'CREATE' && subresource === ''
}
