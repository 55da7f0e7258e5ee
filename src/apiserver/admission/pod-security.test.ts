import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../../test/support/cluster.ts'
import { make } from '../../../test/support/make.ts'
import { deployment } from '../../api/kinds/deployment.ts'
import { namespace } from '../../api/kinds/namespace.ts'
import { pod } from '../../api/kinds/pod.ts'
import { create } from '../verbs/create.ts'
import { patch } from '../verbs/patch.ts'

let cluster: TestCluster
beforeEach(async () => {
  cluster = await createTestCluster()
})
afterEach(() => cluster.close())

const label = (labels: Record<string, string>) =>
  cluster.client.patch(namespace, { name: 'default' }, 'merge', {
    metadata: {
      labels: Object.fromEntries(
        Object.entries(labels).map(([mode, level]) => [`pod-security.kubernetes.io/${mode}`, level]),
      ),
    },
  })
const asked = () => ({
  user: { name: 'ann', groups: [] },
  fieldManager: 'test',
  dryRun: false,
  fieldValidation: 'Strict' as const,
  warnings: [] as string[],
})
const NETWORK = 'host namespaces (hostNetwork=true)'

describe('A namespace that enforces a level', () => {
  test('refuses pods that it forbids, and takes others', async () => {
    await label({ enforce: 'baseline' })
    await expect(cluster.client.create(pod, make.pod({ spec: { hostNetwork: true } }))).rejects.toMatchObject(
      {
        reason: 'Forbidden',
        message: `pods "web" is forbidden: violates PodSecurity "baseline:latest": ${NETWORK}`,
      },
    )
    await cluster.client.create(pod, make.pod())
  })

  test('warns of workloads that would make such pods when it warns', async () => {
    await label({ enforce: 'baseline', warn: 'baseline', 'warn-version': 'v1.30' })
    const context = asked()
    const spec = { template: { spec: { hostNetwork: true } } }
    await create(cluster.registry, deployment, 'default', make.deployment({ spec }), context)
    expect(context.warnings).toEqual([`would violate PodSecurity "baseline:v1.30": ${NETWORK}`])
  })

  test('tells which of its pods break a stricter one', async () => {
    for (const name of ['b', 'a'])
      await cluster.client.create(pod, make.pod({ metadata: { name }, spec: { hostNetwork: true } }))
    const context = asked()
    const body = { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } } }
    await patch(cluster.registry, namespace, { name: 'default' }, '', 'merge', body, context)
    expect(context.warnings).toEqual([
      'existing pods in namespace "default" violate the new PodSecurity enforce level "baseline:latest"',
      'a (and 1 other pod): host namespaces',
    ])
  })

  test('must name a level there is', async () => {
    await expect(label({ enforce: 'strict' })).rejects.toMatchObject({
      message:
        'Namespace "default" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted',
    })
  })
})
