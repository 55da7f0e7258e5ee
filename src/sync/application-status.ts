import { findCondition, removeCondition, setCondition } from '../api/conditions.ts'
import type {
  ApplicationCondition,
  ApplicationHistory,
  ApplicationResource,
  ApplicationStatus,
  InventoryEntry,
} from '../api/kinds/application.ts'
import { formatTime } from '../base/date.ts'
import type { CommitInfo, Failure } from './progress.ts'

/**
 * An Application's status after each thing that can happen to it. Pure; `now` in epoch ms. Ready is the summary:
 * Unknown while something is under way, True when the newest commit is applied and healthy, False with the reason of
 * the stage that failed. Synced: the objects of the commit are applied. Healthy: they are well. Reconciling is there
 * only while work is under way, Stalled only when somebody must edit the Application.
 */
type Status = ApplicationStatus
type Conditions = Status['conditions']

const HISTORY_MAX = 20

function set(conditions: Conditions, now: number, ...all: readonly ApplicationCondition[]): Conditions {
  return all.reduce<Conditions>((list, condition) => setCondition(list, condition, now), conditions)
}

function without(conditions: Conditions, ...types: readonly string[]): Conditions {
  return types.reduce<Conditions>((list, type) => removeCondition(list, type), conditions)
}

export function attempting(status: Status, commit: CommitInfo, now: number): Status {
  const message = `Applying ${shown(commit)}`
  return {
    ...status,
    lastAttemptedCommit: commit.id,
    conditions: set(
      without(status.conditions, 'Stalled'),
      now,
      { type: 'Ready', status: 'Unknown', reason: 'Reconciling', message },
      { type: 'Reconciling', status: 'True', reason: 'Progressing', message },
    ),
  }
}

export function applied(
  status: Status,
  commit: CommitInfo,
  inventory: readonly InventoryEntry[],
  now: number,
): Status {
  const message = `Applied ${shown(commit)}`
  return {
    ...status,
    lastAppliedCommit: commit.id,
    inventory: { entries: inventory },
    conditions: set(status.conditions, now, { type: 'Synced', status: 'True', reason: 'Applied', message }),
  }
}

export function healthy(
  status: Status,
  commit: CommitInfo,
  after: {
    readonly resources: readonly ApplicationResource[]
    /** Absent: this outcome is in the history already. */
    readonly history?: ApplicationHistory | undefined
    readonly requested?: string | undefined
  },
  now: number,
): Status {
  return {
    ...status,
    ...request(after.requested),
    lastAttemptedCommit: commit.id,
    lastHealthyCommit: commit.id,
    quarantinedCommits: (status.quarantinedCommits ?? []).filter(({ commit: id }) => id !== commit.id),
    resources: after.resources,
    history: remembered(status, after.history),
    conditions: set(
      without(status.conditions, 'Reconciling', 'Stalled'),
      now,
      {
        type: 'Ready',
        status: 'True',
        reason: 'Healthy',
        message: `${shown(commit)} is applied and healthy`,
      },
      { type: 'Synced', status: 'True', reason: 'Applied', message: `Applied ${shown(commit)}` },
      { type: 'Healthy', status: 'True', reason: 'Healthy', message: 'Every object is healthy' },
    ),
  }
}

/** The commit goes into quarantine, with the evidence. */
export function failed(
  status: Status,
  commit: CommitInfo,
  failure: Failure,
  after: {
    readonly resources: readonly ApplicationResource[]
    readonly history: ApplicationHistory
    readonly requested?: string | undefined
  },
  now: number,
): Status {
  const message = told(failure)
  const { reason } = failure
  const others = (status.quarantinedCommits ?? []).filter(({ commit: id }) => id !== commit.id)
  const entry = { commit: commit.id, reason, message, at: formatTime(now) }
  return {
    ...status,
    ...request(after.requested),
    lastAttemptedCommit: commit.id,
    quarantinedCommits: [...others, entry].slice(-HISTORY_MAX),
    resources: after.resources,
    history: remembered(status, after.history),
    conditions: set(
      without(status.conditions, 'Reconciling'),
      now,
      { type: 'Ready', status: 'False', reason, message },
      { type: reason === 'NotHealthy' ? 'Healthy' : 'Synced', status: 'False', reason, message },
    ),
  }
}

/** The last healthy commit is back, and well; Ready stays False, because the newest commit is not what runs. */
export function rolledBack(
  status: Status,
  from: { readonly reason: string; readonly message: string },
  to: string,
  resources: readonly ApplicationResource[],
  now: number,
): Status {
  const back = `Back to ${to.slice(0, 7)}`
  return {
    ...status,
    resources,
    conditions: set(
      without(status.conditions, 'Reconciling'),
      now,
      { type: 'Healthy', status: 'True', reason: 'RolledBack', message: back },
      {
        type: 'Ready',
        status: 'False',
        reason: from.reason,
        message: `${from.message}; back to ${to.slice(0, 7)}`,
      },
    ),
  }
}

export function superseded(status: Status, history: ApplicationHistory): Status {
  return { ...status, history: remembered(status, history) }
}

/** Not the commit's fault: the source cannot be read, a dependency is not ready, the API is busy. Tried again. */
export function waiting(status: Status, reason: string, message: string, now: number): Status {
  return {
    ...status,
    conditions: set(status.conditions, now, { type: 'Ready', status: 'False', reason, message }),
  }
}

/** Nothing will change until somebody edits the Application. */
export function stalled(status: Status, reason: string, message: string, now: number): Status {
  return {
    ...status,
    conditions: set(
      without(status.conditions, 'Reconciling'),
      now,
      { type: 'Ready', status: 'False', reason, message },
      { type: 'Stalled', status: 'True', reason, message },
    ),
  }
}

/** Which object is not well, and why. */
export interface Problem {
  readonly isDegraded: boolean
  readonly message: string
}

/** How the objects are doing long after their commit: `problem` is absent when all are well. */
export function observed(
  status: Status,
  resources: readonly ApplicationResource[],
  problem: Problem | undefined,
  now: number,
): Status {
  if (!problem) {
    // Healthy already, perhaps for a reason of its own ("RolledBack").
    if (findCondition(status.conditions, 'Healthy')?.status === 'True') return { ...status, resources }
    const message = 'Every object is healthy'
    return {
      ...status,
      resources,
      conditions: set(status.conditions, now, {
        type: 'Healthy',
        status: 'True',
        reason: 'Healthy',
        message,
      }),
    }
  }
  const { message } = problem
  const reason = problem.isDegraded ? 'Degraded' : 'Progressing'
  return {
    ...status,
    resources,
    conditions: set(status.conditions, now, { type: 'Healthy', status: 'False', reason, message }),
  }
}

/** The evidence in one line: the message, and the first place it points at. */
export function told({ message, places }: Failure): string {
  const [place] = places
  if (!place) return message
  const at = place.line === undefined ? place.file : `${place.file}:${place.line}:${place.column}`
  return `${message} (${at})`
}

export function shown({ id, subject }: CommitInfo): string {
  return subject ? `${id.slice(0, 7)} "${subject}"` : id.slice(0, 7)
}

function request(requested: string | undefined): Status {
  return requested === undefined ? {} : { lastHandledSyncRequest: requested }
}

function remembered(status: Status, history: ApplicationHistory | undefined): Status['history'] {
  return history ? [history, ...(status.history ?? [])].slice(0, HISTORY_MAX) : status.history
}
