import { notNegative } from './field-rules.ts'
import type { V1LabelSelector, V1PodTemplateSpec } from './generated/types.ts'
import { validatePodTemplate } from './pod-validation.ts'
import { labelSelectorMatches, validateLabelSelector } from './selectors.ts'
import { fault, type StatusCause } from './status.ts'

/** What all workloads that keep pods by a selector and a template have in common. */
export interface WorkloadSpec {
  readonly replicas?: number | undefined
  readonly minReadySeconds?: number | undefined
  readonly selector: V1LabelSelector
  readonly template?: V1PodTemplateSpec | undefined
}

export function validateWorkload(spec: WorkloadSpec): StatusCause[] {
  const wrong = [
    ...notNegative(spec.replicas, 'spec.replicas'),
    ...notNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
  ]
  if (!spec.selector) wrong.push(fault.required('spec.selector'))
  else {
    wrong.push(...validateLabelSelector(spec.selector, 'spec.selector'))
    if (
      !spec.selector.matchExpressions?.length &&
      Object.keys(spec.selector.matchLabels ?? {}).length === 0
    ) {
      wrong.push(fault.invalid('spec.selector', spec.selector, 'empty selector is invalid for deployment'))
    }
  }
  if (!spec.template?.spec) {
    wrong.push(fault.required('spec.template.spec'))
    return wrong
  }
  const labels = spec.template.metadata?.labels
  if (spec.selector && !labelSelectorMatches(spec.selector, labels)) {
    wrong.push(
      fault.invalid(
        'spec.template.metadata.labels',
        labels ?? {},
        '`selector` does not match template `labels`',
      ),
    )
  }
  wrong.push(...validatePodTemplate(spec.template, 'spec.template'))
  const { restartPolicy, activeDeadlineSeconds } = spec.template.spec
  if (restartPolicy !== undefined && restartPolicy !== 'Always')
    wrong.push(fault.notSupported('spec.template.spec.restartPolicy', restartPolicy, ['Always']))
  if (activeDeadlineSeconds !== undefined)
    wrong.push(
      fault.forbidden(
        'spec.template.spec.activeDeadlineSeconds',
        'activeDeadlineSeconds in ReplicaSet is not Supported',
      ),
    )
  return wrong
}

export function containersText(template: V1PodTemplateSpec | undefined): string {
  return (template?.spec?.containers ?? []).map(({ name }) => name).join(',')
}

export function imagesText(template: V1PodTemplateSpec | undefined): string {
  return (template?.spec?.containers ?? []).map(({ image }) => image ?? '').join(',')
}
