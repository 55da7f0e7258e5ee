import { wideColumn } from './columns.ts'
import { notNegative } from './field-rules.ts'
import type { V1LabelSelector, V1PodTemplateSpec } from './generated/types.ts'
import type { Column } from './kind.ts'
import { validatePodTemplate } from './pod-validation.ts'
import type { Resource } from './resource.ts'
import { labelSelectorMatches, validateLabelSelector } from './selectors.ts'
import { fault, type StatusCause } from './status.ts'

/** What all workloads that keep pods by a selector and a template have in common. */
export interface WorkloadSpec {
  readonly replicas?: number | undefined
  readonly minReadySeconds?: number | undefined
  readonly selector: V1LabelSelector
  readonly template?: V1PodTemplateSpec | undefined
}

/** `named` is what Kubernetes calls the kind in its messages: Deployments and ReplicaSets are each the other's. */
export function validateWorkload(
  spec: WorkloadSpec,
  named: { readonly selector: string; readonly deadline: string } = {
    selector: 'deployment',
    deadline: 'ReplicaSet',
  },
): StatusCause[] {
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
      wrong.push(
        fault.invalid('spec.selector', spec.selector, `empty selector is invalid for ${named.selector}`),
      )
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
        `activeDeadlineSeconds in ${named.deadline} is not Supported`,
      ),
    )
  return wrong
}

/** What `kubectl get -o wide` shows of every workload after its own columns. */
export function templateColumns<R extends Resource>(
  templateOf: (resource: R) => V1PodTemplateSpec | undefined,
  selectorOf: (resource: R) => string,
): readonly Column<R>[] {
  return [
    wideColumn('Containers', 'Names of each container in the template.', (resource) =>
      containersText(templateOf(resource)),
    ),
    wideColumn('Images', 'Images referenced by each container in the template.', (resource) =>
      imagesText(templateOf(resource)),
    ),
    wideColumn('Selector', 'Selector is a label query over pods that should match.', selectorOf),
  ]
}

export function containersText(template: V1PodTemplateSpec | undefined): string {
  return (template?.spec?.containers ?? []).map(({ name }) => name).join(',')
}

export function imagesText(template: V1PodTemplateSpec | undefined): string {
  return (template?.spec?.containers ?? []).map(({ image }) => image ?? '').join(',')
}
