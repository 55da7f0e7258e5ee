import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import { type SecuredCluster, startSecuredCluster } from '../../../test/support/secured-cluster.ts'
import { pod } from '../../api/kinds/pod.ts'

let cluster: SecuredCluster
const asNode = { 'Impersonate-User': 'system:node:n1', 'Impersonate-Group': 'system:nodes' }
const API = '/api/v1/namespaces/default'

beforeAll(async () => {
  cluster = await startSecuredCluster({ parts: { controllers: true, scheduler: false, nodes: false } })
  for (const name of ['used', 'unused']) {
    await cluster.ask('POST', `${API}/secrets`, { body: { metadata: { name } } })
    await cluster.ask('POST', `${API}/serviceaccounts`, { body: { metadata: { name } } })
  }
  for (const [name, nodeName] of [
    ['mine', 'n1'],
    ['theirs', 'n2'],
  ] as const) {
    await cluster.ask('POST', '/api/v1/nodes', { body: { metadata: { name: nodeName } } })
    const made = make.pod({ metadata: { name }, spec: { nodeName } })
    const serviceAccountName = nodeName === 'n1' ? 'used' : 'unused'
    const volumes = [{ name: 's', secret: { secretName: serviceAccountName } }]
    await cluster.client.create(pod, { ...made, spec: { ...made.spec, serviceAccountName, volumes } })
  }
})
afterAll(() => cluster.close())

const code = async (method: string, path: string, body?: object) =>
  (await cluster.ask(method, path, { headers: asNode, ...(body ? { body } : {}) })).code

describe('A kubelet', () => {
  test.each([
    ['GET', `${API}/secrets/used`, 200],
    ['GET', `${API}/secrets/unused`, 403],
    ['GET', `${API}/secrets`, 403],
    ['DELETE', `${API}/secrets/used`, 403],
    ['GET', `${API}/pods/mine`, 200],
    ['GET', `${API}/pods/theirs`, 403],
    ['GET', '/api/v1/pods', 403],
    ['GET', '/api/v1/pods?fieldSelector=spec.nodeName%3Dn1', 200],
    ['GET', '/api/v1/pods?fieldSelector=spec.nodeName%3Dn2', 403],
    ['GET', '/api/v1/nodes/n1', 200],
    ['GET', '/api/v1/nodes/n2', 403],
    ['GET', '/api/v1/services', 200],
    ['GET', '/apis/apps/v1/deployments', 403],
    ['DELETE', `${API}/pods/theirs`, 403],
  ])('%s %s is answered with %i', async (method, path, expected) => {
    expect(await code(method, path)).toBe(expected)
  })

  test('gets tokens for the accounts of its own pods, bound to those pods', async () => {
    const spec = (name: string) => ({ spec: { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name } } })
    expect(await code('POST', `${API}/serviceaccounts/used/token`, spec('mine'))).toBe(201)
    expect(await code('POST', `${API}/serviceaccounts/unused/token`, spec('theirs'))).toBe(403)
    expect(await code('POST', `${API}/serviceaccounts/used/token`, { spec: {} })).toBe(403)
  })

  test('cannot take its own taints off', async () => {
    const { body } = await cluster.ask('GET', '/api/v1/nodes/n1')
    const taints = [{ key: 'mine', effect: 'NoSchedule' }]
    const answer = await cluster.ask('PUT', '/api/v1/nodes/n1', {
      headers: asNode,
      body: { ...body, spec: { ...body.spec, taints } },
    })
    expect(answer.body.message).toBe('nodes "n1" is forbidden: node "n1" is not allowed to modify taints')
  })

  test('cannot create pods, which would use other accounts', async () => {
    const answer = await cluster.ask('POST', `${API}/pods`, {
      headers: asNode,
      body: make.pod({ metadata: { name: 'own' } }),
    })
    expect(answer.body.message).toBe(
      'pods "own" is forbidden: pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
    )
  })

  describe('makes mirror pods', () => {
    const mirror = async (change: {
      owners?: readonly object[] | undefined
      spec?: object
      hash?: string
    }) => {
      const { uid } = (await cluster.ask('GET', '/api/v1/nodes/n1')).body.metadata
      const owner = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid, controller: true }
      const made = make.pod({
        metadata: {
          name: 'proxy-n1',
          annotations: { 'kubernetes.io/config.mirror': 'h' },
          ownerReferences: (change.owners ?? [{}]).map((each) => ({ ...owner, ...each })),
        },
        spec: { nodeName: 'n1', ...change.spec },
      })
      const path = `${API}/pods?dryRun=All`
      const { code: answered, body } = await cluster.ask('POST', path, { headers: asNode, body: made })
      return answered === 201 ? body.spec.serviceAccountName : body.message
    }
    const no = (why: string) => `pods "proxy-n1" is forbidden: ${why}`

    test.each([
      ['of its own, as they are', {}, undefined],
      [
        'of itself only',
        { spec: { nodeName: 'n2' } },
        'node "n1" can only create pods with spec.nodeName set to itself',
      ],
      [
        'that it owns',
        { owners: [] },
        'node "n1" can only create pods with an owner reference set to itself',
      ],
      [
        'that nothing else owns',
        { owners: [{ name: 'n2' }] },
        'node "n1" can only create pods with an owner reference set to itself',
      ],
      [
        'that it alone owns',
        { owners: [{}, { name: 'n2', controller: false }] },
        'node "n1" can only create pods with a single owner reference set to itself',
      ],
      [
        'that it controls',
        { owners: [{ controller: false }] },
        'node "n1" can only create pods with a controller owner reference set to itself',
      ],
      [
        'without an account',
        { spec: { serviceAccountName: 'used' } },
        'a mirror pod may not reference service accounts',
      ],
      [
        'without Secrets',
        { spec: { volumes: [{ name: 's', secret: { secretName: 'used' } }] } },
        'a mirror pod may not reference secrets',
      ],
      [
        'without ConfigMaps',
        { spec: { volumes: [{ name: 's', configMap: { name: 'any' } }] } },
        'node "n1" can not create pods that reference configmaps',
      ],
    ])('%s', async (_, change, why) => {
      expect(await mirror(change)).toBe(why === undefined ? undefined : no(why))
    })
  })
})
