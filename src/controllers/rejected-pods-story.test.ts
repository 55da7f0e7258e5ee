import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { startPretendNode } from '../../test/support/pretend-kubelet.ts'
import type { KindRef } from '../api/kind.ts'
import { daemonSet } from '../api/kinds/daemon-set.ts'
import { kinds } from '../api/kinds/index.ts'
import { type Pod, pod } from '../api/kinds/pod.ts'
import { replicaSet } from '../api/kinds/replica-set.ts'
import { statefulSet } from '../api/kinds/stateful-set.ts'
import type { Running } from './controller.ts'
import { startControllers } from './index.ts'

let cluster: TestCluster
let running: Running
const made: string[] = []

/** A kubelet that rejects whatever it is given, as for a label the node lacks. */
function reject({ type, resource }: { readonly type: string; readonly resource: Pod }): void {
  const { metadata } = resource
  const key = { namespace: 'default', name: metadata.name }
  if (type === 'added') {
    made.push(metadata.name)
    const status = { phase: 'Failed', reason: 'NodeAffinity' }
    void cluster.client.update(pod, { ...resource, status }, { subresource: 'status' }).catch(() => {})
  } else if (type === 'updated' && metadata.deletionTimestamp)
    void cluster.client.delete(pod, key, { gracePeriodSeconds: 0 }).catch(() => {})
}

beforeEach(async () => {
  made.length = 0
  cluster = await createTestCluster()
  running = startControllers(cluster.env, cluster.client, {
    informers: cluster.informers,
    kinds: () => kinds,
  })
  await cluster.clock.run(1000)
  await startPretendNode(cluster, make.node({ metadata: { name: 'node-a' } }))
  cluster.informers.of(pod).onChange(reject)
})
afterEach(async () => {
  await running.stop()
  await cluster.close()
})

describe('Pods that nodes always reject', () => {
  test.each([
    ['ReplicaSet', replicaSet, 25],
    ['StatefulSet', statefulSet, 16],
    ['DaemonSet', daemonSet, 16],
  ])('are made again by a %s ever more seldom', async (_, kind, most) => {
    const { example } = kind as unknown as KindRef<Pod> & { readonly example: Pod }
    await cluster.client.create(kind as unknown as KindRef<Pod>, {
      ...example,
      metadata: { name: 'web', namespace: 'default' },
    })
    await cluster.clock.run(3_600_000)
    expect(made.length).toBeGreaterThan(8)
    expect(made.length).toBeLessThanOrEqual(most)
  })

  test('do not hold up others: the first one is replaced after a second', async () => {
    const { metadata: _, ...example } = replicaSet.example
    await cluster.client.create(replicaSet, { ...example, metadata: { name: 'web', namespace: 'default' } })
    await cluster.clock.run(1500)
    expect(made).toHaveLength(2)
  })
})
