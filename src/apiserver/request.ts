import type { User } from './auth/authenticate.ts'

/** What every request carries beside its object. */
export interface RequestContext {
  readonly user: User
  readonly fieldManager: string
  readonly dryRun: boolean
  readonly fieldValidation: 'Strict' | 'Warn' | 'Ignore'
  /** Filled on the way; sent as Warning headers. */
  readonly warnings: string[]
}
