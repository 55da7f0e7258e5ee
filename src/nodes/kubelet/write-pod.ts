import { findCondition } from '../../api/conditions.ts'
import type { V1PodStatus } from '../../api/generated/types.ts'
import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import { isReason } from '../../api/status.ts'
import type { Client } from '../../client/client.ts'
import { isWritten } from './pod-status.ts'
import { RESIZE_CONDITIONS } from './resize.ts'

/** Where a worker says what became of its pod. */
export interface PodReports {
  /** Writes it if it says something new; resolves with the pod as the API has it then. */
  status(pod: Pod, status: V1PodStatus): Promise<Pod | undefined>
  /** Everything has ended and the status says so. */
  release(pod: Pod): Promise<void>
}

/** Of pods that are the API's: the two writes of a kubelet, both only for the very pod it runs. */
export function apiReports(client: Client): PodReports {
  return {
    status: async (pod, status) => (isWritten(pod, status) ? undefined : writeStatus(client, pod, status)),
    release: (pod) => removePod(client, pod),
  }
}

export async function writeStatus(client: Client, pod: Pod, status: V1PodStatus): Promise<Pod> {
  const { namespace, name, uid = '' } = pod.metadata
  // A reason that holds no longer must go: in a patch what is not named stays.
  const kept = status.conditions?.map((condition) => ({ reason: null, message: null, ...condition }))
  const over = RESIZE_CONDITIONS.filter(
    (type) => findCondition(pod.status?.conditions, type) && !findCondition(status.conditions, type),
  )
  const conditions = kept && [...kept, ...over.map((type) => ({ $patch: 'delete', type }))]
  const patch = { metadata: { uid }, status: { ...status, ...(conditions ? { conditions } : {}) } }
  return client.patch(podKind, { namespace, name }, 'strategic', patch, { subresource: 'status' })
}

/** The object goes at once. With finalizers it stays until they are gone. */
export async function removePod(client: Client, { metadata }: Pod): Promise<void> {
  const { namespace, name, uid = '' } = metadata
  const options = { gracePeriodSeconds: 0, preconditions: { uid } }
  try {
    await client.delete(podKind, { namespace, name }, options)
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error
  }
}
