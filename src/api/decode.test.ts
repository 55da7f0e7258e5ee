import { describe, expect, test } from 'vitest'
import { decode } from './decode.ts'
import { resolve } from './schema.ts'
import { ApiError } from './status.ts'

const deployment = resolve({ ref: 'V1Deployment' })
const configMap = resolve({ ref: 'V1ConfigMap' })
const secret = resolve({ ref: 'V1Secret' })
const pod = resolve({ ref: 'V1Pod' })
const event = resolve({ ref: 'CoreV1Event' })

function messageOf(input: unknown, schema = deployment, kind = 'Deployment'): string {
  try {
    decode(input, schema, kind)
  } catch (error) {
    if (error instanceof ApiError && error.reason === 'BadRequest') return error.message
    throw error
  }
  return 'decoded'
}

test('what is shared with a decoded object is not decoded again', () => {
  const known = { apiVersion: 'v1', kind: 'Pod', spec: { odd: 1, containers: [{ odd: 2 }, { odd: 3 }] } }
  const decoded = (input: object) => decode(input, pod, 'Pod', known).unknownFields
  expect(decoded({ ...known, metadata: { odd: 1 } })).toEqual(['unknown field "metadata.odd"'])
  expect(decoded({ ...known, spec: { containers: [known.spec.containers[0], { odd: 3 }] } })).toEqual([
    'unknown field "spec.containers[1].odd"',
  ])
  expect(decoded({ ...known, spec: { ...known.spec } })).toEqual(['unknown field "spec.odd"'])
})

const podWith = (container: object) => ({ apiVersion: 'v1', kind: 'Pod', spec: { containers: [container] } })

describe('a wrong type is refused in the words of the decoder', () => {
  const HEAD = 'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal '
  test.each<[string, object, string]>([
    [
      'text for a number',
      { spec: { replicas: '3' } },
      'string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      'a fraction',
      { spec: { replicas: 1.5 } },
      'number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      'a number beyond 32 bits',
      { spec: { replicas: 2 ** 31 } },
      'number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      'a number for a label',
      { metadata: { labels: { app: 1 } } },
      'number into Go struct field ObjectMeta.metadata.labels of type string',
    ],
    [
      'text for a boolean',
      { spec: { paused: 'yes' } },
      'string into Go struct field DeploymentSpec.spec.paused of type bool',
    ],
    [
      'a list for an object',
      { spec: [] },
      'array into Go struct field Deployment.spec of type v1.DeploymentSpec',
    ],
    [
      'an object for a list, deep inside',
      { spec: { template: { spec: { containers: {} } } } },
      'object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container',
    ],
    [
      'a boolean inside a list',
      { spec: { template: { spec: { containers: [{ name: true }] } } } },
      'bool into Go struct field Container.spec.template.spec.containers.name of type string',
    ],
    [
      'text for a map',
      { metadata: { labels: 'a=b' } },
      'string into Go struct field ObjectMeta.metadata.labels of type map[string]string',
    ],
    [
      'an object for an int-or-string',
      { spec: { strategy: { rollingUpdate: { maxSurge: {} } } } },
      'object into Go struct field RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of type intstr.IntOrString',
    ],
  ])('%s', (_, input, expected) =>
    expect(messageOf({ apiVersion: 'apps/v1', ...input })).toBe(HEAD + expected),
  )

  test.each([[null], [[]], ['text'], [3]])('%j is no object', (input) =>
    expect(messageOf(input)).toContain('cannot unmarshal'),
  )

  test('64 bits hold where the API has them', () => {
    expect(messageOf({ metadata: { generation: 2 ** 40 } })).toBe('decoded')
    expect(messageOf({ metadata: { generation: 2 ** 63 } })).toContain('of type int64')
  })
})

describe('formats', () => {
  test.each([
    ['cpu', '1000m', '1'],
    ['cpu', 0.5, '500m'],
    ['cpu', 2, '2'],
    ['cpu', '1500u', '2m'],
    ['cpu', '100n', '1m'],
    ['memory', '1024Mi', '1Gi'],
    ['memory', '1.5Gi', '1536Mi'],
    ['memory', '1e3', '1e3'],
    ['memory', '1000Ki', '1000Ki'],
  ])('%s %j is kept as %j', (resource, given, kept) => {
    const { value } = decode(podWith({ resources: { limits: { [resource]: given } } }), pod, 'Pod')
    expect(value).toMatchObject(podWith({ resources: { limits: { [resource]: kept } } }))
  })

  test('a word is no quantity', () =>
    expect(messageOf(podWith({ resources: { limits: { cpu: 'lots' } } }), pod, 'Pod')).toBe(
      `Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
    ))

  test('plain text is no base64, and is not quoted', () => {
    const message = messageOf({ data: { password: 'hunter-2' } }, secret, 'Secret')
    expect(message).toBe(
      'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 6 of data.password (plain text belongs under "stringData")',
    )
    expect(message).not.toContain('hunter')
  })

  test('base64 may be wrapped', () =>
    expect(messageOf({ data: { a: 'c2Vh\nbWFyaw==\n' } }, secret, 'Secret')).toBe('decoded'))

  test.each([
    ['2026-01-02T03:04:05Z', true],
    ['2026-01-02T03:04:05.123456Z', true],
    ['2026-01-02T03:04:05+01:00', true],
    ['2026-01-02', false],
    ['now', false],
  ])('time %s: %s', (time, isTime) =>
    expect(messageOf({ lastTimestamp: time, eventTime: time }, event, 'Event') === 'decoded').toBe(isTime),
  )
})

describe('unknown fields and nulls', () => {
  test('unknown fields are reported with their whole path and dropped', () => {
    const { value, unknownFields } = decode(
      { ...podWith({ name: 'a', imagee: 'x' }), extra: 1, metadata: { name: 'p', lables: {} } },
      pod,
      'Pod',
    )
    expect(unknownFields).toEqual([
      'unknown field "spec.containers[0].imagee"',
      'unknown field "extra"',
      'unknown field "metadata.lables"',
    ])
    expect(value).toEqual({ ...podWith({ name: 'a' }), metadata: { name: 'p' } })
  })

  test('an object with a thousand unknown fields is reported in bounds', () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, i]))
    const { value, unknownFields } = decode(many, configMap, 'ConfigMap')
    expect([unknownFields.length, value]).toEqual([100, {}])
  })

  test('null is as good as absent, in a map of texts an empty one', () => {
    const { value } = decode(
      { metadata: { name: 'a', labels: null }, data: { a: null, b: 'x' }, immutable: null },
      configMap,
      'ConfigMap',
    )
    expect(value).toEqual({ metadata: { name: 'a' }, data: { a: '', b: 'x' } })
  })

  test('null in a list becomes its empty value', () => {
    const { value } = decode({ spec: { containers: [null] }, metadata: { finalizers: [null] } }, pod, 'Pod')
    expect(value).toEqual({ spec: { containers: [{}] }, metadata: { finalizers: [''] } })
  })

  test('keys that JavaScript gives a meaning are plain keys of maps and unknown fields elsewhere', () => {
    const input: unknown = JSON.parse(
      '{"data":{"__proto__":"x","constructor":"y","gone":null},"__proto__":{"a":1}}',
    )
    const { value, unknownFields } = decode(input, configMap, 'ConfigMap')
    expect(JSON.stringify(value)).toBe('{"data":{"__proto__":"x","constructor":"y","gone":""}}')
    expect(unknownFields).toEqual(['unknown field "__proto__"'])
  })
})

describe('sharing and bounds', () => {
  test('what needs no change is the same object, frozen or not', () => {
    const input = Object.freeze({ metadata: Object.freeze({ name: 'a' }), data: Object.freeze({ a: 'b' }) })
    expect(decode(input, configMap, 'ConfigMap').value).toBe(input)
  })

  test('only the branch that changes is copied', () => {
    const input = { metadata: { name: 'a' }, spec: { containers: [{ resources: { limits: { cpu: 1 } } }] } }
    const { value } = decode(input, pod, 'Pod')
    expect(value['metadata']).toBe(input.metadata)
    expect(input.spec.containers[0]?.resources.limits.cpu).toBe(1)
  })

  test('endless nesting is refused, not followed', () => {
    let schema: unknown = {}
    for (let i = 0; i < 10_000; i += 1) schema = { properties: { a: schema } }
    const crd = resolve({ ref: 'V1CustomResourceDefinition' })
    const input = { spec: { versions: [{ schema: { openAPIV3Schema: schema } }] } }
    expect(messageOf(input, crd, 'CustomResourceDefinition')).toContain('nested more than 200 levels deep')
  })
})
