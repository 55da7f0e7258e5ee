import { describe, expect, test } from 'vitest'
import type { V1ManagedFieldsEntry } from '../../api/generated/types.ts'
import { deployment } from '../../api/kinds/deployment.ts'
import type { AnyResource } from '../../api/resource.ts'
import { deepFreeze } from '../../base/json.ts'
import { memberPaths } from './fields.ts'
import { readManagers, trackUpdate } from './managed-fields.ts'

const NOW = Date.UTC(2026, 0, 1)
const base = { kind: deployment, schema: deployment.schema, subresource: '', hasStatus: true, now: NOW }
const objectOf = (spec: object, metadata: object = {}) =>
  deepFreeze({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', ...metadata },
    spec,
  }) as AnyResource
const track = (live: AnyResource | undefined, object: AnyResource, manager: string, options: object = {}) =>
  deepFreeze(trackUpdate(live, deepFreeze(object), { ...base, manager, ...options }))
const owned = (object: AnyResource, manager: string) =>
  readManagers(object.metadata.managedFields)
    .filter(({ name }) => name === manager)
    .flatMap(({ fields }) => memberPaths(fields))
const resent = (object: AnyResource, managedFields: readonly V1ManagedFieldsEntry[]) =>
  ({ ...object, metadata: { ...object.metadata, managedFields } }) as AnyResource

describe('trackUpdate', () => {
  const made = track(undefined, objectOf({ replicas: 2, paused: true }), 'one')

  test('gives the creator all that it set, as Kubernetes writes it', () => {
    const object = objectOf(
      {
        replicas: 2,
        selector: { matchLabels: { a: '1' } },
        template: {
          metadata: { labels: { a: '1' } },
          spec: { containers: [{ name: 'a', ports: [{ containerPort: 80 }] }] },
        },
      },
      { generateName: 'w', labels: { a: '1' } },
    )
    expect(track(undefined, object, 'kubectl-create').metadata.managedFields).toEqual([
      {
        manager: 'kubectl-create',
        operation: 'Update',
        apiVersion: 'apps/v1',
        time: '2026-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:generateName': {}, 'f:labels': { '.': {}, 'f:a': {} } },
          'f:spec': {
            'f:replicas': {},
            'f:selector': {},
            'f:template': {
              'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } },
              'f:spec': {
                'f:containers': {
                  '.': {},
                  'k:{"name":"a"}': {
                    '.': {},
                    'f:name': {},
                    'f:ports': {
                      '.': {},
                      'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} },
                    },
                  },
                },
              },
            },
          },
        },
      },
    ])
  })

  test('gives the updater what it changed and takes it from others', () => {
    const after = track(made, { ...made, spec: { replicas: 5, paused: true } }, 'two')
    expect([owned(after, 'one'), owned(after, 'two')]).toEqual([['.spec.paused'], ['.spec.replicas']])
  })

  test('takes removed fields from everybody', () => {
    const after = track(made, { ...made, spec: { replicas: 2 } }, 'two')
    expect([owned(after, 'one'), owned(after, 'two')]).toEqual([['.spec.replicas'], []])
  })

  test('keeps one entry for the same updater, with the time of the last change', () => {
    const after = track(made, { ...made, spec: { replicas: 5, paused: true } }, 'one', { now: NOW + 1000 })
    expect(after.metadata.managedFields).toMatchObject([{ manager: 'one', time: '2026-01-01T00:00:01Z' }])
    expect(owned(after, 'one')).toEqual(['.spec.paused', '.spec.replicas'])
  })

  test('leaves the time of an updater that only removes', () => {
    const after = track(made, { ...made, spec: { replicas: 2 } }, 'one', { now: NOW + 1000 })
    expect(after.metadata.managedFields).toMatchObject([{ time: '2026-01-01T00:00:00Z' }])
  })

  test('keeps status apart, under its subresource', () => {
    const after = track(made, { ...made, status: { replicas: 2 } }, 'controller', { subresource: 'status' })
    expect(after.metadata.managedFields?.find(({ manager }) => manager === 'controller')).toMatchObject({
      subresource: 'status',
      fieldsV1: { 'f:status': { 'f:replicas': {} } },
    })
  })

  test('changes nothing when nothing changes', () => {
    expect(track(made, { ...made }, 'two').metadata.managedFields).toBe(made.metadata.managedFields)
    const { managedFields: _, ...metadata } = made.metadata
    expect(track(made, { ...made, metadata }, 'two').metadata.managedFields).toBe(made.metadata.managedFields)
  })

  test.each([
    ['[]', []],
    ['[{}]', [{}]],
  ])('clears the entries when %s is sent, and then tracks nothing', (_, sent) => {
    const cleared = track(made, resent(made, sent), 'two')
    expect(cleared.metadata.managedFields).toBeUndefined()
    expect(
      track(cleared, { ...cleared, spec: { replicas: 9 } }, 'two').metadata.managedFields,
    ).toBeUndefined()
  })

  test('takes the entries a client sends, as kubectl does when it moves to server-side apply', () => {
    const moved =
      made.metadata.managedFields?.map((entry) => ({ ...entry, manager: 'kubectl', operation: 'Apply' })) ??
      []
    const after = track(made, resent(made, moved), 'migration')
    expect(after.metadata.managedFields).toEqual(moved)
  })

  test('keeps the stored entries when the sent ones cannot be read, or come by a subresource', () => {
    const odd = resent(made, [{ manager: 'x', operation: 'Steal' }])
    expect(track(made, odd, 'two').metadata.managedFields).toEqual(made.metadata.managedFields)
    const byStatus = track(made, { ...resent(made, []), status: { replicas: 1 } } as AnyResource, 'two', {
      subresource: 'status',
    })
    expect(owned(byStatus, 'one')).toEqual(['.spec.paused', '.spec.replicas'])
  })

  test('keeps a repeated item to whoever changes it', () => {
    const env = (...values: string[]) => ({
      template: { spec: { containers: [{ name: 'a', env: values.map((value) => ({ name: 'X', value })) }] } },
    })
    const twice = track(undefined, objectOf(env('1', '2')), 'one')
    const after = track(twice, { ...twice, spec: env('1', '3') }, 'two')
    expect(owned(after, 'two')).toEqual(['.spec.template.spec.containers[name="a"].env[name="X"]'])
  })

  test('keeps ten updaters and merges older ones, once more each time', () => {
    let object = made
    for (let i = 1; i <= 14; i += 1) {
      const labels = { ...object.metadata.labels, [`l${i}`]: 'x' }
      object = track(object, { ...object, metadata: { ...object.metadata, labels } }, `m${i}`, {
        now: NOW + i * 1000,
      })
    }
    expect(object.metadata.managedFields?.map(({ manager, time }) => [manager, time]).slice(0, 2)).toEqual([
      ['ancient-changes', '2026-01-01T00:00:05Z'],
      ['m6', '2026-01-01T00:00:06Z'],
    ])
    expect(object.metadata.managedFields).toHaveLength(10)
    expect(owned(object, 'ancient-changes')).toContain('.metadata.labels.l5')
  })
})
