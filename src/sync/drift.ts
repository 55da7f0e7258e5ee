import type { AnyResource } from '../api/resource.ts'
import { parseTime } from '../base/date.ts'
import { deepEqual, isObject, type JsonObject } from '../base/json.ts'

/** What differs from the commit, and who made it differ. Field paths only, never values: it may be a Secret. */
export interface Drift {
  /** As Kubernetes writes them: spec.template.spec.containers[0].image */
  readonly fields: readonly string[]
  /** The field manager that wrote one of them last; "somebody" when none is recorded. */
  readonly by: string
}

const FIELDS_MAX = 20

/** `live` as it stands, `wanted` as the commit would have it stored. Pure. */
export function describeDrift(live: AnyResource, wanted: AnyResource, ownManager: string): Drift {
  const paths: string[][] = []
  compare(bare(live), bare(wanted), [], paths)
  const fields = paths.slice(0, FIELDS_MAX).map(shown)
  const others = (live.metadata.managedFields ?? [])
    .filter(({ manager, subresource }) => manager !== ownManager && !subresource)
    .map((entry) => ({
      manager: entry.manager ?? 'somebody',
      at: parseTime(entry.time) ?? 0,
      owns: paths.some((path) => owns(entry.fieldsV1, path)),
    }))
    // Who owns a field that differs is to blame; a removed field is owned by nobody, so then the latest writer.
    .sort((a, b) => Number(b.owns) - Number(a.owns) || b.at - a.at)
  return { fields, by: others[0]?.manager ?? 'somebody' }
}

/** Without bookkeeping and status: what a commit has a say in. */
export function bare({ metadata, status: _status, ...rest }: AnyResource): JsonObject {
  const {
    managedFields: _fields,
    resourceVersion: _revision,
    generation: _generation,
    uid: _uid,
    creationTimestamp: _time,
    ...kept
  } = metadata
  return { ...rest, metadata: kept }
}

function compare(live: unknown, wanted: unknown, path: string[], into: string[][]): void {
  if (deepEqual(live, wanted)) return
  if (isObject(live) && isObject(wanted)) {
    for (const key of new Set([...Object.keys(live), ...Object.keys(wanted)]))
      compare(live[key], wanted[key], [...path, key], into)
  } else if (Array.isArray(live) && Array.isArray(wanted) && live.length === wanted.length) {
    for (const [i, item] of live.entries()) compare(item, wanted[i], [...path, `[${i}]`], into)
  } else into.push(path)
}

function shown(path: readonly string[]): string {
  return path.join('.').replaceAll('.[', '[')
}

/** Whether a managed field set ("f:spec", "k:{…}") covers a path; items of lists are matched as a whole. */
function owns(fields: unknown, path: readonly string[]): boolean {
  let at: unknown = fields
  for (const step of path) {
    if (!isObject(at)) return false
    if (Object.keys(at).length === 0) return true
    if (step.startsWith('[')) {
      const rest = path.slice(path.indexOf(step) + 1)
      return Object.entries(at).some(([key, below]) => /^[kv]:/.test(key) && owns(below, rest))
    }
    if (!Object.hasOwn(at, `f:${step}`)) return false
    at = at[`f:${step}`]
  }
  return true
}
