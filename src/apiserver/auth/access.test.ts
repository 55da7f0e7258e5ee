import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  eventually,
  type SecuredCluster,
  startSecuredCluster,
} from '../../../test/support/secured-cluster.ts'
import { kinds } from '../../api/kinds/index.ts'

let cluster: SecuredCluster
beforeAll(async () => {
  cluster = await startSecuredCluster()
})
afterAll(() => cluster.close())

const RBAC = '/apis/rbac.authorization.k8s.io/v1'

/** A new account in "default" with a token. */
async function account(name: string): Promise<string> {
  const metadata = { name }
  await cluster.ask('POST', '/api/v1/namespaces/default/serviceaccounts', { body: { metadata } })
  const path = `/api/v1/namespaces/default/serviceaccounts/${name}/token`
  const { code, body } = await cluster.ask('POST', path, { body: { spec: {} } })
  expect(code).toBe(201)
  return body.status.token
}

async function allow(name: string, rules: readonly object[]): Promise<void> {
  const namespace = 'default'
  const made = await cluster.ask('POST', `${RBAC}/namespaces/${namespace}/roles`, {
    body: { metadata: { name }, rules },
  })
  expect(made.code).toBe(201)
  const bound = await cluster.ask('POST', `${RBAC}/namespaces/${namespace}/rolebindings`, {
    body: {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  })
  expect(bound.code).toBe(201)
}

describe('access', () => {
  test('a service account may do what its role says and is told what it may not', async () => {
    const token = await account('reader')
    await allow('reader', [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }])
    const pods = '/api/v1/namespaces/default/pods'
    await eventually(async () => (await cluster.ask('GET', pods, { token })).code === 200)
    const refused = await cluster.ask('GET', `${pods}/web`, { token })
    expect(refused.code).toBe(403)
    expect(refused.body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message:
        'pods "web" is forbidden: User "system:serviceaccount:default:reader" cannot get resource "pods" in API group "" in the namespace "default"',
      reason: 'Forbidden',
      details: { name: 'web', kind: 'pods' },
      code: 403,
    })
    const everywhere = await cluster.ask('GET', '/api/v1/pods', { token })
    expect(everywhere.body.message).toBe(
      'pods is forbidden: User "system:serviceaccount:default:reader" cannot list resource "pods" in API group "" at the cluster scope',
    )
    const metrics = await cluster.ask('GET', '/metrics', { token })
    expect(metrics.body.message).toBe(
      'forbidden: User "system:serviceaccount:default:reader" cannot get path "/metrics"',
    )
  })

  test.each([
    ['/healthz', 200],
    ['/livez', 200],
    ['/readyz', 200],
    ['/version', 200],
    ['/api', 401],
    ['/metrics', 401],
    ['/api/v1/pods', 401],
    ['/nowhere', 401],
  ])('without credentials %s is answered with %i', async (path, code) => {
    expect((await cluster.ask('GET', path, { asAdmin: false })).code).toBe(code)
  })

  test('a token ends with its account, also when one of the same name is made again', async () => {
    const token = await account('short-lived')
    const review = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
    const asked = { token, body: {} }
    const { body } = await cluster.ask('POST', review, asked)
    expect(body.status.userInfo).toMatchObject({
      username: 'system:serviceaccount:default:short-lived',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    })
    await cluster.ask('DELETE', '/api/v1/namespaces/default/serviceaccounts/short-lived')
    expect((await cluster.ask('POST', review, asked)).code).toBe(401)
    await account('short-lived')
    expect((await cluster.ask('POST', review, asked)).code).toBe(401)
  })

  test.each([
    ['not a token', 'x'],
    [
      'one that is not signed',
      `${part({ alg: 'none' })}.${part({ sub: 'system:serviceaccount:default:x' })}.`,
    ],
    ['one of another key', `${part({ alg: 'HS256' })}.${part({ iss: 'kubernetes/serviceaccount' })}.AAAA`],
  ])('%s is Unauthorized', async (_, token) => {
    const { code, body } = await cluster.ask('GET', '/api', { token })
    expect([code, body.message]).toEqual([401, 'Unauthorized'])
  })

  test('TokenReview says whose token it is, for the audiences it is meant for', async () => {
    await account('audience')
    const path = '/api/v1/namespaces/default/serviceaccounts/audience/token'
    const made = await cluster.ask('POST', path, { body: { spec: { audiences: ['vault'] } } })
    const { token } = made.body.status
    const review = async (audiences?: readonly string[]) =>
      (
        await cluster.ask('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
          body: { spec: { token, audiences } },
        })
      ).body.status
    expect(await review(['vault', 'other'])).toMatchObject({ authenticated: true, audiences: ['vault'] })
    expect(await review()).toEqual({ user: {}, error: '[invalid bearer token]' })
    expect((await cluster.ask('GET', '/api', { token })).code).toBe(401)
  })

  test.each([
    [599, 'may not specify a duration less than 10 minutes'],
    [2 ** 32 + 1, 'may not specify a duration larger than 2^32 seconds'],
  ])('a token for %i s is refused', async (expirationSeconds, why) => {
    const path = '/api/v1/namespaces/default/serviceaccounts/default/token'
    const { code, body } = await cluster.ask('POST', path, { body: { spec: { expirationSeconds } } })
    expect([code, body.message]).toEqual([
      422,
      `TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: ${expirationSeconds}: ${why}`,
    ])
  })

  test('the issuer can be discovered by service accounts', async () => {
    const token = await account('discoverer')
    const { body } = await cluster.ask('GET', '/.well-known/openid-configuration', { token })
    expect(body.issuer).toBe('https://kubernetes.default.svc.cluster.local')
    const keys = await cluster.ask('GET', new URL(body.jwks_uri).pathname, { token })
    expect(keys.body.keys).toMatchObject([{ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' }])
    expect(keys.body.keys[0]).not.toHaveProperty('d')
  })

  test('an administrator can act as somebody else, who has only their own rights', async () => {
    const headers = { 'Impersonate-User': 'jane', 'Impersonate-Group': ['dev', 'ops'] }
    const self = await cluster.ask('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      headers: { ...headers, 'Impersonate-Uid': '7', 'Impersonate-Extra-Scopes': 'view' },
      body: {},
    })
    expect(self.body.status.userInfo).toEqual({
      username: 'jane',
      uid: '7',
      groups: ['dev', 'ops', 'system:authenticated'],
      extra: { scopes: ['view'] },
    })
    const refused = await cluster.ask('GET', '/api/v1/nodes', { headers })
    expect(refused.body.message).toBe(
      'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope',
    )
  })

  test('nobody else acts as somebody else', async () => {
    const token = await account('pretender')
    const refused = await cluster.ask('GET', '/api', {
      token,
      headers: { 'Impersonate-User': 'kubernetes-admin', 'Impersonate-Group': 'system:masters' },
    })
    expect([refused.code, refused.body.message]).toEqual([
      403,
      'users "kubernetes-admin" is forbidden: User "system:serviceaccount:default:pretender" cannot impersonate resource "users" in API group "" at the cluster scope',
    ])
  })

  test('an apply that would create needs the right to create', async () => {
    const token = await account('applier')
    await allow('applier', [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'patch'] }])
    const path = (name: string) => `/api/v1/namespaces/default/configmaps/${name}?fieldManager=test`
    const applied = (name: string) => ({
      token,
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: 'b' } },
    })
    await cluster.ask('POST', '/api/v1/namespaces/default/configmaps', {
      body: { metadata: { name: 'there' } },
    })
    await eventually(async () => (await cluster.ask('PATCH', path('there'), applied('there'))).code === 200)
    const refused = await cluster.ask('PATCH', path('new'), applied('new'))
    expect([refused.code, refused.body.message]).toEqual([
      403,
      'configmaps "new" is forbidden: User "system:serviceaccount:default:applier" cannot create resource "configmaps" in API group "" in the namespace "default"',
    ])
  })

  test.each([
    ['nobody', {}, 401],
    ['somebody with a wrong token', { token: 'wrong' }, 401],
    ['somebody without rights', { headers: { 'Impersonate-User': 'nobody' }, asAdmin: true }, 403],
  ])('every resource is closed to %s, whatever is asked of it', async (_, who, code) => {
    for (const { group, version, scope, plural, subresources } of kinds) {
      const root = `${group === '' ? '/api' : `/apis/${group}`}/${version}`
      const all = `${root}${scope === 'Namespaced' ? '/namespaces/default' : ''}/${plural}`
      const one = `${all}/x`
      const subs = [...Object.keys(subresources.others ?? {}), 'status', 'scale'].map(
        (sub) => `${one}/${sub}`,
      )
      for (const [method, path] of [
        ['GET', all],
        ['GET', `${all}?watch=1`],
        ['GET', `${root}/watch/${plural}`],
        ['POST', all],
        ['POST', `${all}?dryRun=All`],
        ['DELETE', all],
        ...[one, ...subs].flatMap((path) =>
          ['GET', 'PUT', 'PATCH', 'POST', 'DELETE'].map((method) => [method, path]),
        ),
      ] as const) {
        const answer = await cluster.ask(method ?? '', path ?? '', { asAdmin: false, ...who })
        expect(answer.code, `${method} ${path}`).toBe(code)
      }
    }
  })

  test('nobody gives away what they do not hold', async () => {
    const token = await account('granter')
    await allow('granter', [
      {
        apiGroups: ['rbac.authorization.k8s.io'],
        resources: ['roles', 'rolebindings'],
        verbs: ['create', 'list'],
      },
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
    ])
    const roles = `${RBAC}/namespaces/default/roles`
    await eventually(async () => (await cluster.ask('GET', roles, { token })).code === 200)
    const rules = (verbs: readonly string[]) => [{ apiGroups: [''], resources: ['pods', 'secrets'], verbs }]
    const refused = await cluster.ask('POST', roles, {
      token,
      body: { metadata: { name: 'more' }, rules: rules(['get', 'delete']) },
    })
    expect([refused.code, refused.body.message]).toEqual([
      403,
      'roles.rbac.authorization.k8s.io "more" is forbidden: user "system:serviceaccount:default:granter" (groups=["system:serviceaccounts" "system:serviceaccounts:default" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}\n{APIGroups:[""], Resources:["secrets"], Verbs:["get" "delete"]}',
    ])
    const held = await cluster.ask('POST', roles, {
      token,
      body: { metadata: { name: 'same' }, rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
    })
    expect(held.code).toBe(201)
    const binding = await cluster.ask('POST', `${RBAC}/namespaces/default/rolebindings`, {
      token,
      body: {
        metadata: { name: 'admin' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
        subjects: [{ kind: 'ServiceAccount', name: 'granter', namespace: 'default' }],
      },
    })
    expect(binding.code).toBe(403)
  })

  test('SubjectAccessReview answers for anybody, with the reason', async () => {
    const { body } = await cluster.ask('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      body: {
        spec: {
          user: 'bob',
          groups: ['system:monitoring'],
          nonResourceAttributes: { path: '/metrics', verb: 'get' },
        },
      },
    })
    expect(body.status).toEqual({
      allowed: true,
      reason:
        'RBAC: allowed by ClusterRoleBinding "system:monitoring" of ClusterRole "system:monitoring" to Group "system:monitoring"',
    })
  })

  test('the default roles are there and say who keeps them', async () => {
    const { body } = await cluster.ask('GET', `${RBAC}/clusterroles/system:discovery`)
    expect(body.metadata.annotations).toEqual({ 'rbac.authorization.kubernetes.io/autoupdate': 'true' })
    expect(body.metadata.labels).toEqual({ 'kubernetes.io/bootstrapping': 'rbac-defaults' })
  })
})

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
