import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../../test/support/cluster.ts'
import { make } from '../../../test/support/make.ts'
import { withoutStructs } from '../../api/cel/struct-literals.ts'
import { configMap } from '../../api/kinds/config-map.ts'
import { deployment } from '../../api/kinds/deployment.ts'
import { mutatingAdmissionPolicy } from '../../api/kinds/mutating-admission-policy.ts'
import { mutatingAdmissionPolicyBinding } from '../../api/kinds/mutating-admission-policy-binding.ts'
import { namespace } from '../../api/kinds/namespace.ts'
import { validatingAdmissionPolicy } from '../../api/kinds/validating-admission-policy.ts'
import { validatingAdmissionPolicyBinding } from '../../api/kinds/validating-admission-policy-binding.ts'
import { LOOPBACK } from '../auth/authenticate.ts'
import { create } from '../verbs/create.ts'

let cluster: TestCluster
beforeEach(async () => {
  cluster = await createTestCluster()
})
afterEach(() => cluster.close())

const rules = (resources: readonly string[] = ['deployments']) => [
  { operations: ['CREATE', 'UPDATE'], apiGroups: ['*'], apiVersions: ['*'], resources },
]
async function validating(spec: object, binding: object = {}, name = 'p'): Promise<void> {
  await cluster.client.create(validatingAdmissionPolicy, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: { matchConstraints: { resourceRules: rules() }, ...spec },
  })
  await cluster.client.create(validatingAdmissionPolicyBinding, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'b' },
    spec: { policyName: name, validationActions: ['Deny'], ...binding },
  })
}
async function mutating(spec: object, binding: object = {}): Promise<void> {
  await cluster.client.create(mutatingAdmissionPolicy, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicy',
    metadata: { name: 'm' },
    spec: { matchConstraints: { resourceRules: rules() }, ...spec },
  })
  await cluster.client.create(mutatingAdmissionPolicyBinding, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name: 'b' },
    spec: { policyName: 'm', ...binding },
  })
}
const deploy = (replicas = 3) =>
  cluster.client.create(deployment, make.deployment({ metadata: { name: 'web' }, spec: { replicas } }))
const few = { validations: [{ expression: 'object.spec.replicas <= 2' }] }

describe('A validating policy', () => {
  test('denies with its expression when it has no message', async () => {
    await validating(few)
    await expect(deploy()).rejects.toMatchObject({
      reason: 'Invalid',
      code: 422,
      message:
        "deployments.apps \"web\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed expression: object.spec.replicas <= 2",
    })
    expect((await deploy(2)).spec.replicas).toBe(2)
  })

  test.each<[string, object, string]>([
    ['its message', { message: 'too many' }, 'denied request: too many'],
    [
      'what its messageExpression makes',
      { message: 'no', messageExpression: '"got " + string(object.spec.replicas)' },
      'denied request: got 3',
    ],
    ['its reason', { reason: 'Forbidden' }, 'failed expression'],
  ])('says %s', async (_, more, message) => {
    await validating({ validations: [{ expression: 'object.spec.replicas <= 2', ...more }] })
    await expect(deploy()).rejects.toMatchObject({
      message: expect.stringContaining(message),
      code: 'reason' in more ? 403 : 422,
    })
  })

  test('warns where its binding wants no more', async () => {
    await validating(few, { validationActions: ['Warn', 'Audit'] })
    const warnings: string[] = []
    const context = {
      user: LOOPBACK,
      fieldManager: 'test',
      dryRun: false,
      fieldValidation: 'Strict' as const,
      warnings,
    }
    await create(
      cluster.registry,
      deployment,
      'default',
      make.deployment({ metadata: { name: 'web' }, spec: { replicas: 3 } }),
      context,
    )
    expect(warnings).toEqual([
      "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': failed expression: object.spec.replicas <= 2",
    ])
  })

  test('knows variables, the request and the namespace', async () => {
    await cluster.client.patch(namespace, { name: 'default' }, 'merge', {
      metadata: { labels: { max: '2' } },
    })
    await validating({
      variables: [
        { name: 'max', expression: 'int(namespaceObject.metadata.labels["max"])' },
        { name: 'twice', expression: 'variables.max * 2' },
      ],
      validations: [
        {
          expression: 'object.spec.replicas <= variables.twice && request.operation in ["CREATE", "UPDATE"]',
          messageExpression: '"at most " + string(variables.twice)',
        },
      ],
    })
    expect((await deploy(4)).spec.replicas).toBe(4)
    await expect(
      cluster.client.patch(deployment, { namespace: 'default', name: 'web' }, 'merge', {
        spec: { replicas: 5 },
      }),
    ).rejects.toThrow('denied request: at most 4')
  })

  test('takes parameters, and does as told when there are none', async () => {
    const params = {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      validations: [{ expression: 'object.spec.replicas <= int(params.data.max)' }],
    }
    await validating(params, {
      paramRef: { name: 'limits', namespace: 'default', parameterNotFoundAction: 'Deny' },
    })
    await expect(deploy(1)).rejects.toThrow(
      'no params found for policy binding with `Deny` parameterNotFoundAction',
    )
    await cluster.client.create(
      configMap,
      make.configMap({ metadata: { name: 'limits' }, data: { max: '1' } }),
    )
    await expect(deploy(2)).rejects.toThrow('failed expression')
    expect((await deploy(1)).spec.replicas).toBe(1)
  })

  test.each<[string, object, object, boolean]>([
    [
      'a condition that does not hold',
      { matchConditions: [{ name: 'x', expression: 'object.metadata.name == "other"' }] },
      {},
      false,
    ],
    [
      'a binding to other namespaces',
      {},
      { matchResources: { namespaceSelector: { matchLabels: { a: 'b' } } } },
      false,
    ],
    [
      'a binding to other names',
      {},
      {
        matchResources: {
          resourceRules: [
            {
              operations: ['*'],
              apiGroups: ['*'],
              apiVersions: ['*'],
              resources: ['*'],
              resourceNames: ['other'],
            },
          ],
        },
      },
      false,
    ],
    [
      'an excluded resource',
      { matchConstraints: { resourceRules: rules(['*']), excludeResourceRules: rules() } },
      {},
      false,
    ],
    [
      'an error and failurePolicy Ignore',
      { failurePolicy: 'Ignore', validations: [{ expression: 'object.none == 1' }] },
      {},
      false,
    ],
    ['an error', { validations: [{ expression: 'object.none == 1' }] }, {}, true],
  ])('with %s refuses: %s', async (_, spec, binding, isRefused) => {
    await validating({ ...few, ...spec }, binding)
    if (isRefused)
      await expect(deploy()).rejects.toThrow(
        "expression 'object.none == 1' resulted in error: no such key: none",
      )
    else expect((await deploy()).metadata.name).toBe('web')
  })

  test('does not loop for ever over what somebody sends', async () => {
    const all = 'object.spec.template.spec.containers[0].env'
    await validating({
      validations: [{ expression: `${all}.all(a, ${all}.all(b, ${all}.all(c, a != b || b != c || true)))` }],
    })
    const env = Array.from({ length: 500 }, (_, i) => ({ name: `E${i}`, value: 'x' }))
    const template = { spec: { containers: [{ name: 'app', image: 'web:1', env }] } }
    const sent = make.deployment({ metadata: { name: 'web' } })
    const spec = { ...sent.spec, template: { ...sent.spec.template, ...template } }
    await expect(cluster.client.create(deployment, { ...sent, spec } as typeof sent)).rejects.toThrow(
      'operation cancelled: actual cost limit exceeded',
    )
  })

  test.each<[string, object, string]>([
    [
      'an expression that does not compile',
      { validations: [{ expression: 'wat > 1' }] },
      'spec.validations[0].expression: Invalid value: "wat > 1": compilation failed: ERROR: <input>:1:1: undeclared reference to \'wat\'',
    ],
    ['an expression that gives no bool', { validations: [{ expression: '1' }] }, 'must evaluate to bool'],
    [
      'nothing to say',
      { validations: [] },
      'spec.validations: Required value: validations or auditAnnotations must contain at least one item',
    ],
    [
      'a variable that is no name',
      { ...few, variables: [{ name: 'a b', expression: '1' }] },
      'name is not a valid CEL identifier',
    ],
    ['no rules', { ...few, matchConstraints: {} }, 'spec.matchConstraints.resourceRules: Required value'],
  ])('with %s is refused itself', async (_, spec, message) => {
    await expect(validating(spec)).rejects.toThrow(message)
  })
})

describe('A mutating policy', () => {
  test('merges a configuration', async () => {
    await mutating({
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: {
            expression:
              'Object{metadata: Object.metadata{labels: {"team": "sea", "of": object.metadata.name}}, spec: Object.spec{replicas: object.spec.replicas + 1, ?paused: optional.none()}}',
          },
        },
      ],
    })
    const made = await deploy(3)
    expect(made.metadata.labels).toMatchObject({ team: 'sea', of: 'web' })
    expect([made.spec.replicas, made.spec.paused]).toEqual([4, undefined])
  })

  test('merges lists by their keys', async () => {
    await mutating({
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: {
            expression:
              'Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{initContainers: [Object.spec.template.spec.initContainers{name: "proxy", image: "proxy:1", restartPolicy: "Always"}]}}}}',
          },
        },
      ],
    })
    const { initContainers = [] } = (await deploy(1)).spec.template.spec ?? {}
    expect(initContainers).toMatchObject([{ name: 'proxy', image: 'proxy:1', restartPolicy: 'Always' }])
  })

  test('patches', async () => {
    await mutating({
      mutations: [
        {
          patchType: 'JSONPatch',
          jsonPatch: {
            expression:
              'has(object.metadata.annotations) ? [] : [JSONPatch{op: "add", path: "/metadata/annotations", value: {}}, JSONPatch{op: "add", path: "/metadata/annotations/" + jsonpatch.escapeKey("a/b"), value: "c"}]',
          },
        },
      ],
    })
    expect((await deploy(1)).metadata.annotations).toEqual({ 'a/b': 'c' })
  })

  test('is heard before validation', async () => {
    await mutating({
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: { expression: 'Object{spec: Object.spec{replicas: 1}}' },
        },
      ],
    })
    await validating(few)
    expect((await deploy(9)).spec.replicas).toBe(1)
  })
})

test.each([
  ['Object{}', '{}'],
  ['Object{a: 1, ?b: x}', '{"a": 1, "?b": x}'],
  [
    'Object{a: Object.a{b: [1, 2], c: f(x, y)}, d: {"k": v}}',
    '{"a": {"b": [1, 2], "c": f(x, y)}, "d": {"k": v}}',
  ],
  ['x == "Object{a: 1}" ? Object{a: "b, c: d"} : Object{}', 'x == "Object{a: 1}" ? {"a": "b, c: d"} : {}'],
  ['[JSONPatch{op: "add"}]', '[{"op": "add"}]'],
])('the literal %s is the map %s', (given, expected) => {
  expect(withoutStructs(given)).toBe(expected)
})
