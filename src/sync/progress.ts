import type { Health } from '../api/kind.ts'

/** What an application's sync tells whoever shows it, as it happens. `application` is "namespace/name". */
export type Progress =
  | { readonly type: 'waiting-for-source'; readonly application: string; readonly message: string }
  | {
      readonly type: 'commit-seen'
      readonly application: string
      readonly commit: CommitInfo
      readonly seenAt: number
    }
  | {
      readonly type: 'rendered'
      readonly application: string
      readonly commit: string
      readonly objects: number
      readonly warnings: readonly Place[]
    }
  | { readonly type: 'accepted'; readonly application: string; readonly commit: string }
  | {
      readonly type: 'applied'
      readonly application: string
      readonly commit: string
      readonly changes: ChangeCounts
      readonly tookMs: number
    }
  | {
      readonly type: 'waiting'
      readonly application: string
      readonly commit: string
      readonly resources: readonly ResourceLine[]
    }
  | {
      readonly type: 'healthy'
      readonly application: string
      readonly commit: string
      readonly tookMs: number
      readonly notedOn?: string
    }
  | {
      readonly type: 'failed'
      readonly application: string
      readonly commit: string
      readonly failure: Failure
    }
  | {
      readonly type: 'rolling-back'
      readonly application: string
      readonly from: string
      readonly to: string
    }
  | {
      readonly type: 'rolled-back'
      readonly application: string
      readonly from: string
      readonly to: string
      readonly tookMs: number
    }
  | {
      readonly type: 'superseded'
      readonly application: string
      readonly commit: string
      readonly by: string
    }
  | {
      readonly type: 'drift-corrected'
      readonly application: string
      readonly resource: string
      readonly by: string
      readonly fields: readonly string[]
    }
  /** The newest commit failed before this process began: it is not tried by itself. */
  | {
      readonly type: 'quarantined'
      readonly application: string
      readonly commit: CommitInfo
      readonly message: string
    }
  /** Objects of a commit that had succeeded fell ill, and later got well. */
  | { readonly type: 'degraded'; readonly application: string; readonly message: string }
  | { readonly type: 'recovered'; readonly application: string }
  | { readonly type: 'suspended'; readonly application: string }

export interface CommitInfo {
  readonly id: string
  readonly subject: string
  readonly author?: string | undefined
  /** Epoch ms. */
  readonly at: number
  readonly branch?: string | undefined
}

export interface ChangeCounts {
  readonly created: number
  readonly configured: number
  readonly unchanged: number
  readonly pruned: number
}

export interface ResourceLine {
  readonly kind: string
  readonly namespace?: string | undefined
  readonly name: string
  readonly health: Health
}

/** Where in the source something is: file, and line and column from 1. */
export interface Place {
  readonly file: string
  readonly line?: number | undefined
  readonly column?: number | undefined
  readonly message: string
}

/** Why a commit failed. `stage` names what was being done. */
export interface Failure {
  readonly reason:
    | 'SourceFailed'
    | 'RenderFailed'
    | 'DiffFailed'
    | 'ApplyFailed'
    | 'PruneFailed'
    | 'NotHealthy'
    | 'WriteBackFailed'
  readonly message: string
  /** "Deployment shop/checkout", when one object is to blame. */
  readonly resource?: string | undefined
  readonly places: readonly Place[]
}
