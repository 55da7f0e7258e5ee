import { isObject, type JsonObject } from '../../base/json.ts'
import { type Decoded, decode } from '../decode.ts'
import type { V1CustomResourceDefinitionVersion } from '../generated/types.ts'
import { type AnyKind, defineKind, type Kind, type ScaleSubresource } from '../kind.ts'
import { type AnyResource, apiVersionOf } from '../resource.ts'
import type { Schema } from '../schema.ts'
import { ApiError, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'
import { checkRules } from './check-rules.ts'
import { customColumns } from './custom-columns.ts'
import { customHealth } from './custom-health.ts'
import { withDefaults } from './defaults.ts'
import type { CustomResourceDefinition } from './definition.ts'
import { type JsonPath, parseJsonPath, readJsonPath, withValueAt } from './json-path.ts'
import { type JsonSchema, readJsonSchema } from './json-schema.ts'
import { mergeSchema } from './merge-schema.ts'
import { prune } from './prune.ts'
import { checkValue } from './value-rules.ts'

/**
 * A CustomResourceDefinition as kinds, one for each version that is served. Objects are stored as they were written;
 * conversion between versions changes nothing but apiVersion. Pure: review and sync make kinds of definitions that are
 * not installed yet.
 */
export function customKinds(definition: CustomResourceDefinition): readonly AnyKind[] {
  const { versions } = definition.spec
  const storage = versions.find((version) => version.storage) ?? versions[0]
  if (!storage) return []
  const stored = customKind(definition, storage)
  const kinds = versions.map((version) =>
    version === storage
      ? stored
      : { ...customKind(definition, version), storedAs: storedAs(stored, definition, version) },
  )
  return kinds.filter((_, i) => versions[i]?.served).sort((a, b) => compareVersions(a.version, b.version))
}

function storedAs(
  kind: AnyKind,
  definition: CustomResourceDefinition,
  { name }: V1CustomResourceDefinitionVersion,
) {
  const apiVersion = apiVersionOf({ group: definition.spec.group, version: name })
  if (definition.spec.conversion?.strategy === 'Webhook') {
    // Objects in a shape that only the webhook knows would be worse than none.
    const refuse = (): never => {
      throw new ApiError(
        'InternalError',
        `conversion webhook for ${apiVersion}, Kind=${kind.kind} failed: Seamark calls no conversion webhooks; use ${apiVersionOf(kind)}, in which objects are stored`,
      )
    }
    return { kind, toStored: refuse, fromStored: refuse }
  }
  return {
    kind,
    toStored: (resource: AnyResource): AnyResource => ({ ...resource, apiVersion: apiVersionOf(kind) }),
    fromStored: (stored: AnyResource): AnyResource => {
      const schema = schemaOf(definition, name)
      return withDefaults({ ...stored, apiVersion }, schema)
    },
  }
}

function schemaOf({ spec }: CustomResourceDefinition, version: string): JsonSchema {
  const raw = spec.versions.find(({ name }) => name === version)?.schema?.openAPIV3Schema
  return readJsonSchema(raw ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true })
}

function customKind(
  definition: CustomResourceDefinition,
  version: V1CustomResourceDefinitionVersion,
): AnyKind {
  const { group, scope } = definition.spec
  const names = definition.status?.acceptedNames?.kind
    ? definition.status.acceptedNames
    : definition.spec.names
  const schema = schemaOf(definition, version.name)
  const apiVersion = apiVersionOf({ group, version: version.name })
  const { kind } = definition.spec.names
  const hasStatus = version.subresources?.status !== undefined
  const { plural } = definition.spec.names
  const check = (resource: AnyResource, old: AnyResource | undefined): StatusCause[] => {
    const faults = checkValue(resource, schema, '', old)
    return [...faults, ...checkRules(resource, old, schema, faults)]
  }
  const custom: Kind<AnyResource> = defineKind<AnyResource>({
    group,
    version: version.name,
    kind,
    plural,
    scope: scope === 'Cluster' ? 'Cluster' : 'Namespaced',
    singular: names.singular || kind.toLowerCase(),
    listKind: names.listKind || `${kind}List`,
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    schema: mergeSchema(schema),
    hasGeneration: true,
    applyWave: WAVE.custom,
    subresources: {
      ...(hasStatus ? { status: true as const } : {}),
      ...scaleOf(version),
    },
    fieldSelectors: Object.fromEntries(
      (version.selectableFields ?? []).map(({ jsonPath }) => {
        const path = parseJsonPath(jsonPath) ?? []
        return [jsonPath.replace(/^\./, ''), (resource: AnyResource) => textAt(resource, path)]
      }),
    ),
    columns: customColumns(version.additionalPrinterColumns),
    setDefaults: (resource) => withDefaults(resource, schema),
    validate: (resource) => check(resource, undefined),
    validateUpdate: check,
    health: customHealth,
    example: { apiVersion, kind, metadata: { name: 'example' } },
    custom: {
      read: (body) => readCustom(body, schema, kind),
      readStored: (stored) =>
        withDefaults(stored.apiVersion === apiVersion ? stored : { ...stored, apiVersion }, schema),
      openApi: (version.schema?.openAPIV3Schema ?? { type: 'object' }) as unknown as JsonObject,
      isTerminating: definition.metadata.deletionTimestamp !== undefined,
    },
    ...(version.deprecated
      ? { deprecation: version.deprecationWarning || `${apiVersion} ${kind} is deprecated` }
      : {}),
  })
  return custom
}

/** Only metadata has a type before validation; the rest is pruned and then judged by the schema, as one list of faults. */
const HEAD: Schema = {
  type: 'object',
  preserveUnknown: true,
  properties: { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { ref: 'V1ObjectMeta' } },
}

function readCustom(body: unknown, schema: JsonSchema, kind: string): Decoded {
  const { value, unknownFields } = decode(body, HEAD, kind)
  const pruned = prune(value, schema)
  return {
    value: pruned.value,
    unknownFields: [
      ...unknownFields,
      ...pruned.dropped.map((path) => `unknown field ${JSON.stringify(path)}`),
    ],
  }
}

function scaleOf({ subresources }: V1CustomResourceDefinitionVersion): {
  readonly scale?: ScaleSubresource<AnyResource>
} {
  const { scale } = subresources ?? {}
  if (!scale) return {}
  const spec = parseJsonPath(scale.specReplicasPath) ?? []
  const status = parseJsonPath(scale.statusReplicasPath) ?? []
  const selector = scale.labelSelectorPath ? parseJsonPath(scale.labelSelectorPath) : undefined
  const numberAt = (resource: AnyResource, path: JsonPath) => {
    const [value] = readJsonPath(resource, path)
    return typeof value === 'number' ? value : 0
  }
  return {
    scale: {
      specReplicas: (resource) => numberAt(resource, spec),
      statusReplicas: (resource) => numberAt(resource, status),
      selector: (resource) => (selector ? textAt(resource, selector) : ''),
      withReplicas: (resource, replicas) => withValueAt(resource, spec, replicas),
    },
  }
}

function textAt(resource: AnyResource, path: JsonPath): string {
  const [value] = readJsonPath(resource, path)
  return value === undefined || value === null ? '' : isObject(value) ? JSON.stringify(value) : String(value)
}

const VERSION = /^v(\d+)(?:(alpha|beta)(\d+))?$/

/** Kubernetes' order of preference: v10 before v2 before v11beta2 before v1alpha1, the rest by name. */
function compareVersions(a: string, b: string): number {
  const [, majorA, levelA, minorA] = VERSION.exec(a) ?? []
  const [, majorB, levelB, minorB] = VERSION.exec(b) ?? []
  if (majorA === undefined || majorB === undefined)
    return majorA === majorB ? (a < b ? -1 : 1) : majorA === undefined ? 1 : -1
  const rank = (level: string | undefined) => (level === undefined ? 2 : level === 'beta' ? 1 : 0)
  return (
    rank(levelB) - rank(levelA) ||
    Number(majorB) - Number(majorA) ||
    Number(minorB ?? 0) - Number(minorA ?? 0)
  )
}
