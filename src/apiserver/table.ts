import type { AnyKind, Column } from '../api/kind.ts'
import { type AnyResource, apiVersionOf, type Resource } from '../api/resource.ts'

export type IncludeObject = 'None' | 'Metadata' | 'Object'

interface TableOptions {
  /** Epoch ms, for ages. */
  readonly now: number
  readonly includeObject: IncludeObject
  readonly metaVersion: 'v1' | 'v1beta1'
  /** Of a list; watch events and single objects have none. */
  readonly metadata?: object
  /** Watch events after the first leave the definitions out. */
  readonly withoutColumns?: boolean
}

/** meta.k8s.io Table: what `kubectl get` prints, worked out from the columns of a kind or a subresource. Pure. */
export function tableOf<R extends Resource>(
  { columns }: { readonly columns: readonly Column<R>[] },
  resources: readonly R[],
  options: TableOptions,
): object {
  const apiVersion = `meta.k8s.io/${options.metaVersion}`
  const columnDefinitions = options.withoutColumns
    ? null
    : columns.map(({ name, type, format = '', description, priority = 0 }) => ({
        name,
        type,
        format,
        description,
        priority,
      }))
  return {
    kind: 'Table',
    apiVersion,
    metadata: options.metadata ?? {},
    columnDefinitions,
    rows: resources.map((resource) => ({
      cells: columns.map((column) => column.value(resource, options.now)),
      ...rowObject(resource, options.includeObject, apiVersion),
    })),
  }
}

function rowObject(resource: Resource, include: IncludeObject, apiVersion: string): object {
  if (include === 'None') return {}
  if (include === 'Object') return { object: resource }
  return { object: { kind: 'PartialObjectMetadata', apiVersion, metadata: resource.metadata } }
}

export function partialOf(resource: AnyResource, metaVersion: string): object {
  return {
    kind: 'PartialObjectMetadata',
    apiVersion: `meta.k8s.io/${metaVersion}`,
    metadata: resource.metadata,
  }
}

export function partialListOf(
  resources: readonly AnyResource[],
  metadata: object,
  metaVersion: string,
): object {
  const items = resources.map((resource) => partialOf(resource, metaVersion))
  return { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${metaVersion}`, metadata, items }
}

/** The plain list; items carry their own apiVersion and kind, as clients tolerate. */
export function listEnvelope(
  kind: AnyKind,
  metadata: object,
): { readonly kind: string; readonly apiVersion: string; readonly metadata: object } {
  return { kind: kind.listKind, apiVersion: apiVersionOf(kind), metadata }
}
