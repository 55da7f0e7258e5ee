import { parseTime } from '../../base/date.ts'
import { nameColumn } from '../age.ts'
import { humanDuration } from '../duration.ts'
import type { CoreV1Event } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { fault } from '../status.ts'
import { WAVE } from '../waves.ts'

export type Event = Stored<CoreV1Event>

export const event = defineKind<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  scope: 'Namespaced',
  shortNames: ['ev'],
  schema: 'CoreV1Event',
  applyWave: WAVE.records,
  fieldSelectors: {
    'involvedObject.kind': ({ involvedObject }) => involvedObject.kind ?? '',
    'involvedObject.namespace': ({ involvedObject }) => involvedObject.namespace ?? '',
    'involvedObject.name': ({ involvedObject }) => involvedObject.name ?? '',
    'involvedObject.uid': ({ involvedObject }) => involvedObject.uid ?? '',
    'involvedObject.apiVersion': ({ involvedObject }) => involvedObject.apiVersion ?? '',
    'involvedObject.resourceVersion': ({ involvedObject }) => involvedObject.resourceVersion ?? '',
    'involvedObject.fieldPath': ({ involvedObject }) => involvedObject.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingComponent: ({ reportingComponent, source }) => reportingComponent || source?.component || '',
    source: ({ source, reportingComponent }) => source?.component || reportingComponent || '',
    type: ({ type }) => type ?? '',
  },
  /** An event must be about something in its own namespace; about cluster-scoped things in "default". */
  validate({ metadata, involvedObject }) {
    const about = involvedObject.namespace
    const isWrong = about
      ? about !== metadata.namespace
      : metadata.namespace !== 'default' && metadata.namespace !== 'kube-system'
    return isWrong
      ? [fault.invalid('involvedObject.namespace', about ?? '', 'does not match event.namespace')]
      : []
  },
  columns: [
    {
      name: 'Last Seen',
      type: 'string',
      description: 'The time at which the most recent occurrence of this event was recorded.',
      value: (resource, now) => lastSeen(resource, now),
    },
    {
      name: 'Type',
      type: 'string',
      description: 'Type of this event (Normal, Warning), new types could be added in the future',
      value: ({ type }) => type ?? '',
    },
    {
      name: 'Reason',
      type: 'string',
      description:
        "This should be a short, machine understandable string that gives the reason for the transition into the object's current status.",
      value: ({ reason }) => reason ?? '',
    },
    {
      name: 'Object',
      type: 'string',
      description: 'The object that this event is about.',
      value: ({ involvedObject }) =>
        `${(involvedObject.kind ?? '').toLowerCase()}/${involvedObject.name ?? ''}`,
    },
    {
      name: 'Subobject',
      type: 'string',
      priority: 1,
      description:
        'If referring to a piece of an object instead of an entire object, this string should contain a valid JSON/Go field access statement.',
      value: ({ involvedObject }) => involvedObject.fieldPath ?? '',
    },
    {
      name: 'Source',
      type: 'string',
      priority: 1,
      description: 'The component reporting this event. Should be a short machine understandable string.',
      value: ({ source, reportingComponent }) =>
        [source?.component || reportingComponent, source?.host].filter(Boolean).join(', '),
    },
    {
      name: 'Message',
      type: 'string',
      description: 'A human-readable description of the status of this operation.',
      value: ({ message }) => (message ?? '').trim(),
    },
    {
      name: 'First Seen',
      type: 'string',
      priority: 1,
      description: 'The time at which the event was first recorded. (Time of server receipt is in TypeMeta.)',
      value: ({ firstTimestamp, eventTime }, now) => since(firstTimestamp ?? eventTime, now),
    },
    {
      name: 'Count',
      type: 'string',
      priority: 1,
      description: 'The number of times this event has occurred.',
      value: ({ count, series }) => series?.count ?? count ?? 1,
    },
    { ...nameColumn, priority: 1 },
  ],
  example: {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'web.1', namespace: 'default' },
    involvedObject: { kind: 'Pod', name: 'web', namespace: 'default' },
    reason: 'Started',
    message: 'Started container app',
    type: 'Normal',
  },
})

function since(time: string | undefined, now: number): string {
  const at = parseTime(time)
  return at === undefined ? '<unknown>' : humanDuration(now - at)
}

function lastSeen({ series, count, firstTimestamp, lastTimestamp, eventTime }: Event, now: number): string {
  const first = since(firstTimestamp ?? eventTime, now)
  if (series) return `${since(series.lastObservedTime, now)} (x${series.count} over ${first})`
  if ((count ?? 0) > 1) return `${since(lastTimestamp, now)} (x${count} over ${first})`
  return lastTimestamp ? since(lastTimestamp, now) : first
}
