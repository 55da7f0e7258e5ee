import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../../test/support/cluster.ts'
import { make } from '../../../test/support/make.ts'
import {
  patchResponse,
  startWebhookServer,
  type WebhookServer,
} from '../../../test/support/webhook-server.ts'
import { configMap } from '../../api/kinds/config-map.ts'
import { endpointSlice } from '../../api/kinds/endpoint-slice.ts'
import { mutatingWebhookConfiguration } from '../../api/kinds/mutating-webhook-configuration.ts'
import { namespace } from '../../api/kinds/namespace.ts'
import { node } from '../../api/kinds/node.ts'
import { pod } from '../../api/kinds/pod.ts'
import { service } from '../../api/kinds/service.ts'
import { validatingWebhookConfiguration } from '../../api/kinds/validating-webhook-configuration.ts'

const NODE_INFO = {
  architecture: 'amd64',
  bootID: '',
  kernelVersion: '',
  kubeProxyVersion: '',
  kubeletVersion: 'v1.36.0',
  machineID: '',
  operatingSystem: 'linux',
  osImage: '',
  systemUUID: '',
}
let cluster: TestCluster
let server: WebhookServer
beforeEach(async () => {
  cluster = await createTestCluster()
  server = await startWebhookServer((review, path) => {
    switch (path) {
      case '/label':
        return patchResponse([{ op: 'add', path: '/data', value: { touched: 'yes' } }])
      case '/deny':
        return { allowed: false, status: { code: 403, message: `no ${review.object?.metadata.name}` } }
      case '/plain':
        return { allowed: false }
      case '/hang':
        return undefined
      case '/wrong':
        return { uid: 'other', allowed: true }
      default:
        return { allowed: true, warnings: ['mind the gap'] }
    }
  })
})
afterEach(async () => {
  await server.close()
  await cluster.close()
})

const hook = (path: string, more: object = {}) => ({
  name: `a${path.replace('/', '-')}.hooks.example.com`,
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  clientConfig: { url: server.url + path, caBundle: server.caBundle },
  rules: [
    { operations: ['CREATE', 'UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] },
  ],
  ...more,
})
const install = (type: 'mutating' | 'validating', ...webhooks: object[]) => {
  const kind = type === 'mutating' ? mutatingWebhookConfiguration : validatingWebhookConfiguration
  return cluster.client.create(kind as typeof mutatingWebhookConfiguration, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: kind.kind,
    metadata: { name: 'hooks' },
    webhooks: webhooks as never,
  })
}
const create = () => cluster.client.create(configMap, make.configMap({ metadata: { name: 'a' } }))

describe('A webhook', () => {
  test('changes what is stored', async () => {
    await install('mutating', hook('/label'))
    expect((await create()).data).toEqual({ touched: 'yes' })
    expect(server.seen[0]?.review).toMatchObject({
      operation: 'CREATE',
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      namespace: 'default',
      name: 'a',
      dryRun: false,
      userInfo: { username: 'system:apiserver' },
      oldObject: null,
    })
  })

  test('refuses in its own words', async () => {
    await install('validating', hook('/deny'))
    await expect(create()).rejects.toMatchObject({
      code: 403,
      message: 'admission webhook "a-deny.hooks.example.com" denied the request: no a',
    })
  })

  test('that says nothing refuses without explanation', async () => {
    await install('validating', hook('/plain'))
    await expect(create()).rejects.toThrow(
      'admission webhook "a-plain.hooks.example.com" denied the request without explanation',
    )
  })

  test('that does not answer in time fails the request, or is passed over', async () => {
    await install('validating', hook('/hang', { timeoutSeconds: 2 }))
    const failing = expect(create()).rejects.toThrow(
      `Internal error occurred: failed calling webhook "a-hang.hooks.example.com": failed to call webhook: Post "${server.url}/hang?timeout=2s": context deadline exceeded`,
    )
    await untilSeen(1)
    await cluster.clock.run(2000)
    await failing
    await cluster.client.patch(validatingWebhookConfiguration, { name: 'hooks' }, 'json', [
      { op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Ignore' },
    ])
    const passing = create()
    await untilSeen(2)
    await cluster.clock.run(2000)
    expect((await passing).metadata.name).toBe('a')
  })

  test.each<[string, object, RegExp]>([
    ['of another review', {}, /expected response\.uid="[-0-9a-f]+", got "other"/],
    [
      'that cannot be reached',
      { clientConfig: { url: 'https://127.0.0.1:1/x' } },
      /failed to call webhook: Post .*ECONNREFUSED/,
    ],
    ["whose certificate is nobody's", { caBundle: undefined }, /certificate/],
  ])('%s fails closed', async (_, more, message) => {
    const made = hook('/wrong', more)
    const config = 'caBundle' in more ? { ...made, clientConfig: { url: made.clientConfig.url } } : made
    const { caBundle: _bundle, ...webhook } = config as typeof config & { caBundle?: unknown }
    await install('validating', webhook)
    await expect(create()).rejects.toThrow(message)
  })

  test.each<[string, object, boolean]>([
    [
      'rule of another kind',
      { rules: [{ operations: ['*'], apiGroups: [''], apiVersions: ['*'], resources: ['pods'] }] },
      false,
    ],
    [
      'rule of a subresource',
      {
        rules: [
          { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['configmaps/status'] },
        ],
      },
      false,
    ],
    [
      'rule of everything',
      { rules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] }] },
      true,
    ],
    ['namespace selector that does not match', { namespaceSelector: { matchLabels: { team: 'a' } } }, false],
    [
      'namespace selector that matches',
      { namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] } },
      true,
    ],
    ['object selector that does not match', { objectSelector: { matchLabels: { app: 'a' } } }, false],
    [
      'condition that is false',
      { matchConditions: [{ name: 'no', expression: 'object.metadata.name == "b"' }] },
      false,
    ],
    [
      'condition that is true',
      {
        matchConditions: [
          { name: 'yes', expression: 'request.userInfo.username != "" && has(object.metadata.name)' },
        ],
      },
      true,
    ],
    [
      'condition that fails, open',
      { failurePolicy: 'Ignore', matchConditions: [{ name: 'bad', expression: 'object.none.x == 1' }] },
      false,
    ],
  ])('with a %s is asked: %s', async (_, more, isAsked) => {
    await install('validating', hook('/allow', more))
    await create()
    expect(server.seen.length).toBe(isAsked ? 1 : 0)
  })

  test('is found through a service', async () => {
    await cluster.client.create(
      service,
      make.service({
        metadata: { name: 'hooks' },
        spec: { ports: [{ port: 443, targetPort: server.port }] },
      }),
    )
    await cluster.client.create(endpointSlice, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'hooks-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'hooks' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.1.2.3'], conditions: { ready: false } }],
      ports: [{ name: '', port: server.port, protocol: 'TCP' }],
    })
    await install(
      'validating',
      hook('/deny', { clientConfig: { service: { name: 'hooks', namespace: 'default', path: '/deny' } } }),
    )
    await expect(create()).rejects.toThrow(
      /failed to call webhook: Post "https:\/\/hooks\.default\.svc.*": no endpoints available for service "hooks"/,
    )
  })

  test('is found where a service of another name leads, and must have the certificate of the service', async () => {
    await cluster.client.create(
      service,
      make.service({
        metadata: { name: 'hooks' },
        spec: { type: 'ExternalName', externalName: 'localhost' },
      }),
    )
    const reference = { name: 'hooks', namespace: 'default', path: '/deny', port: server.port }
    await install(
      'validating',
      hook('/deny', { clientConfig: { service: reference, caBundle: server.caBundle } }),
    )
    await expect(create()).rejects.toThrow(/does not match certificate's altnames: Host: hooks\.default\.svc/)
  })

  test('that only pods on simulated nodes serve is not asked, and the client is told', async () => {
    await cluster.client.create(node, make.node({ metadata: { name: 'sim' } }))
    await cluster.client.patch(
      node,
      { name: 'sim' },
      'merge',
      { status: { nodeInfo: { ...NODE_INFO, containerRuntimeVersion: 'simulated://1.0.0' } } },
      { subresource: 'status' },
    )
    await cluster.client.create(pod, make.pod({ metadata: { name: 'hook' }, spec: { nodeName: 'sim' } }))
    await cluster.client.create(
      service,
      make.service({ metadata: { name: 'hooks' }, spec: { ports: [{ port: 443 }] } }),
    )
    await cluster.client.create(endpointSlice, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'hooks-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'hooks' } },
      addressType: 'IPv4',
      endpoints: [
        { addresses: ['10.1.2.3'], targetRef: { kind: 'Pod', name: 'hook', namespace: 'default' } },
      ],
      ports: [{ name: '', port: 8443, protocol: 'TCP' }],
    })
    await install(
      'validating',
      hook('/deny', { clientConfig: { service: { name: 'hooks', namespace: 'default' } } }),
    )
    expect((await create()).metadata.name).toBe('a')
  })

  test('is asked once more when a later one has changed the object', async () => {
    const again = { reinvocationPolicy: 'IfNeeded' }
    await install('mutating', hook('/allow', again), hook('/label'))
    await create()
    expect(server.seen.map(({ path }) => path)).toEqual(['/allow', '/label', '/allow'])
  })

  test('is never asked about its own configuration', async () => {
    await install(
      'validating',
      hook('/deny', {
        rules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] }],
      }),
    )
    await cluster.client.delete(validatingWebhookConfiguration, { name: 'hooks' })
    expect(server.seen).toEqual([])
  })

  test('sees a deletion as the old object', async () => {
    const made = await cluster.client.create(namespace, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'x' },
      spec: {},
    })
    await install(
      'validating',
      hook('/deny', {
        rules: [{ operations: ['DELETE'], apiGroups: [''], apiVersions: ['v1'], resources: ['namespaces'] }],
      }),
    )
    await expect(cluster.client.delete(namespace, { name: made.metadata.name })).rejects.toThrow(
      'denied the request',
    )
    expect(server.seen[0]?.review).toMatchObject({
      operation: 'DELETE',
      object: null,
      oldObject: { metadata: { name: 'x' } },
    })
  })
})

describe('A webhook configuration', () => {
  test.each<[string, object, string]>([
    [
      'a short name',
      { name: 'a.b' },
      'webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots',
    ],
    [
      'http',
      { clientConfig: { url: 'http://a/b' } },
      'webhooks[0].clientConfig.url: Invalid value: "http": \'https\' is the only allowed URL scheme',
    ],
    [
      'both ways',
      { clientConfig: {} },
      'webhooks[0].clientConfig: Required value: exactly one of url or service is required',
    ],
    ['a long timeout', { timeoutSeconds: 31 }, 'the timeout value must be between 1 and 30 seconds'],
    [
      'side effects',
      { sideEffects: 'Some' },
      'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
    ],
    [
      'a bad condition',
      { matchConditions: [{ name: 'x', expression: 'wat' }] },
      'webhooks[0].matchConditions[0].expression: Invalid value: "wat": compilation failed',
    ],
  ])('with %s is refused', async (_, more, message) => {
    await expect(install('validating', hook('/allow', more))).rejects.toThrow(message)
  })
})

async function untilSeen(count: number): Promise<void> {
  while (server.seen.length < count) await new Promise((resolve) => setImmediate(resolve))
}
