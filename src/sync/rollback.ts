import type { ApplicationSpec, ApplicationStatus } from '../api/kinds/application.ts'
import type { CommitInfo, Failure } from './progress.ts'
import { ALLOW_MASS_DELETE, isAllowed } from './prune.ts'

export type AfterFailure =
  /** There is nothing to go back to, or it is not wanted: everything stays as it is. */
  | { readonly action: 'stay' }
  /** The last healthy commit is applied again; with `revert`, the branch gets a commit that says so. */
  | { readonly action: 'back'; readonly to: string; readonly revert: boolean }

export const REVERT_AUTHOR = 'Seamark'

/** What becomes of a commit that failed. It is in quarantine either way. Pure. */
export function decideAfterFailure(
  commit: CommitInfo,
  failure: Failure,
  spec: ApplicationSpec,
  status: ApplicationStatus | undefined,
): AfterFailure {
  const policy = spec.rollback?.onFailure ?? 'previous'
  const to = status?.lastHealthyCommit
  if (policy === 'none' || to === undefined || to === commit.id) return { action: 'stay' }
  // A revert that fails is not reverted: the two would take turns for ever. Nor is what was never applied.
  const isApplied = failure.reason === 'NotHealthy' || failure.reason === 'ApplyFailed'
  const revert = policy === 'revert' && isApplied && commit.author !== REVERT_AUTHOR
  return { action: 'back', to, revert }
}

/**
 * A commit that failed before is left alone ("quarantined") until somebody asks for it, or allows what it was refused
 * for ("allowed": it is to be tried again). Pure.
 */
export function quarantineOf(
  commit: string,
  status: ApplicationStatus | undefined,
  annotations: Readonly<Record<string, string>> | undefined,
): 'none' | 'quarantined' | 'allowed' {
  const entry = status?.quarantinedCommits?.find(({ commit: id }) => id === commit)
  if (!entry) return 'none'
  const isConsent = entry.reason === 'PruneFailed' && isAllowed(annotations?.[ALLOW_MASS_DELETE], commit)
  return isConsent ? 'allowed' : 'quarantined'
}
