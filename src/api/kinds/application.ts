import { ageColumn, nameColumn } from '../age.ts'
import { applicationSchema } from '../application-schema.ts'
import { findCondition } from '../conditions.ts'
import { parseDuration } from '../duration.ts'
import { defineKind, type Health } from '../kind.ts'
import type { Resource } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { validateSchema } from '../validate-schema.ts'
import { WAVE } from '../waves.ts'

/** One path of one source, kept converged. */
export interface Application extends Resource {
  readonly spec: ApplicationSpec
  readonly status?: ApplicationStatus | undefined
}

export interface ApplicationSpec {
  readonly source: {
    /** Folder, work tree, bare repository or URL. Absent: the repository that Seamark was started with. */
    readonly repo?: string | undefined
    readonly branch?: string | undefined
    readonly tag?: string | undefined
    readonly semver?: string | undefined
    readonly commit?: string | undefined
    /** Folder inside the repository; "." by default. */
    readonly path?: string | undefined
  }
  readonly render?: { readonly type?: 'auto' | 'plain' | 'kustomize' | 'helm' | undefined } | undefined
  readonly destination?:
    | { readonly namespace?: string | undefined; readonly kubeconfigSecret?: string | undefined }
    | undefined
  readonly interval?: string | undefined
  readonly prune?: boolean | undefined
  readonly selfHeal?: boolean | undefined
  readonly suspend?: boolean | undefined
  readonly timeout?: string | undefined
  readonly dependsOn?:
    | readonly { readonly name: string; readonly namespace?: string | undefined }[]
    | undefined
  readonly retry?: { readonly limit?: number | undefined; readonly interval?: string | undefined } | undefined
  readonly rollback?: { readonly onFailure?: 'previous' | 'revert' | 'none' | undefined } | undefined
  readonly ignoreDifferences?: readonly IgnoreDifference[] | undefined
  readonly serviceAccountName?: string | undefined
  readonly syncWindows?:
    | readonly {
        readonly kind: 'allow' | 'deny'
        readonly schedule: string
        readonly duration: string
        readonly timeZone?: string | undefined
      }[]
    | undefined
}

export interface IgnoreDifference {
  readonly group?: string | undefined
  readonly kind?: string | undefined
  readonly name?: string | undefined
  readonly namespace?: string | undefined
  /** e.g. /spec/replicas */
  readonly jsonPointers?: readonly string[] | undefined
}

export interface ApplicationStatus {
  readonly observedGeneration?: number | undefined
  readonly conditions?: readonly ApplicationCondition[] | undefined
  readonly lastAppliedCommit?: string | undefined
  readonly lastAttemptedCommit?: string | undefined
  readonly lastHealthyCommit?: string | undefined
  readonly quarantinedCommits?:
    | readonly {
        readonly commit: string
        readonly reason: string
        readonly message: string
        readonly at: string
      }[]
    | undefined
  readonly resources?: readonly ApplicationResource[] | undefined
  readonly inventory?: { readonly entries: readonly InventoryEntry[] } | undefined
  readonly history?: readonly ApplicationHistory[] | undefined
  /** The value of the annotation seamark.dev/sync-requested-at that was acted on last. */
  readonly lastHandledSyncRequest?: string | undefined
}

export interface ApplicationCondition {
  readonly type: string
  readonly status: string
  readonly reason?: string | undefined
  readonly message?: string | undefined
  readonly lastTransitionTime?: string | undefined
  readonly observedGeneration?: number | undefined
}

export interface ApplicationResource {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly namespace?: string | undefined
  readonly name: string
  readonly health?: Health | undefined
  readonly file?: string | undefined
  readonly line?: number | undefined
}

/** Flux' form: id "namespace_name_group_kind", v the version. */
export interface InventoryEntry {
  readonly id: string
  readonly v: string
}

export interface ApplicationHistory {
  readonly commit: string
  readonly subject: string
  readonly author?: string | undefined
  readonly startedAt: string
  readonly appliedAt?: string | undefined
  readonly finishedAt?: string | undefined
  readonly outcome: 'Applied' | 'Healthy' | 'Failed' | 'RolledBack' | 'Superseded'
  readonly reason?: string | undefined
  readonly message?: string | undefined
  readonly changes?:
    | {
        readonly created: number
        readonly configured: number
        readonly unchanged: number
        readonly pruned: number
      }
    | undefined
}

export const application = defineKind<Application>({
  group: 'seamark.dev',
  version: 'v1alpha1',
  kind: 'Application',
  plural: 'applications',
  scope: 'Namespaced',
  shortNames: ['app'],
  categories: ['seamark'],
  schema: applicationSchema,
  applyWave: WAVE.application,
  subresources: { status: true },
  setDefaults(resource) {
    const spec: Partial<ApplicationSpec> = resource.spec ?? {}
    return {
      ...resource,
      spec: {
        ...spec,
        source: { ...spec.source, path: spec.source?.path ?? '.' },
        render: { ...spec.render, type: spec.render?.type ?? 'auto' },
        interval: spec.interval ?? '60s',
        prune: spec.prune ?? true,
        selfHeal: spec.selfHeal ?? true,
        suspend: spec.suspend ?? false,
        timeout: spec.timeout ?? '10m',
        rollback: { ...spec.rollback, onFailure: spec.rollback?.onFailure ?? 'previous' },
      },
    }
  },
  validate,
  columns: [
    nameColumn,
    {
      name: 'Synced',
      type: 'string',
      description: 'Whether the objects of the commit are applied.',
      value: ({ status }) => findCondition(status?.conditions, 'Synced')?.status ?? 'Unknown',
    },
    {
      name: 'Healthy',
      type: 'string',
      description: "Whether every object is healthy by its kind's own rule.",
      value: ({ status }) => findCondition(status?.conditions, 'Healthy')?.status ?? 'Unknown',
    },
    {
      name: 'Commit',
      type: 'string',
      description: 'The commit that was applied last.',
      value: ({ status }) => status?.lastAppliedCommit?.slice(0, 7) ?? '',
    },
    {
      name: 'Status',
      type: 'string',
      description: 'What is being done, or why it failed.',
      value: ({ status }) => findCondition(status?.conditions, 'Ready')?.message ?? '',
    },
    ageColumn,
    {
      name: 'Path',
      type: 'string',
      priority: 1,
      description: 'The folder of the repository.',
      value: ({ spec }) => spec.source.path ?? '.',
    },
  ],
  health({ metadata, status }) {
    if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
      return { status: 'Progressing', message: 'Waiting to be observed' }
    const ready = findCondition(status?.conditions, 'Ready')
    if (ready?.status === 'True') return { status: 'Healthy' }
    return {
      status: ready?.status === 'False' ? 'Degraded' : 'Progressing',
      message: ready?.message ?? 'Not reconciled yet',
    }
  },
  example: {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: 'default' },
    spec: { source: { branch: 'main', path: 'apps' } },
  },
})

function validate(resource: Application): StatusCause[] {
  const wrong = [...validateSchema({ spec: resource.spec }, applicationSchema)]
  const { source, interval, timeout, retry } = resource.spec
  const given = (['branch', 'tag', 'semver', 'commit'] as const).filter(
    (field) => source?.[field] !== undefined,
  )
  for (const field of given.slice(1))
    wrong.push(fault.forbidden(`spec.source.${field}`, `may not be used together with ${given[0]}`))
  for (const [path, text] of [
    ['spec.interval', interval],
    ['spec.timeout', timeout],
    ['spec.retry.interval', retry?.interval],
  ] as const) {
    if (text !== undefined && (parseDuration(text) ?? 0) <= 0)
      wrong.push(fault.invalid(path, text, 'must be a duration greater than 0, such as "60s" or "10m"'))
  }
  const path = source?.path ?? '.'
  if (path.startsWith('/') || path.split('/').includes('..'))
    wrong.push(fault.invalid('spec.source.path', path, 'must be a relative path inside the repository'))
  return wrong
}
