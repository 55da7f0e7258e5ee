import type { KindRef } from '../api/kind.ts'
import type { ObjectKey, Resource } from '../api/resource.ts'
import type { Value } from './store/store.ts'

/** Where a resource is stored. Built from checked parts only: names and namespaces hold no slash. */
export function storageKey(kind: KindRef, { namespace, name }: ObjectKey): string {
  return `${collectionPrefix(kind, kind.scope === 'Namespaced' ? namespace : undefined)}${name}`
}

/** Of all resources of a kind, or of those in one namespace. Ends with a slash: "a" is no prefix of "ab". */
export function collectionPrefix(kind: KindRef, namespace?: string): string {
  return `/registry/${kind.group || 'core'}/${kind.plural}/${namespace ? `${namespace}/` : ''}`
}

/** Puts the store's revision into a resource; given to the store when it is opened. */
export function stampResource(value: Value, revision: number): Value {
  const resource = value as Resource
  return { ...resource, metadata: { ...resource.metadata, resourceVersion: String(revision) } }
}
