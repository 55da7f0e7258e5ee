import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../../test/support/cluster.ts'
import { make } from '../../../test/support/make.ts'
import { pod } from '../../api/kinds/pod.ts'
import { serviceAccount } from '../../api/kinds/service-account.ts'

describe('The account of a pod', () => {
  let cluster: TestCluster
  beforeEach(async () => {
    cluster = await createTestCluster()
    await cluster.client.create(serviceAccount, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'robot' },
      imagePullSecrets: [{ name: 'registry' }],
    })
  })
  afterEach(() => cluster.close())
  const create = async (spec: object) => (await cluster.client.create(pod, make.pod({ spec }))).spec

  test('is "default" unless it is named, in both fields', async () => {
    expect(await create({})).toMatchObject({ serviceAccountName: 'default', serviceAccount: 'default' })
    expect(
      (
        await cluster.client.create(
          pod,
          make.pod({ metadata: { name: 'other' }, spec: { serviceAccountName: 'robot' } }),
        )
      ).spec,
    ).toMatchObject({ serviceAccountName: 'robot', serviceAccount: 'robot' })
  })

  test('lends its pull secrets to a pod without any of its own', async () => {
    expect((await create({ serviceAccountName: 'robot' })).imagePullSecrets).toEqual([{ name: 'registry' }])
    const own = make.pod({
      metadata: { name: 'own' },
      spec: { serviceAccountName: 'robot', imagePullSecrets: [{ name: 'mine' }] },
    })
    expect((await cluster.client.create(pod, own)).spec.imagePullSecrets).toEqual([{ name: 'mine' }])
  })

  test('must exist', async () => {
    await expect(create({ serviceAccountName: 'nobody' })).rejects.toMatchObject({
      reason: 'Forbidden',
      message:
        'pods "web" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found',
    })
  })

  test('is not asked for by a mirror pod, which may not have one', async () => {
    const mirror = (spec: object) => ({
      ...make.pod({ spec: { nodeName: 'n', ...spec } }),
      metadata: { ...make.pod().metadata, annotations: { 'kubernetes.io/config.mirror': 'h' } },
    })
    await expect(cluster.client.create(pod, mirror({ serviceAccountName: 'robot' }))).rejects.toThrow(
      'pods "web" is forbidden: a mirror pod may not reference service accounts',
    )
    await expect(cluster.client.create(pod, mirror({ imagePullSecrets: [{ name: 's' }] }))).rejects.toThrow(
      'pods "web" is forbidden: a mirror pod may not reference secrets',
    )
    const made = await cluster.client.create(pod, mirror({}))
    expect(made.spec.serviceAccountName).toBeUndefined()
  })
})
