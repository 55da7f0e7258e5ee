import { createHash } from 'node:crypto'
import { definitions } from '../api/generated/definitions.ts'
import type { AnyKind } from '../api/kind.ts'
import type { Schema } from '../api/schema.ts'
import { isObject, type JsonObject } from '../base/json.ts'
import { encodeOpenApiV2 } from './openapi-protobuf.ts'

/**
 * OpenAPI of what is served: v3 (one document per group version, found through an index of hashed URLs) and v2 (one
 * document). Schemas come from the kinds; prose of the built-in ones is loaded when first asked for. kubectl reads it
 * for explain, for validation, and for the merge keys of client-side apply.
 */
type Prose = Readonly<Record<string, Readonly<Record<string, string>>>>

interface Document {
  readonly bytes: Buffer
  readonly hash: string
}

export class OpenApi {
  readonly #kinds: () => readonly AnyKind[]
  readonly #documents = new Map<string, Document>()
  #prose: Prose | undefined
  #knownKinds: readonly AnyKind[] = []

  constructor(kinds: () => readonly AnyKind[]) {
    this.#kinds = kinds
  }

  /** GET /openapi/v3 */
  async index(): Promise<object> {
    const paths: Record<string, { serverRelativeURL: string }> = {}
    for (const path of this.#groupVersions()) {
      const { hash } = await this.#document(path)
      paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }
    }
    return { paths }
  }

  /** GET /openapi/v3/PATH, e.g. "api/v1" or "apis/apps/v1"; undefined when there is no such group version. */
  async v3(path: string): Promise<Document | undefined> {
    return this.#groupVersions().includes(path) ? await this.#document(path) : undefined
  }

  /** GET /openapi/v2 as JSON. */
  async v2(): Promise<Document> {
    return this.#made('v2', (prose) => buildV2(this.#kinds(), prose))
  }

  /** GET /openapi/v2 as protobuf. */
  v2Protobuf(): Promise<Document> {
    return this.#made('v2.pb', (prose) => buildV2(this.#kinds(), prose), encodeOpenApiV2)
  }

  #document(path: string): Promise<Document> {
    return this.#made(path, (prose) =>
      buildV3(
        this.#kinds().filter((kind) => rootOf(kind) === path),
        prose,
      ),
    )
  }

  #groupVersions(): string[] {
    return [...new Set(this.#kinds().map(rootOf))]
  }

  async #made(
    name: string,
    build: (prose: Prose) => JsonObject,
    encode = (document: JsonObject): Buffer => Buffer.from(JSON.stringify(document)),
  ): Promise<Document> {
    this.#prose ??= (await import('../api/generated/descriptions.ts')).descriptions
    const kinds = this.#kinds()
    if (kinds.length !== this.#knownKinds.length || kinds.some((kind, i) => kind !== this.#knownKinds[i]))
      this.#documents.clear()
    this.#knownKinds = kinds
    let document = this.#documents.get(name)
    if (!document) {
      const bytes = encode(build(this.#prose))
      document = { bytes, hash: createHash('sha512').update(bytes).digest('hex').toUpperCase() }
      this.#documents.set(name, document)
    }
    return document
  }
}

function rootOf({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`
}

/** The Go-ish name of a definition: V1Pod of io.k8s.api.core.v1 is io.k8s.api.core.v1.Pod. */
function nameOf(definition: string): string {
  const { package: goPackage } = (definitions[definition] ?? {}) as Schema
  const bare = definition.replace(/^(?:[A-Z][a-z]+)?V\d(?:alpha\d|beta\d)?/, '')
  return `${goPackage ?? 'io.k8s.api.unknown'}.${bare}`
}

function nameOfKind(kind: AnyKind): string {
  const definition = definitionOf(kind)
  if (definition) return nameOf(definition)
  return `${kind.group.split('.').reverse().join('.')}.${kind.version}.${kind.kind}`
}

/** The generated definition a kind's schema is; undefined when it was written by hand. */
function definitionOf(kind: AnyKind): string | undefined {
  return NAME_BY_SCHEMA.get(kind.schema)
}

const NAME_BY_SCHEMA: ReadonlyMap<object, string> = new Map(
  Object.entries(definitions).map(([name, definition]) => [definition, name]),
)

function gvkOf(kind: AnyKind): object {
  return { group: kind.group, version: kind.version, kind: kind.kind }
}

interface Output {
  readonly refPrefix: string
  readonly prose: Prose
  readonly schemas: Record<string, object>
}

function buildV3(kinds: readonly AnyKind[], prose: Prose): JsonObject {
  const output: Output = { refPrefix: '#/components/schemas/', prose, schemas: {} }
  for (const kind of kinds) addKind(output, kind)
  addDefinition(output, 'V1DeleteOptions')
  const paths: Record<string, object> = {}
  for (const kind of kinds) Object.assign(paths, pathsOf(kind, 'v3', output))
  return { openapi: '3.0.0', info: INFO, paths, components: { schemas: output.schemas } }
}

function buildV2(kinds: readonly AnyKind[], prose: Prose): JsonObject {
  const output: Output = { refPrefix: '#/definitions/', prose, schemas: {} }
  for (const kind of kinds) addKind(output, kind)
  addDefinition(output, 'V1DeleteOptions')
  const paths: Record<string, object> = {}
  for (const kind of kinds) Object.assign(paths, pathsOf(kind, 'v2', output))
  return { swagger: '2.0', info: INFO, paths, definitions: output.schemas }
}

const INFO = { title: 'Kubernetes', version: 'v1.36.0' }

function addKind(output: Output, kind: AnyKind): void {
  const name = nameOfKind(kind)
  const definition = definitionOf(kind)
  const schema = kind.custom
    ? customObject(output, kind.custom.openApi)
    : definition
      ? objectOf(output, kind.schema, definition)
      : objectOf(output, kind.schema)
  output.schemas[name] = { ...schema, 'x-kubernetes-group-version-kind': [gvkOf(kind)] }
  output.schemas[`${name}List`] = {
    description: `${kind.kind}List is a list of ${kind.kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      items: { type: 'array', items: { $ref: output.refPrefix + name } },
      metadata: { $ref: output.refPrefix + addDefinition(output, 'V1ListMeta') },
    },
    'x-kubernetes-group-version-kind': [{ ...gvkOf(kind), kind: kind.listKind }],
  }
}

/** As it was declared, with what every resource has beside. Swagger 2 knows less: there the rest is left out. */
function customObject(output: Output, declared: JsonObject): object {
  const isV2 = output.refPrefix === '#/definitions/'
  const properties = isObject(declared['properties']) ? declared['properties'] : {}
  const own = {
    apiVersion: { type: 'string', description: output.prose['V1Pod']?.['apiVersion'] },
    kind: { type: 'string', description: output.prose['V1Pod']?.['kind'] },
    metadata: { ...refTo(output, 'V1ObjectMeta'), description: output.prose['V1Pod']?.['metadata'] },
  }
  const schema = { ...declared, type: 'object', properties: { ...properties, ...own } }
  return isV2 ? (withoutKeywords(schema) as object) : schema
}

function refTo(output: Output, definition: string): object {
  const $ref = output.refPrefix + addDefinition(output, definition)
  return output.refPrefix === '#/definitions/' ? { $ref } : { allOf: [{ $ref }], default: {} }
}

const NOT_IN_V2 = new Set(['oneOf', 'anyOf', 'not', 'nullable'])

function withoutKeywords(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutKeywords)
  if (!isObject(schema)) return schema
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key, value]) => !NOT_IN_V2.has(key) || isObject(value))
      .map(([key, value]) => [
        key,
        key === 'properties' && isObject(value)
          ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withoutKeywords(member)]))
          : isObject(value) && key !== 'default'
            ? withoutKeywords(value)
            : value,
      ]),
  )
}

/** Adds a definition and all it refers to; returns its name. */
function addDefinition(output: Output, definition: string): string {
  const name = nameOf(definition)
  if (!output.schemas[name]) {
    output.schemas[name] = {}
    output.schemas[name] = objectOf(output, definitions[definition] as Schema, definition)
  }
  return name
}

function objectOf(output: Output, schema: Schema, definition?: string): object {
  const prose = definition === undefined ? {} : (output.prose[definition] ?? {})
  const properties = Object.entries(schema.properties ?? {}).map(([field, property]) => [
    field,
    propertyOf(output, property, prose[field] ?? property.description),
  ])
  const description = prose[''] ?? schema.description
  return {
    ...(description ? { description } : {}),
    type: 'object',
    ...(schema.required ? { required: schema.required } : {}),
    ...(properties.length > 0 ? { properties: Object.fromEntries(properties) } : {}),
    ...(schema.preserveUnknown ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
    ...(schema.mapType ? { 'x-kubernetes-map-type': schema.mapType } : {}),
  }
}

function propertyOf(output: Output, schema: Schema, description?: string): object {
  const about = description ? { description } : {}
  const merge = {
    ...(schema.listType ? { 'x-kubernetes-list-type': schema.listType } : {}),
    ...(schema.listMapKeys ? { 'x-kubernetes-list-map-keys': schema.listMapKeys } : {}),
    ...(schema.patchStrategy ? { 'x-kubernetes-patch-strategy': schema.patchStrategy } : {}),
    ...(schema.patchMergeKey ? { 'x-kubernetes-patch-merge-key': schema.patchMergeKey } : {}),
    ...(schema.mapType ? { 'x-kubernetes-map-type': schema.mapType } : {}),
  }
  if (schema.ref !== undefined) {
    const $ref = output.refPrefix + addDefinition(output, schema.ref)
    return output.refPrefix === '#/definitions/'
      ? { ...about, $ref, ...merge }
      : { ...about, allOf: [{ $ref }], default: {}, ...merge }
  }
  if (schema.type === 'array')
    return { ...about, type: 'array', items: propertyOf(output, schema.items ?? {}), ...merge }
  if (schema.additionalProperties) {
    return {
      ...about,
      type: 'object',
      additionalProperties: propertyOf(output, schema.additionalProperties),
      ...merge,
    }
  }
  if (schema.properties) return { ...objectOf(output, schema), ...about, ...merge }
  if (schema.format === 'int-or-string') return { ...about, 'x-kubernetes-int-or-string': true }
  if (schema.preserveUnknown) return { ...about, 'x-kubernetes-preserve-unknown-fields': true }
  return { ...about, ...plainOf(schema) }
}

function plainOf(schema: Schema): object {
  const { type, format, default: fallback, minimum, maximum, minLength, maxLength, pattern } = schema
  const wireFormat = format === 'quantity' || format === 'date-time-micro' ? undefined : format
  const facts = {
    type,
    format: wireFormat,
    enum: schema.enum,
    default: fallback,
    minimum,
    maximum,
    minLength,
    maxLength,
    pattern,
  }
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
}

const ACTIONS = {
  create: 'post',
  list: 'list',
  get: 'get',
  update: 'put',
  patch: 'patch',
  delete: 'delete',
  deletecollection: 'deletecollection',
} as const

/** The paths of a kind with what kubectl looks for: the group version kind and the query parameters of each operation. */
function pathsOf(kind: AnyKind, version: 'v2' | 'v3', output: Output): Record<string, object> {
  const namespaced = kind.scope === 'Namespaced' ? '/namespaces/{namespace}' : ''
  const collection = `/${rootOf(kind)}${namespaced}/${kind.plural}`
  const body = output.refPrefix + nameOfKind(kind)
  const operation = (action: keyof typeof ACTIONS, list = false) => ({
    operationId: `${action}${kind.scope === 'Namespaced' ? 'Namespaced' : ''}${kind.kind}${list ? 'List' : ''}_${rootOf(kind).replace(/\W/g, '_')}`,
    'x-kubernetes-action': ACTIONS[action],
    'x-kubernetes-group-version-kind': gvkOf(kind),
    parameters: parametersOf(action, version),
    responses: { 200: answer(version, list ? `${body}List` : body) },
  })
  return {
    [collection]: {
      ...(kind.verbs.includes('list') ? { get: operation('list', true) } : {}),
      ...(kind.verbs.includes('create') ? { post: operation('create') } : {}),
      ...(kind.verbs.includes('deletecollection') ? { delete: operation('deletecollection') } : {}),
    },
    [`${collection}/{name}`]: {
      ...(kind.verbs.includes('get') ? { get: operation('get') } : {}),
      ...(kind.verbs.includes('update') ? { put: operation('update') } : {}),
      ...(kind.verbs.includes('patch') ? { patch: operation('patch') } : {}),
      ...(kind.verbs.includes('delete') ? { delete: operation('delete') } : {}),
    },
  }
}

const WRITE_PARAMETERS = ['dryRun', 'fieldManager', 'fieldValidation']
const LIST_PARAMETERS = [
  'labelSelector',
  'fieldSelector',
  'limit',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'watch',
  'timeoutSeconds',
]

function parametersOf(action: keyof typeof ACTIONS, version: 'v2' | 'v3'): object[] {
  const byAction: Partial<Record<keyof typeof ACTIONS, readonly string[]>> = {
    create: WRITE_PARAMETERS,
    update: WRITE_PARAMETERS,
    patch: [...WRITE_PARAMETERS, 'force'],
    delete: ['dryRun', 'gracePeriodSeconds', 'propagationPolicy'],
    deletecollection: LIST_PARAMETERS,
    list: LIST_PARAMETERS,
  }
  return (byAction[action] ?? []).map((name) => {
    const schema = { type: 'string', uniqueItems: true }
    return { name, in: 'query', ...(version === 'v2' ? schema : { schema }) }
  })
}

function answer(version: 'v2' | 'v3', $ref: string): object {
  if (version === 'v2') return { description: 'OK', schema: { $ref } }
  return { description: 'OK', content: { 'application/json': { schema: { $ref } } } }
}
