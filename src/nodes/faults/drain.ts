import { node as nodeKind } from '../../api/kinds/node.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { controllerOf } from '../../api/resource.ts'
import { isMirrorPod } from '../../api/static-pods.ts'
import type { Client } from '../../client/client.ts'
import { evict } from '../../client/evict.ts'

/** kubectl drain's part: no new pods, and the old ones are evicted as far as their budgets allow. */
export async function cordon(client: Client, name: string, unschedulable: boolean): Promise<void> {
  await client.patch(nodeKind, { name }, 'merge', { spec: { unschedulable: unschedulable || null } })
}

/** Asks once for every pod that may go; whoever is refused is asked again later. DaemonSets' and static pods stay. */
export async function evictAll(client: Client, pods: readonly Pod[]): Promise<void> {
  for (const pod of pods) {
    const stays = controllerOf(pod)?.kind === 'DaemonSet' || isMirrorPod(pod)
    if (stays || pod.metadata.deletionTimestamp !== undefined) continue
    await evict(client, pod)
  }
}
