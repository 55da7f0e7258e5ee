import type { User } from './auth/authenticate.ts'

/** What every request carries beside its object. */
export interface RequestContext {
  readonly user: User
  readonly fieldManager: string
  readonly dryRun: boolean
  readonly fieldValidation: 'Strict' | 'Warn' | 'Ignore'
  /** Throws Forbidden when the user may not create what an apply would; absent where everything is allowed. */
  readonly mustMayCreate?: () => Promise<void>
  /** Filled on the way; sent as Warning headers. */
  readonly warnings: string[]
}
