import type { AnyKind, KindRef } from '../api/kind.ts'
import { ApiError } from '../api/status.ts'
import type { ListOptions } from '../client/client.ts'
import type { Exchange } from './exchange.ts'
import type { ResourceRequest } from './request-info.ts'

/** What discovery says of a resource. */
export type Discovered = Pick<
  AnyKind,
  | 'group'
  | 'version'
  | 'kind'
  | 'plural'
  | 'singular'
  | 'scope'
  | 'verbs'
  | 'shortNames'
  | 'categories'
  | 'subresources'
>

/** An API group whose paths name something else than objects, as an aggregated API server would serve it. Only read. */
export interface ServedGroup {
  /** Kinds whose objects make it come and go. */
  readonly madeOf: readonly KindRef[]
  /** For discovery; none: the group is not there now. */
  resources(): Promise<readonly Discovered[]>
  /** `path` is what follows the version and the namespace. Throws NotFound when nothing is served there. */
  read(version: string, path: readonly string[], options: ListOptions): Promise<ServedList>
}

export interface ServedList {
  readonly kind: string
  readonly apiVersion: string
  readonly metadata: object
  readonly items: readonly object[]
}

/** All that is served now: the kinds, and what is there of the groups beside them. */
export async function discoveredIn({
  kinds,
  groups,
}: {
  readonly kinds: { readonly list: readonly AnyKind[] }
  readonly groups: ReadonlyMap<string, ServedGroup>
}): Promise<readonly (Discovered & Pick<AnyKind, 'custom'>)[]> {
  const served = await Promise.all([...groups.values()].map((group) => group.resources()))
  return [...kinds.list, ...served.flat()]
}

/** Resolves with whether there was such a group. */
export async function answerGroup(
  group: ServedGroup | undefined,
  exchange: Exchange,
  { verb, version, namespace, plural, name, subresource, rest, query }: ResourceRequest,
): Promise<boolean> {
  if (!group) return false
  if (verb !== 'get' && verb !== 'list')
    throw new ApiError('MethodNotAllowed', 'the server does not allow this method on the requested resource')
  const path = [plural, name, subresource, rest].filter((part) => part !== undefined)
  const options = {
    namespace,
    labelSelector: query.get('labelSelector') ?? undefined,
    metricLabelSelector: query.get('metricLabelSelector') ?? undefined,
  }
  await exchange.json(200, await group.read(version, path, options))
  return true
}
