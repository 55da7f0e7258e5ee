import { keyOf, type Resource } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import type { Cancel } from '../base/clock.ts'
import { WorkQueue } from '../base/work-queue.ts'
import { type Controller, ownerKey, type ReconcileContext, type Running, Terminal } from './controller.ts'
import { idOf, OwnWrites, recordingClient } from './own-writes.ts'

const CONCURRENCY = 5

/**
 * Runs one controller. It promises: (1) a key is reconciled by one worker at a time, on a view that has seen all this
 * controller wrote for the key; (2) what throws comes back with backoff for that key alone, and a malformed object
 * never holds up another; (3) a Terminal error waits for the object to change; (4) after `stop` nothing is written.
 */
export class ControllerRunner implements Running {
  readonly #context: ReconcileContext
  readonly #controller: Controller
  readonly #queue: WorkQueue
  readonly #writes = new Map<string, OwnWrites>()
  /** Keys that failed for good, and the revision of the object at which they did. */
  readonly #stalled = new Map<string, string>()
  readonly #gated = new Set<string>()
  readonly #resting = new Map<string, { readonly until: number; readonly generation: number | undefined }>()
  readonly #involved: ReadonlySet<string>
  readonly #stop = new AbortController()
  readonly #cancels: Cancel[] = []

  constructor(context: ReconcileContext, controller: Controller) {
    this.#context = { ...context, client: context.client.as(`${controller.name}-controller`) }
    this.#controller = controller
    const { clock, log } = context.env
    this.#queue = new WorkQueue(clock, {
      concurrency: controller.concurrency ?? CONCURRENCY,
      work: (key) => this.#work(key),
      onError: (key, error, retryInMs) => {
        const details = { err: error, controller: controller.name, key, retryInMs }
        // Losing a race is part of the protocol, not news.
        if (isReason(error, 'Conflict')) log.debug(details, 'reconcile met a conflict')
        else log.warn(details, 'reconcile failed')
      },
    })
    this.#involved = new Set(
      [
        controller.kind,
        ...(controller.owns ?? []),
        ...(controller.watches ?? []).map(({ kind }) => kind),
      ].map(idOf),
    )
  }

  /** Resolves when the informers have their first list and all keys are queued. */
  async start(): Promise<void> {
    const { informers } = this.#context
    const { kind, owns = [], watches = [] } = this.#controller
    const all = [kind, ...owns, ...watches.map((watch) => watch.kind)].map((each) => informers.of(each))
    await Promise.all(all.map((informer) => informer.synced))
    if (this.#stop.signal.aborted) return
    this.#cancels.push(informers.of(kind).onChange(({ resource }) => this.#queue.add(keyOf(resource))))
    for (const owned of owns) {
      this.#cancels.push(
        informers.of(owned).onChange(({ resource, previous }) => {
          const owners = new Set([resource, previous].map((each) => each && ownerKey(each, kind)))
          for (const key of owners) if (key !== undefined) this.#queue.add(key)
        }),
      )
    }
    for (const watch of watches) {
      this.#cancels.push(
        informers.of(watch.kind).onChange((change) => {
          for (const key of watch.keys(change, informers)) this.#queue.add(key)
        }),
      )
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    for (const cancel of this.#cancels) cancel()
    await this.#queue.close()
  }

  async #work(key: string): Promise<void> {
    if (this.#isGated(key)) return
    const { env, informers } = this.#context
    const { name: controller, kind } = this.#controller
    const resource = informers.of(kind).get(key)
    if (this.#rests(key, resource)) return
    const revision = resource?.metadata.resourceVersion ?? ''
    if (this.#stalled.get(key) === revision) return
    this.#stalled.delete(key)
    const startedAt = env.clock.now()
    const count = env.metrics.counter('seamark_controller_reconcile_total', 'Reconciles by their result.', [
      'controller',
      'result',
    ])
    try {
      const outcome = await this.#reconcile(key, resource)
      count.inc({ controller, result: 'success' })
      if (outcome?.requeueAfterMs !== undefined) this.#queue.addAfter(key, outcome.requeueAfterMs)
      if (outcome?.restMs)
        this.#resting.set(key, {
          until: env.clock.now() + outcome.restMs,
          generation: resource?.metadata.generation,
        })
    } catch (error) {
      if (this.#stop.signal.aborted) return
      if (error instanceof Terminal) {
        count.inc({ controller, result: 'terminal' })
        env.log.error({ controller, key, reason: error.reason }, error.message)
        this.#stalled.set(key, revision)
        return
      }
      count.inc({ controller, result: 'error' })
      throw error
    } finally {
      const seconds = (env.clock.now() - startedAt) / 1000
      env.metrics
        .histogram('seamark_controller_reconcile_seconds', 'How long a reconcile takes.', ['controller'])
        .observe({ controller }, seconds)
      env.metrics
        .gauge('workqueue_depth', 'Keys waiting to be worked on.', ['name'])
        .set({ name: controller }, this.#queue.depth)
    }
  }

  #rests(key: string, resource: Resource | undefined): boolean {
    const rest = this.#resting.get(key)
    if (!rest) return false
    const leftMs = rest.until - this.#context.env.clock.now()
    if (leftMs > 0 && resource && resource.metadata.generation === rest.generation) {
      this.#queue.addAfter(key, leftMs)
      return true
    }
    this.#resting.delete(key)
    return false
  }

  async #reconcile(key: string, resource: Resource | undefined) {
    const writes = this.#writes.get(key) ?? new OwnWrites()
    const context = { ...this.#context, client: recordingClient(this.#context.client, writes) }
    try {
      if (resource) return await this.#controller.reconcile(context, resource)
      return await this.#controller.deleted?.(context, key)
    } finally {
      if (writes.isEmpty) this.#writes.delete(key)
      else this.#writes.set(key, writes)
    }
  }

  /** Whether the view still lacks own writes; the key comes back by itself when it may have them. */
  #isGated(key: string): boolean {
    if (this.#gated.has(key)) return true
    const { signal } = this.#stop
    const unseen = this.#writes.get(key)?.unseen(this.#context.informers, this.#involved, signal)
    if (!unseen) {
      this.#writes.delete(key)
      return false
    }
    this.#gated.add(key)
    const { env } = this.#context
    env.metrics
      .counter('stale_sync_skips_total', 'Reconciles put off until own writes were seen.', ['controller'])
      .inc({ controller: this.#controller.name })
    void unseen.then(() => {
      this.#gated.delete(key)
      this.#queue.add(key)
    })
    return true
  }
}
