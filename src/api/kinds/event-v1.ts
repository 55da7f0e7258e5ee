import type { CoreV1Event, EventsV1Event } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { qualifiedName } from '../names.ts'
import type { Stored } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'
import { type Event, event } from './event.ts'

type NewEvent = Stored<EventsV1Event>

const TEXT_BYTES_MAX = 128
const NOTE_BYTES_MAX = 1024

/** events.k8s.io/v1: the events of the core group in newer words. */
export const newEvent = defineKind<NewEvent>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  scope: 'Namespaced',
  shortNames: ['ev'],
  schema: 'EventsV1Event',
  applyWave: WAVE.records,
  storedAs: { kind: event, toStored, fromStored: (resource) => fromStored(resource as Event) },
  fieldSelectors: {
    'regarding.kind': ({ regarding }) => regarding?.kind ?? '',
    'regarding.namespace': ({ regarding }) => regarding?.namespace ?? '',
    'regarding.name': ({ regarding }) => regarding?.name ?? '',
    'regarding.uid': ({ regarding }) => regarding?.uid ?? '',
    'regarding.apiVersion': ({ regarding }) => regarding?.apiVersion ?? '',
    'regarding.resourceVersion': ({ regarding }) => regarding?.resourceVersion ?? '',
    'regarding.fieldPath': ({ regarding }) => regarding?.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingController: ({ reportingController, deprecatedSource }) =>
      reportingController || deprecatedSource?.component || '',
    type: ({ type }) => type ?? '',
  },
  validate,
  columns: event.columns.map((column) => ({
    ...column,
    value: (resource, now) => column.value(toStored(resource), now),
  })),
  example: {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: 'web.2', namespace: 'default' },
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'example.com/operator',
    reportingInstance: 'operator-0',
    action: 'Reconciling',
    regarding: { kind: 'Pod', name: 'web', namespace: 'default' },
    reason: 'Started',
    note: 'Started container app',
    type: 'Normal',
  },
})

const WORDS = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['count', 'deprecatedCount'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
] as const

function toStored(resource: NewEvent): Event {
  const renamed = rename(resource, (name) => WORDS.find(([, now]) => now === name)?.[0])
  return { involvedObject: {}, ...renamed, apiVersion: 'v1' } as unknown as Event
}

function fromStored(resource: Event): NewEvent {
  const renamed = rename(resource, (name) => WORDS.find(([then]) => then === name)?.[1])
  return { ...renamed, apiVersion: 'events.k8s.io/v1' } as unknown as NewEvent
}

function rename(resource: CoreV1Event | EventsV1Event, to: (name: string) => string | undefined): object {
  return Object.fromEntries(Object.entries(resource).map(([name, value]) => [to(name) ?? name, value]))
}

/** Stricter than for the core group, once an event says when it was; without eventTime it is one of the old kind. */
function validate(resource: NewEvent): StatusCause[] {
  const { eventTime, reportingController, reportingInstance, action, reason, type, note = '' } = resource
  if (eventTime === undefined) return [fault.required('eventTime')]
  const wrong: StatusCause[] = []
  if (!reportingController) wrong.push(fault.required('reportingController'))
  else {
    const why = qualifiedName(reportingController)
    if (why) wrong.push(fault.invalid('reportingController', reportingController, why))
  }
  for (const [field, value] of Object.entries({ reportingInstance, action, reason })) {
    if (!value) wrong.push(fault.required(field))
    else if (Buffer.byteLength(value) > TEXT_BYTES_MAX)
      wrong.push(fault.invalid(field, '', `can have at most ${TEXT_BYTES_MAX} characters`))
  }
  if (Buffer.byteLength(note) > NOTE_BYTES_MAX)
    wrong.push(fault.invalid('message', '', `can have at most ${NOTE_BYTES_MAX} characters`))
  if (type !== 'Normal' && type !== 'Warning')
    wrong.push(fault.invalid('type', '', `has invalid value: ${type ?? ''}`))
  return wrong
}
