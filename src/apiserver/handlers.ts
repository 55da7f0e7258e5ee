import type { AnyKind, Column } from '../api/kind.ts'
import type { AnyResource, ObjectKey, Resource } from '../api/resource.ts'
import { type Scale, scaleColumns } from '../api/scale.ts'
import { ApiError, badRequest, fault, invalid, successStatus } from '../api/status.ts'
import { encodeOnce, isObject } from '../base/json.ts'
import type { ListOptions, PatchType } from '../client/client.ts'
import type { Access } from './auth/access.ts'
import { attributesOf } from './auth/attributes.ts'
import type { User } from './auth/authenticate.ts'
import { mustAuthorize } from './auth/authorize.ts'
import { type Answer, negotiate } from './content.ts'
import { readDeleteOptions } from './delete-options.ts'
import type { Exchange } from './exchange.ts'
import type { Registry } from './registry.ts'
import type { RequestContext } from './request.ts'
import { isTrue, type ResourceRequest } from './request-info.ts'
import { answeringOf } from './reviews/index.ts'
import type { Answering } from './reviews/review.ts'
import { type IncludeObject, listEnvelope, partialListOf, partialOf, tableOf } from './table.ts'
import { create } from './verbs/create.ts'
import { remove } from './verbs/delete.ts'
import { LIST_OPTIONS, list } from './verbs/list.ts'
import { apply, patch, unsupportedPatch } from './verbs/patch.ts'
import {
  createSubresource,
  finalizeNamespace,
  patchScale,
  scaleOf,
  updateScale,
} from './verbs/subresources.ts'
import { update } from './verbs/update.ts'
import { watch } from './verbs/watch.ts'
import { streamWatch } from './watch-stream.ts'

const PATCH_TYPES: Readonly<Record<string, PatchType | 'apply'>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
}
const BODY_TYPES = new Set([
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/x-yaml',
  'text/yaml',
])

/** Answers a request on a resource: from the reading of the URL to the bytes. One function per verb of the API. */
export async function handleResource(
  { registry, access, exchange, user }: Asking,
  info: ResourceRequest,
): Promise<void> {
  const kind = registry.kinds.byPlural(info.group, info.version, info.plural)
  // A cluster-scoped kind is not found under a namespace, nor a namespaced one outside when it is named.
  if (
    !kind ||
    (info.namespace !== undefined && kind.scope === 'Cluster') ||
    (info.name !== undefined && info.namespace === undefined && kind.scope === 'Namespaced')
  ) {
    throw new ApiError('NotFound', 'the server could not find the requested resource')
  }
  checkSubresource(kind, info)
  if (kind.deprecation) exchange.warn([kind.deprecation])
  const mustMayCreate = async () => {
    await mustAuthorize(access.authorizer, attributesOf(user, { ...info, verb: 'create' }, 'POST'))
  }
  const call: Call = {
    registry,
    access,
    exchange,
    kind,
    info,
    context: { ...contextOf(exchange, info, user), mustMayCreate },
    answer: negotiate(exchange.header('accept')),
  }
  switch (info.verb) {
    case 'get':
      return get(call)
    case 'list':
      return listAll(call)
    case 'watch':
      return watchAll(call)
    case 'create':
      return post(call)
    case 'update':
      return put(call)
    case 'patch':
      return patchOne(call)
    case 'delete':
      return deleteOne(call)
    case 'deletecollection':
      return deleteAll(call)
  }
}

interface Asking {
  readonly registry: Registry
  readonly access: Access
  readonly exchange: Exchange
  readonly user: User
}

interface Call extends Omit<Asking, 'user'> {
  readonly kind: AnyKind
  readonly info: ResourceRequest
  readonly context: RequestContext
  readonly answer: Answer
}

function checkSubresource(kind: AnyKind, { subresource, verb, name }: ResourceRequest): void {
  const { status, scale, others = {} } = kind.subresources
  const verbs =
    subresource === undefined
      ? kind.verbs
      : (subresource === 'status' && status) || (subresource === 'scale' && scale)
        ? ['get', 'patch', 'update']
        : others[subresource]?.verbs
  if (!verbs) throw new ApiError('NotFound', 'the server could not find the requested resource')
  if (!verbs.includes(verb) || (verb === 'create' && name !== undefined && subresource === undefined)) {
    throw new ApiError('MethodNotAllowed', 'the server does not allow this method on the requested resource')
  }
}

function contextOf(exchange: Exchange, { query }: ResourceRequest, user: User): RequestContext {
  const dryRun = query.getAll('dryRun')
  if (dryRun.some((value) => value !== 'All' && value !== ''))
    throw new ApiError(
      'Invalid',
      `dryRun: Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`,
    )
  const fieldValidation = query.get('fieldValidation') || 'Warn'
  if (fieldValidation !== 'Strict' && fieldValidation !== 'Warn' && fieldValidation !== 'Ignore') {
    throw new ApiError(
      'Invalid',
      `fieldValidation: Unsupported value: ${JSON.stringify(fieldValidation)}: supported values: "", "Ignore", "Strict", "Warn"`,
    )
  }
  const fieldManager = query.get('fieldManager') || exchange.userAgentName
  if (fieldManager.length > 128)
    throw new ApiError('Invalid', 'fieldManager: Too long: may not be more than 128 bytes')
  return { user, fieldManager, dryRun: dryRun.includes('All'), fieldValidation, warnings: [] }
}

function keyOfRequest({ info, kind }: Call): ObjectKey {
  return kind.scope === 'Cluster'
    ? { name: info.name ?? '' }
    : { namespace: info.namespace, name: info.name ?? '' }
}

async function get(call: Call): Promise<void> {
  const { registry, kind, info } = call
  const resource = await registry.get(kind, keyOfRequest(call))
  if (info.subresource === 'scale') return sendScale(call, scaleOf(kind, resource))
  await send(call, 200, resource)
}

async function listAll(call: Call): Promise<void> {
  const { registry, kind, exchange, answer } = call
  if (call.info.query.has('sendInitialEvents'))
    throw invalid(LIST_OPTIONS, '', [
      fault.forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'),
    ])
  const found = await list(registry, kind, listOptions(call.info))
  const metadata = {
    resourceVersion: found.resourceVersion,
    ...(found.continue ? { continue: found.continue } : {}),
    ...(found.remainingItemCount ? { remainingItemCount: found.remainingItemCount } : {}),
  }
  if (answer.form === 'table') {
    const includeObject = includeObjectOf(call.info)
    return exchange.json(
      200,
      tableOf(kind, found.items, {
        now: registry.env.clock.now(),
        includeObject,
        metaVersion: answer.metaVersion,
        metadata,
      }),
    )
  }
  if (answer.form === 'partial')
    return exchange.json(200, partialListOf(found.items, metadata, answer.metaVersion))
  if (answer.encoding === 'yaml')
    return exchange.yaml(200, { ...listEnvelope(kind, metadata), items: found.items })
  // The items' bytes are the shared ones: a list encodes nothing but its envelope.
  const head = JSON.stringify(listEnvelope(kind, metadata))
  const chunks: Buffer[] = [Buffer.from(`${head.slice(0, -1)},"items":[`)]
  for (const [i, item] of found.items.entries()) {
    if (i > 0) chunks.push(COMMA)
    chunks.push(encodeOnce(item))
  }
  chunks.push(LIST_END)
  await exchange.bytes(200, Buffer.concat(chunks), 'application/json')
}

const COMMA = Buffer.from(',')
const LIST_END = Buffer.from(']}')

async function watchAll(call: Call): Promise<void> {
  const { registry, kind, info, exchange, answer } = call
  const stop = new AbortController()
  exchange.response.once('close', () => stop.abort())
  const { limit: _limit, continue: _continue, ...options } = listOptions(info)
  const fieldSelector = info.name === undefined ? options.fieldSelector : `metadata.name=${info.name}`
  const timeout = Number(info.query.get('timeoutSeconds') ?? 0)
  const events = watch(registry, kind, {
    ...options,
    fieldSelector,
    allowWatchBookmarks: isTrue(info.query.get('allowWatchBookmarks')),
    sendInitialEvents: info.query.has('sendInitialEvents')
      ? isTrue(info.query.get('sendInitialEvents'))
      : undefined,
    timeoutSeconds: timeout > 0 ? timeout : 1800 + registry.env.random.int(1800),
    signal: stop.signal,
  })
  await streamWatch(exchange, kind, events, {
    answer,
    includeObject: includeObjectOf(info),
    now: () => registry.env.clock.now(),
  })
}

async function post(call: Call): Promise<void> {
  const { registry, kind, info, context, exchange } = call
  checkBodyType(exchange)
  const body = await exchange.body()
  if (body === undefined) throw badRequest('the request body is empty')
  const answering = answeringOf(kind, info.subresource ?? '')
  if (answering) return exchange.json(201, await ask(call, answering, body))
  if (info.name !== undefined && info.subresource !== undefined) {
    const result = await createSubresource(
      registry,
      kind,
      keyOfRequest(call),
      info.subresource,
      body,
      context,
    )
    return exchange.json(201, result as object)
  }
  if (info.namespace === undefined && kind.scope === 'Namespaced')
    throw new ApiError('MethodNotAllowed', 'the server does not allow this method on the requested resource')
  await send(call, 201, await create(registry, kind, info.namespace, body, context))
}

/** A question that stores nothing: of a kind that is only asked, or of one object's subresource. */
async function ask(
  { registry, access, kind, info, context }: Call,
  answering: Answering,
  body: unknown,
): Promise<object> {
  const { namespace = '', name = '', subresource } = info
  const sent =
    subresource === undefined
      ? registry.readBody(kind, body, context)
      : isObject(body)
        ? (body as AnyResource)
        : undefined
  if (!sent) throw badRequest('the request body is not an object')
  return answering({ registry, access, context, namespace, name, body: sent })
}

async function put(call: Call): Promise<void> {
  const { registry, kind, info, context, exchange } = call
  checkBodyType(exchange)
  const body = await exchange.body()
  const key = keyOfRequest(call)
  if (info.subresource === 'scale')
    return sendScale(call, await updateScale(registry, kind, key, context, () => body))
  if (info.subresource === 'finalize')
    return send(call, 200, await finalizeNamespace(registry, kind, key, body, context))
  await send(call, 200, await update(registry, kind, key, info.subresource ?? '', body, context))
}

async function patchOne(call: Call): Promise<void> {
  const { registry, kind, info, context, exchange } = call
  const type = PATCH_TYPES[exchange.contentType]
  if (!type) throw unsupportedPatch(kind)
  const body = await exchange.body()
  const key = keyOfRequest(call)
  if (info.subresource === 'scale') {
    if (type === 'apply') throw badRequest('server-side apply is not supported on scale')
    return sendScale(call, await patchScale(registry, kind, key, type, body, context))
  }
  if (type === 'apply') {
    if (!info.query.get('fieldManager'))
      throw new ApiError(
        'Invalid',
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      )
    const { object, isNew } = await apply(
      registry,
      kind,
      key,
      info.subresource ?? '',
      body,
      context,
      isTrue(info.query.get('force')),
    )
    return send(call, isNew ? 201 : 200, object)
  }
  if (info.query.has('force'))
    throw new ApiError(
      'Invalid',
      'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    )
  await send(call, 200, await patch(registry, kind, key, info.subresource ?? '', type, body, context))
}

async function deleteOne(call: Call): Promise<void> {
  const { registry, kind, exchange } = call
  const { options, dryRun } = readDeleteOptions(await exchange.body(), call.info.query)
  const { object, isGone } = await remove(registry, kind, keyOfRequest(call), options, {
    ...call.context,
    dryRun,
  })
  if (isGone && kind.plural !== 'pods' && kind.plural !== 'namespaces')
    return exchange.json(200, successStatus(kind, object))
  await send(call, 200, object)
}

async function deleteAll(call: Call): Promise<void> {
  const { registry, kind, info, exchange } = call
  const { options, dryRun } = readDeleteOptions(await exchange.body(), info.query)
  const { limit: _limit, continue: _continue, ...selection } = listOptions(info)
  const found = await list(registry, kind, selection)
  const removed: AnyResource[] = []
  for (const item of found.items) {
    try {
      const key = { namespace: item.metadata.namespace, name: item.metadata.name }
      removed.push((await remove(registry, kind, key, options, { ...call.context, dryRun })).object)
    } catch (error) {
      if (!(error instanceof ApiError) || error.reason !== 'NotFound') throw error
    }
  }
  await call.exchange.json(200, {
    ...listEnvelope(kind, { resourceVersion: found.resourceVersion }),
    items: removed,
  })
}

function listOptions({ query, namespace }: ResourceRequest): ListOptions {
  const limit = query.get('limit')
  if (limit !== null && !/^\d{1,9}$/.test(limit))
    throw badRequest(`limit: Invalid value: ${JSON.stringify(limit)}: must be a whole number of at least 0`)
  const match = query.get('resourceVersionMatch') || undefined
  return {
    namespace,
    labelSelector: query.get('labelSelector') ?? undefined,
    fieldSelector: query.get('fieldSelector') ?? undefined,
    limit: limit === null ? undefined : Number(limit),
    continue: query.get('continue') || undefined,
    resourceVersion: query.get('resourceVersion') ?? undefined,
    resourceVersionMatch: match as 'Exact' | 'NotOlderThan' | undefined,
  }
}

function includeObjectOf({ query }: ResourceRequest): IncludeObject {
  const include = query.get('includeObject')
  return include === 'None' || include === 'Object' ? include : 'Metadata'
}

function checkBodyType({ contentType }: Exchange): void {
  if (BODY_TYPES.has(contentType)) return
  throw new ApiError(
    'UnsupportedMediaType',
    `the body of the request (${contentType}) was in an unknown format - accepted media types include: ${[...BODY_TYPES].join(', ')}`,
  )
}

async function send(call: Call, code: number, resource: AnyResource): Promise<void> {
  const { exchange, kind, answer, context } = call
  exchange.warn(context.warnings)
  if (answer.form === 'table') return exchange.json(code, tableOfOne(call, kind, resource))
  if (answer.form === 'partial') return exchange.json(code, partialOf(resource, answer.metaVersion))
  if (answer.encoding === 'yaml') return exchange.yaml(code, resource)
  await exchange.bytes(code, encodeOnce(resource), 'application/json')
}

async function sendScale(call: Call, scale: Scale): Promise<void> {
  const isTable = call.answer.form === 'table'
  await call.exchange.json(200, isTable ? tableOfOne(call, { columns: scaleColumns }, scale) : scale)
}

function tableOfOne<R extends Resource>(
  { registry, answer, info }: Call,
  printed: { readonly columns: readonly Column<R>[] },
  resource: R,
): object {
  return tableOf(printed, [resource], {
    now: registry.env.clock.now(),
    includeObject: includeObjectOf(info),
    metaVersion: answer.metaVersion,
    metadata: { resourceVersion: resource.metadata.resourceVersion },
  })
}
