import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode } from '../../src/api/decode.ts'
import type { AnyKind } from '../../src/api/kind.ts'
import { kinds } from '../../src/api/kinds/index.ts'
import { validateMetadata } from '../../src/api/names.ts'
import type { AnyResource } from '../../src/api/resource.ts'
import { canonicalJson, deepEqual, deepFreeze } from '../../src/base/json.ts'
import { anyObject } from './any-object.ts'

const NOW = Date.UTC(2026, 0, 2)
/** One object of every kind of Kubernetes 1.36 with every field set; beside the repository, not part of it. */
const OBJECTS = join(import.meta.dirname, '../../../shared/data/kubernetes-1.36/objects')

describe.each(kinds.map((kind) => [kind.kind, kind] as const))('kind %s', (_, kind: AnyKind) => {
  const example = deepFreeze(kind.example) as AnyResource
  const defaulted = deepFreeze(
    kind.setDefaults(kind.prepareForCreate(kind.setDefaults(example))),
  ) as AnyResource

  test('has an example that is valid', () => {
    expect(
      validateMetadata(defaulted.metadata, {
        namespaced: kind.scope === 'Namespaced',
        nameRule: kind.nameRule,
      }),
    ).toEqual([])
    expect(kind.validate(defaulted)).toEqual([])
  })

  test('defaults once', () => expect(deepEqual(kind.setDefaults(defaulted), defaulted)).toBe(true))

  test('round trips through the decoder without a change', () => {
    const { value, unknownFields } = decode(JSON.parse(JSON.stringify(defaulted)), kind.schema, kind.kind)
    expect(unknownFields).toEqual([])
    expect(deepEqual(value, defaulted)).toBe(true)
  })

  test('reports an unknown field and drops it', () => {
    const { value, unknownFields } = decode(
      { ...example, bogus: 1, metadata: { ...example.metadata, bogus: {} } },
      kind.schema,
      kind.kind,
    )
    expect([...unknownFields].sort()).toEqual(['unknown field "bogus"', 'unknown field "metadata.bogus"'])
    expect(deepEqual(value, example)).toBe(true)
  })

  test('may be updated by itself', () => expect(kind.validateUpdate(defaulted, defaulted)).toEqual([]))

  test('has columns that begin with the name and can be shown', () => {
    const cells = kind.columns.map((column) => column.value(defaulted, NOW))
    expect(
      cells.every((cell) => cell === null || ['string', 'number', 'boolean'].includes(typeof cell)),
    ).toBe(true)
    if (kind.kind !== 'Event') expect(kind.columns[0]?.name).toBe('Name')
  })

  test('says how healthy it is', () =>
    expect(['Healthy', 'Progressing', 'Degraded', 'Suspended']).toContain(kind.health(defaulted, NOW).status))

  test('answers to whatever the decoder takes, and throws nowhere', () => {
    const admit = (object: unknown, old?: AnyResource): AnyResource => {
      const { value } = decode(object, kind.schema, kind.kind)
      const resource = {
        ...value,
        apiVersion: 'v1',
        kind: kind.kind,
        metadata: { name: 'a', namespace: 'b', ...(value['metadata'] as object | undefined) },
      } as AnyResource
      const defaulted = kind.setDefaults(deepFreeze(resource))
      return deepFreeze(
        kind.setDefaults(old ? kind.prepareForUpdate(defaulted, old) : kind.prepareForCreate(defaulted)),
      )
    }
    const anything = anyObject(kind.schema)
    fc.assert(
      fc.property(anything, anything, (one, other) => {
        const created = admit(one)
        expect(canonicalJson(kind.setDefaults(created))).toBe(canonicalJson(created))
        if (kind.validate(created).length > 0) return
        for (const column of kind.columns) column.value(created, NOW)
        for (const select of Object.values(kind.fieldSelectors)) expect(typeof select(created)).toBe('string')
        kind.health(created, NOW)
        expect(kind.validateUpdate(created, created)).toEqual([])
        const updated = admit(other, created)
        if (kind.validate(updated).length === 0) kind.validateUpdate(updated, created)
      }),
      { numRuns: 300 },
    )
  })

  test.skipIf(!kind.storedAs)(
    'comes back from its stored form as it was, and the stored form from it',
    () => {
      const { toStored, fromStored, kind: stored } = kind.storedAs ?? { kind }
      if (!toStored || !fromStored) return
      expect(canonicalJson(fromStored(toStored(defaulted)))).toBe(canonicalJson(defaulted))
      fc.assert(
        fc.property(anyObject(stored.schema), (one) => {
          const { value } = decode(one, stored.schema, stored.kind)
          const meta = { name: 'a', namespace: 'b', ...(value['metadata'] as object | undefined) }
          const resource = deepFreeze(
            stored.setDefaults({ ...value, kind: stored.kind, metadata: meta }),
          ) as AnyResource
          if (stored.validate(resource).length > 0) return
          const back = toStored(deepFreeze(fromStored(resource)))
          expect(canonicalJson(fromStored(back))).toBe(canonicalJson(fromStored(resource)))
        }),
        { numRuns: 300 },
      )
    },
  )

  const file = join(OBJECTS, `${kind.group === '' ? 'core' : kind.group}.${kind.version}.${kind.kind}.json`)
  const isBuiltIn = kind.group !== 'seamark.dev'
  test.skipIf(!isBuiltIn || !existsSync(file))(`decodes every field Kubernetes 1.36 has`, () => {
    const object = JSON.parse(readFileSync(file, 'utf8')) as unknown
    expect(decode(object, kind.schema, kind.kind).unknownFields).toEqual([])
  })
})
