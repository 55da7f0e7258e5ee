import { describe, expect, test } from 'vitest'
import { deployment } from '../../api/kinds/deployment.ts'
import type { AnyResource } from '../../api/resource.ts'
import type { ApiError } from '../../api/status.ts'
import { deepFreeze } from '../../base/json.ts'
import { applyPatch } from './apply.ts'
import { formatFields, memberPaths, parseFields } from './fields.ts'
import { readManagers, trackUpdate } from './managed-fields.ts'

const NOW = Date.UTC(2026, 0, 1)
const base = { kind: deployment, schema: deployment.schema, subresource: '', hasStatus: true, now: NOW }

const configOf = (spec: object, metadata: object = {}) =>
  deepFreeze({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', ...metadata },
    spec,
  }) as AnyResource
const apply = (live: AnyResource | undefined, config: AnyResource, manager = 'git', force = false) =>
  deepFreeze(applyPatch({ ...base, live, config, manager, force }))
const update = (live: AnyResource | undefined, object: AnyResource, manager: string, subresource = '') =>
  deepFreeze(trackUpdate(live, object, { ...base, manager, subresource }))
const owned = (object: AnyResource, manager: string) =>
  readManagers(object.metadata.managedFields)
    .filter(({ name }) => name === manager)
    .flatMap(({ fields }) => memberPaths(fields))
    .sort()
const failure = (run: () => unknown): ApiError => {
  try {
    run()
  } catch (error) {
    return error as ApiError
  }
  throw new Error('Nothing was thrown')
}

describe('applyPatch', () => {
  test('creates, and owns what the configuration sets', () => {
    const made = apply(
      undefined,
      configOf(
        {
          replicas: 2,
          template: { spec: { containers: [{ name: 'a', image: 'i', ports: [{ containerPort: 80 }] }] } },
        },
        { labels: { app: 'web' } },
      ),
    )
    expect(owned(made, 'git')).toEqual(
      [
        '.metadata.labels.app',
        '.spec.replicas',
        '.spec.template.spec.containers[name="a"]',
        '.spec.template.spec.containers[name="a"].image',
        '.spec.template.spec.containers[name="a"].name',
        '.spec.template.spec.containers[name="a"].ports[containerPort=80,protocol="TCP"]',
        '.spec.template.spec.containers[name="a"].ports[containerPort=80,protocol="TCP"].containerPort',
      ].sort(),
    )
  })

  test('applied twice changes nothing, not even the object', () => {
    const config = configOf({ replicas: 2 })
    const made = apply(undefined, config)
    expect(apply(made, config)).toBe(made)
  })

  test('removes what the applier no longer mentions', () => {
    const made = apply(undefined, configOf({ replicas: 2, paused: true }))
    expect(apply(made, configOf({ replicas: 2 })).spec).toEqual({ replicas: 2 })
  })

  test('removes an item, and leaves the items of others', () => {
    const containers = (...names: string[]) => ({
      template: { spec: { containers: names.map((name) => ({ name, image: name })) } },
    })
    const made = apply(apply(undefined, configOf(containers('a', 'b'))), configOf(containers('c')), 'other')
    expect(apply(made, configOf(containers('a'))).spec).toEqual(containers('a', 'c'))
  })

  test('keeps a field that somebody else owns with the same value', () => {
    const made = apply(
      apply(undefined, configOf({ replicas: 2, paused: true })),
      configOf({ paused: true }),
      'other',
    )
    const after = apply(made, configOf({ replicas: 2 }))
    expect(after.spec).toEqual({ replicas: 2, paused: true })
    expect(owned(after, 'other')).toEqual(['.spec.paused'])
    expect(owned(after, 'git')).toEqual(['.spec.replicas'])
  })

  test('conflicts when another manager owns the field with another value, in the words kubectl users know', () => {
    const made = update(undefined, configOf({ replicas: 2 }), 'kubectl-client-side-apply')
    const error = failure(() => apply(made, configOf({ replicas: 3 })))
    expect(error.reason).toBe('Conflict')
    expect(error.message).toBe(
      'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1 at 2026-01-01T00:00:00Z: .spec.replicas',
    )
    expect(error.causes).toEqual([
      {
        reason: 'FieldManagerConflict',
        message: 'conflict with "kubectl-client-side-apply" using apps/v1 at 2026-01-01T00:00:00Z',
        field: '.spec.replicas',
      },
    ])
  })

  test('lists several conflicts by manager', () => {
    const made = apply(undefined, configOf({ replicas: 2, paused: true }), 'one')
    expect(failure(() => apply(made, configOf({ replicas: 3, paused: false }), 'two')).message).toBe(
      'Apply failed with 2 conflicts: conflicts with "one" using apps/v1:\n- .spec.paused\n- .spec.replicas',
    )
  })

  test('takes a field over when forced', () => {
    const made = apply(
      apply(undefined, configOf({ replicas: 2 }), 'one'),
      configOf({ replicas: 3 }),
      'two',
      true,
    )
    expect(made.spec).toEqual({ replicas: 3 })
    expect([owned(made, 'one'), owned(made, 'two')]).toEqual([[], ['.spec.replicas']])
  })

  test('takes over what was written before fields were tracked', () => {
    const live = configOf({ replicas: 2 })
    const error = failure(() => apply(live, configOf({ replicas: 3 })))
    expect(error.message).toContain('conflict with "before-first-apply"')
    expect(apply(live, configOf({ replicas: 2 })).spec).toEqual({ replicas: 2 })
  })

  test('treats atomic lists and maps as one value', () => {
    const made = apply(undefined, configOf({ selector: { matchLabels: { a: '1' } } }))
    expect(owned(made, 'git')).toEqual(['.spec.selector'])
    const args = (...list: string[]) => ({ template: { spec: { containers: [{ name: 'a', args: list }] } } })
    expect(apply(apply(undefined, configOf(args('1', '2'))), configOf(args('3'))).spec).toEqual(args('3'))
  })

  test('merges finalizers as a set', () => {
    const made = apply(
      apply(undefined, configOf({}, { finalizers: ['a/x'] }), 'one'),
      configOf({}, { finalizers: ['b/y'] }),
      'two',
    )
    expect(made.metadata.finalizers).toEqual(['a/x', 'b/y'])
    expect(apply(made, configOf({}), 'one').metadata.finalizers).toEqual(['b/y'])
  })

  test('the order of two appliers of different fields does not matter', () => {
    const one = configOf({ replicas: 2 }, { labels: { a: '1' } })
    const two = configOf({ paused: true }, { labels: { b: '2' } })
    const left = apply(apply(undefined, one, 'one'), two, 'two')
    const right = apply(apply(undefined, two, 'two'), one, 'one')
    expect(left).toEqual(right)
  })

  test.each([
    [
      'managedFields in the configuration',
      configOf({}, { managedFields: [{ manager: 'x' }] }),
      'metadata.managedFields must be nil',
    ],
    [
      'an item twice',
      configOf({ template: { spec: { containers: [{ name: 'a' }, { name: 'a' }] } } }),
      'duplicate entries for key {"name":"a"}',
    ],
    [
      'an item without its key',
      configOf({ template: { spec: { containers: [{ image: 'a' }] } } }),
      'omits key field "name"',
    ],
  ])('refuses %s', (_, config, message) => expect(() => apply(undefined, config)).toThrow(message))
})

describe('trackUpdate', () => {
  test('gives the updater what it changed and takes it from others', () => {
    const made = apply(undefined, configOf({ replicas: 2, paused: true }))
    const after = update(made, { ...made, spec: { replicas: 5, paused: true } }, 'kubectl')
    expect([owned(after, 'git'), owned(after, 'kubectl')]).toEqual([['.spec.paused'], ['.spec.replicas']])
  })

  test('keeps status apart, under its subresource', () => {
    const made = apply(undefined, configOf({ replicas: 2 }))
    const after = update(made, { ...made, status: { replicas: 2 } }, 'controller', 'status')
    const entry = after.metadata.managedFields?.find(({ manager }) => manager === 'controller')
    expect(entry).toMatchObject({
      subresource: 'status',
      fieldsV1: { 'f:status': { '.': {}, 'f:replicas': {} } },
    })
  })

  test('changes nothing when nothing changes', () => {
    const made = apply(undefined, configOf({ replicas: 2 }))
    expect(update(made, { ...made }, 'kubectl').metadata.managedFields).toEqual(made.metadata.managedFields)
  })

  test('managedFields: [] clears them', () => {
    const made = apply(undefined, configOf({ replicas: 2 }))
    expect(
      update(made, { ...made, metadata: { ...made.metadata, managedFields: [] } }, 'kubectl').metadata
        .managedFields,
    ).toBeUndefined()
  })

  test('keeps ten updaters and merges older ones', () => {
    let object = configOf({ replicas: 0 })
    for (let i = 1; i <= 14; i += 1) {
      object = trackUpdate(
        object,
        {
          ...object,
          metadata: { ...object.metadata, labels: { ...object.metadata.labels, [`l${i}`]: 'x' } },
        },
        { ...base, now: NOW + i * 1000, manager: `m${i}` },
      )
    }
    const managers = object.metadata.managedFields?.map(({ manager }) => manager) ?? []
    expect(managers).toHaveLength(10)
    expect(managers[0]).toBe('ancient-changes')
  })
})

test('fieldsV1 is read and written as it is', () => {
  const json = {
    'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
    'f:spec': {
      'f:containers': { 'k:{"name":"a"}': { '.': {}, 'f:image': {} } },
      'f:finalizers': { 'v:"x"': {} },
    },
  }
  expect(formatFields(parseFields(json))).toEqual(json)
})
