import { parseDuration } from '../api/duration.ts'
import type { AnyKind } from '../api/kind.ts'
import type { Application, ApplicationStatus, InventoryEntry } from '../api/kinds/application.ts'
import { customResourceDefinition } from '../api/kinds/custom-resource-definition.ts'
import { deepEqual } from '../base/json.ts'
import type { Client } from '../client/client.ts'
import { applied } from './application-status.ts'
import { applyGroup, type DiffEntry, diff, type Refusal } from './apply.ts'
import type { Claims } from './claims.ts'
import { firstOf, isTransient, StageError } from './failure.ts'
import type { HealthyCopies } from './healthy-copies.ts'
import { ownManifests } from './own-manifests.ts'
import type { ChangeCounts, CommitInfo, Failure, Progress } from './progress.ts'
import { ALLOW_MASS_DELETE, decidePrune } from './prune.ts'
import { pruneObjects } from './prune-objects.ts'
import { renderers } from './renderers/index.ts'
import type { Rendered } from './renderers/renderer.ts'
import type { Source, SourceFile } from './sources/source.ts'
import { groups, idOf, inventoryEntry, type Target, targetsOf, titleOf } from './target.ts'
import { type Eyes, untilHealthy } from './wait.ts'

/** What the stages of one application may use. */
export interface Workshop extends Eyes {
  /** "namespace/name" of the Application. */
  readonly key: string
  readonly client: Client
  readonly source: Source
  readonly kinds: () => readonly AnyKind[]
  readonly claims: Claims
  readonly copies: HealthyCopies
  /** Other Applications on the same source that are awake: objects may move to them with the same commit. */
  readonly neighbours: () => readonly string[]
  /** Folders of the source that other Applications own. */
  readonly excludes: () => readonly string[]
  readonly onProgress: (progress: Progress) => void
  readonly onRendered?: ((rendered: Rendered['manifests']) => Promise<void>) | undefined
  /** The status as it is stored now. */
  readonly status: () => Promise<ApplicationStatus | undefined>
  readonly write: (change: (status: ApplicationStatus) => ApplicationStatus) => Promise<void>
  /** These are the objects to watch over from now on. */
  readonly own: (targets: readonly Target[]) => void
}

/** One commit on its way into the cluster. Each stage fills in what the next ones need. */
export interface Attempt {
  readonly application: Application
  readonly commit: CommitInfo
  readonly signal: AbortSignal
  /** try: its first time; check: known to be healthy, only differences matter; back: the way back from a bad one. */
  readonly purpose: 'try' | 'check' | 'back'
  readonly startedAt: number
  files: readonly SourceFile[]
  rendered: Rendered
  targets: readonly Target[]
  entries: readonly DiffEntry[]
  gone: readonly InventoryEntry[]
  changes: ChangeCounts
}

type Stage = {
  readonly reason: Failure['reason']
  readonly run: (shop: Workshop, attempt: Attempt) => Promise<void>
}

/** How long a commit that takes objects away waits for its neighbours to say what they want. */
const NEIGHBOURS_MS = 5000
const NO_CHANGES: ChangeCounts = { created: 0, configured: 0, unchanged: 0, pruned: 0 }

/**
 * From commit to cluster, in this order. A stage that throws gives the failure its reason; what is no verdict on the
 * commit (a source that cannot be read, an API that is busy) comes out with `retry`. Waiting for health comes after.
 */
export const stages: readonly Stage[] = [
  { reason: 'SourceFailed', run: readSource },
  { reason: 'RenderFailed', run: render },
  { reason: 'DiffFailed', run: askTheApi },
  { reason: 'ApplyFailed', run: apply },
  { reason: 'PruneFailed', run: prune },
]

/** Runs all stages; stops between them, without an error, when the signal aborts. */
export async function runStages(
  shop: Workshop,
  given: Pick<Attempt, 'application' | 'commit' | 'signal' | 'purpose'>,
): Promise<Attempt> {
  const attempt: Attempt = {
    ...given,
    startedAt: shop.env.clock.now(),
    files: [],
    rendered: { manifests: [], errors: [], warnings: [] },
    targets: [],
    entries: [],
    gone: [],
    changes: NO_CHANGES,
  }
  for (const { reason, run } of stages) {
    if (attempt.signal.aborted) return attempt
    try {
      await run(shop, attempt)
    } catch (error) {
      if (error instanceof StageError) throw error
      const isWorlds = reason === 'SourceFailed' || reason === 'PruneFailed' || isTransient(error)
      const failure = { reason, message: (error as Error).message, places: [] }
      throw new StageError(failure, {
        retry: isWorlds || !(error instanceof Error && error.name === 'ApiError'),
      })
    }
  }
  return attempt
}

/** The files of the commit; of the last healthy one also from our own copy, should the source have lost it. */
async function readSource({ key, source, copies }: Workshop, attempt: Attempt): Promise<void> {
  const { commit, purpose } = attempt
  try {
    attempt.files = await source.files(commit.id)
  } catch (error) {
    const copy = purpose === 'try' ? undefined : await copies.load(key, commit.id)
    if (!copy) throw error
    attempt.files = copy
  }
}

async function render(shop: Workshop, attempt: Attempt): Promise<void> {
  const { key, onProgress, claims } = shop
  const { spec } = attempt.application
  const type = spec.render?.type ?? 'auto'
  const path = spec.source.path ?? '.'
  if (!isRendererName(type)) {
    const message = `spec.render.type "${type}" is not supported by this version; use "plain"`
    throw new StageError({ reason: 'RenderFailed', message, places: [] })
  }
  const whole = renderers[type](attempt.files, path)
  attempt.rendered = ownManifests(whole, attempt.application, shop.excludes())
  const { manifests, warnings } = attempt.rendered
  const { targets, errors } = targetsOf(manifests, shop.kinds(), spec.destination?.namespace)
  const all = [...attempt.rendered.errors, ...errors]
  if (all.length > 0) throw new StageError({ reason: 'RenderFailed', message: firstOf(all), places: all })
  attempt.targets = targets
  if (attempt.purpose !== 'back')
    claims.claim(
      key,
      attempt.commit.id,
      targets.map(({ kind, object }) => idOf(kind, object)),
    )
  if (attempt.purpose === 'try')
    onProgress({
      type: 'rendered',
      application: key,
      commit: attempt.commit.id,
      objects: targets.length,
      warnings,
    })
  await shop.onRendered?.(manifests)
}

function isRendererName(type: string): type is keyof typeof renderers {
  return Object.hasOwn(renderers, type)
}

/** Everything that could be refused is refused here, before anything is written. */
async function askTheApi(shop: Workshop, attempt: Attempt): Promise<void> {
  const { key, client, claims, onProgress } = shop
  const { application, commit, targets } = attempt
  const { entries, refused } = await diff(client, targets, key, {
    ignore: application.spec.ignoreDifferences,
    isReleased: (owner, id) => claims.isReleased(owner, id),
  })
  if (refused.length > 0) throw refusedStage('DiffFailed', refused, shop.neighbours().length > 0)
  attempt.entries = entries
  const decision = decidePrune({
    before: (await shop.status())?.inventory?.entries ?? [],
    after: targets.map(({ kind, object }) => inventoryEntry(kind, object)),
    // What a bad commit brought goes again with it: nobody has to be asked about the way back.
    allowed: attempt.purpose === 'back' ? commit.id : application.metadata.annotations?.[ALLOW_MASS_DELETE],
    commit: commit.id,
    application: key,
  })
  if (decision.verdict === 'ask' && application.spec.prune !== false)
    throw new StageError({ reason: 'PruneFailed', message: decision.message, places: [] })
  attempt.gone = decision.gone
  if (attempt.purpose === 'try') onProgress({ type: 'accepted', application: key, commit: commit.id })
}

/**
 * Group by group; a wave that somebody set by annotation waits until the one before is healthy, and whatever comes after
 * definitions until they are established.
 */
async function apply(shop: Workshop, attempt: Attempt): Promise<void> {
  const { client, env, informers } = shop
  const { entries, signal } = attempt
  await remember(shop, attempt)
  shop.own(attempt.targets)
  const byTarget = new Map(entries.map((entry) => [entry.target, entry]))
  const done: Target[] = []
  let wave: number | undefined
  let last: readonly Target[] | undefined
  for (const group of groups([...byTarget.keys()])) {
    if (signal.aborted) return
    const next = group[0]?.wave[0]
    if (wave !== undefined && next !== wave)
      await untilHealthy(shop, done, { signal, deadline: deadlineOf(attempt) })
    if (last?.[0]?.kind === customResourceDefinition)
      await untilHealthy(shop, last, { signal, deadline: deadlineOf(attempt) })
    wave = next
    last = group
    const sent = group.flatMap((target) => byTarget.get(target) ?? [])
    const { refused, revisions } = await applyGroup(client, env.clock, sent, signal)
    if (refused.length > 0) throw refusedStage('ApplyFailed', refused, false)
    for (const [kind, revision] of revisions) await informers.of(kind).caughtUp(revision, signal)
    done.push(...group)
  }
}

/** What will be owned is written down first: a crash in the middle leaves nothing behind that nobody remembers. */
async function remember({ write }: Workshop, { targets, gone }: Attempt): Promise<void> {
  const all = [...targets.map(({ kind, object }) => inventoryEntry(kind, object)), ...gone]
  await write((status) =>
    deepEqual(all, status.inventory?.entries) ? status : { ...status, inventory: { entries: all } },
  )
}

async function prune(shop: Workshop, attempt: Attempt): Promise<void> {
  const { key, env, onProgress, claims } = shop
  const { application, commit, entries, gone, signal, targets } = attempt
  const inventory = targets.map(({ kind, object }) => inventoryEntry(kind, object))
  // As long as a neighbour has not said what it wants, nothing that may have moved there is deleted: the next commit is
  // asked again, and what is gone stays in the inventory until then.
  const areHeard =
    gone.length === 0 || attempt.purpose !== 'try' || (await neighboursLooked(shop, commit, signal))
  const isWanted = application.spec.prune !== false && areHeard
  if (signal.aborted) return
  if (!areHeard)
    env.log.warn({ application: key }, 'Not pruned: an Application beside has not read the commit')
  const { deleted, left, kept } = isWanted
    ? await pruneObjects(shop.client, gone, {
        application: key,
        kinds: shop.kinds(),
        claimedBy: (id) => claims.claimedBy(id, key),
      })
    : { deleted: 0, left: [], kept: [] }
  for (const line of kept) env.log.warn({ application: key }, `Not pruned: ${line}`)
  const remaining = isWanted ? left.map(({ entry }) => entry) : gone
  await shop.write((status) => applied(status, commit, [...inventory, ...remaining], env.clock.now()))
  if (left[0]) throw new Error(`Cannot delete ${left[0].why}`)
  attempt.changes = countsOf(entries, deleted)
  if (attempt.purpose === 'try')
    onProgress({
      type: 'applied',
      application: key,
      commit: commit.id,
      changes: attempt.changes,
      tookMs: env.clock.now() - attempt.startedAt,
    })
}

/** Objects that move to a neighbour with this commit are handed over; so the neighbours say first what they want. */
async function neighboursLooked(shop: Workshop, commit: CommitInfo, signal: AbortSignal): Promise<boolean> {
  const { env, claims, neighbours } = shop
  const enough = new AbortController()
  const cancel = env.clock.after(NEIGHBOURS_MS, () => enough.abort())
  const areHeard = await claims.rendered(neighbours, commit.id, AbortSignal.any([enough.signal, signal]))
  cancel()
  return areHeard
}

export function deadlineOf({ application, startedAt }: Attempt): {
  readonly at: number
  readonly text: string
} {
  const text = application.spec.timeout ?? '10m'
  return { at: startedAt + (parseDuration(text) ?? 600_000), text }
}

function countsOf(entries: readonly DiffEntry[], pruned: number): ChangeCounts {
  const count = (change: string) => entries.filter((entry) => entry.change === change).length
  return { created: count('created'), configured: count('configured'), unchanged: count('unchanged'), pruned }
}

/** With neighbours, what is missing may be theirs to bring: then it is asked again instead of judged. */
function refusedStage(
  reason: 'DiffFailed' | 'ApplyFailed',
  refused: readonly Refusal[],
  hasNeighbours: boolean,
): StageError {
  const [first] = refused
  const more = refused.length > 1 ? ` (and ${refused.length - 1} more objects)` : ''
  const failure = {
    reason,
    message: `${first?.message ?? ''}${more}`,
    resource: first && titleOf(first.target.object),
    places: refused.flatMap(({ places }) => places),
  }
  return new StageError(failure, { retry: hasNeighbours && refused.every(({ mayPass }) => mayPass) })
}
