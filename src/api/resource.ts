import type { V1ObjectMeta, V1OwnerReference } from './generated/types.ts'

export type ObjectMeta = V1ObjectMeta & { readonly name: string }
export type OwnerReference = V1OwnerReference

/** Any object of the API. Always frozen and shared: a writer builds a new one. */
export interface Resource {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}

/** A generated kind as it is stored: it has a name and a spec. `type Pod = Stored<V1Pod>`. */
export type Stored<T> = Omit<T, 'metadata' | 'spec'> &
  Resource &
  (T extends { readonly spec?: infer S } ? { readonly spec: NonNullable<S> } : unknown)

/** The parts of a resource that most kinds have, for code that works on any kind. */
export interface AnyResource extends Resource {
  readonly spec?: { readonly [field: string]: unknown }
  readonly status?: { readonly [field: string]: unknown }
  readonly [field: string]: unknown
}

export interface ObjectKey {
  /** Absent for cluster-scoped kinds. */
  readonly namespace?: string | undefined
  readonly name: string
}

/** "namespace/name", or "name" for a cluster-scoped resource. The one key of queues, caches and messages. */
export function keyOf(resource: {
  readonly metadata: { readonly namespace?: string | undefined; readonly name?: string | undefined }
}): string {
  const { namespace, name } = resource.metadata
  return namespace ? `${namespace}/${name}` : `${name}`
}

/** Splits what `keyOf` made. Names hold no slash. */
export function parseKey(key: string): ObjectKey {
  const at = key.indexOf('/')
  return at < 0 ? { name: key } : { namespace: key.slice(0, at), name: key.slice(at + 1) }
}

/** Splits "apps/v1" and "v1". */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const at = apiVersion.indexOf('/')
  return at < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, at), version: apiVersion.slice(at + 1) }
}

export function apiVersionOf(kind: { readonly group: string; readonly version: string }): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`
}

/** The owner reference with `controller: true`, if there is one. */
export function controllerOf(resource: Resource): OwnerReference | undefined {
  return resource.metadata.ownerReferences?.find((owner) => owner.controller === true)
}

/** The reference that makes `owner` the controller of something (blockOwnerDeletion as Kubernetes' own controllers set). */
export function controllerReference(owner: Resource): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  }
}

export function isBeingDeleted(resource: Resource): boolean {
  return resource.metadata.deletionTimestamp !== undefined
}

/** Of several defaults the newest counts, of those of one second the first by name. */
export function newestOf<R extends Resource>(classes: readonly R[]): R | undefined {
  const at = ({ metadata }: R) => metadata.creationTimestamp ?? ''
  return classes.toSorted((a, b) =>
    at(a) === at(b) ? (a.metadata.name < b.metadata.name ? -1 : 1) : at(a) > at(b) ? -1 : 1,
  )[0]
}
