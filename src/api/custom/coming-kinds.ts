import { deepEqual, deepFreeze } from '../../base/json.ts'
import { decode } from '../decode.ts'
import type { AnyKind } from '../kind.ts'
import { customResourceDefinition } from '../kinds/custom-resource-definition.ts'
import { validateMetadata } from '../names.ts'
import { type AnyResource, apiVersionOf, type Resource } from '../resource.ts'
import { ApiError, badRequest, invalid } from '../status.ts'
import { customKinds } from './custom-kind.ts'
import type { CustomResourceDefinition } from './definition.ts'

/**
 * The kinds that these manifests will define and that are not served so yet: their objects can be judged before the
 * definition is installed. A definition that cannot be read or is refused brings none; the API will say why.
 */
export function comingKinds(manifests: readonly Resource[], served: readonly AnyKind[]): readonly AnyKind[] {
  return manifests
    .filter(
      ({ apiVersion, kind }) =>
        kind === customResourceDefinition.kind && apiVersion === apiVersionOf(customResourceDefinition),
    )
    .flatMap((manifest) => {
      const definition = readDefinition(manifest)
      return definition ? customKinds(definition) : []
    })
    .filter((coming) => !served.some((kind) => isServedAs(kind, coming)))
}

function isServedAs(kind: AnyKind, coming: AnyKind): boolean {
  return (
    kind.group === coming.group &&
    kind.version === coming.version &&
    kind.plural === coming.plural &&
    kind.kind === coming.kind &&
    kind.scope === coming.scope &&
    deepEqual(kind.custom?.openApi, coming.custom?.openApi) &&
    kind.subresources.status === coming.subresources.status
  )
}

function readDefinition(manifest: Resource): CustomResourceDefinition | undefined {
  const { schema, kind } = customResourceDefinition
  try {
    const { value } = decode(manifest, schema, kind)
    const definition = customResourceDefinition.setDefaults(
      deepFreeze(value) as unknown as CustomResourceDefinition,
    )
    return customResourceDefinition.validate(definition).length === 0 ? deepFreeze(definition) : undefined
  } catch (error) {
    if (error instanceof ApiError) return undefined
    throw error
  }
}

/**
 * What the API would make of a custom resource, asked of its kind alone: without admission and without ownership.
 * Throws what the API would throw for an unknown field or an invalid value.
 */
export function acceptCustom(kind: AnyKind, manifest: AnyResource): AnyResource {
  const { value, unknownFields } = kind.custom?.read(manifest) ?? decode(manifest, kind.schema, kind.kind)
  if (unknownFields.length > 0)
    throw badRequest(
      `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: strict decoding error: ${unknownFields.join(', ')}`,
    )
  const object = kind.setDefaults(value as unknown as AnyResource) as AnyResource
  const { nameRule, scope } = kind
  const faults = [
    ...validateMetadata(object.metadata, { namespaced: scope === 'Namespaced', nameRule }),
    ...kind.validate(object),
  ]
  if (faults.length > 0) throw invalid(kind, object.metadata.name, faults)
  return object
}
