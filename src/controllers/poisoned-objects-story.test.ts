import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { startPretendKubelet, startPretendNode } from '../../test/support/pretend-kubelet.ts'
import { deployment } from '../api/kinds/deployment.ts'
import { kinds } from '../api/kinds/index.ts'
import { job } from '../api/kinds/job.ts'
import { pod } from '../api/kinds/pod.ts'
import { replicaSet } from '../api/kinds/replica-set.ts'
import { service } from '../api/kinds/service.ts'
import { isPodReady } from '../api/pods.ts'
import type { Running } from './controller.ts'
import { startControllers } from './index.ts'

let cluster: TestCluster
let running: Running
beforeEach(async () => {
  cluster = await createTestCluster()
  const { env, client, informers } = cluster
  running = startControllers(env, client, { informers, kinds: () => kinds })
  startPretendKubelet(cluster)
  await startPretendNode(cluster, make.node())
})
afterEach(async () => {
  await running.stop()
  await cluster.close()
})

/** What controllers read from annotations and labels that anybody may write. */
const ANNOTATIONS = [
  'deployment.kubernetes.io/revision',
  'deployment.kubernetes.io/desired-replicas',
  'deployment.kubernetes.io/max-replicas',
  'deployment.kubernetes.io/revision-history',
  'seamark.dev/pod-template-digest',
  'controller.kubernetes.io/pod-deletion-cost',
  'batch.kubernetes.io/job-completion-index',
  'batch.kubernetes.io/job-index-failure-count',
  'batch.kubernetes.io/job-index-ignored-failure-count',
  'service.kubernetes.io/topology-mode',
  'endpoints.kubernetes.io/last-change-trigger-time',
]

test.each(['', 'x', '-1', '1e99', '9'.repeat(400), '{"a":', '0x10', '٣'])(
  'Annotations that say "%s" hold up neither their objects nor others',
  async (poison) => {
    const { client, clock } = cluster
    const annotations = Object.fromEntries(ANNOTATIONS.map((name) => [name, poison]))
    await client.create(deployment, make.deployment({ metadata: { annotations } }))
    await client.create(service, {
      ...service.example,
      metadata: { name: 'web', namespace: 'default', annotations },
    })
    await client.create(job, {
      ...job.example,
      metadata: { name: 'work', namespace: 'default', annotations },
      spec: {
        ...job.example.spec,
        completionMode: 'Indexed',
        completions: 2,
        parallelism: 2,
        backoffLimitPerIndex: 1,
      },
    })
    await clock.run(20_000)
    for (const kind of [replicaSet, pod] as const)
      for (const { metadata } of (await client.list<typeof kind.example>(kind as never)).items)
        await client.patch(kind as never, { namespace: 'default', name: metadata.name }, 'merge', {
          metadata: { annotations },
        })
    await clock.run(20_000)
    const found = await client.get(deployment, { namespace: 'default', name: 'web' })
    const template = { metadata: { annotations: { again: 'yes' } } }
    await client.patch(deployment, { namespace: 'default', name: 'web' }, 'merge', {
      spec: { replicas: 2, template },
    })
    await client.create(deployment, make.deployment({ metadata: { name: 'other' } }))
    await clock.run(120_000)
    for (const name of ['web', 'other']) {
      const { status, spec } = await client.get(deployment, { namespace: 'default', name })
      expect(`${name} ${status?.availableReplicas}/${status?.updatedReplicas}`).toBe(
        `${name} ${spec.replicas}/${spec.replicas}`,
      )
    }
    const ready = (await client.list(pod)).items.filter(isPodReady)
    const { replicas = 1 } = found.spec
    expect(ready.length).toBeGreaterThanOrEqual(2 + replicas)
    // The node tells every ten seconds that it is there; nothing else goes on.
    const { revision } = cluster.store
    await clock.run(600_000)
    expect(cluster.store.revision - revision).toBeLessThanOrEqual(61)
  },
)
