import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../../test/support/cluster.ts'
import { make } from '../../../test/support/make.ts'
import { configMap } from '../../api/kinds/config-map.ts'
import { kinds } from '../../api/kinds/index.ts'
import { pod } from '../../api/kinds/pod.ts'
import { resourceQuota } from '../../api/kinds/resource-quota.ts'
import { service } from '../../api/kinds/service.ts'
import { EventRecorder } from '../../client/events.ts'
import { resourceQuotaController } from '../../controllers/resource-quota.ts'
import { ControllerRunner } from '../../controllers/runner.ts'

let cluster: TestCluster
beforeEach(async () => {
  cluster = await createTestCluster()
})
afterEach(() => cluster.close())
const team = { namespace: 'default', name: 'team' }

const allow = (hard: Readonly<Record<string, string>>, more: object = {}) =>
  cluster.client.create(resourceQuota, { ...resourceQuota.example, spec: { hard, ...more } })
const used = async () => (await cluster.client.get(resourceQuota, team)).status?.used
const named = (name: string, resources: object = {}) =>
  make.pod({ metadata: { name }, spec: { containers: [{ name: 'app', image: 'a', resources }] } })

describe('A quota', () => {
  test('is charged in the write that makes the object, and refuses what would exceed it', async () => {
    await allow({ pods: '2', 'requests.cpu': '1' })
    await cluster.client.create(pod, named('a', { requests: { cpu: '600m' } }))
    expect(await used()).toEqual({ pods: '1', 'requests.cpu': '600m' })
    await expect(cluster.client.create(pod, named('b', { requests: { cpu: '500m' } }))).rejects.toMatchObject(
      {
        reason: 'Forbidden',
        message:
          'pods "b" is forbidden: exceeded quota: team, requested: requests.cpu=500m, used: requests.cpu=600m, limited: requests.cpu=1',
      },
    )
    expect(await used()).toEqual({ pods: '1', 'requests.cpu': '600m' })
  })

  test('counts what was there before it', async () => {
    for (const name of ['a', 'b']) await cluster.client.create(pod, named(name))
    await allow({ pods: '2' })
    await expect(cluster.client.create(pod, named('c'))).rejects.toMatchObject({
      message:
        'pods "c" is forbidden: exceeded quota: team, requested: pods=1, used: pods=2, limited: pods=2',
    })
  })

  test('of resources wants them to be said', async () => {
    await allow({ 'limits.cpu': '1', 'limits.memory': '1Gi' })
    await expect(cluster.client.create(pod, named('a', { limits: { cpu: '1' } }))).rejects.toMatchObject({
      message: 'pods "a" is forbidden: failed quota: team: must specify limits.memory for: app',
    })
  })

  test('is never exceeded, however many ask at once', async () => {
    await allow({ pods: '5', 'count/pods': '7' })
    const made = await Promise.allSettled(
      Array.from({ length: 30 }, (_, i) => cluster.client.create(pod, named(`p-${i}`))),
    )
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(5)
    expect((await cluster.client.list(pod)).items).toHaveLength(5)
    expect(await used()).toEqual({ pods: '5', 'count/pods': '5' })
  })

  test('is not charged for what fails, nor for a dry run', async () => {
    await allow({ 'count/configmaps': '2' })
    await cluster.client.create(configMap, make.configMap())
    await expect(cluster.client.create(configMap, make.configMap())).rejects.toMatchObject({
      reason: 'AlreadyExists',
    })
    await cluster.client.create(configMap, make.configMap({ metadata: { name: 'other' } }), { dryRun: true })
    expect(await used()).toEqual({ 'count/configmaps': '1' })
  })

  test('is charged for what an update adds', async () => {
    await allow({ 'services.nodeports': '1' })
    await cluster.client.create(service, make.service())
    const patch = (ports: object[]) =>
      cluster.client.patch(service, { namespace: 'default', name: 'web' }, 'merge', {
        spec: { type: 'NodePort', ports },
      })
    await expect(
      patch([
        { name: 'a', port: 80 },
        { name: 'b', port: 81 },
      ]),
    ).rejects.toMatchObject({ message: expect.stringContaining('exceeded quota: team') })
    await patch([{ name: 'a', port: 80 }])
    expect(await used()).toEqual({ 'services.nodeports': '1' })
  })

  test.each<[string, object, object, boolean]>([
    ['BestEffort', { scopes: ['BestEffort'] }, {}, true],
    [
      'BestEffort, of a pod that says what it needs',
      { scopes: ['BestEffort'] },
      { containers: [{ name: 'a', image: 'i', resources: { requests: { cpu: '1' } } }] },
      false,
    ],
    ['Terminating', { scopes: ['Terminating'] }, { activeDeadlineSeconds: 60 }, true],
    ['NotTerminating', { scopes: ['NotTerminating'] }, { activeDeadlineSeconds: 60 }, false],
    [
      'a priority class',
      {
        scopeSelector: {
          matchExpressions: [
            { scopeName: 'PriorityClass', operator: 'In', values: ['system-node-critical'] },
          ],
        },
      },
      { priorityClassName: 'system-node-critical' },
      true,
    ],
    [
      'no priority class',
      { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'Exists' }] } },
      {},
      false,
    ],
  ])('of scope %s is about those pods only', async (_, scope, spec, isAbout) => {
    await allow({ pods: '0' }, scope)
    const made = cluster.client.create(pod, make.pod({ spec }))
    if (isAbout) await expect(made).rejects.toMatchObject({ reason: 'Forbidden' })
    else await made
  })

  test('has back what is gone and what has ended', async () => {
    await allow({ pods: '2' })
    const { env, client, informers } = cluster
    const context = { env, client, informers, events: new EventRecorder(env, client, 'test') }
    const runner = new ControllerRunner(
      context,
      resourceQuotaController(() => kinds),
    )
    const started = runner.start()
    for (const name of ['a', 'b']) await client.create(pod, named(name))
    await cluster.clock.run(1000)
    await started
    expect(await used()).toEqual({ pods: '2' })
    await client.patch(
      pod,
      { namespace: 'default', name: 'a' },
      'merge',
      { status: { phase: 'Succeeded' } },
      { subresource: 'status' },
    )
    await client.delete(pod, { namespace: 'default', name: 'b' })
    await cluster.clock.run(1000)
    expect(await used()).toEqual({ pods: '0' })
    await runner.stop()
  })
})
