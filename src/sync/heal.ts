import type { Application } from '../api/kinds/application.ts'
import type { AnyResource } from '../api/resource.ts'
import type { Cancel } from '../base/clock.ts'
import { deepEqual } from '../base/json.ts'
import type { Client } from '../client/client.ts'
import type { EventRecorder } from '../client/events.ts'
import { diff, FIELD_MANAGER } from './apply.ts'
import { describeDrift } from './drift.ts'
import type { ObjectChange, ObjectWatch } from './object-watch.ts'
import type { Progress } from './progress.ts'
import { idOf, type Target, titleOf } from './target.ts'

export interface DriftKeeperOptions {
  /** "namespace/name" */
  readonly application: string
  readonly client: Client
  readonly watch: ObjectWatch
  readonly events: EventRecorder
  readonly onProgress: (progress: Progress) => void
  /** Something owned, or below it, has moved; `isDrift` when somebody may have changed what the commit says. */
  readonly onTouched: (isDrift: boolean) => void
}

/**
 * Watches over what one application has applied. Somebody else's change is seen as an event and put back at once, said
 * with who changed which fields. Our own writes are events too: they turn out to differ in nothing, and nothing is
 * written for them. With spec.selfHeal false drift is left, until the next commit.
 */
export class DriftKeeper {
  readonly #options: DriftKeeperOptions
  #targets = new Map<string, Target>()
  #suspects = new Set<string>()
  #unfollow: Cancel = () => {}

  constructor(options: DriftKeeperOptions) {
    this.#options = options
  }

  get targets(): readonly Target[] {
    return [...this.#targets.values()]
  }

  follow(targets: readonly Target[]): void {
    this.#unfollow()
    this.#targets = new Map(targets.map((target) => [idOf(target.kind, target.object), target]))
    this.#suspects = new Set([...this.#suspects].filter((id) => this.#targets.has(id)))
    this.#unfollow = this.#options.watch.follow(targets, (change) => this.#onChange(change))
  }

  close(): void {
    this.#unfollow()
  }

  #onChange({ id, isOwn, type, resource, previous }: ObjectChange): void {
    // What is made again after it was deleted was suspect then.
    const isDrift =
      isOwn &&
      (type === 'deleted' || (previous !== undefined && !deepEqual(declared(previous), declared(resource))))
    if (isDrift) this.#suspects.add(id)
    this.#options.onTouched(isDrift)
  }

  /** Puts back what differs from the commit, among what was touched since the last time. */
  async heal({ metadata, spec, ...application }: Application): Promise<void> {
    if (this.#suspects.size === 0) return
    const suspects = this.#suspects
    this.#suspects = new Set()
    if (spec.selfHeal === false || spec.suspend) return
    const { client, application: owner } = this.#options
    const targets = [...suspects].flatMap((id) => this.#targets.get(id) ?? [])
    try {
      const { entries } = await diff(client, targets, owner, { ignore: spec.ignoreDifferences })
      for (const { target, change, live, wanted, sent } of entries) {
        if (change === 'unchanged') continue
        await client.apply(target.kind, sent, { fieldManager: FIELD_MANAGER, force: true })
        this.#tell({ ...application, metadata, spec }, target, live, wanted)
      }
    } catch (error) {
      for (const id of suspects) this.#suspects.add(id)
      throw error
    }
  }

  #tell(application: Application, target: Target, live: AnyResource | undefined, wanted: AnyResource): void {
    const { events, onProgress } = this.#options
    const resource = titleOf(target.object)
    const { fields, by } = live ? describeDrift(live, wanted, FIELD_MANAGER) : { fields: [], by: 'a delete' }
    const commit = application.status?.lastAppliedCommit?.slice(0, 7) ?? 'the commit'
    const what = live
      ? `${by} changed ${fields.join(', ')} of ${resource}, which contradicts ${commit}; put back`
      : `${resource} was deleted, which contradicts ${commit}; made again`
    events.event(application, 'Warning', 'DriftCorrected', what)
    onProgress({ type: 'drift-corrected', application: this.#options.application, resource, by, fields })
  }
}

/** What a commit has a say in, without what others keep writing. */
function declared({ metadata, status: _status, ...rest }: AnyResource): object {
  const { labels, annotations, deletionTimestamp } = metadata
  return { ...rest, labels, annotations, deletionTimestamp }
}
