import { describe, expect, test } from 'vitest'
import { configMap } from '../../api/kinds/config-map.ts'
import { deployment } from '../../api/kinds/deployment.ts'
import { service } from '../../api/kinds/service.ts'
import type { AnyResource } from '../../api/resource.ts'
import type { ApiError } from '../../api/status.ts'
import { deepFreeze } from '../../base/json.ts'
import { applyPatch } from './apply.ts'
import { memberPaths } from './fields.ts'
import { readManagers, trackUpdate } from './managed-fields.ts'

const NOW = Date.UTC(2026, 0, 1)
const base = { kind: deployment, schema: deployment.schema, subresource: '', hasStatus: true, now: NOW }

const configOf = (spec: object, metadata: object = {}, rest: object = {}) =>
  deepFreeze({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', ...metadata },
    spec,
    ...rest,
  }) as AnyResource
const apply = (live: AnyResource | undefined, config: AnyResource, manager = 'git', options: object = {}) =>
  deepFreeze(applyPatch({ ...base, live, config, manager, force: false, ...options }))
const update = (live: AnyResource | undefined, object: AnyResource, manager: string, subresource = '') =>
  deepFreeze(trackUpdate(live, deepFreeze(object), { ...base, manager, subresource }))
const owned = (object: AnyResource, manager: string) =>
  readManagers(object.metadata.managedFields)
    .filter(({ name }) => name === manager)
    .flatMap(({ fields }) => memberPaths(fields))
const failure = (run: () => unknown): ApiError => {
  try {
    run()
  } catch (error) {
    return error as ApiError
  }
  throw new Error('Nothing was thrown')
}
const pods = (...containers: object[]) => ({ template: { spec: { containers } } })
const one = (container: object) => pods({ name: 'a', ...container })
const withDefaults = (object: AnyResource, spec: object) =>
  deepFreeze({ ...object, spec: { ...object.spec, ...spec } }) as AnyResource

describe('applyPatch owns', () => {
  const container = '.spec.template.spec.containers[name="a"]'
  test.each<readonly [string, object, readonly string[]]>([
    ['scalars', { replicas: 2 }, ['.spec.replicas']],
    ['false and zero like any value', { replicas: 0, paused: false }, ['.spec.paused', '.spec.replicas']],
    ['an atomic struct as one', { selector: { matchLabels: { a: '1' } } }, ['.spec.selector']],
    ['an empty struct', { strategy: {} }, ['.spec.strategy']],
    ['an empty list', { template: { spec: { containers: [] } } }, ['.spec.template.spec.containers']],
    [
      'an item, its key and its fields',
      one({ image: 'i' }),
      [container, `${container}.image`, `${container}.name`],
    ],
    ['an atomic list as one', one({ args: ['1'] }), [container, `${container}.args`, `${container}.name`]],
    [
      'a port under its default protocol',
      one({ ports: [{ containerPort: 80 }] }),
      [
        container,
        `${container}.name`,
        `${container}.ports[containerPort=80,protocol="TCP"]`,
        `${container}.ports[containerPort=80,protocol="TCP"].containerPort`,
      ],
    ],
    [
      'a key of a map',
      { template: { metadata: { labels: { app: 'x' } } } },
      ['.spec.template.metadata.labels.app'],
    ],
    [
      'a quantity',
      one({ resources: { limits: { cpu: '1' } } }),
      [container, `${container}.name`, `${container}.resources.limits.cpu`],
    ],
  ])('%s', (_, spec, expected) => expect(owned(apply(undefined, configOf(spec)), 'git')).toEqual(expected))

  test('no identity, status or kind', () => {
    const config = configOf(
      {},
      { namespace: 'n', uid: 'u', generation: 1, labels: { a: '1' } },
      { status: { replicas: 1 } },
    )
    expect(owned(apply(undefined, config), 'git')).toEqual(['.metadata.labels.a', '.spec'])
  })

  test('items of a set by value', () =>
    expect(owned(apply(undefined, configOf({ replicas: 1 }, { finalizers: ['a/x'] })), 'git')).toEqual([
      '.metadata.finalizers[="a/x"]',
      '.spec.replicas',
    ]))

  test('an owner reference as one, by uid', () =>
    expect(
      owned(apply(undefined, configOf({ replicas: 1 }, { ownerReferences: [{ uid: 'u' }] })), 'git'),
    ).toEqual(['.metadata.ownerReferences[uid="u"]', '.spec.replicas']))

  test('Service ports by port and protocol', () => {
    const config = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's' },
      spec: { ports: [{ port: 53 }, { port: 53, protocol: 'UDP' }] },
    }
    const made = apply(undefined, deepFreeze(config) as AnyResource, 'git', {
      kind: service,
      schema: service.schema,
    })
    expect(owned(made, 'git').filter((path) => path.endsWith(']'))).toEqual([
      '.spec.ports[port=53,protocol="TCP"]',
      '.spec.ports[port=53,protocol="UDP"]',
    ])
  })

  test('keys named like prototypes', () => {
    const config = JSON.parse(
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"__proto__":"x","constructor":"y"}}',
    )
    const options = { kind: configMap, schema: configMap.schema, hasStatus: false }
    const made = apply(undefined, deepFreeze(config), 'git', options)
    expect(owned(made, 'git')).toEqual(['.data.__proto__', '.data.constructor'])
    const without = deepFreeze({ ...config, data: {} })
    expect(apply(made, without, 'git', options)['data']).toEqual({})
  })
})

describe('applyPatch merges', () => {
  const merged = (before: object, after: object) =>
    apply(apply(undefined, configOf(before), 'other'), configOf(after), 'git', { force: true }).spec

  test.each<readonly [string, object, object, object]>([
    ['a new field', { replicas: 1 }, { paused: true }, { replicas: 1, paused: true }],
    ['a changed field', { replicas: 1 }, { replicas: 2 }, { replicas: 2 }],
    [
      'keys of a map',
      { template: { metadata: { labels: { a: '1' } } } },
      { template: { metadata: { labels: { b: '2' } } } },
      { template: { metadata: { labels: { a: '1', b: '2' } } } },
    ],
    ['an atomic list by replacing it', one({ args: ['1', '2'] }), one({ args: ['3'] }), one({ args: ['3'] })],
    [
      'an atomic struct by replacing it',
      { selector: { matchLabels: { a: '1' } } },
      { selector: { matchLabels: { b: '1' } } },
      { selector: { matchLabels: { b: '1' } } },
    ],
    ['items by key', one({ image: 'x' }), one({ tty: true }), one({ image: 'x', tty: true })],
    [
      'new items after the ones that are there',
      pods({ name: 'a' }),
      pods({ name: 'b' }),
      pods({ name: 'a' }, { name: 'b' }),
    ],
    [
      'items in the order of the configuration',
      pods({ name: 'a' }, { name: 'b' }),
      pods({ name: 'b' }, { name: 'a' }),
      pods({ name: 'b' }, { name: 'a' }),
    ],
    [
      "others' items where they stood",
      pods({ name: 'a' }, { name: 'x' }, { name: 'b' }),
      pods({ name: 'b' }, { name: 'a' }),
      pods({ name: 'x' }, { name: 'b' }, { name: 'a' }),
    ],
    [
      'a new item before the one it precedes',
      pods({ name: 'a' }, { name: 'b' }),
      pods({ name: 'a' }, { name: 'n' }, { name: 'b' }),
      pods({ name: 'a' }, { name: 'n' }, { name: 'b' }),
    ],
    [
      'ports of both protocols',
      one({ ports: [{ containerPort: 53 }] }),
      one({ ports: [{ containerPort: 53, protocol: 'UDP' }] }),
      one({ ports: [{ containerPort: 53 }, { containerPort: 53, protocol: 'UDP' }] }),
    ],
    ['null by removing', { replicas: 1, paused: true }, { paused: null }, { replicas: 1 }],
    ['new content without its nulls', {}, one({ image: null, tty: true }), one({ tty: true })],
  ])('%s', (_, before, after, expected) => expect(merged(before, after)).toEqual(expected))

  test('into a list that repeats items, and leaves the repeated ones', () => {
    const live = configOf(
      one({
        env: [
          { name: 'X', value: '1' },
          { name: 'X', value: '2' },
        ],
      }),
    )
    expect(apply(live, configOf(one({ env: [{ name: 'Y' }] }))).spec).toEqual(
      one({ env: [{ name: 'X', value: '1' }, { name: 'X', value: '2' }, { name: 'Y' }] }),
    )
  })

  test('into a live list whose item lacks its key', () => {
    const live = configOf(pods({ image: 'odd' }))
    expect(apply(live, configOf(pods({ name: 'b' }))).spec).toEqual(pods({ image: 'odd' }, { name: 'b' }))
  })

  test('one of several repeated items', () => {
    const live = configOf(
      one({
        env: [
          { name: 'X', value: '1' },
          { name: 'X', value: '2' },
        ],
      }),
    )
    expect(
      apply(live, configOf(one({ env: [{ name: 'X', value: '3' }] })), 'git', { force: true }).spec,
    ).toEqual(one({ env: [{ name: 'X', value: '3' }] }))
  })

  test('finalizers as a set', () => {
    const both = apply(
      apply(undefined, configOf({}, { finalizers: ['a/x'] }), 'one'),
      configOf({}, { finalizers: ['b/y'] }),
      'two',
    )
    expect(both.metadata.finalizers).toEqual(['a/x', 'b/y'])
    expect(apply(both, configOf({}), 'one').metadata.finalizers).toEqual(['b/y'])
  })

  test('nothing of the status without /status, and only the status with it', () => {
    const config = configOf({ replicas: 9 }, {}, { status: { replicas: 1 } })
    const live = configOf({ replicas: 1 })
    expect(apply(live, config, 'git', { force: true })['status']).toBeUndefined()
    const written = apply(live, config, 'git', { subresource: 'status' })
    expect([written.spec, written['status'], owned(written, 'git')]).toEqual([
      { replicas: 1 },
      { replicas: 1 },
      ['.status.replicas'],
    ])
  })

  test('nothing of the metadata that the server sets', () => {
    const live = configOf({ replicas: 1 }, { creationTimestamp: '2020-01-01T00:00:00Z', generation: 4 })
    const config = configOf({ replicas: 1 }, { creationTimestamp: null, generation: 1 })
    expect(apply(live, config).metadata).toMatchObject({
      creationTimestamp: '2020-01-01T00:00:00Z',
      generation: 4,
    })
  })
})

describe('applyPatch removes', () => {
  const applied = (before: object, then: object) =>
    apply(apply(undefined, configOf(before)), configOf(then)).spec

  test.each<readonly [string, object, object, object]>([
    ['a field', { replicas: 2, paused: true }, { replicas: 2 }, { replicas: 2 }],
    ['an item', pods({ name: 'a' }, { name: 'b' }), pods({ name: 'b' }), pods({ name: 'b' })],
    ['a field of an item', one({ image: 'x', tty: true }), one({ image: 'x' }), one({ image: 'x' })],
    [
      'a key of a map',
      { template: { metadata: { labels: { a: '1', b: '2' } } } },
      { template: { metadata: { labels: { a: '1' } } } },
      { template: { metadata: { labels: { a: '1' } } } },
    ],
    [
      'a struct whole',
      { replicas: 1, strategy: { rollingUpdate: { maxSurge: 1 } } },
      { replicas: 1 },
      { replicas: 1 },
    ],
    ['a list whole', one({ ports: [{ containerPort: 80 }] }), one({ tty: true }), one({ tty: true })],
    ['an atomic list', one({ args: ['1'], tty: true }), one({ tty: true }), one({ tty: true })],
    [
      'one of two ports',
      one({ ports: [{ containerPort: 80 }, { containerPort: 81 }] }),
      one({ ports: [{ containerPort: 81 }] }),
      one({ ports: [{ containerPort: 81 }] }),
    ],
    [
      'what a renamed item leaves',
      pods({ name: 'a', image: 'x' }),
      pods({ name: 'b', image: 'x' }),
      pods({ name: 'b', image: 'x' }),
    ],
  ])('%s', (_, before, then, expected) => expect(applied(before, then)).toEqual(expected))

  test('the content of a struct that stays, empty', () => {
    const volume = (emptyDir: object) => ({ template: { spec: { volumes: [{ name: 'v', emptyDir }] } } })
    expect(applied(volume({ medium: 'Memory' }), volume({}))).toEqual(volume({}))
  })

  test('the defaults below a struct together with it', () => {
    const made = apply(undefined, configOf(one({ image: 'x', livenessProbe: { httpGet: { path: '/' } } })))
    const live = withDefaults(
      made,
      one({ image: 'x', livenessProbe: { httpGet: { path: '/', scheme: 'HTTP' }, periodSeconds: 10 } }),
    )
    expect(apply(live, configOf(one({ image: 'x' }))).spec).toEqual(one({ image: 'x' }))
  })

  test('not a default beside what is still there', () => {
    const made = apply(
      undefined,
      configOf(one({ image: 'x', livenessProbe: { httpGet: { path: '/' }, failureThreshold: 5 } })),
    )
    const live = withDefaults(
      made,
      one({ image: 'x', livenessProbe: { httpGet: { path: '/' }, failureThreshold: 5, periodSeconds: 10 } }),
    )
    expect(
      apply(live, configOf(one({ image: 'x', livenessProbe: { httpGet: { path: '/' } } }))).spec,
    ).toEqual(one({ image: 'x', livenessProbe: { httpGet: { path: '/' }, periodSeconds: 10 } }))
  })

  test('no item that somebody else owns too', () => {
    const both = apply(
      apply(undefined, configOf(pods({ name: 'a' }, { name: 'b' })), 'one'),
      configOf(pods({ name: 'b' })),
      'two',
    )
    expect(apply(both, configOf(pods({ name: 'a' })), 'one').spec).toEqual(pods({ name: 'a' }, { name: 'b' }))
  })

  test("its part of an item and leaves another's part", () => {
    const both = apply(
      apply(undefined, configOf(one({ image: 'x' })), 'one'),
      configOf(one({ tty: true })),
      'two',
    )
    expect(apply(both, configOf({ replicas: 1 }), 'one').spec).toEqual({ replicas: 1, ...one({ tty: true }) })
  })

  test("its part of a struct and leaves another's part", () => {
    const both = apply(
      apply(undefined, configOf({ strategy: { type: 'RollingUpdate' } }), 'one'),
      configOf({ strategy: { rollingUpdate: { maxSurge: 1 } } }),
      'two',
    )
    expect(apply(both, configOf({ replicas: 1 }), 'one').spec).toEqual({
      replicas: 1,
      strategy: { rollingUpdate: { maxSurge: 1 } },
    })
  })

  test('nothing of what an update set', () => {
    const made = apply(undefined, configOf({ replicas: 1, paused: true }))
    const live = update(made, { ...made, spec: { replicas: 5, paused: true } }, 'hpa')
    expect(apply(live, configOf({ paused: true })).spec).toEqual({ replicas: 5, paused: true })
  })

  test('nothing that it never owned', () => {
    const live = withDefaults(apply(undefined, configOf({ replicas: 1 })), { minReadySeconds: 5 })
    expect(apply(live, configOf({ paused: true })).spec).toEqual({ minReadySeconds: 5, paused: true })
  })

  test('a shared field only when its last owner lets go', () => {
    const both = apply(
      apply(undefined, configOf({ replicas: 1, paused: true }), 'one'),
      configOf({ paused: true }),
      'two',
    )
    const left = apply(both, configOf({ replicas: 1 }), 'one')
    expect(left.spec).toEqual({ replicas: 1, paused: true })
    expect([owned(left, 'one'), owned(left, 'two')]).toEqual([['.spec.replicas'], ['.spec.paused']])
    expect(apply(left, configOf({ replicas: 1 }), 'two').spec).toEqual({ replicas: 1 })
  })
})

describe('applyPatch conflicts', () => {
  test('with an update, in the words kubectl users know', () => {
    const made = update(undefined, configOf({ replicas: 2 }), 'kubectl-client-side-apply')
    const error = failure(() => apply(made, configOf({ replicas: 3 })))
    expect(error.reason).toBe('Conflict')
    expect(error.message).toBe(
      'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
    )
    expect(error.causes).toEqual([
      {
        reason: 'FieldManagerConflict',
        message: 'conflict with "kubectl-client-side-apply" using apps/v1',
        field: '.spec.replicas',
      },
    ])
  })

  test('with several managers, listed by name', () => {
    let live = apply(undefined, configOf({ replicas: 2, paused: true }), 'two')
    live = update(live, { ...live, spec: { ...live.spec, minReadySeconds: 1 } }, 'one')
    const error = failure(() =>
      apply(live, configOf({ replicas: 3, paused: false, minReadySeconds: 2 }), 'three'),
    )
    expect(error.message).toBe(
      'Apply failed with 3 conflicts: conflicts with "one" using apps/v1:\n- .spec.minReadySeconds\nconflicts with "two":\n- .spec.paused\n- .spec.replicas',
    )
    expect(error.causes).toHaveLength(3)
  })

  test('with a subresource, and names it', () => {
    const made = apply(undefined, configOf({ replicas: 2 }))
    const scaled = update(made, { ...made, spec: { replicas: 5 } }, 'hpa', 'scale')
    expect(failure(() => apply(scaled, configOf({ replicas: 3 }))).message).toBe(
      'Apply failed with 1 conflict: conflict with "hpa" with subresource "scale" using apps/v1: .spec.replicas',
    )
  })

  test('about fields of items', () => {
    const made = apply(undefined, configOf(one({ image: 'x' })), 'one')
    expect(failure(() => apply(made, configOf(one({ image: 'y' })), 'two')).causes[0]?.field).toBe(
      '.spec.template.spec.containers[name="a"].image',
    )
  })

  test('about an atomic list as a whole', () => {
    const made = apply(undefined, configOf(one({ args: ['1'] })), 'one')
    expect(failure(() => apply(made, configOf(one({ args: ['1', '2'] })), 'two')).causes[0]?.field).toBe(
      '.spec.template.spec.containers[name="a"].args',
    )
  })

  test('not about the same value, which is then shared', () => {
    const made = apply(apply(undefined, configOf({ replicas: 2 }), 'one'), configOf({ replicas: 2 }), 'two')
    expect([owned(made, 'one'), owned(made, 'two')]).toEqual([['.spec.replicas'], ['.spec.replicas']])
  })

  test('with its own name as an updater', () => {
    const made = update(undefined, configOf({ replicas: 2 }), 'git')
    expect(failure(() => apply(made, configOf({ replicas: 3 }), 'git')).reason).toBe('Conflict')
  })

  test('not with itself', () => {
    const made = apply(undefined, configOf({ replicas: 2 }))
    expect(apply(made, configOf({ replicas: 3 })).spec).toEqual({ replicas: 3 })
  })

  test('with two owners of a shared field when one changes it', () => {
    const made = apply(apply(undefined, configOf({ replicas: 2 }), 'one'), configOf({ replicas: 2 }), 'two')
    expect(failure(() => apply(made, configOf({ replicas: 3 }), 'one')).message).toBe(
      'Apply failed with 1 conflict: conflict with "two": .spec.replicas',
    )
  })

  test('not when forced; the other loses the field, and its entry when nothing is left', () => {
    const made = apply(apply(undefined, configOf({ replicas: 2 }), 'one'), configOf({ replicas: 3 }), 'two', {
      force: true,
    })
    expect(made.spec).toEqual({ replicas: 3 })
    expect(made.metadata.managedFields?.map(({ manager }) => manager)).toEqual(['two'])
  })

  test('with "before-first-apply" about what was written while nobody tracked', () => {
    const live = configOf({ replicas: 2, paused: true })
    expect(failure(() => apply(live, configOf({ replicas: 3 }))).message).toBe(
      'Apply failed with 1 conflict: conflict with "before-first-apply" using apps/v1: .spec.replicas',
    )
    const taken = apply(live, configOf({ replicas: 2 }))
    expect(owned(taken, 'before-first-apply')).toEqual(['.spec.paused', '.spec.replicas'])
  })
})

describe('applyPatch', () => {
  test('applied twice changes nothing, not even the object', () => {
    const config = configOf(
      { replicas: 2, ...one({ image: 'x', ports: [{ containerPort: 80 }] }) },
      { labels: { a: '1' } },
    )
    const made = apply(undefined, config)
    expect(apply(made, config, 'git', { now: NOW + 5000 })).toBe(made)
  })

  test('keeps the live parts it does not change, by identity', () => {
    const made = apply(undefined, configOf({ replicas: 2, ...one({ image: 'x' }) }))
    const next = apply(made, configOf({ replicas: 3, ...one({ image: 'x' }) }))
    expect(next.spec?.['template']).toBe(made.spec?.['template'])
  })

  test('notes the time when a value changes, though the fields are the same', () => {
    const made = apply(undefined, configOf({ replicas: 2 }))
    const next = apply(made, configOf({ replicas: 3 }), 'git', { now: NOW + 5000 })
    expect(next.metadata.managedFields?.[0]?.time).toBe('2026-01-01T00:00:05Z')
  })

  test('is one entry for each applier, whatever API version it used before', () => {
    const made = apply(undefined, configOf({ replicas: 2 }), 'git', {
      kind: { group: 'apps', version: 'v1beta1' },
    })
    const next = apply(made, configOf({ replicas: 2 }))
    expect(next.metadata.managedFields?.map(({ apiVersion }) => apiVersion)).toEqual(['apps/v1'])
  })

  test('the order of two appliers of different fields does not matter', () => {
    const first = configOf({ replicas: 2, ...pods({ name: 'a', tty: true }) }, { labels: { a: '1' } })
    const second = configOf({ paused: true, ...pods({ name: 'a', image: 'x' }) }, { labels: { b: '2' } })
    expect(apply(apply(undefined, first, 'one'), second, 'two')).toEqual(
      apply(apply(undefined, second, 'two'), first, 'one'),
    )
  })

  const where =
    'failed to create typed patch object (/web; apps/v1, Kind=Deployment): .spec.template.spec.containers'
  test.each([
    [
      'managedFields',
      configOf({}, { managedFields: [{ manager: 'x' }] }),
      'metadata.managedFields must be nil',
    ],
    ['empty managedFields', configOf({}, { managedFields: [] }), 'metadata.managedFields must be nil'],
    [
      'an item twice',
      configOf(pods({ name: 'a' }, { name: 'a' })),
      `${where}: duplicate entries for key [name="a"]`,
    ],
    [
      'a port twice, once with the default protocol',
      configOf(one({ ports: [{ containerPort: 80 }, { containerPort: 80, protocol: 'TCP' }] })),
      `${where}[name="a"].ports: duplicate entries for key [containerPort=80,protocol="TCP"]`,
    ],
    [
      'a value of a set twice',
      configOf({}, { finalizers: ['a', 'a'] }),
      '.metadata.finalizers: duplicate entries for key [="a"]',
    ],
    [
      'an item without its key',
      configOf(pods({ image: 'a' })),
      `${where}: element 0: associative list with keys has an element that omits key field "name" (and doesn't have default value)`,
    ],
    [
      'an item that is no object',
      configOf(pods('a' as unknown as object)),
      'associative list with keys may not have non-map elements',
    ],
  ])('refuses %s', (_, config, message) => {
    const error = failure(() => apply(undefined, config))
    expect([error.reason, error.message]).toEqual(['BadRequest', expect.stringContaining(message)])
  })
})

describe('kubectl after client-side apply', () => {
  const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration'
  const noted = (spec: object, last: object) =>
    update(
      undefined,
      configOf(spec, { annotations: { [ANNOTATION]: JSON.stringify(configOf(last)) } }),
      'kubectl-client-side-apply',
    )

  test('takes over what it applied last', () => {
    const next = apply(noted({ replicas: 2 }, { replicas: 2 }), configOf({ replicas: 3 }), 'kubectl')
    expect(next.spec).toEqual({ replicas: 3 })
    expect(owned(next, 'kubectl')).toEqual(['.spec.replicas'])
  })

  test('conflicts where somebody has changed the value since, or when it has another name', () => {
    expect(
      failure(() => apply(noted({ replicas: 5 }, { replicas: 2 }), configOf({ replicas: 3 }), 'kubectl'))
        .reason,
    ).toBe('Conflict')
    expect(
      failure(() => apply(noted({ replicas: 2 }, { replicas: 2 }), configOf({ replicas: 3 }), 'git')).reason,
    ).toBe('Conflict')
  })

  test('keeps the annotation up to date, and adds none', () => {
    const next = apply(noted({ replicas: 2 }, { replicas: 2 }), configOf({ replicas: 3 }), 'kubectl')
    expect(JSON.parse(next.metadata.annotations?.[ANNOTATION] ?? '')).toMatchObject({ spec: { replicas: 3 } })
    expect(apply(undefined, configOf({ replicas: 3 }), 'kubectl').metadata.annotations).toBeUndefined()
  })

  test('conflicts when the annotation cannot be read', () => {
    const odd = configOf({ replicas: 2 }, { annotations: { [ANNOTATION]: '{"spec":' } })
    expect(failure(() => apply(odd, configOf({ replicas: 3 }), 'kubectl')).reason).toBe('Conflict')
  })
})
