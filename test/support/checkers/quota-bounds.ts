import type { Pod } from '../../../src/api/kinds/pod.ts'
import type { ResourceQuota } from '../../../src/api/kinds/resource-quota.ts'
import { isPodTerminal, podRequests } from '../../../src/api/pods.ts'
import { parseQuantity } from '../../../src/api/quantity.ts'
import type { Resource } from '../../../src/api/resource.ts'
import { parseTime } from '../../../src/base/date.ts'
import type { Checker, ClusterView } from './checker.ts'

/** Nothing is made that takes its namespace over a quota. Counted again from the objects, by plain sums. */
export function quotaBounds(): Checker {
  return {
    see({ object, previous, isGone, view, at }) {
      if (isGone || previous) return []
      const { namespace } = object.metadata
      return view
        .all<ResourceQuota>('ResourceQuota')
        .filter(({ metadata }) => metadata.namespace === namespace)
        .flatMap(({ metadata, spec }) =>
          Object.entries(spec.hard ?? {}).flatMap(([name, hard]) => {
            const used = usedOf(name, namespace, view, at)
            return used.kinds.includes(object.kind) && used.amount > parseQuantity(hard) + 1e-9
              ? [
                  `${object.kind} ${object.metadata.name} takes ${metadata.name} to ${used.amount} ${name} of ${hard}`,
                ]
              : []
          }),
        )
    },
  }
}

function usedOf(name: string, namespace: string | undefined, view: ClusterView, now: number) {
  const of = <R extends Resource>(kind: string) =>
    view.all<R>(kind).filter(({ metadata }) => metadata.namespace === namespace)
  const pods = of<Pod>('Pod').filter((pod) => !isPodTerminal(pod) && !isStuck(pod, now))
  const kinds = ['Pod']
  switch (name) {
    case 'pods':
      return { kinds, amount: pods.length }
    case 'requests.cpu':
      return {
        kinds,
        amount: pods.reduce((sum, pod) => sum + parseQuantity(podRequests(pod)['cpu'] ?? '0'), 0),
      }
    case 'persistentvolumeclaims':
      return { kinds: ['PersistentVolumeClaim'], amount: of('PersistentVolumeClaim').length }
    case 'count/jobs.batch':
      return { kinds: ['Job'], amount: of('Job').length }
    default:
      throw new Error(`The checker cannot count ${name}`)
  }
}

/** It should be gone: its node is lost, and another one may take its place. */
function isStuck({ metadata }: Pod, now: number): boolean {
  const goneAt = parseTime(metadata.deletionTimestamp)
  return goneAt !== undefined && now > goneAt + (metadata.deletionGracePeriodSeconds ?? 0) * 1000
}
