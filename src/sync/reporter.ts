import {
  type Application,
  type ApplicationResource,
  type ApplicationStatus,
  application as applicationKind,
} from '../api/kinds/application.ts'
import { parseKey } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import type { Env } from '../base/env.ts'
import { deepEqual } from '../base/json.ts'
import type { Client } from '../client/client.ts'
import { EventRecorder } from '../client/events.ts'
import { retryOnConflict } from '../client/on-conflict.ts'
import { observed, type Problem, waiting } from './application-status.ts'
import type { Progress } from './progress.ts'
import type { Source } from './sources/source.ts'
import { type Outcome, type StatusMode, writeOutcome } from './write-back.ts'

export interface ReporterOptions {
  readonly env: Env
  /** Already writing as Seamark. */
  readonly client: Client
  readonly source: Source
  readonly statusMode: StatusMode
  readonly onProgress: (progress: Progress) => void
}

/** Says what happens to one Application: in its status, in events, in git. */
export class Reporter {
  readonly #options: ReporterOptions
  readonly #key: string
  readonly events: EventRecorder
  #trouble = ''
  /** As this process has told it. */
  #isIll = false

  constructor(key: string, options: ReporterOptions) {
    this.#key = key
    this.#options = options
    this.events = new EventRecorder(options.env, options.client, 'seamark')
  }

  /** As it is stored now; undefined when it is gone. */
  async application(): Promise<Application | undefined> {
    try {
      return await this.#options.client.get(applicationKind, parseKey(this.#key))
    } catch (error) {
      if (isReason(error, 'NotFound')) return undefined
      throw error
    }
  }

  async write(change: (status: ApplicationStatus) => ApplicationStatus): Promise<void> {
    await retryOnConflict(async () => {
      const application = await this.application()
      if (!application) return
      const { generation } = application.metadata
      const status = { ...change(application.status ?? {}), observedGeneration: generation }
      if (deepEqual(status, application.status)) return
      await this.#options.client.update(
        applicationKind,
        { ...application, status },
        { subresource: 'status' },
      )
    })
  }

  /** How the objects of a commit are that has succeeded. That they fell ill is said once, and that it is over. */
  async observed(resources: readonly ApplicationResource[], problem: Problem | undefined): Promise<void> {
    const { env, onProgress } = this.#options
    const application = await this.application()
    const wasIll = this.#isIll
    await this.write((status) => observed(status, resources, problem, env.clock.now()))
    // On its way is neither ill nor well.
    const isIll = problem ? problem.isDegraded || wasIll : false
    this.#isIll = isIll
    if (!application || isIll === wasIll) return
    const message = problem?.message ?? 'Every object is healthy again'
    this.events.event(application, isIll ? 'Warning' : 'Normal', isIll ? 'Degraded' : 'Recovered', message)
    onProgress(
      isIll
        ? { type: 'degraded', application: this.#key, message }
        : { type: 'recovered', application: this.#key },
    )
  }

  /** What is waited for, or will be tried again. Said once, until it is something else. */
  async trouble(reason: string, message: string): Promise<void> {
    if (message === this.#trouble) return
    this.#trouble = message
    const { env, onProgress } = this.#options
    onProgress({ type: 'waiting-for-source', application: this.#key, message })
    await this.write((status) => waiting(status, reason, message, env.clock.now()))
  }

  /** The trouble is over; tells whether there was any. */
  relief(): boolean {
    const was = this.#trouble !== ''
    this.#trouble = ''
    return was
  }

  /** Never fails a sync: an outcome that cannot be written is a warning. Returns the commit it stands on. */
  async writeBack(application: Application, outcome: Outcome): Promise<string | undefined> {
    const { statusMode, source } = this.#options
    try {
      await writeOutcome(statusMode, source.writer, outcome)
      return statusMode.type === 'notes' && source.writer ? outcome.commit : undefined
    } catch (error) {
      this.#writeBackFailed(application, error)
      return undefined
    }
  }

  async revert(application: Application, commit: string): Promise<void> {
    try {
      const made = await this.#options.source.writer?.revert(commit)
      const what = made
        ? `Reverted ${commit.slice(0, 7)} as ${made.slice(0, 7)}`
        : `Did not revert ${commit.slice(0, 7)}: it is no longer the newest, or the source cannot be written`
      this.events.event(application, 'Normal', 'Reverted', what)
    } catch (error) {
      this.#writeBackFailed(application, error)
    }
  }

  #writeBackFailed(application: Application, error: unknown): void {
    this.#options.env.log.warn({ err: error, application: this.#key }, 'WriteBackFailed')
    this.events.event(application, 'Warning', 'WriteBackFailed', (error as Error).message)
  }
}
