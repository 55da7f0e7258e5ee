import type { Pod } from '../../../src/api/kinds/pod.ts'
import { controllerOf } from '../../../src/api/resource.ts'
import type { Checker } from './checker.ts'

/**
 * Never two live pods of one ordinal. Names are unique, so this could break in two ways: a pod under a name that is not
 * its ordinal's, and a pod that leaves the API while the kubelet of a node that is there still runs its containers.
 */
export function statefulIdentity(): Checker {
  return {
    see({ object, isGone, view }) {
      if (object.kind !== 'Pod') return []
      const pod = object as Pod
      const owner = controllerOf(pod)
      if (owner?.kind !== 'StatefulSet') return []
      const { name, labels } = pod.metadata
      const wrong: string[] = []
      if (name !== `${owner.name}-${labels?.['apps.kubernetes.io/pod-index']}`)
        wrong.push(`Pod ${name} of StatefulSet ${owner.name} has the name of another ordinal`)
      const twins = isGone
        ? []
        : view
            .all<Pod>('Pod')
            .filter((other) => other !== pod && controllerOf(other)?.uid === owner.uid)
            .filter((other) => ordinalOf(other) === ordinalOf(pod))
      for (const twin of twins)
        wrong.push(
          `Pods ${name} and ${twin.metadata.name} are both ordinal ${ordinalOf(pod)} of ${owner.name}`,
        )
      const hasNode = view.all('Node').some(({ metadata }) => metadata.name === pod.spec.nodeName)
      const runs = pod.status?.containerStatuses?.some(({ state }) => state?.running) ?? false
      if (isGone && hasNode && runs)
        wrong.push(`Pod ${name} is gone while ${pod.spec.nodeName} still runs it`)
      return wrong
    },
  }
}

function ordinalOf({ metadata }: Pod): string | undefined {
  return metadata.labels?.['apps.kubernetes.io/pod-index']
}
