import { isConditionTrue, setCondition } from '../conditions.ts'
import type { V1CustomResourceDefinitionNames } from '../generated/types.ts'
import type { CustomResourceDefinition } from './definition.ts'

interface TakenNames {
  /** Plurals, singulars and short names; then kinds and list kinds: each in one space. */
  readonly resources: ReadonlySet<string>
  readonly kinds: ReadonlySet<string>
}

/**
 * The status of a definition among the names that others of its group hold: accepted names, NamesAccepted and
 * Established. What is refused keeps the names it had; once established it stays so. `now` in epoch ms.
 */
export function statusWithNames(
  definition: CustomResourceDefinition,
  taken: TakenNames,
  now: number,
): NonNullable<CustomResourceDefinition['status']> {
  const { names } = definition.spec
  const before = definition.status?.acceptedNames ?? { plural: '', kind: '' }
  const isResourceTaken = (name: string | undefined) =>
    name !== undefined && name !== '' && taken.resources.has(name)
  const isKindTaken = (name: string | undefined) => name !== undefined && name !== '' && taken.kinds.has(name)
  const conflicts: { readonly reason: string; readonly message: string }[] = []
  const inUse = (name: string) => `${JSON.stringify(name)} is already in use`
  const shortNames = names.shortNames ?? []
  const refusedShort = shortNames.filter(isResourceTaken)
  if (isResourceTaken(names.plural))
    conflicts.push({ reason: 'PluralConflict', message: inUse(names.plural) })
  if (isResourceTaken(names.singular))
    conflicts.push({ reason: 'SingularConflict', message: inUse(names.singular ?? '') })
  if (refusedShort.length > 0)
    conflicts.push({ reason: 'ShortNamesConflict', message: refusedShort.map(inUse).join(', ') })
  if (isKindTaken(names.kind)) conflicts.push({ reason: 'KindConflict', message: inUse(names.kind) })
  if (isKindTaken(names.listKind))
    conflicts.push({ reason: 'ListKindConflict', message: inUse(names.listKind ?? '') })
  const acceptedNames: V1CustomResourceDefinitionNames = {
    plural: isResourceTaken(names.plural) ? before.plural : names.plural,
    ...optional('singular', isResourceTaken(names.singular) ? before.singular : names.singular),
    ...(shortNames.length > 0
      ? { shortNames: refusedShort.length > 0 ? (before.shortNames ?? []) : shortNames }
      : {}),
    kind: isKindTaken(names.kind) ? before.kind : names.kind,
    ...optional('listKind', isKindTaken(names.listKind) ? before.listKind : names.listKind),
    ...(names.categories?.length ? { categories: names.categories } : {}),
  }
  // As upstream, which notes one after the other.
  const conflict = conflicts.at(-1)
  const { conditions, ...rest } = definition.status ?? {}
  const wasEstablished = isConditionTrue(conditions, 'Established')
  const named = setCondition(
    conditions,
    conflict
      ? { type: 'NamesAccepted', status: 'False', ...conflict }
      : { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' },
    now,
  )
  const established = wasEstablished
    ? named
    : setCondition(
        named,
        conflict
          ? {
              type: 'Established',
              status: 'False',
              reason: 'NotAccepted',
              message: 'not all names are accepted',
            }
          : {
              type: 'Established',
              status: 'True',
              reason: 'InitialNamesAccepted',
              message: 'the initial names have been accepted',
            },
        now,
      )
  return { ...rest, acceptedNames, conditions: established }
}

function optional<K extends string>(name: K, value: string | undefined): Partial<Record<K, string>> {
  return value ? ({ [name]: value } as Record<K, string>) : {}
}

/** The names that these kinds and definitions hold. */
export function namesOf(
  holders: readonly {
    readonly plural: string
    readonly singular?: string | undefined
    readonly shortNames?: readonly string[] | undefined
    readonly kind: string
    readonly listKind?: string | undefined
  }[],
): TakenNames {
  const resources = new Set<string>()
  const kinds = new Set<string>()
  for (const { plural, singular, shortNames = [], kind, listKind } of holders) {
    for (const name of [plural, singular, ...shortNames]) if (name) resources.add(name)
    for (const name of [kind, listKind]) if (name) kinds.add(name)
  }
  return { resources, kinds }
}
