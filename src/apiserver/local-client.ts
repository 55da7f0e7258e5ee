import type { AnyKind, KindRef } from '../api/kind.ts'
import type { AnyResource, ObjectKey, Resource } from '../api/resource.ts'
import { keyOf, parseKey } from '../api/resource.ts'
import { ApiError, isReason } from '../api/status.ts'
import type {
  ApplyOptions,
  Client,
  DeleteOptions,
  List,
  ListOptions,
  PatchType,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../client/client.ts'
import type { User } from './auth/authenticate.ts'
import { insideUser } from './auth/inside-users.ts'
import type { Registry } from './registry.ts'
import type { RequestContext } from './request.ts'
import { create } from './verbs/create.ts'
import { remove } from './verbs/delete.ts'
import { list } from './verbs/list.ts'
import { apply, patch } from './verbs/patch.ts'
import { createSubresource, finalizeNamespace, patchScale, updateScale } from './verbs/subresources.ts'
import { update } from './verbs/update.ts'
import { watch } from './verbs/watch.ts'

/** Every part watches every kind, and what others do is seldom news to it. */
const PROGRESS = 1_000

/** The Client interface without the network: the same verbs as HTTP requests, on shared frozen objects. */
export class LocalClient implements Client {
  readonly #registry: Registry
  readonly #fieldManager: string
  readonly #user: User

  constructor(registry: Registry, fieldManager = 'seamark') {
    this.#registry = registry
    this.#fieldManager = fieldManager
    this.#user = insideUser(fieldManager)
  }

  async get<R extends Resource>(kind: KindRef<R>, key: ObjectKey): Promise<R> {
    return (await this.#registry.get(this.#kind(kind), key)) as unknown as R
  }

  async list<R extends Resource>(kind: KindRef<R>, options: ListOptions = {}): Promise<List<R>> {
    const group = this.#registry.groups.get(kind.group)
    if (group) {
      const { items } = await group.read(kind.version, kind.plural.split('/'), options)
      return { resourceVersion: '', items: items as unknown as readonly R[] }
    }
    return (await list(this.#registry, this.#kind(kind), options)) as unknown as List<R>
  }

  watch<R extends Resource>(kind: KindRef<R>, options: WatchOptions = {}): AsyncIterable<WatchEvent<R>> {
    return watch(this.#registry, this.#kind(kind), options, PROGRESS) as unknown as AsyncIterable<
      WatchEvent<R>
    >
  }

  async create<R extends Resource>(kind: KindRef<R>, resource: R, options: WriteOptions = {}): Promise<R> {
    const made = await create(
      this.#registry,
      this.#kind(kind),
      resource.metadata.namespace,
      resource,
      this.#context(options),
    )
    return made as unknown as R
  }

  async update<R extends Resource>(kind: KindRef<R>, resource: R, options: WriteOptions = {}): Promise<R> {
    const full = this.#kind(kind)
    const key = keyFor(full, resource.metadata)
    const context = this.#context(options)
    if (options.subresource === 'finalize')
      return (await finalizeNamespace(this.#registry, full, key, resource, context)) as unknown as R
    if (options.subresource === 'scale')
      return (await updateScale(this.#registry, full, key, context, () => resource)) as unknown as R
    return (await update(
      this.#registry,
      full,
      key,
      options.subresource ?? '',
      resource,
      context,
    )) as unknown as R
  }

  async patch<R extends Resource>(
    kind: KindRef<R>,
    key: ObjectKey,
    type: PatchType,
    body: unknown,
    options: WriteOptions = {},
  ): Promise<R> {
    const full = this.#kind(kind)
    const context = this.#context(options)
    const at = keyFor(full, key)
    if (options.subresource === 'scale')
      return (await patchScale(this.#registry, full, at, type, body, context)) as unknown as R
    const patched = await patch(this.#registry, full, at, options.subresource ?? '', type, body, context)
    return patched as unknown as R
  }

  async apply<R extends Resource>(kind: KindRef<R>, resource: R, options: ApplyOptions): Promise<R> {
    const full = this.#kind(kind)
    const key = keyFor(full, resource.metadata)
    const { object } = await apply(
      this.#registry,
      full,
      key,
      options.subresource ?? '',
      resource,
      this.#context(options),
      options.force === true,
    )
    return object as unknown as R
  }

  async delete<R extends Resource>(
    kind: KindRef<R>,
    key: ObjectKey,
    options: DeleteOptions = {},
  ): Promise<R> {
    const full = this.#kind(kind)
    const { object } = await remove(
      this.#registry,
      full,
      keyFor(full, key),
      options,
      this.#context({ dryRun: options.dryRun }),
    )
    return object as unknown as R
  }

  async deleteCollection<R extends Resource>(
    kind: KindRef<R>,
    options: ListOptions,
    deleteOptions: DeleteOptions = {},
  ): Promise<void> {
    const full = this.#kind(kind)
    const { items } = await list(this.#registry, full, options)
    await Promise.all(items.map((item: AnyResource) => this.#deleteIfThere(full, item, deleteOptions)))
  }

  createSubresource(
    kind: KindRef,
    key: ObjectKey,
    subresource: string,
    body: unknown,
    options: WriteOptions = {},
  ): Promise<unknown> {
    const full = this.#kind(kind)
    return createSubresource(
      this.#registry,
      full,
      keyFor(full, key),
      subresource,
      body,
      this.#context(options),
    )
  }

  as(fieldManager: string): Client {
    return new LocalClient(this.#registry, fieldManager)
  }

  async #deleteIfThere(kind: AnyKind, item: AnyResource, options: DeleteOptions): Promise<void> {
    try {
      await remove(
        this.#registry,
        kind,
        parseKey(keyOf(item)),
        options,
        this.#context({ dryRun: options.dryRun }),
      )
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }

  #kind(ref: KindRef): AnyKind {
    const kind = this.#registry.kinds.of(ref)
    if (!kind) throw new ApiError('NotFound', 'the server could not find the requested resource')
    return kind
  }

  #context(options: WriteOptions): RequestContext {
    return {
      user: this.#user,
      fieldManager: options.fieldManager ?? this.#fieldManager,
      dryRun: options.dryRun === true,
      fieldValidation: options.fieldValidation ?? 'Strict',
      warnings: [],
    }
  }
}

function keyFor(kind: AnyKind, { namespace, name }: ObjectKey): ObjectKey {
  return kind.scope === 'Cluster' ? { name } : { namespace: namespace ?? 'default', name }
}
