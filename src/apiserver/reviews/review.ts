import type { AnyResource } from '../../api/resource.ts'
import type { Access } from '../auth/access.ts'
import type { Registry } from '../registry.ts'
import type { RequestContext } from '../request.ts'

/** A POST that is answered and stores nothing. */
export interface Asked {
  readonly registry: Registry
  readonly access: Access
  readonly context: RequestContext
  /** Of the path; empty for a cluster-scoped kind. */
  readonly namespace: string
  /** Of the object whose subresource is asked; empty otherwise. */
  readonly name: string
  readonly body: AnyResource
}

/** The object that is answered, the kind of the question with its status filled in. */
export type Answering = (asked: Asked) => Promise<object>
