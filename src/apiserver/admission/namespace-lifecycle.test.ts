import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../../test/support/cluster.ts'
import { make } from '../../../test/support/make.ts'
import { configMap } from '../../api/kinds/config-map.ts'
import { namespace } from '../../api/kinds/namespace.ts'

let cluster: TestCluster
beforeEach(async () => {
  cluster = await createTestCluster()
})
afterEach(() => cluster.close())

describe('A namespace', () => {
  const settingsIn = (name: string) => make.configMap({ metadata: { namespace: name } })
  const addNamespace = (name: string) =>
    cluster.client.create(namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: {} })

  test('that is not there takes nothing, and that is said before the faults of the object', async () => {
    const wrong = { ...settingsIn('nowhere'), data: { 'no key': 'x' } }
    await expect(cluster.client.create(configMap, wrong)).rejects.toMatchObject({
      reason: 'NotFound',
      message: 'namespaces "nowhere" not found',
    })
  })
  test('that is going takes nothing new, also not by apply, and still lets its content change', async () => {
    await addNamespace('going')
    const kept = await cluster.client.create(configMap, settingsIn('going'))
    await cluster.client.delete(namespace, { name: 'going' })
    const more = make.configMap({ metadata: { namespace: 'going', name: 'more' } })
    const refusal = {
      reason: 'Forbidden',
      message:
        'configmaps "more" is forbidden: unable to create new content in namespace going because it is being terminated',
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: 'namespace going is being terminated',
          field: 'metadata.namespace',
        },
      ],
    }
    await expect(cluster.client.create(configMap, more)).rejects.toMatchObject(refusal)
    await expect(cluster.client.apply(configMap, more, { fieldManager: 'git' })).rejects.toMatchObject(
      refusal,
    )
    expect((await cluster.client.update(configMap, { ...kept, data: { a: 'b' } })).data).toEqual({ a: 'b' })
  })
  test.each(['default', 'kube-system', 'kube-public'])('named "%s" stays', async (name) => {
    if (name !== 'default') await addNamespace(name)
    await expect(cluster.client.delete(namespace, { name })).rejects.toMatchObject({
      reason: 'Forbidden',
      message: `namespaces "${name}" is forbidden: this namespace may not be deleted`,
    })
  })
  test('goes when its last finalizer goes', async () => {
    await addNamespace('going')
    const marked = await cluster.client.delete(namespace, { name: 'going' })
    expect(marked).toMatchObject({ spec: { finalizers: ['kubernetes'] }, status: { phase: 'Terminating' } })
    await cluster.client.update(
      namespace,
      { ...marked, spec: { finalizers: [] } },
      { subresource: 'finalize' },
    )
    await expect(cluster.client.get(namespace, { name: 'going' })).rejects.toMatchObject({
      reason: 'NotFound',
    })
  })
})
