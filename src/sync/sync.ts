import { setCondition } from '../api/conditions.ts'
import { parseDuration } from '../api/duration.ts'
import type { AnyKind } from '../api/kind.ts'
import {
  type Application,
  type ApplicationHistory,
  type ApplicationStatus,
  application as applicationKind,
  type InventoryEntry,
} from '../api/kinds/application.ts'
import { type AnyResource, keyOf, parseKey } from '../api/resource.ts'
import { ApiError, isReason } from '../api/status.ts'
import type { Cancel } from '../base/clock.ts'
import { formatTime } from '../base/date.ts'
import type { Env } from '../base/env.ts'
import { deepEqual } from '../base/json.ts'
import { Wake } from '../base/wake.ts'
import type { Client } from '../client/client.ts'
import { EventRecorder } from '../client/events.ts'
import type { Informers } from '../client/informers.ts'
import { retryOnConflict } from '../client/on-conflict.ts'
import { applyGroup, type DiffEntry, diff, FIELD_MANAGER, marked, OWNER_ANNOTATION } from './apply.ts'
import { judge, type Verdict } from './evidence.ts'
import type { Manifest } from './manifest.ts'
import type { ChangeCounts, CommitInfo, Failure, Place, Progress, ResourceLine } from './progress.ts'
import { decidePrune } from './prune.ts'
import { renderers } from './renderers/index.ts'
import type { Source } from './sources/source.ts'
import {
  CHILD_KINDS,
  countsOf,
  firstOf,
  NO_CHANGES,
  refusedStage,
  StageError,
  shown,
  specOf,
  stage,
  unhealthy,
} from './stages.ts'
import { groups, inventoryEntry, readInventory, type Target, titleOf, waveOf } from './target.ts'
import { type Outcome, type StatusMode, writeOutcome } from './write-back.ts'

export interface SyncOptions {
  readonly env: Env
  readonly client: Client
  readonly informers: Informers
  /** All kinds that are served now. */
  readonly kinds: () => readonly AnyKind[]
  readonly source: Source
  readonly statusMode: StatusMode
  /** Folders of the source that other Applications own. */
  readonly excludes: () => readonly string[]
  readonly onProgress: (progress: Progress) => void
  /** What a commit was rendered to, before it is applied; the root application's decides about default nodes. */
  readonly onRendered?: (manifests: readonly Manifest[]) => Promise<void>
}

const HISTORY_MAX = 20
const RETRY_MIN_MS = 1000
const RETRY_MAX_MS = 60_000
const ALLOW_MASS_DELETE = 'seamark.dev/allow-mass-delete'
const SYNC_REQUESTED = 'seamark.dev/sync-requested-at'

/**
 * One Application, kept converged. Level-based: look at the newest commit, and if it is not the one that is applied, try
 * it: render, ask the API, apply in waves, prune, wait for health. A newer commit ends the waiting for an older one at
 * once. A commit that fails goes into quarantine and the last healthy one is applied again. In between, drift is put
 * back when it is seen. Everything needed after a restart is in the Application's status.
 */
export class Sync {
  readonly #options: SyncOptions
  readonly #key: string
  readonly #client: Client
  readonly #events: EventRecorder
  readonly #wake = new Wake()
  readonly #stop = new AbortController()
  readonly #cancels: Cancel[] = []
  #targets: readonly Target[] = []
  #applied: CommitInfo | undefined
  #settled: string | undefined
  #dirty = true
  #drifted = new Set<string>()
  /** Newest revision of each kind that was applied: health is judged on a view that has seen it, never on an older one. */
  readonly #written = new Map<AnyKind, number>()
  #attempt: AbortController | undefined
  #attempting: string | undefined
  #failures = 0
  #lastError = ''
  #running: Promise<void> | undefined

  constructor(key: string, options: SyncOptions) {
    this.#key = key
    this.#options = options
    this.#client = options.client.as(FIELD_MANAGER)
    this.#events = new EventRecorder(options.env, this.#client, 'seamark')
  }

  start(): void {
    this.#cancels.push(this.#options.source.onChange(() => this.lookAgain()))
    this.#running = this.#run()
  }

  /** There may be something new: a commit, a changed Application, a request to sync. */
  lookAgain(): void {
    this.#dirty = true
    this.#wake.wake()
    void this.#abandonIfSuperseded()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#attempt?.abort()
    for (const cancel of this.#cancels) cancel()
    await this.#running
    await this.#events.flush()
  }

  async #run(): Promise<void> {
    const { env } = this.#options
    while (!this.#stop.signal.aborted) {
      this.#dirty = false
      let waitMs: number
      try {
        waitMs = await this.#once()
        this.#failures = 0
      } catch (error) {
        if (this.#stop.signal.aborted) return
        this.#failures += 1
        waitMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (this.#failures - 1))
        const message = (error as Error).message
        if (!(error instanceof ApiError)) env.log.error({ err: error, application: this.#key }, 'sync failed')
        await this.#reportSource(message).catch(() => {})
      }
      if (this.#dirty || this.#stop.signal.aborted) continue
      const cancel = env.clock.after(waitMs, () => this.#wake.wake())
      await this.#wake.wait(this.#stop.signal)
      cancel()
    }
  }

  /** A newer commit ends the attempt that is under way. */
  async #abandonIfSuperseded(): Promise<void> {
    const attempt = this.#attempt
    const attempting = this.#attempting
    if (!attempt || attempting === undefined) return
    const latest = await this.#options.source.latest().catch(() => undefined)
    if (latest && latest.id !== attempting && this.#attempt === attempt) {
      this.#options.onProgress({
        type: 'superseded',
        application: this.#key,
        commit: attempting,
        by: latest.id,
      })
      attempt.abort()
    }
  }

  /** Looks once, acts once. Returns how long to wait when nothing calls before. */
  async #once(): Promise<number> {
    const application = await this.#application()
    if (!application) return RETRY_MAX_MS
    const intervalMs = parseDuration(application.spec.interval ?? '60s') ?? 60_000
    if (application.spec.suspend) {
      this.#options.onProgress({ type: 'suspended', application: this.#key })
      return intervalMs
    }
    const latest = await this.#options.source.latest()
    if (!latest) {
      await this.#reportSource(`Waiting for the first commit of ${this.#options.source.description}`)
      return Math.min(intervalMs, 2000)
    }
    this.#lastError = ''
    const requested = application.metadata.annotations?.[SYNC_REQUESTED]
    const isRequested = requested !== undefined && requested !== application.status?.lastHandledSyncRequest
    const isQuarantined =
      application.status?.quarantinedCommits?.some(({ commit }) => commit === latest.id) ?? false
    if (isQuarantined && !isRequested) {
      await this.#restoreHealthy(application, latest)
    } else if (this.#settled !== latest.id || isRequested) {
      const healthyBefore = application.status?.lastHealthyCommit === latest.id && !isRequested
      await this.#try(application, latest, { requested, quiet: healthyBefore })
    }
    if (this.#drifted.size > 0) await this.#heal(application)
    return intervalMs
  }

  async #application(): Promise<Application | undefined> {
    try {
      return await this.#client.get(applicationKind, parseKey(this.#key))
    } catch (error) {
      if (isReason(error, 'NotFound')) return undefined
      throw error
    }
  }

  /** After a restart with the newest commit in quarantine: what is applied is the last healthy one. */
  async #restoreHealthy(application: Application, latest: CommitInfo): Promise<void> {
    const healthy = application.status?.lastHealthyCommit
    if (this.#settled === latest.id || healthy === undefined) return
    await this.#applyCommit(application, { ...latest, id: healthy, subject: '' }, this.#stop.signal, true)
    this.#settled = latest.id
  }

  /** Tries a commit from reading it to its health; never throws for what is the commit's own fault. */
  async #try(
    application: Application,
    commit: CommitInfo,
    { requested, quiet }: { requested: string | undefined; quiet: boolean },
  ): Promise<void> {
    const { env, onProgress } = this.#options
    const attempt = new AbortController()
    this.#attempt = attempt
    this.#attempting = commit.id
    const startedAt = env.clock.now()
    const history: ApplicationHistory = {
      commit: commit.id,
      subject: commit.subject,
      author: commit.author,
      startedAt: formatTime(startedAt),
      outcome: 'Applied',
    }
    try {
      onProgress({ type: 'commit-seen', application: this.#key, commit, seenAt: startedAt })
      if (!quiet) {
        await this.#write((status) => ({
          ...status,
          lastAttemptedCommit: commit.id,
          conditions: this.#conditions(status, 'Reconciling', `Applying ${shown(commit)}`),
        }))
      }
      const changes = await this.#applyCommit(application, commit, attempt.signal, quiet)
      if (attempt.signal.aborted) return
      const appliedAt = formatTime(env.clock.now())
      await this.#waitForHealth(application, commit, attempt.signal, startedAt)
      if (attempt.signal.aborted) return
      const done: ApplicationHistory = {
        ...history,
        appliedAt,
        finishedAt: formatTime(env.clock.now()),
        outcome: 'Healthy',
        changes,
      }
      await this.#succeed(
        application,
        commit,
        done,
        startedAt,
        requested,
        quiet && changes.created + changes.configured + changes.pruned === 0,
      )
      this.#settled = commit.id
    } catch (error) {
      if (attempt.signal.aborted || this.#stop.signal.aborted) return
      if (!(error instanceof StageError)) throw error
      await this.#fail(application, commit, error.failure, history, requested)
      this.#settled = commit.id
    } finally {
      if (this.#attempt === attempt) {
        this.#attempt = undefined
        this.#attempting = undefined
      }
    }
  }

  /** Reads, renders, asks, applies, prunes. Throws StageError with the stage that failed. */
  async #applyCommit(
    application: Application,
    commit: CommitInfo,
    signal: AbortSignal,
    quiet = false,
  ): Promise<ChangeCounts> {
    const { env, onProgress, source } = this.#options
    const startedAt = env.clock.now()
    const files = await stage('SourceFailed', () => source.files(commit.id))
    const type = application.spec.render?.type ?? 'auto'
    const render = renderers[type as keyof typeof renderers]
    if (!render)
      throw new StageError({
        reason: 'RenderFailed',
        message: `spec.render.type "${type}" is not supported yet; use plain`,
        places: [],
      })
    const excludes = this.#options.excludes()
    const kept = files.filter(({ path }) => !excludes.some((folder) => path.startsWith(`${folder}/`)))
    const rendered = render(kept, application.spec.source.path ?? '.')
    const { targets, unknown } = this.#targetsOf(rendered.manifests, application)
    const errors = [...rendered.errors, ...unknown]
    if (errors.length > 0)
      throw new StageError({ reason: 'RenderFailed', message: firstOf(errors), places: errors })
    if (!quiet)
      onProgress({
        type: 'rendered',
        application: this.#key,
        commit: commit.id,
        objects: targets.length,
        warnings: rendered.warnings,
      })
    await this.#options.onRendered?.(rendered.manifests)
    const { entries, refused } = await diff(this.#client, targets, this.#key)
    if (refused.length > 0) throw refusedStage('DiffFailed', refused)
    if (!quiet) onProgress({ type: 'accepted', application: this.#key, commit: commit.id })
    if (signal.aborted) return NO_CHANGES
    const inventory = targets.map(({ kind, object }) => inventoryEntry(kind, object))
    const before = (await this.#application())?.status?.inventory?.entries ?? []
    const decision = decidePrune({
      before,
      after: inventory,
      allowed: application.metadata.annotations?.[ALLOW_MASS_DELETE],
      commit: commit.id,
    })
    if (decision.verdict === 'ask')
      throw new StageError({ reason: 'PruneFailed', message: decision.message, places: [] })
    // What will be owned is written down first: a crash in the middle leaves nothing behind that nobody remembers.
    const known = new Set(inventory.map(({ id }) => id))
    const all = [...inventory, ...before.filter(({ id }) => !known.has(id))]
    if (!deepEqual(all, before)) await this.#write((status) => ({ ...status, inventory: { entries: all } }))
    this.#targets = targets
    this.#watchTargets()
    await this.#applyInWaves(entries, signal)
    if (signal.aborted) return NO_CHANGES
    const pruned = application.spec.prune === false ? 0 : await this.#prune(decision.gone)
    const changes = countsOf(entries, pruned)
    this.#applied = commit
    await this.#write((status) => ({
      ...status,
      lastAppliedCommit: commit.id,
      inventory: { entries: application.spec.prune === false ? all : inventory },
      conditions: setCondition(
        status.conditions,
        { type: 'Synced', status: 'True', reason: 'Applied', message: `Applied ${shown(commit)}` },
        env.clock.now(),
      ),
    }))
    if (!quiet)
      onProgress({
        type: 'applied',
        application: this.#key,
        commit: commit.id,
        changes,
        tookMs: env.clock.now() - startedAt,
      })
    return changes
  }

  #targetsOf(
    manifests: readonly Manifest[],
    application: Application,
  ): { targets: Target[]; unknown: Place[] } {
    const kinds = this.#options.kinds()
    const unknown: Place[] = []
    const targets = manifests.flatMap((manifest): Target[] => {
      const { apiVersion, kind: name } = manifest.object
      const kind = kinds.find(
        (candidate) =>
          candidate.kind === name &&
          `${candidate.group ? `${candidate.group}/` : ''}${candidate.version}` === apiVersion,
      )
      if (!kind) {
        unknown.push(manifest.placeOf('kind', `no kind "${name}" in version "${apiVersion}" is served`))
        return []
      }
      const { namespace: given, ...metadata } = manifest.object.metadata
      const namespace =
        kind.scope === 'Namespaced'
          ? (given ?? application.spec.destination?.namespace ?? 'default')
          : undefined
      const object = {
        ...manifest.object,
        metadata: namespace === undefined ? metadata : { ...metadata, namespace },
      } as AnyResource
      return [{ manifest, kind, object, wave: waveOf(object, kind) }]
    })
    return { targets, unknown }
  }

  /** Group by group; waves that somebody set by annotation wait for the one before to be healthy. */
  async #applyInWaves(entries: readonly DiffEntry[], signal: AbortSignal): Promise<void> {
    const byTarget = new Map(entries.map((entry) => [entry.target, entry]))
    let wave: number | undefined
    const done: Target[] = []
    for (const group of groups([...byTarget.keys()])) {
      if (signal.aborted) return
      const next = group[0]?.wave[0]
      if (wave !== undefined && next !== wave) await this.#untilHealthy(done, signal, undefined)
      wave = next
      const part = group.flatMap((target) => byTarget.get(target) ?? [])
      const refused = await applyGroup(this.#client, part, this.#key, signal, ({ kind }, { metadata }) => {
        this.#written.set(kind, Math.max(this.#written.get(kind) ?? 0, Number(metadata.resourceVersion)))
      })
      if (refused.length > 0) throw refusedStage('ApplyFailed', refused)
      done.push(...group)
    }
  }

  /** Deletes what left the source, what was applied last first. Objects that opted out, or belong to somebody else by now, stay. */
  async #prune(gone: readonly InventoryEntry[]): Promise<number> {
    const kinds = this.#options.kinds()
    const owned = gone.map(readInventory).flatMap((entry) => {
      const kind = kinds.find(
        (candidate) =>
          candidate.kind === entry.kind &&
          `${candidate.group ? `${candidate.group}/` : ''}${candidate.version}` === entry.apiVersion,
      )
      return kind ? [{ ...entry, resource: kind }] : []
    })
    let pruned = 0
    for (const { resource, namespace, name } of owned.sort(
      (a, b) => b.resource.applyWave - a.resource.applyWave,
    )) {
      try {
        const live = await this.#client.get(resource, { namespace, name })
        const annotations = live.metadata.annotations ?? {}
        if (annotations['seamark.dev/prune'] === 'disabled' || annotations[OWNER_ANNOTATION] !== this.#key)
          continue
        await this.#client.delete(
          resource,
          { namespace, name },
          { propagationPolicy: 'Background', preconditions: { uid: live.metadata.uid } },
        )
        pruned += 1
      } catch (error) {
        if (!isReason(error, 'NotFound'))
          throw new StageError({
            reason: 'PruneFailed',
            message: `Cannot delete ${titleOf({ kind: resource.kind, metadata: { namespace, name } })}: ${(error as Error).message}`,
            places: [],
          })
      }
    }
    return pruned
  }

  async #waitForHealth(
    application: Application,
    commit: CommitInfo,
    signal: AbortSignal,
    startedAt: number,
  ): Promise<void> {
    const timeoutMs = parseDuration(application.spec.timeout ?? '10m') ?? 600_000
    await this.#untilHealthy(this.#targets, signal, {
      commit,
      deadline: startedAt + timeoutMs,
      timeout: application.spec.timeout ?? '10m',
    })
  }

  /** Waits until every target is healthy; throws StageError as soon as one has failed for good, or at the deadline. */
  async #untilHealthy(
    targets: readonly Target[],
    signal: AbortSignal,
    report: { commit: CommitInfo; deadline: number; timeout: string } | undefined,
  ): Promise<void> {
    const { env, informers, onProgress } = this.#options
    const moved = new Wake()
    const watched = new Set([...targets.map(({ kind }) => kind), ...CHILD_KINDS(this.#options.kinds())])
    let replaying = true
    const cancels = [...watched].map((kind) =>
      informers.of(kind).onChange(() => void (replaying || moved.wake())),
    )
    replaying = false
    let shownBefore = ''
    try {
      await informers.synced()
      const either = AbortSignal.any([signal, this.#stop.signal])
      await Promise.all(
        [...this.#written].map(([kind, revision]) => informers.of(kind).caughtUp(revision, either)),
      )
      while (!signal.aborted && !this.#stop.signal.aborted) {
        const now = env.clock.now()
        const verdicts = targets.map((target): readonly [Target, Verdict] => [
          target,
          judge(
            target,
            informers.of(target.kind).get(keyOf(target.object)) as AnyResource | undefined,
            informers,
            now,
          ),
        ])
        const failed = verdicts.find(([, verdict]) => verdict.failed)
        if (failed) throw unhealthy(failed[0], failed[1].failed?.message ?? '', failed[1].failed?.field)
        const waiting = verdicts.filter(
          ([, { health }]) => health.status !== 'Healthy' && health.status !== 'Suspended',
        )
        if (waiting.length === 0) return
        const [first] = waiting
        if (report && now >= report.deadline && first) {
          throw unhealthy(
            first[0],
            `not healthy after ${report.timeout}: ${first[1].health.message ?? first[1].health.status}`,
            undefined,
          )
        }
        const lines = waiting.map(
          ([{ kind, object }, { health }]): ResourceLine => ({
            kind: kind.kind,
            namespace: object.metadata.namespace,
            name: object.metadata.name,
            health,
          }),
        )
        const text = JSON.stringify(lines)
        if (report && text !== shownBefore)
          onProgress({ type: 'waiting', application: this.#key, commit: report.commit.id, resources: lines })
        shownBefore = text
        const lookAt = Math.min(
          report?.deadline ?? Number.POSITIVE_INFINITY,
          ...verdicts.map(([, { lookAt: at }]) => at ?? Number.POSITIVE_INFINITY),
        )
        const cancel =
          lookAt === Number.POSITIVE_INFINITY
            ? () => {}
            : env.clock.after(Math.max(1, lookAt - now), () => moved.wake())
        await moved.wait(either)
        cancel()
      }
    } finally {
      for (const cancel of cancels) cancel()
    }
  }

  async #succeed(
    application: Application,
    commit: CommitInfo,
    history: ApplicationHistory,
    startedAt: number,
    requested: string | undefined,
    nothingNew: boolean,
  ): Promise<void> {
    const { env, onProgress } = this.#options
    const isKnown =
      nothingNew &&
      application.status?.history?.[0]?.commit === commit.id &&
      application.status.history[0].outcome === 'Healthy'
    const now = env.clock.now()
    await this.#write((status) => ({
      ...status,
      lastAttemptedCommit: commit.id,
      lastHealthyCommit: commit.id,
      quarantinedCommits: (status.quarantinedCommits ?? []).filter(({ commit: id }) => id !== commit.id),
      resources: this.#resources(),
      history: isKnown ? status.history : [history, ...(status.history ?? [])].slice(0, HISTORY_MAX),
      ...(requested === undefined ? {} : { lastHandledSyncRequest: requested }),
      conditions: this.#healthyConditions(status, commit, now),
    }))
    const notedOn = isKnown ? undefined : await this.#writeBack({ application: this.#key, ...history })
    if (!isKnown) this.#events.event(application, 'Normal', 'Healthy', `${shown(commit)} is healthy`)
    onProgress({
      type: 'healthy',
      application: this.#key,
      commit: commit.id,
      tookMs: now - startedAt,
      ...(notedOn ? { notedOn } : {}),
    })
  }

  #healthyConditions(
    status: ApplicationStatus,
    commit: CommitInfo,
    now: number,
  ): ApplicationStatus['conditions'] {
    let conditions = status.conditions
    for (const [type, reason, message] of [
      ['Ready', 'Healthy', `${shown(commit)} is applied and healthy`],
      ['Synced', 'Applied', `Applied ${shown(commit)}`],
      ['Healthy', 'Healthy', 'Every object is healthy'],
    ] as const)
      conditions = setCondition(conditions, { type, status: 'True', reason, message }, now)
    return (conditions ?? []).filter(({ type }) => type !== 'Reconciling' && type !== 'Stalled')
  }

  #conditions(status: ApplicationStatus, reason: string, message: string): ApplicationStatus['conditions'] {
    const now = this.#options.env.clock.now()
    const conditions = setCondition(
      status.conditions,
      { type: 'Ready', status: 'Unknown', reason, message },
      now,
    )
    return setCondition(
      conditions,
      { type: 'Reconciling', status: 'True', reason: 'Progressing', message },
      now,
    )
  }

  /** Quarantine, evidence, and back to the last healthy commit. */
  async #fail(
    application: Application,
    commit: CommitInfo,
    failure: Failure,
    history: ApplicationHistory,
    requested: string | undefined,
  ): Promise<void> {
    const { env, onProgress } = this.#options
    onProgress({ type: 'failed', application: this.#key, commit: commit.id, failure })
    this.#events.event(application, 'Warning', failure.reason, `${shown(commit)}: ${failure.message}`)
    const healthy = application.status?.lastHealthyCommit
    const policy = application.spec.rollback?.onFailure ?? 'previous'
    const goesBack = policy !== 'none' && healthy !== undefined && healthy !== commit.id
    const now = env.clock.now()
    const place = failure.places[0]
    const message = `${failure.message}${place?.line === undefined ? '' : ` (${place.file}:${place.line}:${place.column})`}`
    const ended: ApplicationHistory = {
      ...history,
      finishedAt: formatTime(now),
      outcome: goesBack ? 'RolledBack' : 'Failed',
      reason: failure.reason,
      message,
    }
    await this.#write((status) => {
      const quarantined = (status.quarantinedCommits ?? []).filter(({ commit: id }) => id !== commit.id)
      let conditions = setCondition(
        status.conditions,
        { type: 'Ready', status: 'False', reason: failure.reason, message },
        now,
      )
      const isApplied = failure.reason === 'NotHealthy'
      conditions = setCondition(
        conditions,
        isApplied
          ? { type: 'Healthy', status: 'False', reason: failure.reason, message }
          : { type: 'Synced', status: 'False', reason: failure.reason, message },
        now,
      )
      return {
        ...status,
        lastAttemptedCommit: commit.id,
        quarantinedCommits: [
          ...quarantined,
          { commit: commit.id, reason: failure.reason, message, at: formatTime(now) },
        ].slice(-HISTORY_MAX),
        resources: this.#resources(),
        history: [ended, ...(status.history ?? [])].slice(0, HISTORY_MAX),
        ...(requested === undefined ? {} : { lastHandledSyncRequest: requested }),
        conditions: conditions.filter(({ type }) => type !== 'Reconciling'),
      }
    })
    await this.#writeBack({
      application: this.#key,
      ...ended,
      places: failure.places,
      ...(goesBack && healthy ? { rolledBackTo: healthy } : {}),
    })
    if (!goesBack || healthy === undefined) return
    onProgress({ type: 'rolling-back', application: this.#key, from: commit.id, to: healthy })
    const startedAt = env.clock.now()
    const target = { id: healthy, subject: '', at: now }
    const attempt = new AbortController()
    this.#attempt = attempt
    this.#attempting = commit.id
    try {
      await this.#applyCommit(application, target, attempt.signal, true)
      await this.#untilHealthy(this.#targets, attempt.signal, {
        commit: target,
        deadline: env.clock.now() + (parseDuration(application.spec.timeout ?? '10m') ?? 600_000),
        timeout: application.spec.timeout ?? '10m',
      })
    } finally {
      this.#attempt = undefined
      this.#attempting = undefined
    }
    if (attempt.signal.aborted || this.#stop.signal.aborted) return
    await this.#write((status) => ({
      ...status,
      resources: this.#resources(),
      conditions: setCondition(
        setCondition(
          status.conditions,
          {
            type: 'Healthy',
            status: 'True',
            reason: 'RolledBack',
            message: `Back to ${healthy.slice(0, 7)}`,
          },
          env.clock.now(),
        ),
        {
          type: 'Ready',
          status: 'False',
          reason: failure.reason,
          message: `${message}; back to ${healthy.slice(0, 7)}`,
        },
        env.clock.now(),
      ),
    }))
    this.#events.event(
      application,
      'Normal',
      'RolledBack',
      `Back to ${healthy.slice(0, 7)}; ${commit.id.slice(0, 7)} is quarantined until the next commit`,
    )
    onProgress({
      type: 'rolled-back',
      application: this.#key,
      from: commit.id,
      to: healthy,
      tookMs: env.clock.now() - startedAt,
    })
    if (policy === 'revert') await this.#options.source.writer?.revert(commit.id)
  }

  #resources(): ApplicationStatus['resources'] {
    const { informers, env } = this.#options
    return this.#targets.map((target) => ({
      group: target.kind.group,
      version: target.kind.version,
      kind: target.kind.kind,
      ...(target.object.metadata.namespace ? { namespace: target.object.metadata.namespace } : {}),
      name: target.object.metadata.name,
      health: judge(
        target,
        informers.of(target.kind).get(keyOf(target.object)) as AnyResource | undefined,
        informers,
        env.clock.now(),
      ).health,
      file: target.manifest.file,
      line: target.manifest.line,
    }))
  }

  /** Never fails a sync: a note that cannot be written is a warning. Returns the commit it stands on. */
  async #writeBack(outcome: Outcome): Promise<string | undefined> {
    const { statusMode, source, env } = this.#options
    try {
      await writeOutcome(statusMode, source.writer, outcome)
      return statusMode.type === 'notes' && source.writer ? outcome.commit : undefined
    } catch (error) {
      env.log.warn({ err: error, application: this.#key }, 'WriteBackFailed')
      return undefined
    }
  }

  /** Watches what is applied: somebody else's change of it is drift. */
  #watchTargets(): void {
    const { informers } = this.#options
    const wanted = new Set(this.#targets.map(({ kind }) => kind))
    for (const kind of wanted) {
      if (this.#watchedKinds.has(kind)) continue
      this.#watchedKinds.add(kind)
      this.#cancels.push(
        informers.of(kind).onChange(({ type, resource, previous }) => {
          if (this.#attempt || !this.#owns(kind, keyOf(resource))) return
          if (
            type === 'added' ||
            (previous && deepEqual(specOf(previous as AnyResource), specOf(resource as AnyResource)))
          )
            return
          this.#drifted.add(`${kind.group}/${kind.kind}/${keyOf(resource)}`)
          this.#dirty = true
          this.#wake.wake()
        }),
      )
    }
  }
  readonly #watchedKinds = new Set<AnyKind>()

  #owns(kind: AnyKind, key: string): boolean {
    return this.#targets.some((target) => target.kind === kind && keyOf(target.object) === key)
  }

  /** Puts drifted objects back, and says who changed what. */
  async #heal(application: Application): Promise<void> {
    const drifted = this.#drifted
    this.#drifted = new Set()
    if (application.spec.selfHeal === false || application.spec.suspend || !this.#applied) return
    const targets = this.#targets.filter(({ kind, object }) =>
      drifted.has(`${kind.group}/${kind.kind}/${keyOf(object)}`),
    )
    const { entries } = await diff(this.#client, targets, this.#key)
    for (const { target, change, live } of entries) {
      if (change === 'unchanged') continue
      const by =
        live?.metadata.managedFields
          ?.filter(({ manager, subresource }) => manager !== FIELD_MANAGER && !subresource)
          .toSorted((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1))[0]?.manager ?? 'somebody'
      await this.#client.apply(target.kind, marked(target, this.#key), {
        fieldManager: FIELD_MANAGER,
        force: true,
      })
      const resource = titleOf(target.object)
      const what = live
        ? `${by} changed ${resource}, which contradicts ${this.#applied.id.slice(0, 7)}`
        : `${resource} was deleted, which contradicts ${this.#applied.id.slice(0, 7)}`
      this.#events.event(application, 'Warning', 'DriftCorrected', what)
      this.#options.onProgress({
        type: 'drift-corrected',
        application: this.#key,
        resource,
        by: live ? by : 'a delete',
        fields: [],
      })
    }
  }

  /** What is wrong with the source; said once, until it is something else. */
  async #reportSource(message: string): Promise<void> {
    if (message === this.#lastError) return
    this.#lastError = message
    this.#options.onProgress({ type: 'waiting-for-source', application: this.#key, message })
    const now = this.#options.env.clock.now()
    await this.#write((status) => ({
      ...status,
      conditions: setCondition(
        status.conditions,
        { type: 'Ready', status: 'False', reason: 'SourceFailed', message },
        now,
      ),
    }))
  }

  async #write(change: (status: ApplicationStatus) => ApplicationStatus): Promise<void> {
    await retryOnConflict(async () => {
      const application = await this.#application()
      if (!application) return
      const status = {
        ...change(application.status ?? {}),
        observedGeneration: application.metadata.generation,
      }
      if (deepEqual(status, application.status)) return
      await this.#client.update(applicationKind, { ...application, status }, { subresource: 'status' })
    })
  }
}
