import type { V1Toleration } from '../../api/generated/types.ts'
import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import { type RuntimeClass, runtimeClass as runtimeClassKind } from '../../api/kinds/runtime-class.ts'
import type { AnyResource } from '../../api/resource.ts'
import { forbidden } from '../../api/status.ts'
import { deepEqual } from '../../base/json.ts'
import { type Admission, creationOf } from './admission.ts'

/** What a pod's runtime class costs beside its containers, and where it runs, become the pod's own. */
export const runtimeClass: Admission = {
  name: 'RuntimeClass',
  concerns: creationOf(podKind),
  async mutate({ object, reader }) {
    const pod = object as unknown as Pod
    const name = pod.spec.runtimeClassName
    const found = name ? await reader.find(runtimeClassKind, { name }) : undefined
    if (name && !found) throw refuse(pod, `pod rejected: RuntimeClass "${name}" not found`)
    const overhead = overheadOf(pod, found)
    if (!found) return object
    const spec = {
      ...pod.spec,
      ...(overhead ? { overhead } : {}),
      ...placementOf(pod, found),
    }
    return { ...pod, spec } as unknown as AnyResource
  },
}

function refuse(pod: Pod, why: string): Error {
  return forbidden(podKind, pod.metadata.name, why)
}

function overheadOf(pod: Pod, found: RuntimeClass | undefined): Pod['spec']['overhead'] {
  const { overhead } = pod.spec
  const wanted = found?.overhead?.podFixed
  if (overhead && !wanted)
    throw refuse(pod, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead')
  if (overhead && !deepEqual(overhead, wanted))
    throw refuse(pod, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
  return wanted
}

function placementOf(pod: Pod, { scheduling }: RuntimeClass): Partial<Pod['spec']> {
  if (!scheduling) return {}
  const { nodeSelector = {}, tolerations = [] } = scheduling
  const own = pod.spec.nodeSelector ?? {}
  for (const [key, value] of Object.entries(nodeSelector)) {
    const mine = own[key]
    if (mine !== undefined && mine !== value)
      throw refuse(
        pod,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${mine}`,
      )
  }
  const held = pod.spec.tolerations ?? []
  const added = tolerations.filter((one: V1Toleration) => !held.some((other) => deepEqual(one, other)))
  return {
    ...(Object.keys(nodeSelector).length > 0 ? { nodeSelector: { ...own, ...nodeSelector } } : {}),
    ...(added.length > 0 ? { tolerations: [...held, ...added] } : {}),
  }
}
