import { expect, test } from 'vitest'
import { clientWith } from '../../test/support/client-with.ts'
import { createTestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { startPretendNode } from '../../test/support/pretend-kubelet.ts'
import type { KindRef } from '../api/kind.ts'
import { cronJob } from '../api/kinds/cron-job.ts'
import { daemonSet } from '../api/kinds/daemon-set.ts'
import { deployment } from '../api/kinds/deployment.ts'
import { event } from '../api/kinds/event.ts'
import { kinds } from '../api/kinds/index.ts'
import { job } from '../api/kinds/job.ts'
import { replicaSet } from '../api/kinds/replica-set.ts'
import type { Resource } from '../api/resource.ts'
import { ApiError } from '../api/status.ts'
import { startControllers } from './index.ts'

const MADE = new Set(['Pod', 'ReplicaSet', 'Job'])

test.each([
  ['Deployment', deployment, make.deployment()],
  ['ReplicaSet', replicaSet, replicaSet.example],
  ['DaemonSet', daemonSet, daemonSet.example],
  ['Job', job, job.example],
  ['CronJob', cronJob, { ...cronJob.example, spec: { ...cronJob.example.spec, schedule: '* * * * *' } }],
])('A %s in a namespace that goes does not complain that it can make nothing', async (_, kind, given) => {
  const cluster = await createTestCluster()
  const { env, informers, clock } = cluster
  await startPretendNode(cluster, make.node())
  await cluster.client.create(kind as unknown as KindRef, given as Resource)
  const client = clientWith(cluster.client, {
    create(of, resource, options) {
      if (!MADE.has(of.kind)) return cluster.client.create(of, resource, options)
      const message = 'unable to create new content in namespace default because it is being terminated'
      const cause = { reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }
      return Promise.reject(new ApiError('Forbidden', message, { causes: [cause] }))
    },
  })
  const running = startControllers(env, client, { informers, kinds: () => kinds })
  await clock.run(130_000)
  const warnings = (await cluster.client.list(event)).items.filter(({ type }) => type === 'Warning')
  expect(warnings.map(({ reason, message }) => `${reason}: ${message}`)).toEqual([])
  await running.stop()
  await cluster.close()
})
