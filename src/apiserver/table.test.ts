import { describe, expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import { configMap } from '../api/kinds/config-map.ts'
import type { AnyResource } from '../api/resource.ts'
import { partialListOf, partialOf, tableOf } from './table.ts'

const resource = make.configMap({
  metadata: { resourceVersion: '7', creationTimestamp: '2030-01-01T00:00:00Z' },
}) as unknown as AnyResource
const now = Date.UTC(2030, 0, 1, 0, 5)
const options = { now, includeObject: 'Metadata', metaVersion: 'v1' } as const

describe('A Table', () => {
  test('has a row of cells for each resource, in the order of its columns', () => {
    const table = tableOf(configMap, [resource], { ...options, metadata: { resourceVersion: '9' } })
    expect(table).toMatchObject({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: '9' },
      columnDefinitions: [
        { name: 'Name', type: 'string', format: 'name', priority: 0 },
        { name: 'Data', type: 'string', priority: 0 },
        { name: 'Age', priority: 0 },
      ],
      rows: [{ cells: ['settings', 1, '5m'] }],
    })
  })
  test.each<['None' | 'Metadata' | 'Object', unknown]>([
    ['None', undefined],
    [
      'Metadata',
      { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: resource.metadata },
    ],
    ['Object', resource],
  ])('with includeObject %s carries as much', (includeObject, object) => {
    const { rows } = tableOf(configMap, [resource], { ...options, includeObject }) as {
      rows: { object?: unknown }[]
    }
    expect(rows[0]?.object).toEqual(object)
  })
  test('of a later watch event leaves the columns out', () =>
    expect(tableOf(configMap, [resource], { ...options, withoutColumns: true })).toMatchObject({
      columnDefinitions: null,
    }))
  test('of nothing has columns and no rows', () =>
    expect(tableOf(configMap, [], options)).toMatchObject({ columnDefinitions: [{}, {}, {}], rows: [] }))
  test('answers in the version that was asked for', () =>
    expect(tableOf(configMap, [resource], { ...options, metaVersion: 'v1beta1' })).toMatchObject({
      apiVersion: 'meta.k8s.io/v1beta1',
      rows: [{ object: { apiVersion: 'meta.k8s.io/v1beta1' } }],
    }))
})

describe('PartialObjectMetadata', () => {
  test('is the metadata and nothing else', () =>
    expect(partialOf(resource, 'v1')).toEqual({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: resource.metadata,
    }))
  test('lists keep the list metadata', () =>
    expect(partialListOf([resource], { resourceVersion: '9' }, 'v1')).toMatchObject({
      kind: 'PartialObjectMetadataList',
      metadata: { resourceVersion: '9' },
      items: [{ kind: 'PartialObjectMetadata', metadata: { name: 'settings' } }],
    }))
})
