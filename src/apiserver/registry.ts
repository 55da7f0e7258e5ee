import { decode } from '../api/decode.ts'
import type { AnyKind, KindRef, OtherSubresource } from '../api/kind.ts'
import { validateMetadata, validateMetadataUpdate } from '../api/names.ts'
import { type AnyResource, apiVersionOf, type ObjectKey, type Resource } from '../api/resource.ts'
import { badRequest, invalid, notFound, type StatusCause } from '../api/status.ts'
import type { Env } from '../base/env.ts'
import type { Admission, AdmissionRequest, Reader } from './admission/admission.ts'
import type { KindTable } from './kind-table.ts'
import type { RequestContext } from './request.ts'
import type { Selection } from './selection.ts'
import type { ServedGroup } from './served-group.ts'
import { collectionPrefix, storageKey } from './storage-keys.ts'
import type { Condition, Entry, Store, Write } from './store/store.ts'
import { showAs } from './versions.ts'

export type Answer = (key: ObjectKey, body: unknown, context: RequestContext) => object | Promise<object>

/**
 * What all verbs of all kinds share: reading bodies, the admission chain, validation, and the store underneath. One
 * file per verb in verbs/ builds on it; handlers for HTTP and the in-process client call those.
 */
export class Registry {
  readonly env: Env
  readonly store: Store
  readonly kinds: KindTable
  readonly #admission: readonly Admission[]
  readonly reader: Reader
  /** Kinds of which nothing is stored: who is asked for all of them, in one namespace or everywhere. */
  readonly computed = new Map<AnyKind, Compute>()
  /** Groups without kinds, by name. */
  readonly groups = new Map<string, ServedGroup>()
  /** "pods/explain" -> what answers a POST there: parts beside the API server that know what no stored object says. */
  readonly answers = new Map<string, Answer>()

  constructor(env: Env, store: Store, kinds: KindTable, admission: readonly Admission[]) {
    this.env = env
    this.store = store
    this.kinds = kinds
    this.#admission = admission
    this.reader = {
      find: async <R extends Resource>(kind: KindRef<R>, key: ObjectKey) =>
        (await this.find(kind, key))?.value as R | undefined,
      all: async <R extends Resource>(kind: KindRef<R>, namespace?: string) => {
        const { entries } = await store.range({ prefix: collectionPrefix(kind, namespace) })
        return entries.map(({ value }) => value as R)
      },
      isEmpty: (kind, namespace) => store.isEmpty(collectionPrefix(kind, namespace)),
    }
  }

  find(kind: KindRef, key: ObjectKey): Promise<Entry | undefined> {
    return this.store.get(storageKey(kind, key))
  }

  /** The object in the form of this version of its kind. */
  async get(kind: AnyKind, key: ObjectKey): Promise<AnyResource> {
    const compute = this.computed.get(kind)
    if (!compute) return showAs(kind, (await this.mustFind(kind, key)).value as AnyResource)
    const isMeant: Selection = ({ metadata }) => metadata.name === key.name
    const found = (await compute(key.namespace, isMeant)).find(isMeant)
    if (!found) throw notFound(kind, key.name)
    return found
  }

  async mustFind(kind: KindRef, key: ObjectKey): Promise<Entry> {
    const entry = await this.find(kind, key)
    if (!entry) throw notFound(kind, key.name)
    return entry
  }

  /**
   * A request body as a resource of the kind: apiVersion and kind filled in or checked, unknown fields treated as asked.
   * What it shares with the object that is `stored` was read before.
   */
  readBody(kind: AnyKind, body: unknown, context: RequestContext, stored?: AnyResource): AnyResource {
    const { value, unknownFields } = kind.custom?.read(body) ?? decode(body, kind.schema, kind.kind, stored)
    const resource = value as unknown as AnyResource
    const apiVersion = apiVersionOf(kind)
    if (resource.apiVersion !== undefined && resource.apiVersion !== apiVersion) {
      throw badRequest(
        `the API version in the data (${resource.apiVersion}) does not match the expected API version (${apiVersion})`,
      )
    }
    if (resource.kind !== undefined && resource.kind !== kind.kind) {
      throw badRequest(
        `the object provided is unrecognized (must be of type ${kind.kind}): ${JSON.stringify(resource.kind)}`,
      )
    }
    if (unknownFields.length > 0 && context.fieldValidation === 'Strict') {
      throw badRequest(
        `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: strict decoding error: ${unknownFields.join(', ')}`,
      )
    }
    // A patch is read again when somebody else was faster; its warnings are said once.
    if (context.fieldValidation === 'Warn')
      context.warnings.push(...unknownFields.filter((warning) => !context.warnings.includes(warning)))
    if (resource.apiVersion && resource.kind && resource.metadata) return resource
    return { ...resource, apiVersion, kind: kind.kind, metadata: resource.metadata ?? { name: '' } }
  }

  /** Runs the mutating half of the chain. */
  async mutate(submitted: Submitted): Promise<AnyResource> {
    let request = this.#request(submitted)
    for (const step of this.#admission) {
      if (!step.mutate || step.concerns?.(request) === false) continue
      const answer = step.mutate(request)
      const object = answer instanceof Promise ? await answer : answer
      if (object !== request.object) request = { ...request, object }
    }
    return request.object
  }

  async admit(submitted: Submitted): Promise<void> {
    const request = this.#request(submitted)
    for (const step of this.#admission) {
      if (!step.validate || step.concerns?.(request) === false) continue
      const answer = step.validate(request)
      if (answer) await answer
    }
  }

  #request(submitted: Submitted): AdmissionRequest {
    return { ...submitted, env: this.env, reader: this.reader, kinds: this.kinds.list }
  }

  /** Throws Invalid with every fault of an object that is about to be stored. */
  validate(
    kind: AnyKind,
    object: AnyResource,
    old: AnyResource | undefined,
    validateUpdate: OtherSubresource['validateUpdate'] = kind.validateUpdate,
  ): void {
    const faults: StatusCause[] = validateMetadata(object.metadata, {
      namespaced: kind.scope === 'Namespaced',
      nameRule: kind.nameRule,
    })
    // By a schema that may have changed since, an update is judged by what it changes.
    if (!old || !kind.custom) faults.push(...kind.validate(object))
    if (old)
      faults.push(...validateMetadataUpdate(object.metadata, old.metadata), ...validateUpdate(object, old))
    else faults.push(...(kind.validateCreate?.(object) ?? []))
    if (faults.length > 0) throw invalid(kind, object.metadata.name ?? '', faults)
  }
}

type Submitted = Omit<AdmissionRequest, 'env' | 'reader' | 'kinds'>

/** May leave out what the selection does not select, and need not. */
type Compute = (namespace?: string, selection?: Selection) => Promise<readonly AnyResource[]>

/** Collects what admission holds for a write and what is to be written with it, and gives it back once. */
export class Settling {
  readonly #releases: (() => void)[] = []
  readonly conditions: Condition[] = []
  readonly writes: Write[] = []

  readonly together = (condition: Condition, write: Write): void => {
    this.conditions.push(condition)
    this.writes.push(write)
  }

  readonly onSettled = (release: () => void): void => {
    this.#releases.push(release)
  }

  settle(): void {
    for (const release of this.#releases.splice(0)) release()
  }
}
