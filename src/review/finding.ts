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
