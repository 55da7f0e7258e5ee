import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { decode } from '../../src/api/decode.ts'
import type { AnyKind } from '../../src/api/kind.ts'
import { kinds } from '../../src/api/kinds/index.ts'
import { validateMetadata } from '../../src/api/names.ts'
import type { AnyResource } from '../../src/api/resource.ts'
import { deepEqual, deepFreeze } from '../../src/base/json.ts'

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

  const file = join(OBJECTS, `${kind.group === '' ? 'core' : kind.group}.${kind.version}.${kind.kind}.json`)
  const isBuiltIn = kind.group !== 'seamark.dev'
  test.skipIf(!isBuiltIn || !existsSync(file))(`decodes every field Kubernetes 1.36 has`, () => {
    const object = JSON.parse(readFileSync(file, 'utf8')) as unknown
    expect(decode(object, kind.schema, kind.kind).unknownFields).toEqual([])
  })
})
