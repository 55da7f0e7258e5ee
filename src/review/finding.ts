import type { Manifest } from '../sync/manifest.ts'
import { titleOf } from '../sync/target.ts'

/** One thing a check has to say about a manifest. */
export interface Finding {
  readonly severity: 'error' | 'warning'
  /** invalid, unknown-kind, unreadable, unresolved-reference, unschedulable, no-endpoints */
  readonly rule: string
  readonly message: string
  readonly file: string
  readonly line: number
  readonly column: number
  /** "Deployment shop/web" */
  readonly resource?: string | undefined
}

export interface Review {
  readonly objects: number
  readonly files: number
  readonly findings: readonly Finding[]
}

export function findingAt(manifest: Manifest, field: string, rule: string, message: string): Finding {
  const { file, line = 1, column = 1 } = manifest.placeOf(field, message)
  return { severity: 'error', rule, file, line, column, message, resource: titleOf(manifest.object) }
}
