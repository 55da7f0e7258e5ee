import type { AnyKind } from '../../api/kind.ts'
import type { AnyResource, ObjectKey } from '../../api/resource.ts'
import { ApiError, conflict, fault, invalid, isReason } from '../../api/status.ts'
import { withoutUndefined } from '../../base/json.ts'
import type { PatchType } from '../../client/client.ts'
import { applyPatch } from '../patch/apply.ts'
import { jsonPatch } from '../patch/json-patch.ts'
import { mergePatch } from '../patch/merge-patch.ts'
import { strategicMergePatch } from '../patch/strategic-merge-patch.ts'
import type { Registry } from '../registry.ts'
import type { RequestContext } from '../request.ts'
import { otherVersions } from '../versions.ts'
import { createApplied, inNamespace } from './create.ts'
import { change, checkDoor, checkName, checkRevision } from './update.ts'

/** PATCH with a JSON, merge or strategic merge patch: worked out anew when somebody else wrote meanwhile. */
export async function patch(
  registry: Registry,
  kind: AnyKind,
  key: ObjectKey,
  subresource: string,
  type: PatchType,
  body: unknown,
  context: RequestContext,
): Promise<AnyResource> {
  checkDoor(kind, subresource)
  if (type === 'strategic' && kind.custom) throw unsupportedPatch(kind)
  const asked =
    typeof body === 'object' && body !== null
      ? (body as { metadata?: { resourceVersion?: unknown; uid?: unknown } }).metadata
      : undefined
  return change(registry, kind, key, subresource, context, {
    next: (old) => {
      const patched = withoutUndefined(patchObject(type, old, body, kind), old)
      const sent = readPatched(registry, kind, patched, old, body, context)
      checkName(sent, key)
      checkRevision(kind, old, sent.metadata.resourceVersion)
      return sent
    },
    resourceVersion: typeof asked?.resourceVersion === 'string' ? asked.resourceVersion : undefined,
    uid: typeof asked?.uid === 'string' ? asked.uid : undefined,
  })
}

const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
]

/** Custom resources have no strategic merge: nothing says how their lists are merged but server-side apply. */
export function unsupportedPatch(kind: AnyKind): ApiError {
  const accepted = PATCH_TYPES.filter((type) => !kind.custom || !type.includes('strategic'))
  return new ApiError(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  )
}

/** Unknown fields are the patch's fault, and said so. */
function readPatched(
  registry: Registry,
  kind: AnyKind,
  patched: unknown,
  old: AnyResource,
  body: unknown,
  context: RequestContext,
): AnyResource {
  try {
    return registry.readBody(kind, patched, context, old)
  } catch (error) {
    const found = error instanceof ApiError ? STRICT.exec(error.message) : undefined
    if (!found) throw error
    throw invalid({ group: '', kind: '' }, '', [fault.invalid('patch', JSON.stringify(body), found[0])])
  }
}

const STRICT = /strict decoding error: .*$/s

function patchObject(type: PatchType, old: AnyResource, body: unknown, kind: AnyKind): unknown {
  switch (type) {
    case 'json':
      return jsonPatch(old, body)
    case 'merge':
      return mergePatch(old, body)
    case 'strategic':
      return strategicMergePatch(old, body, kind.schema)
  }
}

export interface Applied {
  readonly object: AnyResource
  /** It was not there before. */
  readonly isNew: boolean
}

/** PATCH with application/apply-patch+yaml: creates the object or merges the configuration into it. */
export async function apply(
  registry: Registry,
  kind: AnyKind,
  key: ObjectKey,
  subresource: string,
  body: unknown,
  context: RequestContext,
  force: boolean,
): Promise<Applied> {
  checkDoor(kind, subresource)
  const config = inNamespace(kind, registry.readBody(kind, body, context), key.namespace)
  checkName(config, key)
  const named = config.metadata.name
    ? config
    : { ...config, metadata: { ...config.metadata, name: key.name } }
  const merge = (live: AnyResource | undefined) =>
    applyPatch({
      live,
      config: withoutUndefined(named),
      force,
      kind,
      schema: kind.schema,
      versionOf: otherVersions(kind, registry.kinds),
      manager: context.fieldManager,
      subresource,
      hasStatus: kind.subresources.status === true,
      now: registry.env.clock.now(),
    })
  for (;;) {
    try {
      const object = await change(registry, kind, key, subresource, context, {
        next: merge,
        tracked: true,
        resourceVersion: config.metadata.resourceVersion,
        uid: config.metadata.uid,
      })
      return { object, isNew: false }
    } catch (error) {
      if (!isReason(error, 'NotFound') || subresource !== '' || config.metadata.resourceVersion) throw error
      if (config.metadata.uid) {
        const why = `uid mismatch: the provided object specified uid ${config.metadata.uid}, and no existing object was found`
        throw conflict(kind, key.name, why)
      }
    }
    await context.mustMayCreate?.()
    try {
      return { object: await createApplied(registry, kind, merge(undefined), context), isNew: true }
    } catch (error) {
      // Somebody created it between the two: merge into theirs.
      if (!isReason(error, 'AlreadyExists')) throw error
    }
  }
}
