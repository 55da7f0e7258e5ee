/**
 * When history is forgotten: what is older than five minutes (Kubernetes' own interval with etcd), and more than
 * 50,000 revisions in any case, so that a burst cannot fill the memory. Watchers and paged lists live inside this window.
 * It is decided on writes: a store that nobody writes to has nothing new to forget, and needs no timer.
 */
export interface CompactionPolicy {
  readonly retainMs: number
  readonly revisionsMax: number
  /** How often the revision is noted; history lives up to this much longer. */
  readonly sampleMs: number
}

export const DEFAULT_COMPACTION: CompactionPolicy = {
  retainMs: 300_000,
  revisionsMax: 50_000,
  sampleMs: 30_000,
}

/** The revision that was the newest at a time. */
export interface RevisionSample {
  readonly at: number
  readonly revision: number
}

/** The revision to compact at, and the samples still needed; undefined when there is nothing to forget. */
export function planCompaction(
  policy: CompactionPolicy,
  samples: readonly RevisionSample[],
  now: number,
  revision: number,
  compactedRevision: number,
): { target: number | undefined; samples: readonly RevisionSample[] } {
  const due = samples.findLastIndex((sample) => now - sample.at >= policy.retainMs)
  const byAge = samples[due]?.revision ?? 0
  // By count it is done in steps, or every write past the limit would compact.
  const step = Math.max(1, Math.floor(policy.revisionsMax / 10))
  const excess = revision - policy.revisionsMax
  const byCount = excess - compactedRevision >= step ? excess : 0
  const target = Math.max(byAge, byCount)
  return { target: target > compactedRevision ? target : undefined, samples: samples.slice(due + 1) }
}

/** Remembers the samples of one store. */
export class CompactionSchedule {
  #samples: readonly RevisionSample[] = []
  readonly #policy: CompactionPolicy

  constructor(policy: CompactionPolicy = DEFAULT_COMPACTION) {
    this.#policy = policy
  }

  /** Call after a write: the revision to compact at, if it is time. */
  due(
    now: number,
    store: { readonly revision: number; readonly compactedRevision: number },
  ): number | undefined {
    const plan = planCompaction(this.#policy, this.#samples, now, store.revision, store.compactedRevision)
    const last = plan.samples.at(-1)
    const sample = !last || now - last.at >= this.#policy.sampleMs || now < last.at
    this.#samples = sample ? [...plan.samples, { at: now, revision: store.revision }] : plan.samples
    return plan.target
  }
}
