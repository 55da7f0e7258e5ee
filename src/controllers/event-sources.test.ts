import { expect, test } from 'vitest'
import { createTestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { deployment } from '../api/kinds/deployment.ts'
import { event } from '../api/kinds/event.ts'
import { kinds } from '../api/kinds/index.ts'
import { replicationController } from '../api/kinds/replication-controller.ts'
import { startControllers } from './index.ts'

test('Events are from whom kubectl users know them to be', async () => {
  const cluster = await createTestCluster()
  const { env, client, informers, clock } = cluster
  const running = startControllers(env, client, { informers, kinds: () => kinds })
  await clock.run(1000)
  await client.create(deployment, make.deployment())
  const metadata = { name: 'old', namespace: 'default' }
  await client.create(replicationController, { ...replicationController.example, metadata })
  await clock.run(5000)
  const said = (await client.list(event)).items.map(
    ({ involvedObject, source, reason }) => `${involvedObject.kind} ${reason} ${source?.component}`,
  )
  expect(new Set(said)).toEqual(
    new Set([
      'Deployment ScalingReplicaSet deployment-controller',
      'ReplicaSet SuccessfulCreate replicaset-controller',
      'ReplicationController SuccessfulCreate replication-controller',
    ]),
  )
  await running.stop()
  await cluster.close()
})
