import type { AnyKind, KindRef } from '../api/kind.ts'
import type { ObjectKey, Resource } from '../api/resource.ts'
import type { Value } from './store/store.ts'

/** Versions of one kind share a place. */
type StoredRef = KindRef & Pick<Partial<AnyKind>, 'storedAs'>

/** Where a resource is stored. Built from checked parts only: names and namespaces hold no slash. */
export function storageKey(kind: StoredRef, { namespace, name }: ObjectKey): string {
  return `${collectionPrefix(kind, kind.scope === 'Namespaced' ? namespace : undefined)}${name}`
}

/** Of all resources of a kind, or of those in one namespace. Ends with a slash: "a" is no prefix of "ab". */
export function collectionPrefix(kind: StoredRef, namespace?: string): string {
  const { group, plural } = kind.storedAs?.kind ?? kind
  return `/registry/${group || 'core'}/${plural}/${namespace ? `${namespace}/` : ''}`
}

/** Puts the store's revision into a resource; given to the store when it is opened. */
export function stampResource(value: Value, revision: number): Value {
  const resource = value as Resource
  return { ...resource, metadata: { ...resource.metadata, resourceVersion: String(revision) } }
}
