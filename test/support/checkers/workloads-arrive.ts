import type { DaemonSet } from '../../../src/api/kinds/daemon-set.ts'
import type { Deployment } from '../../../src/api/kinds/deployment.ts'
import type { Job } from '../../../src/api/kinds/job.ts'
import type { StatefulSet } from '../../../src/api/kinds/stateful-set.ts'
import type { Resource } from '../../../src/api/resource.ts'
import type { Checker, ClusterView } from './checker.ts'

/** In the end every workload is where its spec wants it, unless a quota is in its way. */
export function workloadsArrive(): Checker {
  return {
    atRest(view) {
      const wrong: string[] = []
      const expectAll = (one: Resource, what: string, is: number | undefined, wanted: number | undefined) => {
        if ((is ?? 0) !== (wanted ?? 0))
          wrong.push(`${one.kind} ${one.metadata.name} rests with ${is ?? 0} of ${wanted ?? 0} ${what}`)
      }
      for (const one of free<Deployment>(view, 'Deployment')) {
        expectAll(one, 'available', one.status?.availableReplicas, one.spec.replicas)
        expectAll(one, 'updated', one.status?.updatedReplicas, one.spec.replicas)
        expectAll(one, 'at all', one.status?.replicas, one.spec.replicas)
      }
      for (const one of free<StatefulSet>(view, 'StatefulSet')) {
        expectAll(one, 'available', one.status?.availableReplicas, one.spec.replicas)
        expectAll(one, 'updated', one.status?.updatedReplicas, one.spec.replicas)
        expectAll(one, 'at all', one.status?.replicas, one.spec.replicas)
      }
      for (const one of free<DaemonSet>(view, 'DaemonSet')) {
        expectAll(one, 'available', one.status?.numberAvailable, view.all('Node').length)
        expectAll(one, 'updated', one.status?.updatedNumberScheduled, view.all('Node').length)
      }
      for (const one of free<Job>(view, 'Job')) {
        const isDone = one.status?.conditions?.some(
          ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
        )
        if (!isDone && !one.spec.suspend) wrong.push(`Job ${one.metadata.name} never ends`)
      }
      return wrong
    },
  }
}

function free<R extends Resource>(view: ClusterView, kind: string): readonly R[] {
  const bounded = view.all('ResourceQuota').map(({ metadata }) => metadata.namespace)
  return view.all<R>(kind).filter(({ metadata }) => !bounded.includes(metadata.namespace))
}
