import type { KindRef } from '../api/kind.ts'
import type { Resource } from '../api/resource.ts'
import type { Informers } from '../client/informers.ts'

/** Everything but pods and nodes that plugins look at: services, claims, volumes. Read when asked, never kept. */
export interface ClusterObjects {
  /** By "namespace/name", or "name". */
  get<R extends Resource>(kind: KindRef<R>, key: string): R | undefined
  /** Of one namespace, or all. */
  list<R extends Resource>(kind: KindRef<R>, namespace?: string): readonly R[]
}

export const NO_OBJECTS: ClusterObjects = { get: () => undefined, list: () => [] }

/** What the shared informers have seen. A kind must have been asked of them, and its list be in, before it is read. */
export function informedObjects(informers: Informers): ClusterObjects {
  return {
    get: (kind, key) => informers.of(kind).get(key),
    list: (kind, namespace) =>
      namespace === undefined
        ? informers.of(kind).list()
        : informers.of(kind).byIndex('namespace', namespace),
  }
}

/** Over a fixed set. */
export function objectsOf(resources: readonly Resource[]): ClusterObjects {
  const of = <R extends Resource>(kind: KindRef<R>, namespace: string | undefined) =>
    resources.filter(
      (resource) =>
        resource.kind === kind.kind && (namespace === undefined || resource.metadata.namespace === namespace),
    ) as unknown as readonly R[]
  return {
    list: of,
    get: (kind, key) =>
      of(kind, undefined).find(
        ({ metadata }) =>
          (metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`) ===
          key,
      ),
  }
}
