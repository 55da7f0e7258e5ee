import { apiVersionOf } from '../api/resource.ts'
import type { Discovered } from './served-group.ts'

/**
 * The discovery documents, worked out from the kinds that are served. Pure. Groups come in the order in which their
 * first kind is listed, core first; of versions and resources likewise.
 */

interface Subresource {
  readonly name: string
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly verbs: readonly string[]
}

export function subresourcesOf(kind: Discovered): readonly Subresource[] {
  const { status, scale, others = {} } = kind.subresources
  return [
    ...Object.entries(others).map(([name, other]) => ({ name, ...other })),
    ...(scale
      ? [{ name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: READ_WRITE }]
      : []),
    ...(status
      ? [{ name: 'status', group: kind.group, version: kind.version, kind: kind.kind, verbs: READ_WRITE }]
      : []),
  ].sort((a, b) => (a.name < b.name ? -1 : 1))
}

const READ_WRITE = ['get', 'patch', 'update']

/** APIGroupDiscoveryList for /api (`core`) or /apis, in version v2 or v2beta1; both have the same shape. */
export function aggregatedDiscovery(
  kinds: readonly Discovered[],
  root: 'api' | 'apis',
  version: 'v2' | 'v2beta1',
): object {
  const items = groupsOf(kinds, root).map(({ group, versions }) => ({
    metadata: { name: group, creationTimestamp: null },
    versions: versions.map(({ version: name, kinds: members }) => ({
      version: name,
      resources: members.map((kind) => ({
        resource: kind.plural,
        responseKind: responseKind(kind),
        scope: kind.scope,
        singularResource: kind.singular,
        verbs: kind.verbs,
        ...(kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {}),
        ...(kind.categories.length > 0 ? { categories: kind.categories } : {}),
        ...listIfAny(
          'subresources',
          subresourcesOf(kind).map(({ name: subresource, verbs, ...gvk }) => ({
            subresource,
            responseKind: responseKind(gvk),
            verbs,
          })),
        ),
      })),
      freshness: 'Current',
    })),
  }))
  return { kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items }
}

/** GET /api */
export function apiVersions(kinds: readonly Discovered[], serverAddress: string): object {
  const versions = groupsOf(kinds, 'api').flatMap(({ versions: all }) => all.map(({ version }) => version))
  return {
    kind: 'APIVersions',
    versions,
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  }
}

/** GET /apis */
export function apiGroupList(kinds: readonly Discovered[]): object {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groupsOf(kinds, 'apis').map(describeGroup) }
}

/** GET /apis/GROUP; undefined when there is no such group. */
export function apiGroup(kinds: readonly Discovered[], name: string): object | undefined {
  const found = groupsOf(kinds, 'apis').find(({ group }) => group === name)
  return found && { kind: 'APIGroup', apiVersion: 'v1', ...describeGroup(found) }
}

/** GET /api/v1 and /apis/GROUP/VERSION; undefined when there is no such group version. */
export function apiResourceList(
  kinds: readonly Discovered[],
  group: string,
  version: string,
): object | undefined {
  const members = kinds.filter((kind) => kind.group === group && kind.version === version)
  if (members.length === 0) return undefined
  const resources = members.flatMap((kind) => {
    const namespaced = kind.scope === 'Namespaced'
    const itself = {
      name: kind.plural,
      singularName: kind.singular,
      namespaced,
      kind: kind.kind,
      verbs: kind.verbs,
      ...(kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {}),
      ...(kind.categories.length > 0 ? { categories: kind.categories } : {}),
    }
    return [
      // A group may serve what belongs to a resource of another group, and not that resource.
      ...(kind.kind === '' ? [] : [itself]),
      ...subresourcesOf(kind).map((sub) => ({
        name: `${kind.plural}/${sub.name}`,
        singularName: '',
        namespaced,
        ...(sub.group === group && sub.version === version ? {} : { group: sub.group, version: sub.version }),
        kind: sub.kind,
        verbs: sub.verbs,
      })),
    ]
  })
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf({ group, version }),
    resources,
  }
}

interface Group {
  readonly group: string
  readonly versions: readonly { readonly version: string; readonly kinds: readonly Discovered[] }[]
}

function groupsOf(kinds: readonly Discovered[], root: 'api' | 'apis'): readonly Group[] {
  const groups = new Map<string, Map<string, Discovered[]>>()
  for (const kind of kinds) {
    if ((kind.group === '') !== (root === 'api')) continue
    const versions = groups.get(kind.group) ?? new Map<string, Discovered[]>()
    groups.set(kind.group, versions)
    versions.set(kind.version, [...(versions.get(kind.version) ?? []), kind])
  }
  return [...groups].map(([group, versions]) => ({
    group,
    versions: [...versions].map(([version, members]) => ({ version, kinds: members })),
  }))
}

function describeGroup({ group, versions }: Group): object {
  const all = versions.map(({ version }) => ({ groupVersion: `${group}/${version}`, version }))
  return { name: group, versions: all, preferredVersion: all[0] }
}

function responseKind({
  group,
  version,
  kind,
}: {
  readonly group: string
  readonly version: string
  readonly kind: string
}): object {
  return { group, version, kind }
}

function listIfAny<K extends string>(name: K, list: readonly unknown[]): object {
  return list.length > 0 ? { [name]: list } : {}
}
