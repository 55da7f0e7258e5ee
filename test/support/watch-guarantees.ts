import type { Change, WatchBatch } from '../../src/apiserver/store/store.ts'

/**
 * Validators of one recorded watch against the true history; one function per promise. Each answers with its
 * violations in words: none is right. They hold for any engine and any prefix of a watch, so they can run on
 * whatever was recorded: a unit test, a property, a simulation, a real process.
 */
export interface RecordedWatch {
  readonly prefix: string
  /** The revision the watch began after, "now" resolved. */
  readonly after: number
  readonly batches: readonly WatchBatch[]
}

type Validator = (watch: RecordedWatch, history: readonly Change[]) => string[]

/** Revisions grow, and a batch tells nothing beyond its own revision nor before the last one. */
export const ordered: Validator = (watch) => {
  const violations: string[] = []
  let told = watch.after
  for (const batch of watch.batches) {
    if (batch.revision <= told) violations.push(`Batch at ${batch.revision} follows revision ${told}`)
    let last = told
    for (const change of batch.changes) {
      if (change.revision < last || change.revision <= told || change.revision > batch.revision)
        violations.push(`${name(change)} comes after revision ${last}, in the batch at ${batch.revision}`)
      last = Math.max(last, change.revision)
    }
    told = Math.max(told, batch.revision)
  }
  return violations
}

/** Each change once. */
export const unique: Validator = (watch) => {
  const seen = new Set<string>()
  return delivered(watch).flatMap((change) => {
    const again = seen.has(name(change))
    seen.add(name(change))
    return again ? [`${name(change)} comes twice`] : []
  })
}

/** All changes of a revision in one batch. */
export const atomic: Validator = (watch) => {
  const batchOf = new Map<number, number>()
  return watch.batches.flatMap((batch, index) =>
    batch.changes.flatMap((change) => {
      const first = batchOf.get(change.revision) ?? index
      batchOf.set(change.revision, first)
      return first === index
        ? []
        : [`Revision ${change.revision} is split over batches ${first} and ${index}`]
    }),
  )
}

/** Nothing outside the prefix, and nothing that never happened. */
export const filtered: Validator = (watch, history) => {
  const real = new Map(history.map((change) => [name(change), change]))
  return delivered(watch).flatMap((change) => {
    if (!change.key.startsWith(watch.prefix)) return [`${name(change)} is outside "${watch.prefix}"`]
    const truth = real.get(name(change))
    if (!truth) return [`${name(change)} never happened`]
    const same = truth.type === change.type && truth.createRevision === change.createRevision
    return same && text(truth.value) === text(change.value) ? [] : [`${name(change)} is told wrong`]
  })
}

/** No gap up to the last revision told. */
export const reliable: Validator = (watch, history) => missing(watch, history, watch.batches.at(-1)?.revision)

/** It begins strictly after the revision asked for, with the very next change. */
export const resumable: Validator = (watch, history) => {
  const early = delivered(watch).filter((change) => change.revision <= watch.after)
  const first = delivered(watch)[0]
  return [
    ...early.map((change) => `${name(change)} is not after ${watch.after}`),
    ...missing(watch, history, first?.revision),
  ]
}

/** When a batch at R has come, everything up to R has come. */
export const bookmarkable: Validator = (watch, history) =>
  watch.batches.flatMap((batch, index) =>
    missing({ ...watch, batches: watch.batches.slice(0, index + 1) }, history, batch.revision),
  )

/** The previous value may be absent, never wrong; a create has none. */
export const previousIsRight: Validator = (watch, history) =>
  delivered(watch).flatMap((change) => {
    if (!change.previous) return []
    const before = history.filter((old) => old.key === change.key && old.revision < change.revision).at(-1)
    const right = before?.type === 'put' && text(before.value) === text(change.previous)
    return right ? [] : [`${name(change)} carries a wrong previous value`]
  })

export const WATCH_GUARANTEES = {
  ordered,
  unique,
  atomic,
  filtered,
  reliable,
  resumable,
  bookmarkable,
  previousIsRight,
} as const

/** All violations, each under the promise it breaks. `history`: every change there was, in order. */
export function watchViolations(watch: RecordedWatch, history: readonly Change[]): string[] {
  return Object.entries(WATCH_GUARANTEES).flatMap(([promise, validate]) =>
    validate(watch, history).map((violation) => `${promise}: ${violation}`),
  )
}

function missing(watch: RecordedWatch, history: readonly Change[], upTo: number | undefined): string[] {
  if (upTo === undefined) return []
  const told = new Set(delivered(watch).map(name))
  return history
    .filter((change) => change.key.startsWith(watch.prefix))
    .filter((change) => change.revision > watch.after && change.revision <= upTo)
    .filter((change) => !told.has(name(change)))
    .map((change) => `${name(change)} is missing up to ${upTo}`)
}

function delivered(watch: RecordedWatch): readonly Change[] {
  return watch.batches.flatMap((batch) => batch.changes)
}

function name(change: Change): string {
  return `${change.type} ${change.key}@${change.revision}`
}

function text(value: unknown): string {
  return JSON.stringify(value)
}
