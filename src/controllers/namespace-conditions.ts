/** What a Terminating namespace says about what is left in it, in Kubernetes' words. Pure. */
import { findCondition } from '../api/conditions.ts'
import type { V1NamespaceCondition } from '../api/generated/types.ts'
import { formatTime } from '../base/date.ts'

export interface Remains {
  /** Kinds and how many are left of each: "pods." of the core group, "deployments.apps". */
  readonly resources: ReadonlyMap<string, number>
  /** Finalizers, and on how many objects each is. */
  readonly finalizers: ReadonlyMap<string, number>
  /** What could not be listed or deleted, and why. */
  readonly failures: readonly string[]
}

type Said = Pick<V1NamespaceCondition, 'type' | 'status' | 'reason' | 'message'>

export function namespaceConditions(
  before: readonly V1NamespaceCondition[] | undefined,
  { resources, finalizers, failures }: Remains,
  now: number,
): readonly V1NamespaceCondition[] {
  const said: Said[] = [
    {
      type: 'NamespaceDeletionDiscoveryFailure',
      status: 'False',
      reason: 'ResourcesDiscovered',
      message: 'All resources successfully discovered',
    },
    {
      type: 'NamespaceDeletionGroupVersionParsingFailure',
      status: 'False',
      reason: 'ParsedGroupVersions',
      message: 'All legacy kube types successfully parsed',
    },
    failures.length > 0
      ? {
          type: 'NamespaceDeletionContentFailure',
          status: 'True',
          reason: 'ContentDeletionFailed',
          message: `Failed to delete all resource types, ${failures.length} remaining: ${failures.toSorted().join(', ')}`,
        }
      : {
          type: 'NamespaceDeletionContentFailure',
          status: 'False',
          reason: 'ContentDeleted',
          message: 'All content successfully deleted, may be waiting on finalization',
        },
    resources.size > 0
      ? {
          type: 'NamespaceContentRemaining',
          status: 'True',
          reason: 'SomeResourcesRemain',
          message: `Some resources are remaining: ${listed(resources, (name, count) => `${name} has ${count} resource instances`)}`,
        }
      : {
          type: 'NamespaceContentRemaining',
          status: 'False',
          reason: 'ContentRemoved',
          message: 'All content successfully removed',
        },
    finalizers.size > 0
      ? {
          type: 'NamespaceFinalizersRemaining',
          status: 'True',
          reason: 'SomeFinalizersRemain',
          message: `Some content in the namespace has finalizers remaining: ${listed(finalizers, (name, count) => `${name} in ${count} resource instances`)}`,
        }
      : {
          type: 'NamespaceFinalizersRemaining',
          status: 'False',
          reason: 'ContentHasNoFinalizers',
          message: 'All content-preserving finalizers finished',
        },
  ]
  return said.map((each) => {
    const known = findCondition(before, each.type)
    const isSameStatus = known?.status === each.status
    return { ...each, lastTransitionTime: isSameStatus ? known.lastTransitionTime : formatTime(now) }
  })
}

function listed(counts: ReadonlyMap<string, number>, words: (name: string, count: number) => string): string {
  return [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => words(name, count))
    .join(', ')
}
