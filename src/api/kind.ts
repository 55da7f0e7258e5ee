import type { JsonObject } from '../base/json.ts'
import type { Decoded } from './decode.ts'
import type { AnyResource, Resource } from './resource.ts'
import { resolve, type Schema } from './schema.ts'
import type { StatusCause } from './status.ts'
import { withSpec, withZeroValues } from './zero-values.ts'

/** What a client needs to address a kind. Kinds known only at run time (custom resources) have no more than this. */
export interface KindRef<R extends Resource = Resource> {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly scope: 'Namespaced' | 'Cluster'
  /** Never present; carries the type. */
  readonly resource?: R
}

/** Argo CD's words, which everybody has learned; `Suspended` waits for a human and counts as healthy. */
export interface Health {
  readonly status: 'Healthy' | 'Progressing' | 'Degraded' | 'Suspended' | 'Missing'
  /** One sentence for people; a Degraded one names reason, container and exit code where there are any. */
  readonly message?: string
}

/** One server-side printer column (kubectl get). `priority` 1 is shown with -o wide only. */
export interface Column<R extends Resource = Resource> {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  readonly format?: string
  readonly description: string
  readonly priority?: number
  /** `now` in epoch ms, for ages. */
  value(resource: R, now: number): string | number | boolean | null
}

export interface ScaleSubresource<R extends Resource = Resource> {
  readonly specReplicas: (resource: R) => number
  readonly statusReplicas: (resource: R) => number
  /** The label selector as text, for the HPA and kubectl scale. */
  readonly selector: (resource: R) => string
  readonly withReplicas: (resource: R, replicas: number) => R
}

export interface OtherSubresource {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly verbs: readonly string[]
  /**
   * For one that is updated and patched with the whole object: what of `sent` is taken over. The result is validated.
   * `now` in epoch ms.
   */
  // biome-ignore lint/suspicious/noExplicitAny: the resource is the kind's own, which is erased where subresources are listed
  merge?(old: any, sent: any, now: number): any
  /** What a change through it may do, instead of what the kind says of changes. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  validateUpdate?(resource: any, old: any): readonly StatusCause[]
}

/**
 * Both functions are pure and total, and keep metadata. What the stored form cannot say travels in annotations, so that
 * `toStored(fromStored(x))` is x; managedFields are left alone, they name the version they are written in.
 */
export interface StoredAs<R extends Resource = Resource> {
  readonly kind: AnyKind
  /** Defaults of this version are set. */
  toStored(resource: R): Resource
  fromStored(stored: Resource): R
}

/** What is different about the kinds that CustomResourceDefinitions make. */
export interface CustomFacts {
  /** Reads a body: metadata is decoded, the rest pruned; whether values fit is validation's to say. */
  read(body: unknown): Decoded
  /** The stored object by the schema as it is today, which may be newer than the object. */
  readStored(stored: AnyResource): AnyResource
  /** The schema as it was declared, for OpenAPI. */
  readonly openApi: JsonObject
  /** The definition is being deleted: nothing new is made. */
  readonly isTerminating: boolean
}

/** Everything Seamark knows about one kind. Adding a kind is writing one of these and listing it in kinds/index.ts. */
export interface Kind<R extends Resource = Resource> extends KindRef<R> {
  readonly singular: string
  readonly listKind: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly schema: Schema
  /** All of create, delete, deletecollection, get, list, patch, update, watch unless a kind says otherwise. */
  readonly verbs: readonly string[]
  /** Sent as a warning with every answer to a request for it. */
  readonly deprecation?: string
  /** Lower is applied earlier and pruned later (gitops-tools.md 2.2). */
  readonly applyWave: number
  /** `status`: it has /status, status is reset on create and kept on update, generation follows the rest. */
  readonly subresources: {
    readonly status?: true
    /** Who writes the status also writes annotations, as upstream's strategy of the kind lets them. */
    readonly statusAnnotations?: true
    readonly scale?: ScaleSubresource<R>
    /** Further ones, as discovery lists them: { binding: { group: '', version: 'v1', kind: 'Binding', verbs: ['create'] } } */
    readonly others?: Readonly<Record<string, OtherSubresource>>
  }
  /** What it owns stays when it is deleted without a word about that, for compatibility. */
  readonly orphansDependents?: true
  /** Whether metadata.generation counts changes of what is not status or metadata. */
  readonly hasGeneration: boolean
  /** How names are checked: dns1123-subdomain unless told otherwise. */
  readonly nameRule: 'dns1123-subdomain' | 'dns1123-label' | 'dns1035-label' | 'path-segment'
  /** Field selectors beside metadata.name and metadata.namespace. */
  readonly fieldSelectors: Readonly<Record<string, (resource: R) => string>>
  /** Pure and idempotent; given a resource that passed the schema. What a built-in kind requires is there, if only empty. */
  setDefaults(resource: R): R
  /** Hand-written rules, after the schema; Kubernetes' paths and words. */
  validate(resource: R): readonly StatusCause[]
  /** Rules for new ones only, beyond `validate`. */
  validateCreate?(resource: R): readonly StatusCause[]
  /** What may not change, and what may only change so; `validate` of the new one is run as well. */
  validateUpdate(resource: R, old: R): readonly StatusCause[]
  /** What the server does with fields that clients may not set on create or update, beyond status. */
  prepareForCreate(resource: R): R
  prepareForUpdate(resource: R, old: R): R
  readonly columns: readonly Column<R>[]
  /** `now` in epoch ms. Must consider status.observedGeneration where the kind has one. */
  health(resource: R, now: number): Health
  /** Of a further version of a kind: the same objects, stored in the form of another one. */
  readonly storedAs?: StoredAs<R>
  /** What a deletion leaves to be done by others, put into the object as it is marked. `now` in epoch ms. */
  prepareForDelete?(resource: R, now: number): R
  readonly custom?: CustomFacts
  /** A small valid one, for contract tests and documentation. */
  readonly example: R
}

type Optional =
  | 'singular'
  | 'listKind'
  | 'shortNames'
  | 'categories'
  | 'verbs'
  | 'subresources'
  | 'hasGeneration'
  | 'nameRule'
  | 'fieldSelectors'
  | 'setDefaults'
  | 'validate'
  | 'validateUpdate'
  | 'prepareForCreate'
  | 'prepareForUpdate'
  | 'health'

const ALL_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] as const

export function defineKind<R extends Resource>(
  kind: Omit<Kind<R>, Optional | 'schema'> &
    Partial<Pick<Kind<R>, Optional>> & { readonly schema: Schema | string },
): Kind<R> {
  const schema = typeof kind.schema === 'string' ? resolve({ ref: kind.schema }) : kind.schema
  const isGenerated = typeof kind.schema === 'string'
  const { setDefaults = (resource: R) => resource, health = () => ({ status: 'Healthy' }) as const } = kind
  return {
    singular: kind.kind.toLowerCase(),
    listKind: `${kind.kind}List`,
    shortNames: [],
    categories: [],
    verbs: ALL_VERBS,
    subresources: {},
    // Kubernetes counts generations for most kinds that have a spec.
    hasGeneration: schema.properties?.['spec'] !== undefined,
    nameRule: 'dns1123-subdomain',
    fieldSelectors: {},
    validate: () => [],
    validateUpdate: () => [],
    prepareForCreate: (resource) => resource,
    prepareForUpdate: (resource) => resource,
    ...kind,
    schema,
    setDefaults: (resource) =>
      setDefaults(isGenerated ? withZeroValues(withSpec(resource, schema), schema) : resource),
    health: (resource, now) =>
      resource.metadata.deletionTimestamp === undefined
        ? health(resource, now)
        : { status: 'Progressing', message: 'Pending deletion' },
  }
}

/** Any kind, for lists and generic code: what a kind's own functions take is its own type, which is erased here. */
// biome-ignore lint/suspicious/noExplicitAny: a list of kinds of different resources has no better type
export type AnyKind = Kind<any>
