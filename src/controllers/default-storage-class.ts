/**
 * Every cluster has the class "standard", the default one, as kind and minikube have. A repository comes first: it is made
 * a little after the start, or as soon as a claim needs it, unless another default class or one of that name is there.
 * Who deletes it does not get it back before the next start.
 */
import { persistentVolumeClaim } from '../api/kinds/persistent-volume-claim.ts'
import { isDefaultClass, type StorageClass, storageClass } from '../api/kinds/storage-class.ts'
import { isReason } from '../api/status.ts'
import { storageClassOf } from '../api/volume-access.ts'
import { WorkQueue } from '../base/work-queue.ts'
import type { Loop } from './controller.ts'

export const OWN_PROVISIONER = 'seamark.dev/hostpath'
/** Classes of the repository are there by then. */
const PATIENCE_MS = 5000

const STANDARD: StorageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: {
    name: 'standard',
    annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
  },
  provisioner: OWN_PROVISIONER,
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
  allowVolumeExpansion: true,
}

export const defaultStorageClassLoop: Loop = {
  name: 'default-storage-class',
  start({ env, client, informers }) {
    let isMade = false
    const queue = new WorkQueue(env.clock, {
      backoffMaxMs: 30_000,
      async work() {
        if (isMade) return
        // Not from an informer: a class that was applied just before the claim must be seen.
        const { items } = await client.list(storageClass)
        const isThere = items.some((each) => isDefaultClass(each) || each.metadata.name === 'standard')
        if (!isThere)
          await client.create(storageClass, STANDARD).catch((error: unknown) => {
            if (!isReason(error, 'AlreadyExists')) throw error
          })
        isMade = true
        end()
      },
      onError: (_, error) => env.log.warn({ err: error }, 'the class "standard" was not made'),
    })
    const cancels = [
      env.clock.after(PATIENCE_MS, () => queue.add('standard')),
      informers.of(persistentVolumeClaim).onChange(({ type, resource }) => {
        if (type !== 'deleted' && ['standard', undefined].includes(storageClassOf(resource)))
          queue.add('standard')
      }),
    ]
    function end() {
      for (const cancel of cancels.splice(0)) cancel()
    }
    return {
      async stop() {
        end()
        await queue.close()
      },
    }
  },
}
