import type { AnyKind } from '../../api/kind.ts'
import { generatedName } from '../../api/names.ts'
import type { AnyResource } from '../../api/resource.ts'
import { ApiError, alreadyExists, badRequest, invalid } from '../../api/status.ts'
import { formatTime } from '../../base/date.ts'
import { type Registry, Settling } from '../registry.ts'
import type { RequestContext } from '../request.ts'
import { storageKey } from '../storage-keys.ts'
import { showAs, storedKind, toStored, trackAs } from '../versions.ts'

const NAME_ATTEMPTS = 8
const SUFFIX_LENGTH = 5

/** POST. `namespace` is the one of the path; a body that names another is refused. */
export async function create(
  registry: Registry,
  kind: AnyKind,
  namespace: string | undefined,
  body: unknown,
  context: RequestContext,
): Promise<AnyResource> {
  if (!kind.verbs.includes('get'))
    throw new ApiError('MethodNotAllowed', `${kind.plural} are asked, not stored: ask over HTTP`)
  if (kind.custom?.isTerminating)
    throw new ApiError(
      'MethodNotAllowed',
      'create not allowed while custom resource definition is terminating',
    )
  const sent = inNamespace(kind, registry.readBody(kind, body, context), namespace)
  const stored = await store(registry, storedKind(kind), storable(kind, sent), context, (object) =>
    trackAs(kind, undefined, object, {
      kind,
      schema: kind.schema,
      hasStatus: kind.subresources.status === true,
      manager: context.fieldManager,
      subresource: '',
      now: registry.env.clock.now(),
    }),
  )
  return showAs(kind, stored)
}

/** Creates what server-side apply made of nothing: ownership is worked out already. */
export async function createApplied(
  registry: Registry,
  kind: AnyKind,
  object: AnyResource,
  context: RequestContext,
): Promise<AnyResource> {
  return showAs(
    kind,
    await store(registry, storedKind(kind), storable(kind, object), context, (made) => made),
  )
}

/** Defaults are of the version that was sent. */
function storable(kind: AnyKind, sent: AnyResource): AnyResource {
  if (!kind.storedAs) return sent
  const defaulted = kind.setDefaults(sent) as AnyResource
  const faults = kind.validate(defaulted)
  if (faults.length > 0) throw invalid(kind, sent.metadata.name ?? '', faults)
  return toStored(kind, defaulted)
}

async function store(
  registry: Registry,
  kind: AnyKind,
  sent: AnyResource,
  context: RequestContext,
  track: (object: AnyResource) => AnyResource,
): Promise<AnyResource> {
  const { env } = registry
  for (let attempt = 1; ; attempt += 1) {
    const settling = new Settling()
    try {
      const named = withIdentity(registry, kind, sent)
      const request = {
        operation: 'CREATE' as const,
        kind,
        subresource: '',
        old: undefined,
        context,
        onSettled: settling.onSettled,
        together: settling.together,
      }
      const mutated = await registry.mutate({ ...request, object: kind.setDefaults(named) as AnyResource })
      // What the kind works out (a pod's QoS class) sees what admission has set, and gets its own defaults.
      const prepared = kind.setDefaults(kind.prepareForCreate(mutated)) as AnyResource
      registry.validate(kind, prepared, undefined)
      await registry.admit({ ...request, object: prepared })
      const object = track(prepared)
      const key = storageKey(kind, object.metadata)
      if (context.dryRun) {
        if (await registry.find(kind, object.metadata)) throw alreadyExists(kind, object.metadata.name)
        return object
      }
      const result = await registry.store.txn({
        conditions: [{ key, revision: 0 }, ...settling.conditions],
        writes: [{ type: 'put', key, value: object }, ...settling.writes],
      })
      if (result.committed) return result.entries[0]?.value as AnyResource
      // Something that is written with it has changed: that is decided again, and is no fault of the name.
      if (result.failed.every((failed) => failed.key !== key)) {
        attempt -= 1
        continue
      }
      if (!sent.metadata.generateName || sent.metadata.name) throw alreadyExists(kind, object.metadata.name)
      if (attempt >= NAME_ATTEMPTS) throw noUniqueName(kind, object.metadata.name)
      env.log.debug({ name: object.metadata.name }, 'generated name is taken, drawing another')
    } finally {
      settling.settle()
    }
  }
}

function noUniqueName(kind: AnyKind, name: string): ApiError {
  const { message, details } = alreadyExists(kind, name)
  return new ApiError(
    'AlreadyExists',
    `${message}, the server was not able to generate a unique name for the object`,
    { details: { ...details, retryAfterSeconds: 1 } },
  )
}

function withIdentity({ env }: Registry, kind: AnyKind, sent: AnyResource): AnyResource {
  const { metadata } = sent
  const name =
    metadata.name ||
    (metadata.generateName ? generatedName(metadata.generateName, env.random.suffix(SUFFIX_LENGTH)) : '')
  const {
    deletionTimestamp: _time,
    deletionGracePeriodSeconds: _grace,
    selfLink: _link,
    generation: _generation,
    resourceVersion,
    managedFields,
    ...kept
  } = metadata
  if (resourceVersion) throw badRequest('resourceVersion should not be set on objects to be created')
  const identity = {
    ...kept,
    name,
    uid: env.random.uuid(),
    creationTimestamp: formatTime(env.clock.now()),
    ...(managedFields ? { managedFields } : {}),
    ...(kind.hasGeneration ? { generation: 1 } : {}),
  }
  const object = { ...sent, metadata: identity }
  if (kind.subresources.status !== true) return object
  const { status: _status, ...withoutStatus } = object
  return withoutStatus
}

export function inNamespace(
  kind: AnyKind,
  resource: AnyResource,
  namespace: string | undefined,
): AnyResource {
  if (kind.scope === 'Cluster') {
    if (!resource.metadata.namespace) return resource
    const { namespace: _, ...metadata } = resource.metadata
    return { ...resource, metadata }
  }
  const own = resource.metadata.namespace
  if (namespace === undefined && !own)
    return { ...resource, metadata: { ...resource.metadata, namespace: 'default' } }
  if (namespace !== undefined && own && own !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  return namespace === undefined || own === namespace
    ? resource
    : { ...resource, metadata: { ...resource.metadata, namespace } }
}
