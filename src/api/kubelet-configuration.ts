import { parseDuration } from './duration.ts'
import { compareQuantities } from './quantity.ts'
import type { ResourceList } from './resource-requests.ts'
import type { Schema } from './schema.ts'
import { fault, type StatusCause } from './status.ts'

/** What can be set of a kubelet, as its KubeletConfiguration file names it. What is not set is Kubernetes' default. */
export interface KubeletConfiguration {
  readonly shutdownGracePeriod?: string | undefined
  readonly shutdownGracePeriodCriticalPods?: string | undefined
  readonly shutdownGracePeriodByPodPriority?:
    | readonly { readonly priority: number; readonly shutdownGracePeriodSeconds: number }[]
    | undefined
  readonly systemReserved?: ResourceList | undefined
  readonly kubeReserved?: ResourceList | undefined
  readonly crashLoopBackOff?: { readonly maxContainerRestartPeriod?: string | undefined } | undefined
  readonly imageGCHighThresholdPercent?: number | undefined
  readonly imageGCLowThresholdPercent?: number | undefined
}

const percent = (description: string): Schema => ({
  type: 'integer',
  format: 'int32',
  minimum: 0,
  maximum: 100,
  description,
})
const reserved = (description: string): Schema => ({
  type: 'object',
  description,
  additionalProperties: { type: 'string', format: 'quantity' },
})

export const kubeletConfigurationSchema: Schema = {
  type: 'object',
  description: 'Settings of their kubelets, as a KubeletConfiguration file names them.',
  properties: {
    shutdownGracePeriod: {
      type: 'string',
      description: 'How long a shutdown of the node waits for its pods. Default 0s: not at all.',
    },
    shutdownGracePeriodCriticalPods: {
      type: 'string',
      description: 'The part of it, at its end, that is for critical pods. Default 0s.',
    },
    shutdownGracePeriodByPodPriority: {
      type: 'array',
      description: 'Instead of both: a wait for the pods of each priority and up, the least important first.',
      items: {
        type: 'object',
        required: ['priority', 'shutdownGracePeriodSeconds'],
        properties: {
          priority: { type: 'integer', format: 'int32', description: 'The lowest of the group.' },
          shutdownGracePeriodSeconds: {
            type: 'integer',
            format: 'int64',
            minimum: 0,
            description: 'How long the node waits for the group.',
          },
        },
      },
    },
    systemReserved: reserved('Kept from pods for the system: capacity without it is allocatable.'),
    kubeReserved: reserved('Kept from pods for Kubernetes: capacity without it is allocatable.'),
    crashLoopBackOff: {
      type: 'object',
      description: 'How containers that end again and again are held back.',
      properties: {
        maxContainerRestartPeriod: {
          type: 'string',
          description:
            'The longest wait, "1s" to "300s". It begins with 10s, or with this if it is less. Default 300s.',
        },
      },
    },
    imageGCHighThresholdPercent: percent('Above this disk usage unused images are removed. Default 85.'),
    imageGCLowThresholdPercent: percent('Until disk usage is below this. Default 80.'),
  },
}

/** Beyond what the schema says. Pure. */
export function validateKubeletConfiguration(config: KubeletConfiguration, path: string): StatusCause[] {
  const { shutdownGracePeriod, shutdownGracePeriodCriticalPods, shutdownGracePeriodByPodPriority } = config
  const wrong = (['shutdownGracePeriod', 'shutdownGracePeriodCriticalPods'] as const).flatMap((field) =>
    config[field] === undefined || (parseDuration(config[field]) ?? -1) >= 0
      ? []
      : [fault.invalid(`${path}.${field}`, config[field], 'must be a duration of at least 0, such as "30s"')],
  )
  const [all, critical] = [shutdownGracePeriod, shutdownGracePeriodCriticalPods].map(
    (text) => parseDuration(text ?? '0s') ?? 0,
  )
  if ((critical ?? 0) > (all ?? 0))
    wrong.push(
      fault.invalid(
        `${path}.shutdownGracePeriodCriticalPods`,
        shutdownGracePeriodCriticalPods,
        'must be <= shutdownGracePeriod',
      ),
    )
  if (shutdownGracePeriodByPodPriority && (shutdownGracePeriod ?? shutdownGracePeriodCriticalPods))
    wrong.push(
      fault.forbidden(
        `${path}.shutdownGracePeriodByPodPriority`,
        'cannot be used together with shutdownGracePeriod or shutdownGracePeriodCriticalPods',
      ),
    )
  const period = config.crashLoopBackOff?.maxContainerRestartPeriod
  const periodMs = parseDuration(period ?? '300s') ?? 0
  if (periodMs < 1000 || periodMs > 300_000)
    wrong.push(
      fault.invalid(
        `${path}.crashLoopBackOff.maxContainerRestartPeriod`,
        period,
        'must be set between 1s and 300s',
      ),
    )
  for (const field of ['systemReserved', 'kubeReserved'] as const)
    for (const [name, amount] of Object.entries(config[field] ?? {}))
      if (compareQuantities(amount, '0') < 0)
        wrong.push(fault.invalid(`${path}.${field}[${name}]`, amount, 'must be greater than or equal to 0'))
  const { imageGCHighThresholdPercent: high = 85, imageGCLowThresholdPercent: low = 80 } = config
  if (low >= high)
    wrong.push(
      fault.invalid(
        `${path}.imageGCLowThresholdPercent`,
        low,
        `must be less than imageGCHighThresholdPercent (${high})`,
      ),
    )
  return wrong
}
