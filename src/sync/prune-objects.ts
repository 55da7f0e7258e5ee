import type { AnyKind } from '../api/kind.ts'
import type { InventoryEntry } from '../api/kinds/application.ts'
import { customResourceDefinition } from '../api/kinds/custom-resource-definition.ts'
import { namespace as namespaceKind } from '../api/kinds/namespace.ts'
import { type AnyResource, apiVersionOf } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import type { Client } from '../client/client.ts'
import { isSomebodyElses, reasonToKeep } from './prune.ts'
import { type Owned, readInventory, titleOf } from './target.ts'

export interface Pruned {
  readonly deleted: number
  /** What could not be deleted now; it stays in the inventory and is tried again. */
  readonly left: readonly { readonly entry: InventoryEntry; readonly why: string }[]
  /** What was left standing for good, and why: "Namespace shop: …". */
  readonly kept: readonly string[]
}

/** Deletes what left the source, what was applied last first. One that resists does not keep the others. */
export async function pruneObjects(
  client: Client,
  gone: readonly InventoryEntry[],
  options: {
    readonly application: string
    readonly kinds: readonly AnyKind[]
    /** The application that wants the object now: it is handed over, not deleted. */
    readonly claimedBy: (id: string) => string | undefined
  },
): Promise<Pruned> {
  const { application, kinds, claimedBy } = options
  const left: { entry: InventoryEntry; why: string }[] = []
  const kept: string[] = []
  let deleted = 0
  const owned = gone.flatMap((entry) => {
    const read = readInventory(entry)
    const kind = kinds.find(
      (candidate) => candidate.kind === read.kind && apiVersionOf(candidate) === read.apiVersion,
    )
    return kind ? [{ entry, read, kind }] : []
  })
  for (const { entry, read, kind } of owned.sort((a, b) => b.kind.applyWave - a.kind.applyWave)) {
    if (claimedBy(entry.id) !== undefined) continue
    const key = { namespace: read.namespace, name: read.name }
    const title = titleOf({ kind: kind.kind, metadata: key })
    try {
      const live = (await client.get(kind, key)) as AnyResource
      const why = reasonToKeep(live, application) ?? (await tenants(client, kinds, kind, read, application))
      if (why !== undefined) {
        kept.push(`${title}: ${why}`)
        continue
      }
      await client.delete(kind, key, {
        propagationPolicy: 'Background',
        preconditions: { uid: live.metadata.uid },
      })
      deleted += 1
    } catch (error) {
      if (!isReason(error, 'NotFound')) left.push({ entry, why: `${title}: ${(error as Error).message}` })
    }
  }
  return { deleted, left, kept }
}

/** A namespace, or a definition, with anything below it that is not ours stays: deleting it would take the rest along. */
async function tenants(
  client: Client,
  kinds: readonly AnyKind[],
  kind: AnyKind,
  { name }: Owned,
  application: string,
): Promise<string | undefined> {
  if (kind === customResourceDefinition) return objectsOf(client, kinds, name, application)
  if (kind !== namespaceKind) return undefined
  for (const inside of kinds.filter(({ scope, verbs }) => scope === 'Namespaced' && verbs.includes('list'))) {
    const { items } = await client.list(inside, { namespace: name })
    const other = items.find((item) => isSomebodyElses(item as AnyResource, application)) as
      | AnyResource
      | undefined
    if (other) return `it holds ${inside.kind} ${other.metadata.name}, which is not this application's`
  }
  return undefined
}

async function objectsOf(
  client: Client,
  kinds: readonly AnyKind[],
  definition: string,
  application: string,
): Promise<string | undefined> {
  const defined = kinds.find(({ plural, group, custom }) => custom && `${plural}.${group}` === definition)
  if (!defined) return undefined
  const { items } = await client.list(defined)
  const others = items.filter((item) => isSomebodyElses(item as AnyResource, application))
  if (others.length === 0) return undefined
  return `deleting it would delete ${others.length} ${defined.plural}, which are not this application's; delete them first`
}
