import { createHash } from 'node:crypto'
import type { Node } from '../../api/kinds/node.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { SYSTEM_PRIORITY_CLASSES } from '../../api/kinds/priority-class.ts'
import { defaultPodOnly, defaultPodSpec } from '../../api/pod-defaults.ts'
import {
  CONFIG_HASH,
  CONFIG_MIRROR,
  CONFIG_SEEN,
  CONFIG_SOURCE,
  type StaticPodManifest,
} from '../../api/static-pods.ts'
import { formatTime } from '../../base/date.ts'

/**
 * The pod a node makes of a manifest (kubelet/config/common.go applyDefaults): named after the node, its uid a hash of
 * what it says, so that a changed manifest is another pod. Pure; `seenAt` in epoch ms.
 */
export function staticPodOf(manifest: StaticPodManifest, node: string, seenAt: number): Pod {
  const { name = '', namespace = 'default', labels, annotations } = manifest.metadata ?? {}
  const hash = createHash('md5')
    .update(`${node}\n${JSON.stringify([manifest.metadata, manifest.spec])}`)
    .digest('hex')
  const spec = defaultPodOnly(defaultPodSpec(manifest.spec ?? { containers: [] }))
  const priority = SYSTEM_PRIORITY_CLASSES[spec.priorityClassName ?? '']
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${name}-${node.toLowerCase()}`,
      namespace,
      uid: hash,
      ...(labels ? { labels } : {}),
      annotations: {
        ...annotations,
        [CONFIG_HASH]: hash,
        [CONFIG_SEEN]: formatTime(seenAt),
        [CONFIG_SOURCE]: 'file',
      },
    },
    spec: {
      ...spec,
      ...(priority === undefined ? {} : { priority }),
      nodeName: node,
      // Trouble of the node is no reason to leave it.
      tolerations: [...(spec.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }],
    },
  }
}

/** What the API shows of a static pod (kubelet/pod/mirror_client.go). Pure. */
export function mirrorOf({ metadata, ...pod }: Pod, { metadata: { name, uid = '' } }: Node): Pod {
  const { uid: hash = '', annotations, ...rest } = metadata
  return {
    ...pod,
    metadata: {
      ...rest,
      annotations: { ...annotations, [CONFIG_MIRROR]: hash },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid, controller: true }],
    },
  }
}
