import { ageColumn, nameColumn } from '../age.ts'
import type { V1PodDisruptionBudget } from '../generated/types.ts'
import { validateIntOrPercent } from '../int-or-percent.ts'
import { defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { validateLabelSelector } from '../selectors.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type PodDisruptionBudget = Stored<V1PodDisruptionBudget>

export const podDisruptionBudget = defineKind<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  scope: 'Namespaced',
  shortNames: ['pdb'],
  schema: 'V1PodDisruptionBudget',
  applyWave: WAVE.disruption,
  subresources: { status: true },
  prepareForCreate: (resource) => ({
    ...resource,
    status: { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
  }),
  validate({ spec }) {
    const wrong: StatusCause[] = []
    if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
      wrong.push(
        fault.invalid(
          'spec',
          { minAvailable: spec.minAvailable, maxUnavailable: spec.maxUnavailable },
          'minAvailable and maxUnavailable cannot be both set',
        ),
      )
    }
    wrong.push(
      ...validateIntOrPercent(spec.minAvailable, 'spec.minAvailable'),
      ...validateIntOrPercent(spec.maxUnavailable, 'spec.maxUnavailable'),
    )
    wrong.push(...validateLabelSelector(spec.selector, 'spec.selector'))
    const policy = spec.unhealthyPodEvictionPolicy
    if (policy !== undefined && policy !== 'IfHealthyBudget' && policy !== 'AlwaysAllow') {
      wrong.push(
        fault.notSupported('spec.unhealthyPodEvictionPolicy', policy, ['AlwaysAllow', 'IfHealthyBudget']),
      )
    }
    return wrong
  },
  columns: [
    nameColumn,
    {
      name: 'Min Available',
      type: 'string',
      description: 'The minimum number of pods that must be available.',
      value: ({ spec }) => String(spec.minAvailable ?? 'N/A'),
    },
    {
      name: 'Max Unavailable',
      type: 'string',
      description: 'The maximum number of pods that may be unavailable.',
      value: ({ spec }) => String(spec.maxUnavailable ?? 'N/A'),
    },
    {
      name: 'Allowed Disruptions',
      type: 'integer',
      description: 'Calculated number of pods that may be disrupted at this time.',
      value: ({ status }) => status?.disruptionsAllowed ?? 0,
    },
    ageColumn,
  ],
  example: {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web', namespace: 'default' },
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
  },
})
