import { type PersistentVolumeClaim, persistentVolumeClaim } from '../api/kinds/persistent-volume-claim.ts'
import { type Pod, pod as podKind } from '../api/kinds/pod.ts'
import { controllerOf, controllerReference, isBeingDeleted, parseKey } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import type { Controller } from './controller.ts'

/** Makes the claims of a pod's ephemeral volumes; they go with it. */
export const ephemeralVolumeController: Controller<Pod> = {
  name: 'ephemeral-volume',
  kind: podKind,
  async reconcile({ client, informers, events }, pod) {
    if (isBeingDeleted(pod)) return undefined
    const { namespace, name: podName, uid } = pod.metadata
    for (const { name, ephemeral } of pod.spec.volumes ?? []) {
      const template = ephemeral?.volumeClaimTemplate
      if (!template) continue
      const key = `${namespace}/${podName}-${name}`
      const fail = (why: string): never => {
        events.event(pod, 'Warning', 'FailedBinding', `ephemeral volume ${name}: ${why}`)
        throw new Error(`pod ${namespace}/${podName}, ephemeral volume ${name}: ${why}`)
      }
      const existing = informers.of(persistentVolumeClaim).get(key)
      if (existing) {
        // Somebody else's of that name: the pod must not have it.
        if (controllerOf(existing)?.uid !== uid)
          fail(`PVC ${key} was not created for pod ${namespace}/${podName} (pod is not owner)`)
        continue
      }
      try {
        await client.create(persistentVolumeClaim, {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { ...template.metadata, ...parseKey(key), ownerReferences: [controllerReference(pod)] },
          spec: template.spec,
        } as PersistentVolumeClaim)
      } catch (error) {
        if (!isReason(error, 'AlreadyExists'))
          fail(`create PVC ${podName}-${name}: ${(error as Error).message}`)
      }
    }
    return undefined
  },
}
