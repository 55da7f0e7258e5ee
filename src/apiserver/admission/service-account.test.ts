import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../../test/support/cluster.ts'
import { make } from '../../../test/support/make.ts'
import { pod } from '../../api/kinds/pod.ts'
import { serviceAccount } from '../../api/kinds/service-account.ts'
import { admissionChain } from './index.ts'

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

describe('A pod where the server gives out tokens', () => {
  let cluster: TestCluster
  beforeEach(async () => {
    cluster = await createTestCluster({ admission: admissionChain({ tokens: true }) })
    await cluster.client.create(serviceAccount, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'shy' },
      automountServiceAccountToken: false,
    })
  })
  afterEach(() => cluster.close())
  const app = { name: 'app', image: 'registry.example/app:1' }
  const place = '/var/run/secrets/kubernetes.io/serviceaccount'
  const create = async (spec: object) => {
    const { spec: made } = await cluster.client.create(pod, make.pod({ spec }))
    const mounts = [...(made.initContainers ?? []), ...made.containers].map(({ name, volumeMounts = [] }) => [
      name,
      ...volumeMounts.map((mount) => `${mount.name}:${mount.mountPath}${mount.readOnly ? ':ro' : ''}`),
    ])
    return { volumes: made.volumes ?? [], mounts }
  }

  test('finds one in every container, with the certificate and the namespace', async () => {
    const { volumes, mounts } = await create({
      containers: [app],
      initContainers: [{ ...app, name: 'init' }],
    })
    expect(volumes).toEqual([
      {
        name: expect.stringMatching(/^kube-api-access-[a-z0-9]{5}$/),
        projected: {
          defaultMode: 420,
          sources: [
            { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
            { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            {
              downwardAPI: {
                items: [
                  { path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } },
                ],
              },
            },
          ],
        },
      },
    ])
    expect(mounts).toEqual([
      ['init', `${volumes[0]?.name}:${place}:ro`],
      ['app', `${volumes[0]?.name}:${place}:ro`],
    ])
  })

  test.each<[string, object]>([
    ['the pod does not want one', { automountServiceAccountToken: false }],
    ['its account does not want one', { serviceAccountName: 'shy' }],
  ])('finds none when %s', async (_, spec) => {
    expect(await create({ containers: [app], ...spec })).toEqual({ volumes: [], mounts: [['app']] })
  })

  test('finds one when it wants one and its account does not', async () => {
    const { volumes } = await create({
      containers: [app],
      serviceAccountName: 'shy',
      automountServiceAccountToken: true,
    })
    expect(volumes).toHaveLength(1)
  })

  test('keeps what it has at the place', async () => {
    const volumeMounts = [{ name: 'own', mountPath: place }]
    const { volumes, mounts } = await create({
      containers: [{ ...app, volumeMounts }],
      volumes: [{ name: 'own', emptyDir: {} }],
    })
    expect(volumes).toEqual([{ name: 'own', emptyDir: {} }])
    expect(mounts).toEqual([['app', `own:${place}`]])
  })
})
