import { findCondition, isConditionTrue, setCondition } from '../../api/conditions.ts'
import { namesOf, statusWithNames } from '../../api/custom/accepted-names.ts'
import { customKinds } from '../../api/custom/custom-kind.ts'
import type { CustomResourceDefinition } from '../../api/custom/definition.ts'
import { CLEANUP_FINALIZER, customResourceDefinition } from '../../api/kinds/custom-resource-definition.ts'
import { type AnyResource, isBeingDeleted } from '../../api/resource.ts'
import { isReason } from '../../api/status.ts'
import { deepEqual } from '../../base/json.ts'
import { WorkQueue } from '../../base/work-queue.ts'
import { LOOPBACK } from '../auth/authenticate.ts'
import type { Registry } from '../registry.ts'
import type { RequestContext } from '../request.ts'
import { collectionPrefix } from '../storage-keys.ts'
import { remove } from '../verbs/delete.ts'
import { change } from '../verbs/update.ts'

/** How often a definition that is going looks whether its last objects are gone. */
const CLEANUP_PERIOD_MS = 1000

/**
 * Serves what CustomResourceDefinitions define: gives them their names, puts their kinds into the table of kinds before
 * it says Established, and empties and takes away what is deleted. Those that are established already are served when
 * `startCustomResources` resolves, so before the API answers its first request.
 */
export async function startCustomResources(registry: Registry): Promise<{ stop(): Promise<void> }> {
  const custom = new CustomResources(registry)
  await custom.start()
  return custom
}

class CustomResources {
  readonly #registry: Registry
  readonly #queue: WorkQueue
  readonly #stop = new AbortController()
  /** What each definition is served as, to see whether anything that matters has changed. */
  readonly #served = new Map<string, CustomResourceDefinition>()
  #watching: Promise<void> | undefined

  constructor(registry: Registry) {
    this.#registry = registry
    const { clock, log } = registry.env
    this.#queue = new WorkQueue(clock, {
      work: (name) => this.#look(name),
      backoffMinMs: 100,
      backoffMaxMs: 30_000,
      onError: (name, error) => log.warn({ err: error, crd: name }, 'CustomResourceDefinition retried'),
    })
  }

  async start(): Promise<void> {
    const prefix = collectionPrefix(customResourceDefinition)
    const { entries, revision } = await this.#registry.store.range({ prefix })
    const definitions = entries.map(({ value }) => value as unknown as CustomResourceDefinition)
    for (const definition of definitions)
      if (isConditionTrue(definition.status?.conditions, 'Established')) this.#serve(definition)
    for (const { metadata } of definitions) this.#queue.add(metadata.name)
    this.#watching = this.#watch(prefix, revision)
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#queue.close()
    await this.#watching
  }

  async #watch(prefix: string, after: number): Promise<void> {
    let seen = after
    const { store, env } = this.#registry
    while (!this.#stop.signal.aborted) {
      try {
        for await (const batch of store.watch({ prefix, after: seen, signal: this.#stop.signal })) {
          for (const { value } of batch.changes) this.#queue.add((value as AnyResource).metadata.name)
          seen = batch.revision
        }
        return
      } catch (error) {
        if (!isReason(error, 'Expired')) {
          if (!this.#stop.signal.aborted)
            env.log.error({ err: error }, 'custom resources are not followed any more')
          return
        }
        const { entries, revision } = await store.range({ prefix })
        for (const { value } of entries) this.#queue.add((value as AnyResource).metadata.name)
        for (const name of this.#served.keys()) this.#queue.add(name)
        seen = revision
      }
    }
  }

  #serve(definition: CustomResourceDefinition): void {
    const { name } = definition.metadata
    const before = this.#served.get(name)
    const isSame =
      before !== undefined &&
      isBeingDeleted(before) === isBeingDeleted(definition) &&
      deepEqual(before.spec, definition.spec) &&
      deepEqual(before.status?.acceptedNames, definition.status?.acceptedNames)
    if (isSame) return
    this.#served.set(name, definition)
    this.#registry.kinds.set(name, customKinds(definition))
  }

  async #look(name: string): Promise<void> {
    if (this.#stop.signal.aborted) return
    const { reader, env } = this.#registry
    const all = await reader.all<CustomResourceDefinition>(customResourceDefinition)
    const definition = all.find(({ metadata }) => metadata.name === name)
    if (!definition) return this.#forget(name, all)
    if (isBeingDeleted(definition)) {
      if (this.#served.has(name)) this.#serve(definition)
      return this.#cleanUp(definition)
    }
    const { group } = definition.spec
    const others = all.filter(({ metadata, spec }) => spec.group === group && metadata.name !== name)
    const builtIn = this.#registry.kinds.list.filter((kind) => kind.group === group && !kind.custom)
    const accepted = others.flatMap(({ status }) => status?.acceptedNames ?? [])
    const status = statusWithNames(definition, namesOf([...accepted, ...builtIn]), env.clock.now())
    // Whoever reads Established finds the kind.
    if (isConditionTrue(status.conditions, 'Established')) this.#serve({ ...definition, status })
    if (!deepEqual(status, definition.status)) await this.#write(definition, status)
  }

  /** What is gone is no longer served, and its names are free for those that waited. */
  #forget(name: string, all: readonly CustomResourceDefinition[]): void {
    this.#served.delete(name)
    this.#registry.kinds.set(name, [])
    for (const { metadata, status } of all)
      if (findCondition(status?.conditions, 'NamesAccepted')?.status === 'False')
        this.#queue.add(metadata.name)
  }

  /** Deletes all objects; when the last one is gone, lets go of the definition. */
  async #cleanUp(definition: CustomResourceDefinition): Promise<void> {
    if (!definition.metadata.finalizers?.includes(CLEANUP_FINALIZER)) return
    const { name } = definition.metadata
    const left = await this.#deleteObjects(name)
    const now = this.#registry.env.clock.now()
    const condition =
      left > 0
        ? {
            type: 'Terminating',
            status: 'True',
            reason: 'InstanceDeletionInProgress',
            message: 'CustomResource deletion is in progress',
          }
        : {
            type: 'Terminating',
            status: 'False',
            reason: 'InstanceDeletionCompleted',
            message: 'removed all instances',
          }
    const conditions = setCondition(definition.status?.conditions, condition, now)
    if (conditions !== definition.status?.conditions)
      await this.#write(definition, { ...definition.status, conditions })
    if (left > 0) return this.#queue.addAfter(name, CLEANUP_PERIOD_MS)
    await this.#change(definition, '', (old) => ({
      ...old,
      metadata: {
        ...old.metadata,
        finalizers: (old.metadata.finalizers ?? []).filter((finalizer) => finalizer !== CLEANUP_FINALIZER),
      },
    }))
  }

  /** How many are left. */
  async #deleteObjects(name: string): Promise<number> {
    const registry = this.#registry
    const definition = this.#served.get(name)
    const kind = registry.kinds.list.find(
      (each) =>
        definition &&
        each.custom &&
        each.group === definition.spec.group &&
        each.plural === definition.spec.names.plural,
    )
    if (!kind) return 0
    const prefix = collectionPrefix(kind)
    const { entries } = await registry.store.range({ prefix })
    for (const { value } of entries) {
      const { metadata } = value as AnyResource
      if (metadata.deletionTimestamp !== undefined) continue
      const key = { namespace: metadata.namespace, name: metadata.name }
      try {
        await remove(registry, kind, key, { propagationPolicy: 'Background' }, context())
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error
      }
    }
    return (await registry.store.range({ prefix })).entries.length
  }

  #write(definition: CustomResourceDefinition, status: CustomResourceDefinition['status']): Promise<void> {
    return this.#change(definition, 'status', (old) => ({
      ...old,
      status: status as NonNullable<AnyResource['status']>,
    }))
  }

  async #change(
    { metadata }: CustomResourceDefinition,
    subresource: '' | 'status',
    next: (old: AnyResource) => AnyResource,
  ): Promise<void> {
    try {
      await change(
        this.#registry,
        customResourceDefinition,
        { name: metadata.name },
        subresource,
        context(),
        {
          next,
          uid: metadata.uid,
          resourceVersion: subresource === 'status' ? metadata.resourceVersion : undefined,
        },
      )
    } catch (error) {
      // A newer state is on its way here.
      if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
      this.#queue.add(metadata.name)
    }
  }
}

function context(): RequestContext {
  return {
    user: LOOPBACK,
    fieldManager: 'kube-apiserver',
    dryRun: false,
    fieldValidation: 'Ignore',
    warnings: [],
  }
}
