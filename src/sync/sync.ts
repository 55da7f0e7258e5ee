import { parseDuration } from '../api/duration.ts'
import type { Application, ApplicationHistory, ApplicationResource } from '../api/kinds/application.ts'
import type { Cancel } from '../base/clock.ts'
import { formatTime } from '../base/date.ts'
import { Wake } from '../base/wake.ts'
import * as after from './application-status.ts'
import { FIELD_MANAGER } from './apply.ts'
import { StageError } from './failure.ts'
import { DriftKeeper } from './heal.ts'
import { filesFor } from './healthy-copies.ts'
import type { CommitInfo, Failure } from './progress.ts'
import { Reporter } from './reporter.ts'
import { decideAfterFailure, quarantineOf } from './rollback.ts'
import { type Attempt, deadlineOf, runStages, type Workshop } from './stages.ts'
import { type Target, titleOf } from './target.ts'
import { isWell, look, untilHealthy } from './wait.ts'
import type { StatusMode } from './write-back.ts'

export interface SyncOptions extends Omit<Workshop, 'key' | 'status' | 'write' | 'own'> {
  readonly statusMode: StatusMode
  /** Why the application must wait although there is a new commit: an Application it depends on; undefined: it need not. */
  readonly blockedBy: (application: Application, commit: CommitInfo) => string | undefined
}

const RETRY_MIN_MS = 1000
const RETRY_MAX_MS = 60_000
const SYNC_REQUESTED = 'seamark.dev/sync-requested-at'

/**
 * One Application, kept converged. Level-based: look at the newest commit, and if it is not the one that is applied, try
 * it (stages.ts), then wait for health. A newer commit ends the work on an older one at once. A commit that fails goes
 * into quarantine and the last healthy one is applied again. In between, drift is put back when it is seen. Everything
 * needed after a restart is in the Application's status. Never two attempts at a time.
 */
export class Sync {
  readonly #options: SyncOptions
  readonly #key: string
  readonly #reporter: Reporter
  readonly #shop: Workshop
  readonly #drift: DriftKeeper
  readonly #wake = new Wake()
  readonly #stop = new AbortController()
  readonly #unfollow: Cancel
  #settled: string | undefined
  #toldQuarantine: string | undefined
  #dirty = true
  #touched = false
  #attempt: { readonly abort: AbortController; readonly commit: string } | undefined
  #failures = 0
  #isSuspended = false
  #running: Promise<void> | undefined

  constructor(key: string, options: SyncOptions) {
    this.#key = key
    this.#options = options
    const client = options.client.as(FIELD_MANAGER)
    this.#reporter = new Reporter(key, { ...options, client })
    this.#drift = new DriftKeeper({
      application: key,
      client,
      watch: options.watch,
      events: this.#reporter.events,
      onProgress: options.onProgress,
      onTouched: (isDrift) => this.#onTouched(isDrift),
    })
    this.#shop = {
      ...options,
      key,
      client,
      status: async () => (await this.#reporter.application())?.status,
      write: (change) => this.#reporter.write(change),
      own: (targets) => this.#drift.follow(targets),
    }
    this.#unfollow = options.source.onChange(() => this.lookAgain())
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** There may be something new: a commit, a changed Application, a request to sync. */
  lookAgain(): void {
    this.#dirty = true
    this.#wake.wake()
    void this.#abandonIfSuperseded()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#attempt?.abort.abort()
    this.#unfollow()
    this.#drift.close()
    await this.#running
    this.#options.claims.forget(this.#key)
    await this.#reporter.events.flush()
  }

  async #run(): Promise<void> {
    const { env } = this.#options
    const { signal } = this.#stop
    while (!signal.aborted) {
      this.#dirty = false
      let waitMs: number
      try {
        waitMs = await this.#once()
        this.#failures = 0
      } catch (error) {
        if (signal.aborted) return
        this.#failures += 1
        waitMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(this.#failures - 1, 10))
        await this.#trouble(error, waitMs).catch(() => {})
      }
      if (this.#dirty || signal.aborted) continue
      const cancel = env.clock.after(waitMs, () => this.#wake.wake())
      await this.#wake.wait(signal)
      cancel()
    }
  }

  /** Looks once, acts once. Returns how long to wait when nothing calls before. */
  async #once(): Promise<number> {
    const { source, blockedBy, onProgress } = this.#options
    const application = await this.#reporter.application()
    if (!application) return RETRY_MAX_MS
    const intervalMs = parseDuration(application.spec.interval ?? '60s') ?? 60_000
    const wasSuspended = this.#isSuspended
    this.#isSuspended = application.spec.suspend === true
    if (this.#isSuspended) {
      if (!wasSuspended) onProgress({ type: 'suspended', application: this.#key })
      return intervalMs
    }
    const latest = await source.latest()
    if (!latest) {
      await this.#reporter.trouble('SourceFailed', `Waiting for the first commit of ${source.description}`)
      return Math.min(intervalMs, 2000)
    }
    const blocked = blockedBy(application, latest)
    if (blocked !== undefined && this.#settled !== latest.id) {
      await this.#reporter.trouble('DependencyNotReady', blocked)
      return intervalMs
    }
    // The trouble is over: what the status said before is to be said again.
    if (this.#reporter.relief()) this.#settled = undefined
    await this.#converge(application, latest)
    if (this.#touched) await this.#observe()
    return intervalMs
  }

  async #converge(application: Application, latest: CommitInfo): Promise<void> {
    const { status, metadata } = application
    const asked = metadata.annotations?.[SYNC_REQUESTED]
    const requested = asked !== undefined && asked !== status?.lastHandledSyncRequest ? asked : undefined
    const quarantine = quarantineOf(latest.id, status, metadata.annotations)
    if (requested === undefined && quarantine === 'quarantined') {
      await this.#stayBack(application, latest)
    } else if (this.#settled !== latest.id || requested !== undefined || quarantine === 'allowed') {
      const isKnown = status?.lastHealthyCommit === latest.id && requested === undefined
      await this.#try(application, latest, requested, isKnown ? 'check' : 'try')
    }
    await this.#drift.heal(application)
  }

  /** A newer commit ends the attempt that is under way. */
  async #abandonIfSuperseded(): Promise<void> {
    const attempt = this.#attempt
    if (!attempt) return
    const latest = await this.#options.source.latest().catch(() => undefined)
    if (!latest || latest.id === attempt.commit || this.#attempt !== attempt || attempt.abort.signal.aborted)
      return
    const { onProgress } = this.#options
    onProgress({ type: 'superseded', application: this.#key, commit: attempt.commit, by: latest.id })
    attempt.abort.abort()
  }

  /** Runs `work` as the attempt on a commit, which a newer commit or `stop` may abort. */
  async #attempting<T>(commit: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController()
    const attempt = { abort, commit }
    this.#attempt = attempt
    if (this.#stop.signal.aborted) abort.abort()
    try {
      return await work(abort.signal)
    } finally {
      if (this.#attempt === attempt) this.#attempt = undefined
    }
  }

  /** Tries a commit from reading it to its health. What is the commit's own fault ends in quarantine, not in a throw. */
  async #try(
    application: Application,
    commit: CommitInfo,
    requested: string | undefined,
    purpose: 'try' | 'check',
  ): Promise<void> {
    const { env, onProgress } = this.#options
    const startedAt = env.clock.now()
    const history: ApplicationHistory = {
      commit: commit.id,
      subject: commit.subject,
      author: commit.author,
      startedAt: formatTime(startedAt),
      outcome: 'Applied',
    }
    const failure = await this.#attempting(commit.id, async (signal) => {
      try {
        onProgress({ type: 'commit-seen', application: this.#key, commit, seenAt: startedAt })
        if (purpose === 'try')
          await this.#reporter.write((status) => after.attempting(status, commit, env.clock.now()))
        const attempt = await runStages(this.#shop, { application, commit, signal, purpose })
        const appliedAt = formatTime(env.clock.now())
        if (!signal.aborted) await this.#untilHealthy(attempt)
        if (!signal.aborted) await this.#succeed(attempt, { ...history, appliedAt }, requested)
        else if (!this.#stop.signal.aborted && purpose === 'try') await this.#supersede(history)
      } catch (error) {
        if (signal.aborted) return undefined
        if (!(error instanceof StageError) || error.retry) throw error
        return error.failure
      }
      return undefined
    })
    if (!failure || this.#stop.signal.aborted) return
    if (purpose === 'try' || failure.reason !== 'NotHealthy')
      return this.#fail(application, commit, failure, history, requested)
    // It had succeeded before this process began: how its objects are now is no verdict on it.
    this.#settled = commit.id
    await this.#observe()
  }

  async #untilHealthy(attempt: Attempt): Promise<void> {
    const { onProgress } = this.#options
    const { application, commit, signal, targets } = attempt
    await untilHealthy(this.#shop, targets, {
      signal,
      deadline: deadlineOf(attempt),
      beforeLook: () => this.#drift.heal(application),
      onWaiting: (resources) =>
        onProgress({ type: 'waiting', application: this.#key, commit: commit.id, resources }),
    })
  }

  async #succeed(
    { application, commit, changes, startedAt, files, purpose }: Attempt,
    history: ApplicationHistory,
    requested: string | undefined,
  ): Promise<void> {
    const { env, onProgress, copies } = this.#options
    const now = env.clock.now()
    const [last] = application.status?.history ?? []
    const hasChanged = changes.created + changes.configured + changes.pruned > 0
    const isKnown =
      purpose === 'check' && !hasChanged && last?.commit === commit.id && last.outcome === 'Healthy'
    const done: ApplicationHistory = { ...history, finishedAt: formatTime(now), outcome: 'Healthy', changes }
    await this.#reporter.write((status) =>
      after.healthy(
        status,
        commit,
        { resources: this.#resources(), history: isKnown ? undefined : done, requested },
        now,
      ),
    )
    this.#settled = commit.id
    await copies
      .save(this.#key, commit.id, filesFor(files, application.spec.source.path ?? '.'))
      .catch((error: unknown) => env.log.warn({ err: error, application: this.#key }, 'no copy was kept'))
    const notedOn = isKnown
      ? undefined
      : await this.#reporter.writeBack(application, { application: this.#key, ...done })
    if (!isKnown)
      this.#reporter.events.event(application, 'Normal', 'Healthy', `${after.shown(commit)} is healthy`)
    onProgress({
      type: 'healthy',
      application: this.#key,
      commit: commit.id,
      tookMs: now - startedAt,
      ...(notedOn ? { notedOn } : {}),
    })
  }

  async #supersede(history: ApplicationHistory): Promise<void> {
    const finishedAt = formatTime(this.#options.env.clock.now())
    await this.#reporter.write((status) =>
      after.superseded(status, { ...history, finishedAt, outcome: 'Superseded' }),
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
    this.#reporter.events.event(
      application,
      'Warning',
      failure.reason,
      `${after.shown(commit)}: ${failure.message}`,
    )
    const next = decideAfterFailure(commit, failure, application.spec, application.status)
    const now = env.clock.now()
    const ended: ApplicationHistory = {
      ...history,
      finishedAt: formatTime(now),
      outcome: next.action === 'back' ? 'RolledBack' : 'Failed',
      reason: failure.reason,
      message: after.told(failure),
    }
    const evidence = { resources: this.#resources(), history: ended, requested }
    await this.#reporter.write((status) => after.failed(status, commit, failure, evidence, now))
    await this.#reporter.writeBack(application, {
      application: this.#key,
      ...ended,
      places: failure.places,
      ...(next.action === 'back' ? { rolledBackTo: next.to } : {}),
    })
    if (next.action === 'back') {
      const isBack = await this.#goBack(application, commit, next.to, failure.reason, after.told(failure))
      if (isBack && next.revert) await this.#reporter.revert(application, commit.id)
    } else this.#settled = commit.id
  }

  /** After a restart, or after trouble on the way back: the newest commit is in quarantine, the last healthy one applies. */
  async #stayBack(application: Application, latest: CommitInfo): Promise<void> {
    if (this.#settled === latest.id) return
    const { status, spec } = application
    const entry = status?.quarantinedCommits?.find(({ commit }) => commit === latest.id)
    const healthy = status?.lastHealthyCommit
    const { onProgress } = this.#options
    if (this.#toldQuarantine !== latest.id)
      onProgress({
        type: 'quarantined',
        application: this.#key,
        commit: latest,
        message: entry?.message ?? '',
      })
    this.#toldQuarantine = latest.id
    if (healthy === undefined || healthy === latest.id || spec.rollback?.onFailure === 'none' || !entry) {
      this.#settled = latest.id
      return
    }
    await this.#goBack(application, latest, healthy, entry.reason, entry.message)
  }

  /** Applies the last healthy commit again and waits for it. Throws, to be tried again, when that does not work. */
  async #goBack(
    application: Application,
    from: CommitInfo,
    to: string,
    reason: string,
    message: string,
  ): Promise<boolean> {
    const { env, onProgress } = this.#options
    onProgress({ type: 'rolling-back', application: this.#key, from: from.id, to })
    const startedAt = env.clock.now()
    const isBack = await this.#attempting(from.id, async (signal) => {
      const commit = { id: to, subject: '', at: startedAt }
      const attempt = await runStages(this.#shop, { application, commit, signal, purpose: 'back' })
      if (!signal.aborted) await this.#untilHealthy(attempt)
      return !signal.aborted
    })
    if (!isBack) return false
    await this.#reporter.write((status) =>
      after.rolledBack(status, { reason, message }, to, this.#resources(), env.clock.now()),
    )
    this.#settled = from.id
    const what = `Back to ${to.slice(0, 7)}; ${from.id.slice(0, 7)} is quarantined until the next commit`
    this.#reporter.events.event(application, 'Normal', 'RolledBack', what)
    const tookMs = env.clock.now() - startedAt
    onProgress({ type: 'rolled-back', application: this.#key, from: from.id, to, tookMs })
    return true
  }

  #resources(): ApplicationResource[] {
    return look(this.#options, this.#drift.targets).map(([target, { health }]) => resourceOf(target, health))
  }

  #onTouched(isDrift: boolean): void {
    const isFirst = !this.#touched
    this.#touched = true
    if (this.#attempt) return
    if (isDrift) {
      this.#dirty = true
      this.#wake.wake()
    } else if (isFirst) this.#options.env.clock.after(OBSERVE_MS, () => this.#wake.wake())
  }

  /** Long after its commit, how are the objects doing? Only the condition follows: the commit has succeeded. */
  async #observe(): Promise<void> {
    this.#touched = false
    if (this.#settled === undefined) return
    const ill = look(this.#options, this.#drift.targets).filter(([, verdict]) => !isWell(verdict))
    const worst = ill.find(([, { health }]) => health.status === 'Degraded') ?? ill[0]
    const problem = worst && {
      isDegraded: worst[1].health.status === 'Degraded' || worst[1].health.status === 'Missing',
      message: `${titleOf(worst[0].object)}: ${worst[1].health.message ?? worst[1].health.status}`,
    }
    const { clock } = this.#options.env
    const lookAt = Math.min(...ill.map(([, verdict]) => verdict.lookAt ?? Number.POSITIVE_INFINITY))
    if (lookAt !== Number.POSITIVE_INFINITY)
      clock.after(Math.max(0, lookAt - clock.now()), () => this.#onTouched(false))
    await this.#reporter.observed(this.#resources(), problem)
  }

  /** Not the commit's fault: said once, until it is something else; tried again. */
  async #trouble(error: unknown, retryInMs: number): Promise<void> {
    const { env } = this.#options
    const { message } = error as Error
    const reason = error instanceof StageError ? error.failure.reason : 'SourceFailed'
    env.log.warn({ err: error, application: this.#key, retryInMs }, 'sync will be tried again')
    await this.#reporter.trouble(reason, message)
  }
}

const OBSERVE_MS = 500

function resourceOf(
  { kind, object, manifest }: Target,
  health: ApplicationResource['health'],
): ApplicationResource {
  const { namespace, name } = object.metadata
  return {
    group: kind.group,
    version: kind.version,
    kind: kind.kind,
    ...(namespace ? { namespace } : {}),
    name,
    health,
    file: manifest.file,
    line: manifest.line,
  }
}
