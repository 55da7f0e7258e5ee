import { findCondition } from '../api/conditions.ts'
import { parseDuration } from '../api/duration.ts'
import { type Application, application as applicationKind } from '../api/kinds/application.ts'
import { keyOf } from '../api/resource.ts'
import type { Cancel } from '../base/clock.ts'
import { deepEqual } from '../base/json.ts'
import { WorkQueue } from '../base/work-queue.ts'
import { retryOnConflict } from '../client/on-conflict.ts'
import { stalled } from './application-status.ts'
import { followsTheSame } from './own-manifests.ts'
import type { CommitInfo } from './progress.ts'
import type { Source } from './sources/source.ts'
import { Sync, type SyncOptions } from './sync.ts'

export interface ApplicationControllerOptions
  extends Omit<SyncOptions, 'source' | 'excludes' | 'neighbours' | 'blockedBy' | 'onRendered'> {
  /** "namespace/name" of the Application over the root of the repository. */
  readonly rootKey: string
  readonly rootSource: Source
  readonly onRootRendered: NonNullable<SyncOptions['onRendered']>
  /** Another repository, or another branch, tag or commit of this one. Throws an ApiError that says what is wrong. */
  readonly open: (source: Application['spec']['source'], intervalMs: number) => Source
}

interface Running {
  readonly sync: Sync
  /** What the sync was started for; another spec starts another one. */
  readonly application: Application
  /** Absent: the repository's own, which is not ours to close. */
  readonly source: Source | undefined
}

/** Fields that are understood by the API and not yet acted on. Nothing is half done: the Application says so and stalls. */
const UNSUPPORTED: readonly (readonly [string, (spec: Application['spec']) => unknown])[] = [
  ['spec.source.semver', ({ source }) => source.semver],
  ['spec.destination.kubeconfigSecret', ({ destination }) => destination?.kubeconfigSecret],
  ['spec.serviceAccountName', ({ serviceAccountName }) => serviceAccountName],
  ['spec.syncWindows', ({ syncWindows }) => (syncWindows?.length ? syncWindows : undefined)],
  ['spec.retry', ({ retry }) => retry],
]

/** Keeps one Sync running for each Application there is, and starts it anew when its spec changes. */
export class ApplicationController {
  readonly #options: ApplicationControllerOptions
  readonly #running = new Map<string, Running>()
  readonly #queue: WorkQueue
  #cancel: Cancel = () => {}

  constructor(options: ApplicationControllerOptions) {
    this.#options = options
    this.#queue = new WorkQueue(options.env.clock, {
      concurrency: 64,
      backoffMinMs: 1000,
      backoffMaxMs: 60_000,
      work: (key) => this.#reconcile(key),
      onError: (key, error) => options.env.log.error({ err: error, application: key }, 'application failed'),
    })
  }

  start(): void {
    this.#cancel = this.#options.informers.of(applicationKind).onChange(({ type, resource, previous }) => {
      const key = keyOf(resource)
      const isSpecNew = !previous || !deepEqual(previous.spec, resource.spec)
      if (type !== 'updated' || isSpecNew) this.#queue.add(key)
      else if (!deepEqual(previous.metadata.annotations, resource.metadata.annotations))
        this.#running.get(key)?.sync.lookAgain()
      if (readiness(previous) !== readiness(resource)) this.#tellDependents(resource)
    })
  }

  lookAgain(): void {
    for (const { sync } of this.#running.values()) sync.lookAgain()
  }

  async stop(): Promise<void> {
    this.#cancel()
    await this.#queue.close()
    await Promise.all([...this.#running.keys()].map((key) => this.#end(key)))
  }

  async #reconcile(key: string): Promise<void> {
    const application = this.#options.informers.of(applicationKind).get(key)
    const running = this.#running.get(key)
    if (application && running && deepEqual(running.application.spec, application.spec)) return
    await this.#end(key)
    if (application) await this.#begin(key, application)
  }

  async #end(key: string): Promise<void> {
    const running = this.#running.get(key)
    this.#running.delete(key)
    await running?.sync.stop()
    await running?.source?.close()
  }

  async #begin(key: string, application: Application): Promise<void> {
    const { rootKey, rootSource, onRootRendered, open, ...shared } = this.#options
    const { spec } = application
    const missing = UNSUPPORTED.filter(([, read]) => read(spec) !== undefined).map(([field]) => field)
    if (missing.length > 0) {
      const message = `${missing.join(', ')}: not supported by this version; remove it`
      return this.#stall(application, 'NotSupported', message)
    }
    const isRoot = key === rootKey
    let source: Source | undefined
    try {
      if (!followsTheSame(spec.source))
        source = open(spec.source, parseDuration(spec.interval ?? '60s') ?? 60_000)
    } catch (error) {
      return this.#stall(application, 'SourceFailed', (error as Error).message)
    }
    const sync = new Sync(key, {
      ...shared,
      source: source ?? rootSource,
      excludes: () => this.#neighbours(application).map((other) => other.spec.source.path ?? '.'),
      neighbours: () =>
        this.#neighbours(application)
          .filter((other) => !other.spec.suspend)
          .map(keyOf),
      blockedBy: (asking, commit) => this.#blockedBy(asking, commit),
      ...(isRoot ? { onRendered: onRootRendered } : {}),
    })
    this.#running.set(key, { sync, application, source })
    sync.start()
  }

  /** The other Applications that follow the repository's own commits. */
  #neighbours(application: Application): readonly Application[] {
    if (!followsTheSame(application.spec.source)) return []
    const key = keyOf(application)
    return followersIn(this.#options.informers.of(applicationKind).list()).filter(
      (other) => keyOf(other) !== key,
    )
  }

  /** An Application waits until those it depends on are healthy, on the same commit where they follow the same source. */
  #blockedBy(application: Application, commit: CommitInfo): string | undefined {
    const { informers } = this.#options
    for (const { name, namespace = application.metadata.namespace } of application.spec.dependsOn ?? []) {
      const key = `${namespace}/${name}`
      if (key === keyOf(application))
        return `Application ${key} depends on itself; remove that from spec.dependsOn`
      const other = informers.of(applicationKind).get(key)
      if (!other) return `Waiting for Application ${key}, which does not exist`
      const isSame = followsTheSame(other.spec.source) && followsTheSame(application.spec.source)
      const isReady = findCondition(other.status?.conditions, 'Ready')?.status === 'True'
      if (!isReady || (isSame && other.status?.lastHealthyCommit !== commit.id))
        return `Waiting for Application ${key} to be healthy${isSame ? ` on ${commit.id.slice(0, 7)}` : ''}`
    }
    return undefined
  }

  #tellDependents(application: Application): void {
    const key = keyOf(application)
    for (const { sync, application: other } of this.#running.values()) {
      const isDependent = other.spec.dependsOn?.some(
        ({ name, namespace = other.metadata.namespace }) => `${namespace}/${name}` === key,
      )
      if (isDependent) sync.lookAgain()
    }
  }

  /** Somebody must edit it; until then nothing is tried. */
  async #stall(application: Application, reason: string, message: string): Promise<void> {
    const { client, env, onProgress } = this.#options
    onProgress({ type: 'waiting-for-source', application: keyOf(application), message })
    await retryOnConflict(async () => {
      const { namespace, name } = application.metadata
      const current = await client.get(applicationKind, { namespace, name })
      const status = {
        ...stalled(current.status ?? {}, reason, message, env.clock.now()),
        observedGeneration: current.metadata.generation,
      }
      if (!deepEqual(status, current.status))
        await client.update(applicationKind, { ...current, status }, { subresource: 'status' })
    })
  }
}

const followers = new WeakMap<readonly Application[], readonly Application[]>()

/** Worked out once for each state of the list: a thousand Applications ask for it. */
function followersIn(all: readonly Application[]): readonly Application[] {
  const known = followers.get(all)
  if (known) return known
  const found = all.filter(({ spec }) => followsTheSame(spec.source))
  followers.set(all, found)
  return found
}

function readiness(application: Application | undefined): string {
  const { conditions, lastHealthyCommit } = application?.status ?? {}
  return `${findCondition(conditions, 'Ready')?.status} ${lastHealthyCommit}`
}
