import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../../test/support/cluster.ts'
import type { CustomResourceDefinition } from '../../api/custom/definition.ts'
import type { KindRef } from '../../api/kind.ts'
import { customResourceDefinition } from '../../api/kinds/custom-resource-definition.ts'
import { kinds } from '../../api/kinds/index.ts'
import type { AnyResource } from '../../api/resource.ts'
import { KindTable } from '../kind-table.ts'
import { Registry } from '../registry.ts'
import { tableOf } from '../table.ts'
import { startCustomResources } from './custom-resources.ts'

let cluster: TestCluster
beforeEach(async () => {
  cluster = await createTestCluster()
})
afterEach(() => cluster.close())

const ref: KindRef<AnyResource> = {
  group: 'example.com',
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  scope: 'Namespaced',
}
const schema = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1, maximum: 10 },
        color: { type: 'string', enum: ['red', 'green'], default: 'red' },
        port: { 'x-kubernetes-int-or-string': true },
        parts: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            required: ['name'],
            properties: { name: { type: 'string' }, weight: { type: 'integer', default: 1 } },
          },
        },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
    status: { type: 'object', properties: { ready: { type: 'integer' } } },
  },
}
type Version = CustomResourceDefinition['spec']['versions'][number]

function definition(version: object = {}, spec: object = {}): CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          subresources: {
            status: {},
            scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.ready' },
          },
          selectableFields: [{ jsonPath: '.spec.color' }],
          additionalPrinterColumns: [
            { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
            { name: 'First', type: 'string', jsonPath: '.spec.parts[?(@.weight==1)].name' },
          ],
          ...version,
        } as Version,
      ],
      ...spec,
    },
  }
}

async function install(made: CustomResourceDefinition): Promise<void> {
  await cluster.client.create(customResourceDefinition, made)
  await cluster.clock.run(10)
}

const widget = (spec: object, name = 'a'): AnyResource => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name, namespace: 'default' },
  spec: { ...spec },
})
const read = () => cluster.client.get(customResourceDefinition, { name: 'widgets.example.com' })

describe('A CustomResourceDefinition', () => {
  test('is established with its names and serves its kind', async () => {
    await install(definition())
    const { status } = await read()
    expect(status?.conditions?.map(({ type, status: value, reason }) => [type, value, reason])).toEqual([
      ['NamesAccepted', 'True', 'NoConflicts'],
      ['Established', 'True', 'InitialNamesAccepted'],
    ])
    expect(status?.acceptedNames).toEqual({
      plural: 'widgets',
      singular: 'widget',
      shortNames: ['wd'],
      kind: 'Widget',
      listKind: 'WidgetList',
    })
    expect(status?.storedVersions).toEqual(['v1'])
    const made = await cluster.client.create(
      ref,
      widget({ size: 2, parts: [{ name: 'x' }], free: { any: [1] } }),
    )
    expect(made.spec).toEqual({
      size: 2,
      color: 'red',
      parts: [{ name: 'x', weight: 1 }],
      free: { any: [1] },
    })
    expect(made.metadata.generation).toBe(1)
  })

  test('waits for its names while another one holds them', async () => {
    await install(definition())
    const other = definition({}, { names: { plural: 'gadgets', kind: 'Widget' } })
    await install({ ...other, metadata: { name: 'gadgets.example.com' } })
    const gadgets = () => cluster.client.get(customResourceDefinition, { name: 'gadgets.example.com' })
    const conditions = async () =>
      (await gadgets()).status?.conditions?.map(({ type, status, reason, message }) => [
        type,
        status,
        reason,
        message,
      ])
    expect(await conditions()).toEqual([
      ['NamesAccepted', 'False', 'ListKindConflict', '"WidgetList" is already in use'],
      ['Established', 'False', 'NotAccepted', 'not all names are accepted'],
    ])
    await cluster.client.delete(customResourceDefinition, { name: 'widgets.example.com' })
    await cluster.clock.run(3000)
    expect((await conditions())?.[1]?.[1]).toBe('True')
  })

  test('takes its objects with it, and nothing new is made meanwhile', async () => {
    await install(definition())
    const held = widget({ size: 1 }, 'held')
    await cluster.client.create(ref, {
      ...held,
      metadata: { ...held.metadata, finalizers: ['example.com/wait'] },
    })
    await cluster.client.create(ref, widget({ size: 1 }))
    await cluster.client.delete(customResourceDefinition, { name: 'widgets.example.com' })
    await cluster.clock.run(3000)
    expect((await cluster.client.list(ref)).items.map(({ metadata }) => metadata.name)).toEqual(['held'])
    expect((await read()).status?.conditions?.at(-1)).toMatchObject({
      type: 'Terminating',
      reason: 'InstanceDeletionInProgress',
    })
    await expect(cluster.client.create(ref, widget({ size: 1 }))).rejects.toThrow(
      'create not allowed while custom resource definition is terminating',
    )
    await cluster.client.patch(ref, { namespace: 'default', name: 'held' }, 'merge', {
      metadata: { finalizers: null },
    })
    await cluster.clock.run(3000)
    await expect(read()).rejects.toThrow('not found')
    expect(cluster.registry.kinds.of(ref)).toBeUndefined()
  })

  test('that changes is served as it is now, and stored objects are read by it', async () => {
    await install(definition())
    await cluster.client.create(ref, widget({ size: 2 }))
    const grown = structuredClone(schema) as { properties: { spec: { properties: Record<string, object> } } }
    grown.properties.spec.properties['shape'] = { type: 'string', default: 'round' }
    await cluster.client.patch(customResourceDefinition, { name: 'widgets.example.com' }, 'json', [
      { op: 'replace', path: '/spec/versions/0/schema/openAPIV3Schema', value: grown },
    ])
    await cluster.clock.run(10)
    expect((await cluster.client.get(ref, { namespace: 'default', name: 'a' })).spec?.['shape']).toBe('round')
  })

  test('with two versions shows each object in both', async () => {
    const versions = definition().spec.versions
    const beta = { ...versions[0], name: 'v1beta1', storage: false } as Version
    await install(definition({}, { versions: [beta, ...versions] }))
    const old = { ...ref, version: 'v1beta1' }
    await cluster.client.create(old, { ...widget({ size: 3 }), apiVersion: 'example.com/v1beta1' })
    const { items } = await cluster.client.list(ref)
    expect(items.map(({ apiVersion, spec }) => [apiVersion, spec?.['size']])).toEqual([['example.com/v1', 3]])
    expect((await cluster.client.get(old, { namespace: 'default', name: 'a' })).apiVersion).toBe(
      'example.com/v1beta1',
    )
  })

  test('that asks a webhook to convert is served in the stored version, and says why not in the other', async () => {
    const versions = definition().spec.versions
    const beta = { ...versions[0], name: 'v1beta1', storage: false } as Version
    const webhook = { clientConfig: { url: 'https://a.example' }, conversionReviewVersions: ['v1'] }
    const conversion = { strategy: 'Webhook', webhook }
    await install(definition({}, { versions: [...versions, beta], conversion }))
    await cluster.client.create(ref, widget({ size: 3 }))
    await expect(cluster.client.list({ ...ref, version: 'v1beta1' })).rejects.toThrow(
      'conversion webhook for example.com/v1beta1, Kind=Widget failed',
    )
  })

  test('that is established is served as soon as the server is back', async () => {
    await install(definition())
    const { env, store } = cluster
    const again = new Registry(env, store, new KindTable(kinds), [])
    const custom = await startCustomResources(again)
    expect(again.kinds.of(ref)?.kind).toBe('Widget')
    await custom.stop()
  })

  test.each<[string, object, string]>([
    [
      'another name',
      { names: { plural: 'gadgets', kind: 'Widget' } },
      'metadata.name: Invalid value: "widgets.example.com": must be spec.names.plural+"."+spec.group',
    ],
    ['no scope', { scope: '' }, 'spec.scope: Required value'],
    [
      'an unknown scope',
      { scope: 'World' },
      'spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced"',
    ],
    [
      'a kind that is no name',
      { names: { plural: 'widgets', kind: 'Wid get' } },
      'spec.names.kind: Invalid value: "Wid get": may have mixed case, but should otherwise match',
    ],
    [
      'no storage version',
      { versions: [{ ...definition().spec.versions[0], storage: false }] },
      'spec.versions: Invalid value: ["v1"]: must have exactly one version marked as storage version',
    ],
    [
      'no schema',
      { versions: [{ name: 'v1', served: true, storage: true }] },
      'spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required',
    ],
    [
      'unknown fields kept',
      { preserveUnknownFields: true },
      'spec.preserveUnknownFields: Invalid value: true: must be false',
    ],
  ])('with %s is refused', async (_, spec, message) => {
    await expect(install(definition({}, spec))).rejects.toThrow(message)
  })

  test.each<[string, object, string]>([
    [
      'a scale path elsewhere',
      { subresources: { scale: { specReplicasPath: '.status.x', statusReplicasPath: '.status.x' } } },
      'subresources.scale.specReplicasPath: Invalid value: ".status.x": should be a json path under .spec',
    ],
    [
      'a column without a path',
      { additionalPrinterColumns: [{ name: 'a', type: 'string' }] },
      'additionalPrinterColumns[0].jsonPath: Required value',
    ],
    [
      'a column of a type nobody knows',
      { additionalPrinterColumns: [{ name: 'a', type: 'text', jsonPath: '.a' }] },
      'must be one of integer,number,string,boolean,date',
    ],
    [
      'a field to select that is not there',
      { selectableFields: [{ jsonPath: '.spec.none' }] },
      'selectableFields[0].jsonPath: Invalid value: ".spec.none": field does not exist in the schema',
    ],
    [
      'a warning without deprecation',
      { deprecationWarning: 'x' },
      'deprecationWarning: Invalid value: "x": can only be set for deprecated versions',
    ],
  ])('whose version has %s is refused', async (_, version, message) => {
    await expect(install(definition(version))).rejects.toThrow(message)
  })

  test('keeps its scope once it is established, and the versions objects may be stored in', async () => {
    await install(definition())
    const patch = (ops: object[]) =>
      cluster.client.patch(customResourceDefinition, { name: 'widgets.example.com' }, 'json', ops)
    await expect(patch([{ op: 'replace', path: '/spec/scope', value: 'Cluster' }])).rejects.toThrow(
      'spec.scope: Invalid value: "Cluster": field is immutable',
    )
    await expect(patch([{ op: 'replace', path: '/spec/versions/0/name', value: 'v2' }])).rejects.toThrow(
      'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions',
    )
  })
})

describe('A custom resource', () => {
  beforeEach(() => install(definition()))

  test.each<[string, object, string]>([
    ['without a field it needs', {}, 'spec.size: Required value'],
    [
      'with a text for a number',
      { size: 'big' },
      'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
    ],
    [
      'with a number that is too large',
      { size: 11 },
      'spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10',
    ],
    [
      'with a word that is not allowed',
      { size: 1, color: 'blue' },
      'spec.color: Unsupported value: "blue": supported values: "green", "red"',
    ],
    [
      'with the same item twice',
      { size: 1, parts: [{ name: 'a' }, { name: 'a' }] },
      'spec.parts[1]: Duplicate value: {"name":"a"}',
    ],
  ])('%s is refused', async (_, spec, message) => {
    await expect(cluster.client.create(ref, widget(spec))).rejects.toThrow(
      `Widget.example.com "a" is invalid: ${message}`,
    )
  })

  test('with an unknown field is refused when asked strictly, and pruned else', async () => {
    await expect(cluster.client.create(ref, widget({ size: 1, sise: 2 }))).rejects.toThrow(
      'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.sise"',
    )
    const made = await cluster.client.create(ref, widget({ size: 1, sise: 2 }), { fieldValidation: 'Ignore' })
    expect(made.spec).toEqual({ size: 1, color: 'red' })
  })

  test('takes no strategic patch', async () => {
    await cluster.client.create(ref, widget({ size: 1 }))
    await expect(
      cluster.client.patch(ref, { namespace: 'default', name: 'a' }, 'strategic', { spec: { size: 2 } }),
    ).rejects.toMatchObject({ reason: 'UnsupportedMediaType' })
  })

  test('is merged by the keys its schema names', async () => {
    const apply = (fieldManager: string, name: string) =>
      cluster.client.apply(ref, widget({ size: 1, parts: [{ name }] }), { fieldManager })
    await apply('one', 'x')
    const both = await apply('two', 'y')
    expect(both.spec?.['parts']).toEqual([
      { name: 'x', weight: 1 },
      { name: 'y', weight: 1 },
    ])
  })

  test('is scaled, and its status is written apart', async () => {
    await cluster.client.create(ref, { ...widget({ size: 1 }), status: { ready: 9 } })
    const key = { namespace: 'default', name: 'a' }
    await cluster.client.patch(ref, key, 'merge', { spec: { replicas: 4 } }, { subresource: 'scale' })
    await cluster.client.patch(
      ref,
      key,
      'merge',
      { spec: { size: 7 }, status: { ready: 2 } },
      { subresource: 'status' },
    )
    const { spec, status, metadata } = await cluster.client.get(ref, key)
    expect([spec?.['size'], status, metadata.generation]).toEqual([4, { ready: 2 }, 2])
    await expect(
      cluster.client.patch(ref, key, 'merge', { status: { ready: 'no' } }, { subresource: 'status' }),
    ).rejects.toThrow('status.ready in body must be of type integer: "string"')
  })

  test('keeps what was once valid as long as it is not touched', async () => {
    await cluster.client.create(ref, widget({ size: 9 }))
    await cluster.client.patch(customResourceDefinition, { name: 'widgets.example.com' }, 'json', [
      {
        op: 'replace',
        path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/size/maximum',
        value: 5,
      },
    ])
    await cluster.clock.run(10)
    const key = { namespace: 'default', name: 'a' }
    const kept = await cluster.client.patch(ref, key, 'merge', { spec: { color: 'green' } })
    expect(kept.spec).toMatchObject({ size: 9, color: 'green' })
    await expect(cluster.client.patch(ref, key, 'merge', { spec: { size: 8 } })).rejects.toThrow(
      'should be less than or equal to 5',
    )
  })

  test('is found by the fields that may be selected, and shown in its own columns', async () => {
    await cluster.client.create(ref, widget({ size: 1, parts: [{ name: 'x', weight: 3 }, { name: 'y' }] }))
    await cluster.client.create(ref, widget({ size: 2, color: 'green' }, 'b'))
    const { items } = await cluster.client.list(ref, { fieldSelector: 'spec.color=red' })
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['a'])
    const kind = cluster.registry.kinds.of(ref)
    const table = kind && tableOf(kind, items, { now: 0, includeObject: 'None', metaVersion: 'v1' })
    expect(table).toMatchObject({ rows: [{ cells: ['a', 1, 'y'] }] })
  })
})
