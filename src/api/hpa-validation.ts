import { named, oneOf } from './field-rules.ts'
import type {
  V2HorizontalPodAutoscalerSpec,
  V2HPAScalingRules,
  V2MetricIdentifier,
  V2MetricSpec,
  V2MetricTarget,
} from './generated/types.ts'
import { pathSegment } from './names.ts'
import { compareQuantities } from './quantity.ts'
import { validateLabelSelector } from './selectors.ts'
import { fault, type StatusCause } from './status.ts'

/** The rules of HorizontalPodAutoscalers (apis/autoscaling/validation), in the words of autoscaling/v2 for both versions. */
const SOURCES = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
} as const
const PERIOD_SECONDS_MAX = 1800
const WINDOW_SECONDS_MAX = 3600

export function validateAutoscaler(spec: V2HorizontalPodAutoscalerSpec): StatusCause[] {
  const { minReplicas, maxReplicas, scaleTargetRef, metrics = [], behavior } = spec
  const wrong: StatusCause[] = []
  if (minReplicas !== undefined && minReplicas < 1)
    wrong.push(fault.invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'))
  if (maxReplicas < 1) wrong.push(fault.invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0'))
  if (minReplicas !== undefined && maxReplicas < minReplicas)
    wrong.push(
      fault.invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'),
    )
  return [
    ...wrong,
    ...validateReference(scaleTargetRef, 'spec.scaleTargetRef'),
    ...metrics.flatMap((metric, i) => validateMetric(metric, `spec.metrics[${i}]`)),
    ...validateRules(behavior?.scaleUp, 'spec.behavior.scaleUp'),
    ...validateRules(behavior?.scaleDown, 'spec.behavior.scaleDown'),
  ]
}

function validateReference(
  { kind, name }: { readonly kind: string; readonly name: string },
  path: string,
): StatusCause[] {
  return [...named(kind, pathSegment, `${path}.kind`), ...named(name, pathSegment, `${path}.name`)]
}

function validateMetric(metric: V2MetricSpec, path: string): StatusCause[] {
  if (!metric.type) return [fault.required(`${path}.type`, 'must specify a metric source type')]
  const wrong = oneOf(metric.type, Object.keys(SOURCES), `${path}.type`)
  if (wrong.length > 0) return wrong
  const expected = SOURCES[metric.type as keyof typeof SOURCES]
  if (!metric[expected])
    wrong.push(fault.required(`${path}.${expected}`, 'must populate information for the given metric source'))
  for (const source of Object.values(SOURCES)) {
    if (source !== expected && metric[source])
      wrong.push(fault.forbidden(`${path}.${source}`, 'must populate the given metric source only'))
  }
  return [...wrong, ...validateSources(metric, path)]
}

function validateSources(metric: V2MetricSpec, path: string): StatusCause[] {
  const { resource, containerResource, pods, object, external } = metric
  const wrong: StatusCause[] = []
  for (const [source, at] of [
    [resource, `${path}.resource`],
    [containerResource, `${path}.containerResource`],
  ] as const) {
    if (!source) continue
    if (!source.name) wrong.push(fault.required(`${at}.name`, 'must specify a resource name'))
    wrong.push(...validatePodTarget(source.target, `${at}.target`))
  }
  if (containerResource && !containerResource.container)
    wrong.push(fault.required(`${path}.containerResource.container`, 'must specify a container name'))
  if (pods) {
    wrong.push(...validateIdentifier(pods.metric, `${path}.pods.metric`))
    wrong.push(...validateTarget(pods.target, `${path}.pods.target`))
    if (pods.target.averageValue === undefined || compareQuantities(pods.target.averageValue, '0') <= 0)
      wrong.push(
        fault.required(`${path}.pods.target.averageValue`, 'must specify a positive target averageValue'),
      )
  }
  for (const [source, at] of [
    [object, `${path}.object`],
    [external, `${path}.external`],
  ] as const) {
    if (!source) continue
    wrong.push(...validateIdentifier(source.metric, `${at}.metric`))
    wrong.push(...validateTarget(source.target, `${at}.target`))
    if (source.target.value === undefined && source.target.averageValue === undefined)
      wrong.push(
        fault.required(`${at}.target.averageValue`, 'must set either a target value or averageValue'),
      )
  }
  if (object) wrong.push(...validateReference(object.describedObject, `${path}.object.describedObject`))
  if (external?.target.value !== undefined && external.target.averageValue !== undefined)
    wrong.push(
      fault.forbidden(
        `${path}.external.target.value`,
        'may not set both a target value for metric and a per-pod target',
      ),
    )
  return wrong
}

function validatePodTarget(target: V2MetricTarget, path: string): StatusCause[] {
  const { averageUtilization, averageValue } = target
  const wrong = validateTarget(target, path)
  if (averageUtilization === undefined && averageValue === undefined)
    wrong.push(
      fault.required(
        `${path}.averageUtilization`,
        'must set either a target raw value or a target utilization',
      ),
    )
  if (averageUtilization !== undefined && averageValue !== undefined)
    wrong.push(
      fault.forbidden(`${path}.averageValue`, 'may not set both a target raw value and a target utilization'),
    )
  return wrong
}

function validateTarget(
  { type, value, averageValue, averageUtilization }: V2MetricTarget,
  path: string,
): StatusCause[] {
  const wrong = type
    ? oneOf(type, ['AverageValue', 'Utilization', 'Value'], `${path}.type`)
    : [fault.required(`${path}.type`, 'must specify a metric target type')]
  if (averageUtilization !== undefined && averageUtilization < 1)
    wrong.push(fault.invalid(`${path}.averageUtilization`, averageUtilization, 'must be greater than 0'))
  for (const [amount, at] of [
    [value, `${path}.value`],
    [averageValue, `${path}.averageValue`],
  ] as const)
    if (amount !== undefined && compareQuantities(amount, '0') <= 0)
      wrong.push(fault.invalid(at, amount, 'must be positive'))
  return wrong
}

function validateIdentifier({ name, selector }: V2MetricIdentifier, path: string): StatusCause[] {
  return [
    ...(name
      ? named(name, pathSegment, `${path}.name`)
      : [fault.required(`${path}.name`, 'must specify a metric name')]),
    ...validateLabelSelector(selector, `${path}.selector`),
  ]
}

function validateRules(rules: V2HPAScalingRules | undefined, path: string): StatusCause[] {
  if (!rules) return []
  const { stabilizationWindowSeconds: seconds, selectPolicy, policies = [], tolerance } = rules
  const wrong: StatusCause[] = []
  if (seconds !== undefined && seconds < 0)
    wrong.push(
      fault.invalid(`${path}.stabilizationWindowSeconds`, seconds, 'must be greater than or equal to zero'),
    )
  if (seconds !== undefined && seconds > WINDOW_SECONDS_MAX)
    wrong.push(
      fault.invalid(
        `${path}.stabilizationWindowSeconds`,
        seconds,
        `must be less than or equal to ${WINDOW_SECONDS_MAX}`,
      ),
    )
  wrong.push(...oneOf(selectPolicy, ['Disabled', 'Max', 'Min'], `${path}.selectPolicy`))
  if (tolerance !== undefined && compareQuantities(tolerance, '0') < 0)
    wrong.push(fault.invalid(`${path}.tolerance`, tolerance, 'must be greater than or equal to 0'))
  if (policies.length === 0)
    wrong.push(fault.required(`${path}.policies`, 'must specify at least one Policy'))
  for (const [i, { type, value, periodSeconds }] of policies.entries()) {
    const at = `${path}.policies[${i}]`
    wrong.push(...oneOf(type, ['Percent', 'Pods'], `${at}.type`))
    if (value <= 0) wrong.push(fault.invalid(`${at}.value`, value, 'must be greater than zero'))
    if (periodSeconds <= 0)
      wrong.push(fault.invalid(`${at}.periodSeconds`, periodSeconds, 'must be greater than zero'))
    if (periodSeconds > PERIOD_SECONDS_MAX)
      wrong.push(
        fault.invalid(
          `${at}.periodSeconds`,
          periodSeconds,
          `must be less than or equal to ${PERIOD_SECONDS_MAX}`,
        ),
      )
  }
  return wrong
}
