import { type PersistentVolumeClaim, persistentVolumeClaim } from '../api/kinds/persistent-volume-claim.ts'
import { type Pod, pod as podKind } from '../api/kinds/pod.ts'
import { controllerReference, isBeingDeleted, parseKey } from '../api/resource.ts'
import { isReason } from '../api/status.ts'
import type { Controller } from './controller.ts'

/** Makes the claims of a pod's ephemeral volumes; they go with it. */
export const ephemeralVolumeController: Controller<Pod> = {
  name: 'ephemeral-volume',
  kind: podKind,
  async reconcile({ client, informers }, pod) {
    if (isBeingDeleted(pod)) return undefined
    const { namespace, name: podName } = pod.metadata
    for (const { name, ephemeral } of pod.spec.volumes ?? []) {
      const key = `${namespace}/${podName}-${name}`
      const template = ephemeral?.volumeClaimTemplate
      if (!template || informers.of(persistentVolumeClaim).get(key)) continue
      try {
        await client.create(persistentVolumeClaim, {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { ...template.metadata, ...parseKey(key), ownerReferences: [controllerReference(pod)] },
          spec: template.spec,
        } as PersistentVolumeClaim)
      } catch (error) {
        if (!isReason(error, 'AlreadyExists')) throw error
      }
    }
    return undefined
  },
}
