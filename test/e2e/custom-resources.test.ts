import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { e2eCluster } from '../support/e2e-cluster.ts'
import { findKubectl } from '../support/kubectl.ts'
import { exampleRepository, missingForE2e } from '../support/seamark-events.ts'
import { patchResponse, startWebhookServer, type WebhookServer } from '../support/webhook-server.ts'

const missing = missingForE2e() ?? findKubectl().reason
if (missing) console.warn(`e2e of custom resources skipped: ${missing}`)

const CRD = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: crontabs.stable.example.com }
spec:
  group: stable.example.com
  scope: Namespaced
  names: { plural: crontabs, kind: CronTab, shortNames: [ct], categories: [all] }
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          description: CronTab runs a thing again and again.
          properties:
            spec:
              type: object
              description: What is wanted.
              x-kubernetes-validations:
                - { rule: "self.minReplicas <= self.replicas", message: "replicas must be at least minReplicas" }
              properties:
                cronSpec: { type: string, pattern: '^(\\S+\\s){4}\\S+$', description: When it runs. }
                minReplicas: { type: integer, default: 0 }
                replicas: { type: integer, default: 1, maximum: 10 }
            status:
              type: object
              properties: { replicas: { type: integer }, labelSelector: { type: string } }
      subresources:
        status: {}
        scale: { specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas, labelSelectorPath: .status.labelSelector }
      additionalPrinterColumns:
        - { name: Spec, type: string, jsonPath: .spec.cronSpec }
        - { name: Replicas, type: integer, jsonPath: .spec.replicas }
        - { name: Age, type: date, jsonPath: .metadata.creationTimestamp }
`
const cronTab = (name: string, spec: object) =>
  JSON.stringify({ apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name }, spec })

describe.skipIf(missing)('what a cluster is taught while it runs, with the real kubectl', () => {
  const cluster = e2eCluster(exampleRepository)
  const { run, ok } = cluster
  let hooks: WebhookServer
  const refused = async (args: string, input?: string) => {
    const ran = await run(args, input)
    expect(ran.code, ran.stdout).not.toBe(0)
    return ran.stderr.trim()
  }

  beforeAll(async () => {
    hooks = await startWebhookServer((review, path) => {
      if (path === '/hang') return undefined
      if (path === '/deny') return { allowed: false, status: { message: 'not on a Friday' } }
      return {
        ...patchResponse([{ op: 'add', path: '/data', value: { by: review.operation } }]),
        warnings: ['changed on the way'],
      }
    })
  })
  afterAll(() => hooks.close())

  test('a definition is established and served at once', async () => {
    expect(await ok('apply -f -', CRD)).toContain(
      'customresourcedefinition.apiextensions.k8s.io/crontabs.stable.example.com created',
    )
    await ok('wait crd/crontabs.stable.example.com --for=condition=Established --timeout=10s')
    expect(await ok('api-resources --api-group=stable.example.com --no-headers')).toMatch(
      /crontabs +ct +stable\.example\.com\/v1 +true +CronTab/,
    )
    expect(await ok('get apiservices v1.stable.example.com --no-headers')).toMatch(/Local +True/)
    const explained = await ok('explain crontab.spec')
    expect(explained).toContain('What is wanted.')
    expect(explained).toMatch(/cronSpec\s+<string>\s+When it runs\./)
  })

  test('its objects are validated, shown in its columns, scaled and patched', async () => {
    expect(await ok('apply -f -', cronTab('one', { cronSpec: '* * * * */5' }))).toContain(
      'crontab.stable.example.com/one created',
    )
    expect(await ok('get ct')).toMatch(/NAME +SPEC +REPLICAS +AGE\none +\* \* \* \* \*\/5 +1 +\d+s/)
    expect(
      await refused('apply -f -', cronTab('two', { cronSpec: 'now', replicas: 11, minReplicas: 20 })),
    ).toBe(
      [
        'The CronTab "two" is invalid: ',
        '* spec.cronSpec: Invalid value: "now": spec.cronSpec in body should match \'^(\\S+\\s){4}\\S+$\'',
        '* spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10',
        '* spec: Invalid value: "object": replicas must be at least minReplicas',
      ].join('\n'),
    )
    expect(await refused('apply -f -', cronTab('two', { cronspec: '* * * * *' }))).toContain(
      'unknown field "spec.cronspec"',
    )
    expect(await ok('scale crontab one --replicas=3')).toContain('crontab.stable.example.com/one scaled')
    expect(await ok('get ct one -o jsonpath={.spec.replicas}')).toBe('3')
    expect(await ok('apply -f -', cronTab('one', { cronSpec: '0 * * * *' }))).toContain('configured')
    await ok('label ct one a=b')
    expect(await refused('patch ct one --type=strategic -p {"spec":{"replicas":4}}')).toContain(
      'application/strategic-merge-patch+json is not supported by stable.example.com/v1, Kind=CronTab',
    )
    expect(await ok('apply --server-side -f -', cronTab('three', { replicas: 2 }))).toContain(
      'serverside-applied',
    )
    expect(await ok('get all --no-headers')).toContain('crontab.stable.example.com/three')
  })

  test('a policy in CEL denies and warns', async () => {
    const metadata = { name: 'names' }
    const about = {
      operations: ['CREATE'],
      apiGroups: ['stable.example.com'],
      apiVersions: ['v1'],
      resources: ['crontabs'],
    }
    const policy = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata,
      spec: {
        matchConstraints: { resourceRules: [about] },
        validations: [
          {
            expression: 'object.metadata.name.size() <= 5',
            messageExpression: '"\\"" + object.metadata.name + "\\" is too long"',
          },
        ],
      },
    }
    const binding = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: 'names', validationActions: ['Deny'] },
    }
    await ok('apply -f -', `${JSON.stringify(policy)}\n${JSON.stringify(binding)}`)
    expect(await ok('get validatingadmissionpolicies --no-headers')).toMatch(/names +1 +<unset>/)
    const message =
      "ValidatingAdmissionPolicy 'names' with binding 'names' denied request: \"longer\" is too long"
    expect(await refused('apply -f -', cronTab('longer', {}))).toContain(message)
    await ok(
      'apply -f -',
      JSON.stringify({ ...binding, spec: { ...binding.spec, validationActions: ['Warn'] } }),
    )
    expect((await run('apply -f -', cronTab('longer', {}))).stderr).toContain(
      'Warning: Validation failed for ValidatingAdmissionPolicy',
    )
    await ok('delete validatingadmissionpolicybinding names')
  })

  test('a webhook changes, refuses, is too slow, fails open and closed', async () => {
    const configure = (type: string, path: string, more: object = {}) =>
      ok(
        'apply -f -',
        JSON.stringify({
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: `${type}WebhookConfiguration`,
          metadata: { name: 'hooks' },
          webhooks: [
            {
              name: 'maps.hooks.example.com',
              admissionReviewVersions: ['v1'],
              sideEffects: 'None',
              timeoutSeconds: 1,
              clientConfig: { url: hooks.url + path, caBundle: hooks.caBundle },
              rules: [
                { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] },
              ],
              ...more,
            },
          ],
        }),
      )
    await configure('Mutating', '/change')
    const made = await run('create configmap a')
    expect([made.code, made.stderr]).toEqual([0, 'Warning: changed on the way\n'])
    expect(await ok('get configmap a -o jsonpath={.data.by}')).toBe('CREATE')
    await ok('delete mutatingwebhookconfiguration hooks')
    await configure('Validating', '/deny')
    expect(await refused('create configmap b')).toContain(
      'admission webhook "maps.hooks.example.com" denied the request: not on a Friday',
    )
    await configure('Validating', '/hang')
    expect(await refused('create configmap c')).toContain(
      'failed calling webhook "maps.hooks.example.com": failed to call webhook: Post',
    )
    await configure('Validating', '/hang', { failurePolicy: 'Ignore' })
    await ok('create configmap c')
    await ok('delete validatingwebhookconfiguration hooks')
  })

  test('a definition takes its objects with it', async () => {
    expect(await ok('delete crd crontabs.stable.example.com --timeout=20s')).toContain('deleted')
    expect(await refused('get crontabs')).toContain('the server doesn\'t have a resource type "crontabs"')
    await ok('apply -f -', CRD)
    await ok('wait crd/crontabs.stable.example.com --for=condition=Established --timeout=10s')
    expect((await run('get crontabs')).stderr).toContain('No resources found in default namespace.')
  })
})
