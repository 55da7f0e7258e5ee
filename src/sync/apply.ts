import { application as applicationKind } from '../api/kinds/application.ts'
import { namespace as namespaceKind } from '../api/kinds/namespace.ts'
import type { AnyResource } from '../api/resource.ts'
import { ApiError, isReason } from '../api/status.ts'
import { deepEqual } from '../base/json.ts'
import type { Client } from '../client/client.ts'
import type { Place } from './progress.ts'
import { type Target, titleOf } from './target.ts'

export const FIELD_MANAGER = 'seamark'
/** Which Application an object belongs to: "namespace/name". */
export const OWNER_ANNOTATION = 'seamark.dev/application'

export type Change = 'created' | 'configured' | 'unchanged'

export interface Refusal {
  readonly target: Target
  readonly message: string
  readonly places: readonly Place[]
}

export interface DiffEntry {
  readonly target: Target
  readonly change: Change
  readonly live: AnyResource | undefined
  /** As it would be stored: after defaulting, admission and validation. */
  readonly wanted: AnyResource
}

/** The object as Seamark applies it: with its owner. */
export function marked(target: Target, owner: string): AnyResource {
  const { object } = target
  const annotations = { ...object.metadata.annotations, [OWNER_ANNOTATION]: owner }
  return { ...object, metadata: { ...object.metadata, annotations } }
}

/**
 * What applying would change, by asking the API itself (dry-run server-side apply): no difference that defaulting or
 * admission would undo. Refusals carry the place of the field that is wrong. An object whose namespace comes with the
 * same commit is tried in "default".
 */
export async function diff(
  client: Client,
  targets: readonly Target[],
  owner: string,
): Promise<{ readonly entries: readonly DiffEntry[]; readonly refused: readonly Refusal[] }> {
  const comes = new Set(
    targets.filter(({ kind }) => kind === namespaceKind).map(({ object }) => object.metadata.name),
  )
  const results = await Promise.all(
    targets.map(async (target): Promise<DiffEntry | Refusal> => {
      try {
        return await diffOne(client, target, owner, comes)
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        return refusalOf(target, error)
      }
    }),
  )
  return {
    entries: results.filter((result): result is DiffEntry => 'change' in result),
    refused: results.filter((result): result is Refusal => 'places' in result),
  }
}

async function diffOne(
  client: Client,
  target: Target,
  owner: string,
  comes: ReadonlySet<string>,
): Promise<DiffEntry> {
  const object = marked(target, owner)
  const options = {
    fieldManager: FIELD_MANAGER,
    force: true,
    dryRun: true,
    fieldValidation: 'Strict' as const,
  }
  const live = await find(client, target)
  const other = live?.metadata.annotations?.[OWNER_ANNOTATION]
  if (other !== undefined && other !== owner && (await isThere(client, other))) {
    throw new ApiError(
      'Conflict',
      `${titleOf(object)} belongs to Application ${other}; an object can have one Application only`,
    )
  }
  try {
    const wanted = await client.apply(target.kind, object, options)
    return {
      target,
      live,
      wanted,
      change: !live ? 'created' : deepEqual(bare(live), bare(wanted)) ? 'unchanged' : 'configured',
    }
  } catch (error) {
    const { namespace } = object.metadata
    if (!isReason(error, 'NotFound') || namespace === undefined || !comes.has(namespace)) throw error
    const elsewhere = { ...object, metadata: { ...object.metadata, namespace: 'default' } }
    return { target, live, wanted: await client.apply(target.kind, elsewhere, options), change: 'created' }
  }
}

async function isThere(client: Client, owner: string): Promise<boolean> {
  const [namespace = '', name = ''] = owner.split('/')
  try {
    await client.get(applicationKind, { namespace, name })
    return true
  } catch (error) {
    if (isReason(error, 'NotFound')) return false
    throw error
  }
}

export async function find(client: Client, { kind, object }: Target): Promise<AnyResource | undefined> {
  try {
    return (await client.get(kind, object.metadata)) as AnyResource
  } catch (error) {
    if (isReason(error, 'NotFound')) return undefined
    throw error
  }
}

/** Without bookkeeping and status. */
function bare({ metadata, status: _status, ...rest }: AnyResource): object {
  const {
    managedFields: _fields,
    resourceVersion: _revision,
    generation: _generation,
    uid: _uid,
    creationTimestamp: _time,
    ...kept
  } = metadata
  return { ...rest, metadata: kept }
}

export function refusalOf(target: Target, error: ApiError): Refusal {
  const { manifest } = target
  const causes = error.causes.filter(({ field }) => field !== undefined)
  const unknown = [...error.message.matchAll(/unknown field "([^"]+)"/g)].map((match) =>
    manifest.placeOf(match[1], match[0]),
  )
  const places =
    causes.length > 0
      ? causes.map(({ field, message }) => manifest.placeOf(field, `${field}: ${message}`))
      : unknown.length > 0
        ? unknown
        : [manifest.placeOf(undefined, error.message)]
  return { target, message: error.message, places }
}

/**
 * Applies one group side by side. A refused object stops nothing else in its group. `wrote` is told of each object as
 * it is stored now.
 */
export async function applyGroup(
  client: Client,
  entries: readonly DiffEntry[],
  owner: string,
  signal: AbortSignal,
  wrote: (target: Target, stored: AnyResource) => void,
): Promise<readonly Refusal[]> {
  const refused: Refusal[] = []
  await Promise.all(
    entries.map(async ({ target, change, live }) => {
      if (signal.aborted) return
      if (change === 'unchanged') {
        if (live) wrote(target, live)
        return
      }
      try {
        const options = { fieldManager: FIELD_MANAGER, force: true, fieldValidation: 'Strict' as const }
        wrote(target, (await client.apply(target.kind, marked(target, owner), options)) as AnyResource)
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        refused.push(refusalOf(target, error))
      }
    }),
  )
  return refused
}
