import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { type Deployment, deployment as deploymentKind } from '../api/kinds/deployment.ts'
import { pod as podKind } from '../api/kinds/pod.ts'
import { replicaSet as replicaSetKind } from '../api/kinds/replica-set.ts'
import { controllerReference, type Resource } from '../api/resource.ts'
import { formatTime } from '../base/date.ts'
import { Informers } from '../client/informers.ts'
import { judge } from './evidence.ts'

const LONG_AGO = -60_000

describe('A Deployment that says it is complete', () => {
  let cluster: TestCluster
  beforeEach(async () => {
    cluster = await createTestCluster()
  })
  afterEach(() => cluster.close())

  /** With one pod, in the state that is given. */
  async function judged(status: (now: number) => object): Promise<string> {
    const { client, env, clock } = cluster
    const made = await client.create(deploymentKind, make.deployment({ spec: { replicas: 1 } as never }))
    const owned = (by: Resource) => ({ ownerReferences: [controllerReference(by)] })
    const { template, selector } = made.spec
    const labels = template.metadata?.labels ?? {}
    const set = await client.create(replicaSetKind, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 'web-1', namespace: 'default', ...owned(made) },
      spec: { selector, template },
    })
    const pod = make.pod({ metadata: { name: 'web-1-a', labels, ...owned(set) } })
    await client.create(podKind, pod)
    const key = { namespace: 'default', name: 'web-1-a' }
    await client.patch(podKind, key, 'merge', { status: status(clock.now()) }, { subresource: 'status' })
    const informers = new Informers(env, client)
    for (const kind of [replicaSetKind, podKind]) informers.of(kind as never)
    await informers.synced()
    const live: Deployment = {
      ...made,
      status: {
        observedGeneration: 1,
        replicas: 1,
        updatedReplicas: 1,
        availableReplicas: 1,
        readyReplicas: 1,
      },
    }
    const target = { kind: deploymentKind, object: live } as never
    const { health } = judge(target, live as never, informers, clock.now())
    await informers.close()
    return health.status
  }

  const ready = (isReady: boolean, sinceMs: number) => (now: number) => ({
    phase: 'Running',
    conditions: [
      { type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: formatTime(now + sinceMs) },
    ],
  })

  const crashedBefore = (sinceMs: number) => (now: number) => ({
    ...ready(true, sinceMs)(now),
    containerStatuses: [
      { name: 'app', image: 'a', imageID: '', ready: true, restartCount: 2, state: { running: {} } },
    ],
  })

  test.each<[string, (now: number) => object, string]>([
    ['is healthy when its pod has been up for a while', ready(true, LONG_AGO), 'Healthy'],
    ['is not while its pod has only just come up', ready(true, 0), 'Progressing'],
    [
      'is not while its pod, which crashed before, is up for a few seconds',
      crashedBefore(-8000),
      'Progressing',
    ],
    ['is when that is over', crashedBefore(-12_000), 'Healthy'],
    ['is not when its pod has crashed and it has not heard of that', ready(false, 0), 'Progressing'],
    ['is when the pod that is not ready was evicted', () => ({ phase: 'Failed' }), 'Healthy'],
  ])('%s', async (_, status, expected) => {
    expect(await judged(status)).toBe(expected)
  })
})
