import type { AnyKind } from '../../api/kind.ts'
import type { AnyResource } from '../../api/resource.ts'
import {
  ApiError,
  badRequest,
  expired,
  fault,
  invalid,
  isReason,
  type StatusCause,
} from '../../api/status.ts'
import type { List, ListOptions } from '../../client/client.ts'
import { type ContinueToken, formatContinue, parseContinue } from '../continue-token.ts'
import type { Registry } from '../registry.ts'
import { selectionOf, singleName } from '../selection.ts'
import { collectionPrefix, storageKey } from '../storage-keys.ts'
import { showAs } from '../versions.ts'

/** How many entries are looked at in one go when a selector throws some away. */
const CHUNK = 1000

/** GET on a collection. Pages are of one snapshot: the revision of the first page is in the continue token. */
export async function list(
  registry: Registry,
  kind: AnyKind,
  options: ListOptions,
): Promise<List<AnyResource>> {
  const { store } = registry
  const namespace = kind.scope === 'Namespaced' ? options.namespace : undefined
  const prefix = collectionPrefix(kind, namespace)
  checkListOptions(options)
  const selection = selectionOf(kind, options.labelSelector, options.fieldSelector)
  const compute = registry.computed.get(kind)
  if (compute) {
    const all = await compute(namespace, selection)
    return { resourceVersion: String(store.revision), items: selection ? all.filter(selection) : all }
  }
  const token = options.continue ? parseContinue(options.continue, prefix) : undefined
  const name = singleName(options.fieldSelector)
  const revision = revisionOf(options, token, store.revision)
  const isOne = name !== undefined && (namespace !== undefined || kind.scope === 'Cluster')
  if (isOne && !token && revision === undefined) {
    const entry = await store.get(storageKey(kind, { namespace, name }))
    const found = entry && showAs(kind, entry.value as AnyResource)
    const items = found && selection?.(found) !== false ? [found] : []
    return { resourceVersion: String(store.revision), items }
  }
  const limit = options.limit && options.limit > 0 ? options.limit : undefined
  const items: AnyResource[] = []
  let start = token?.start
  let at: number | undefined = revision
  for (;;) {
    const want = limit === undefined ? undefined : selection ? CHUNK : limit - items.length
    const page = await readPage(registry, {
      prefix,
      start,
      limit: want === undefined ? undefined : want + 1,
      revision: at,
    })
    at ??= page.revision
    const isLast = want === undefined || page.entries.length <= want
    const looked = isLast ? page.entries : page.entries.slice(0, want)
    for (const [i, { value, key }] of looked.entries()) {
      if (limit !== undefined && items.length === limit) {
        return {
          resourceVersion: String(at),
          items,
          continue: formatContinue({ revision: at, start: key }),
          ...remaining(selection, page.count - i),
        }
      }
      const item = showAs(kind, value as AnyResource)
      if (!selection || selection(item)) items.push(item)
    }
    if (isLast) return { resourceVersion: String(at), items }
    start = page.entries.at(-1)?.key
    if (limit !== undefined && items.length >= limit && start !== undefined) {
      return {
        resourceVersion: String(at),
        items,
        continue: formatContinue({ revision: at, start }),
        ...remaining(selection, page.count - looked.length),
      }
    }
  }
}

async function readPage(
  { store }: Registry,
  query: {
    prefix: string
    start: string | undefined
    limit: number | undefined
    revision: number | undefined
  },
) {
  try {
    return await store.range(query)
  } catch (error) {
    if (!isReason(error, 'Expired')) throw error
    if (query.start === undefined) throw expired('The resourceVersion for the provided list is too old.')
    throw expired(
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
      { continue: formatContinue({ revision: -1, start: query.start }) },
    )
  }
}

/** With a selector the number is not known. */
function remaining(selection: unknown, count: number): { remainingItemCount?: number } {
  return selection ? {} : { remainingItemCount: count }
}

function revisionOf(
  options: ListOptions,
  token: ContinueToken | undefined,
  newest: number,
): number | undefined {
  if (token) return token.revision < 0 ? undefined : token.revision
  const wanted = readRevision(options.resourceVersion)
  if (wanted === undefined || wanted === 0) return undefined
  if (options.resourceVersionMatch === 'Exact') return wanted
  if (wanted > newest) throw tooLarge(wanted, newest)
  return undefined
}

export function tooLarge(wanted: number, newest: number): ApiError {
  return new ApiError('Timeout', `Too large resource version: ${wanted}, current: ${newest}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    details: { retryAfterSeconds: 1 },
  })
}

export function readRevision(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  if (!/^\d{1,15}$/.test(text))
    throw badRequest(`Invalid value: ${JSON.stringify(text)}: resource version must be a whole number`)
  return Number(text)
}

function checkListOptions({
  resourceVersionMatch: match,
  resourceVersion,
  continue: more,
}: ListOptions): void {
  if (match === undefined) {
    if (more && resourceVersion && resourceVersion !== '0')
      throw badRequest('specifying resource version is not allowed when using continue')
    return
  }
  const field = 'resourceVersionMatch'
  const wrong: StatusCause[] = []
  if (!resourceVersion)
    wrong.push(fault.forbidden(field, 'resourceVersionMatch is forbidden unless resourceVersion is provided'))
  if (more) wrong.push(fault.forbidden(field, 'resourceVersionMatch is forbidden when continue is provided'))
  if (match !== 'Exact' && match !== 'NotOlderThan')
    wrong.push(fault.notSupported(field, match, ['Exact', 'NotOlderThan', '']))
  if (match === 'Exact' && resourceVersion === '0')
    wrong.push(fault.forbidden(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
  if (wrong.length > 0) throw invalid(LIST_OPTIONS, '', wrong)
}

export const LIST_OPTIONS = { group: 'meta.k8s.io', kind: 'ListOptions' } as const
