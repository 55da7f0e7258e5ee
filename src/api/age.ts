import { parseTime } from '../base/date.ts'
import { humanDuration } from './duration.ts'
import type { Column } from './kind.ts'
import type { Resource } from './resource.ts'

export const NAME_DESCRIPTION =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically.'

/** The first column of every table. */
export const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: NAME_DESCRIPTION,
  value: ({ metadata }) => metadata.name,
}

/** The last plain column of nearly every table. */
export const ageColumn: Column = {
  name: 'Age',
  type: 'string',
  description:
    'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations.',
  value: ({ metadata }: Resource, now) => ageText(metadata.creationTimestamp, now),
}

/** "3m20s", or "<unknown>" for no time. */
export function ageText(time: string | undefined, now: number): string {
  const at = parseTime(time)
  return at === undefined ? '<unknown>' : humanDuration(now - at)
}
