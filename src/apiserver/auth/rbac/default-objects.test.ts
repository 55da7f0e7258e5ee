import { describe, expect, test } from 'vitest'
import { clusterRole } from '../../../api/kinds/cluster-role.ts'
import type { AnyResource } from '../../../api/resource.ts'
import { deepFreeze } from '../../../base/json.ts'
import { defaultObjects, readRule } from './default-objects.ts'
import { completed } from './reconcile-defaults.ts'

describe('The default roles and bindings', () => {
  test('are valid, and each has its own name', () => {
    for (const { kind, wanted } of defaultObjects)
      expect(kind.validate(wanted as never), wanted.metadata.name).toEqual([])
    const names = defaultObjects.map(({ kind, wanted }) => `${kind.kind} ${wanted.metadata.name}`)
    expect(new Set(names).size).toBe(names.length)
  })

  test('bind roles that are there', () => {
    const roles = new Set(
      defaultObjects.flatMap(({ kind, wanted }) =>
        kind.kind.endsWith('Role') ? [`${kind.kind} ${wanted.metadata.name}`] : [],
      ),
    )
    for (const { wanted } of defaultObjects)
      if ('roleRef' in wanted) expect(roles).toContain(`${wanted.roleRef.kind} ${wanted.roleRef.name}`)
  })
})

describe('A default role that is there already', () => {
  const wanted = deepFreeze({
    ...clusterRole.example,
    metadata: { name: 'r', labels: { a: '1' }, annotations: { b: '2' } },
    rules: ['get core pods', 'list core pods'].map(readRule),
  }) as unknown as AnyResource
  const held = (rules: readonly string[], metadata: object = wanted.metadata) =>
    deepFreeze({ ...wanted, metadata: { ...metadata, name: 'r' }, rules: rules.map(readRule) }) as AnyResource

  test('stays the very same when it lacks nothing', () => {
    const old = held(['get,list core pods'])
    expect(completed(old, wanted)).toBe(old)
    const more = held(['* * *'])
    expect(completed(more, wanted)).toBe(more)
  })

  test('gets back the rules it lacks and keeps what somebody added', () => {
    const { rules } = completed(held(['get core pods', 'get core secrets']), wanted)
    expect(rules).toEqual(['get core pods', 'get core secrets', 'list core pods'].map(readRule))
  })

  test('gets its labels and annotations back, and keeps those that were changed', () => {
    const { metadata } = completed(held([], { labels: { a: 'own', c: '3' } }), wanted)
    expect(metadata).toMatchObject({ labels: { a: 'own', c: '3' }, annotations: { b: '2' } })
  })
})
