import { ageColumn, nameColumn } from '../age.ts'
import type { V1PriorityClass } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type PriorityClass = Stored<V1PriorityClass>

/** Above this only the two system classes may be. */
export const USER_PRIORITY_MAX = 1_000_000_000
export const SYSTEM_PRIORITY_CLASSES: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
}

export const priorityClass = defineKind<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  scope: 'Cluster',
  shortNames: ['pc'],
  schema: 'V1PriorityClass',
  hasGeneration: true,
  applyWave: WAVE.classes,
  setDefaults: (resource) =>
    resource.preemptionPolicy ? resource : { ...resource, preemptionPolicy: 'PreemptLowerPriority' },
  validate({ metadata, value = 0, globalDefault, preemptionPolicy }) {
    const wrong: StatusCause[] = []
    const system = SYSTEM_PRIORITY_CLASSES[metadata.name]
    if (metadata.name.startsWith('system-')) {
      if (system !== value || globalDefault) {
        wrong.push(
          fault.forbidden(
            'metadata.name',
            "priority class names with 'system-' prefix are reserved for system use only. error: " +
              (system === undefined
                ? `${metadata.name} is not a known system priority class`
                : `value of ${metadata.name} PriorityClass must be ${system}`),
          ),
        )
      }
    } else if (value > USER_PRIORITY_MAX) {
      wrong.push(
        fault.forbidden('value', `maximum allowed value of a user defined priority is ${USER_PRIORITY_MAX}`),
      )
    }
    if (
      preemptionPolicy !== undefined &&
      preemptionPolicy !== 'Never' &&
      preemptionPolicy !== 'PreemptLowerPriority'
    ) {
      wrong.push(fault.notSupported('preemptionPolicy', preemptionPolicy, ['PreemptLowerPriority', 'Never']))
    }
    return wrong
  },
  validateUpdate: (resource, old) => [
    ...((resource.value ?? 0) === (old.value ?? 0)
      ? []
      : [fault.forbidden('value', 'may not be changed in an update.')]),
    ...(resource.preemptionPolicy === old.preemptionPolicy
      ? []
      : [fault.invalid('preemptionPolicy', resource.preemptionPolicy, 'field is immutable')]),
  ],
  columns: [
    nameColumn,
    {
      name: 'Value',
      type: 'integer',
      description:
        'value represents the integer value of this priority class. This is the actual priority that pods receive when they have the name of this class in their pod spec.',
      value: ({ value }) => value ?? 0,
    },
    {
      name: 'Global-Default',
      type: 'boolean',
      description:
        'globalDefault specifies whether this PriorityClass should be considered as the default priority for pods that do not have any priority class.',
      value: ({ globalDefault }) => globalDefault ?? false,
    },
    ageColumn,
    {
      name: 'PreemptionPolicy',
      type: 'string',
      description: 'preemptionPolicy is the Policy for preempting pods with lower priority.',
      value: ({ preemptionPolicy }) => preemptionPolicy ?? '',
    },
  ],
  example: {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'high' },
    value: 1000,
    preemptionPolicy: 'PreemptLowerPriority',
  },
})
