import { acceptCustom } from '../api/custom/coming-kinds.ts'
import type { AnyKind } from '../api/kind.ts'
import { application as applicationKind, type IgnoreDifference } from '../api/kinds/application.ts'
import { namespace as namespaceKind } from '../api/kinds/namespace.ts'
import { type AnyResource, parseKey } from '../api/resource.ts'
import { ApiError, isReason } from '../api/status.ts'
import { type Clock, sleep } from '../base/clock.ts'
import { deepEqual, isObject } from '../base/json.ts'
import type { Client } from '../client/client.ts'
import { bare } from './drift.ts'
import { isTransient, mayPass } from './failure.ts'
import { adoptLive, ignoredPointers } from './ignore-differences.ts'
import type { Place } from './progress.ts'
import { idOf, type Target, titleOf } from './target.ts'

export const FIELD_MANAGER = 'seamark'
/** Which Application an object belongs to: "namespace/name". */
export const OWNER_ANNOTATION = 'seamark.dev/application'
/** Requests under way at once, of one application. */
const CONCURRENCY = 32
/** What a controller is about to make is waited for this often, each time a little longer. */
const PATIENCE_MS = [50, 200, 500, 1000, 2000]

type Change = 'created' | 'configured' | 'unchanged'

export interface Refusal {
  readonly target: Target
  readonly message: string
  readonly places: readonly Place[]
  /** The same manifest may be accepted later, without anybody editing it. */
  readonly mayPass: boolean
}

export interface DiffEntry {
  readonly target: Target
  readonly change: Change
  readonly live: AnyResource | undefined
  /** As it would be stored: after defaulting, admission and validation. */
  readonly wanted: AnyResource
  /** What is sent: the manifest, marked, with ignored fields as they are in the cluster. */
  readonly sent: AnyResource
}

export interface DiffOptions {
  readonly ignore?: readonly IgnoreDifference[] | undefined
  /** Whether another Application has given this object up, so that it may be taken over. */
  readonly isReleased?: ((owner: string, id: string) => boolean) | undefined
}

/**
 * What applying would change, by asking the API itself (dry-run server-side apply): no difference that defaulting or
 * admission would undo. Refusals carry the place of the field that is wrong. An object whose namespace comes with the
 * same commit is tried in "default". Throws what is no verdict on the manifest.
 */
export async function diff(
  client: Client,
  targets: readonly Target[],
  owner: string,
  options: DiffOptions = {},
): Promise<{ readonly entries: readonly DiffEntry[]; readonly refused: readonly Refusal[] }> {
  const entries: DiffEntry[] = []
  const refused: Refusal[] = []
  const results = await inParallel(targets, async (target): Promise<DiffEntry | Refusal> => {
    try {
      return await diffOne(client, target, targets, owner, options)
    } catch (error) {
      if (!(error instanceof ApiError) || isTransient(error)) throw error
      return refusalOf(target, error)
    }
  })
  for (const result of results)
    if ('change' in result) entries.push(result)
    else refused.push(result)
  return { entries, refused }
}

async function diffOne(
  client: Client,
  target: Target,
  targets: readonly Target[],
  owner: string,
  { ignore = [], isReleased }: DiffOptions,
): Promise<DiffEntry | Refusal> {
  const live = await find(client, target)
  const other = live?.metadata.annotations?.[OWNER_ANNOTATION]
  if (other !== undefined && other !== owner) {
    const isFree = isReleased?.(other, idOf(target.kind, target.object)) || !(await isThere(client, other))
    if (!isFree) {
      const message = `${titleOf(target.object)} belongs to Application ${other}; an object can have one Application only: remove it there first`
      return { ...refusalOf(target, new ApiError('Conflict', message)), mayPass: true }
    }
  }
  const pointers = live ? ignoredPointers(target, ignore) : []
  const annotations = { ...target.object.metadata.annotations, [OWNER_ANNOTATION]: owner }
  const marked = { ...target.object, metadata: { ...target.object.metadata, annotations } }
  const sent = live && pointers.length > 0 ? adoptLive(marked, live, pointers) : marked
  if (target.isComing) {
    const wanted = acceptCustom(target.kind, sent)
    return { target, live, wanted, sent, change: live ? 'configured' : 'created' }
  }
  const asked = { fieldManager: FIELD_MANAGER, force: true, dryRun: true, fieldValidation: 'Strict' } as const
  try {
    const wanted = await client.apply(target.kind, sent, asked)
    const change = !live ? 'created' : deepEqual(bare(live), bare(wanted)) ? 'unchanged' : 'configured'
    return { target, live, wanted, sent, change }
  } catch (error) {
    if (!(error instanceof ApiError) || live) throw error
    if (!comesWithIt(error, target, targets)) throw error
    return { target, live, wanted: await tryElsewhere(client, target, sent), sent, change: 'created' }
  }
}

/** Refused only because of something that the same commit brings: its namespace, its account, its priority class. */
function comesWithIt(error: ApiError, target: Target, targets: readonly Target[]): boolean {
  if (error.reason !== 'NotFound' && error.reason !== 'Forbidden') return false
  return targets.some(
    ({ kind, object: { metadata } }) =>
      (kind === namespaceKind && metadata.name === target.object.metadata.namespace) ||
      (kind !== target.kind &&
        kind.applyWave < target.kind.applyWave &&
        error.message.includes(
          metadata.namespace ? `${metadata.namespace}/${metadata.name}` : `"${metadata.name}"`,
        )),
  )
}

/** Validation alone, in a namespace that is there; whether the name is taken there does not matter. */
async function tryElsewhere(client: Client, target: Target, sent: AnyResource): Promise<AnyResource> {
  if (sent.metadata.namespace === undefined) return sent
  const elsewhere = { ...sent, metadata: { ...sent.metadata, namespace: 'default' } }
  try {
    return await client.create(target.kind, elsewhere, {
      fieldManager: FIELD_MANAGER,
      dryRun: true,
      fieldValidation: 'Strict',
    })
  } catch (error) {
    const isVerdict = isReason(error, 'Invalid') || isReason(error, 'BadRequest')
    if (isVerdict || !(error instanceof ApiError)) throw error
    return sent
  }
}

async function isThere(client: Client, owner: string): Promise<boolean> {
  try {
    await client.get(applicationKind, parseKey(owner))
    return true
  } catch (error) {
    if (isReason(error, 'NotFound')) return false
    throw error
  }
}

async function find(client: Client, { kind, object }: Target): Promise<AnyResource | undefined> {
  try {
    return (await client.get(kind, object.metadata)) as AnyResource
  } catch (error) {
    if (isReason(error, 'NotFound')) return undefined
    throw error
  }
}

function refusalOf(target: Target, error: ApiError): Refusal {
  const { manifest } = target
  const told = (message: string) => withoutSecrets(message, target.object)
  const causes = error.causes.filter(({ field }) => field !== undefined)
  const unknown = [...error.message.matchAll(/unknown field "([^"]+)"/g)].map((match) =>
    manifest.placeOf(match[1], match[0]),
  )
  const places =
    causes.length > 0
      ? causes.map(({ field, message }) => manifest.placeOf(field, told(`${field}: ${message}`)))
      : unknown.length > 0
        ? unknown
        : [manifest.placeOf(undefined, told(error.message))]
  return { target, message: told(error.message), places, mayPass: mayPass(error) }
}

/** No message ever carries what a Secret holds, whoever worded it. */
function withoutSecrets(message: string, object: AnyResource): string {
  if (object.kind !== 'Secret') return message
  return [object['data'], object['stringData']]
    .flatMap((data) => (isObject(data) ? Object.values(data) : []))
    .map(String)
    .filter((value) => value !== '')
    .sort((a, b) => b.length - a.length)
    .reduce(
      (text, value) => text.replaceAll(value, '***').replaceAll(JSON.stringify(value).slice(1, -1), '***'),
      message,
    )
}

export interface GroupResult {
  readonly refused: readonly Refusal[]
  /** The newest store revision written of each kind: whoever looks must have seen it. */
  readonly revisions: ReadonlyMap<AnyKind, number>
}

/**
 * Applies one group side by side. A refused object stops nothing else in its group; a newer commit stops what has not
 * been sent yet. Throws what is no verdict on a manifest.
 */
export async function applyGroup(
  client: Client,
  clock: Clock,
  entries: readonly DiffEntry[],
  signal: AbortSignal,
): Promise<GroupResult> {
  const refused: Refusal[] = []
  const revisions = new Map<AnyKind, number>()
  await inParallel(entries, async ({ target, change, sent }) => {
    if (change === 'unchanged') return
    for (const waitMs of [...PATIENCE_MS, undefined]) {
      if (signal.aborted) return
      try {
        const options = { fieldManager: FIELD_MANAGER, force: true, fieldValidation: 'Strict' } as const
        const { metadata } = (await client.apply(target.kind, sent, options)) as AnyResource
        const revision = Number(metadata.resourceVersion)
        revisions.set(target.kind, Math.max(revision, revisions.get(target.kind) ?? 0))
        return
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        if (mayPass(error) && waitMs !== undefined) await sleep(clock, waitMs, signal).catch(() => {})
        else if (isTransient(error)) throw error
        else {
          refused.push(refusalOf(target, error))
          return
        }
      }
    }
  })
  return { refused, revisions }
}

/** In order, `CONCURRENCY` at once. The first throw is thrown when all that was under way has ended. */
async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length)
  const failures: unknown[] = []
  let next = 0
  const worker = async () => {
    while (next < items.length && failures.length === 0) {
      const at = next
      next += 1
      try {
        results[at] = await work(items[at] as T)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker))
  if (failures.length > 0) throw failures[0]
  return results
}
