import type { V1PodSpec } from '../api/generated/types.ts'
import type { PodDisruptionBudget } from '../api/kinds/pod-disruption-budget.ts'
import { SYSTEM_PRIORITY_CLASSES } from '../api/kinds/priority-class.ts'
import type { Service } from '../api/kinds/service.ts'
import { compileLabelSelector, type LabelPredicate, mapSelectorMatches } from '../api/selectors.ts'
import { type Target, titleOf } from '../sync/target.ts'
import type { Finding } from './finding.ts'

interface Reference {
  readonly kind: 'ConfigMap' | 'Secret' | 'ServiceAccount' | 'PriorityClass'
  readonly name: string
  readonly field: string
}

/** References between the objects of a set that lead nowhere, each at the field that refers. Pure. */
export function unresolvedReferences(targets: readonly Target[]): Finding[] {
  const there = new Set(
    targets.map(({ object }) => `${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`),
  )
  const templates = targets.flatMap((target) => {
    const found = podSpecOf(target)
    return found ? [{ target, ...found }] : []
  })
  const findings = templates.flatMap(({ target, spec, prefix }) =>
    referencesOf(spec, prefix)
      .filter(({ kind, name }) => !isThere(there, kind, name, target.object.metadata.namespace ?? ''))
      .map(({ kind, name, field }) =>
        finding(
          target,
          'error',
          field,
          'unresolved-reference',
          `${kind} "${name}" is not in this set of manifests; add it, or check the spelling`,
        ),
      ),
  )
  for (const target of targets) {
    const rule = SELECTING[target.object.kind]
    const matches = rule && selectorOf(target)
    if (!matches) continue
    const { namespace } = target.object.metadata
    const isFound = templates.some(
      ({ target: other, labels }) => other.object.metadata.namespace === namespace && matches(labels),
    )
    const message = 'Selects no pod of this set of manifests; compare its labels'
    if (!isFound) findings.push(finding(target, 'warning', 'spec.selector', rule, message))
  }
  return findings
}

/** Kinds that select pods, and the rule that says that they select none. */
const SELECTING: Readonly<Record<string, string>> = {
  Service: 'no-endpoints',
  PodDisruptionBudget: 'protects-nothing',
}

/** Undefined where the object selects nothing on purpose, or cannot be read. */
function selectorOf({ object }: Target): LabelPredicate | undefined {
  if (object.kind === 'Service') {
    const { spec } = object as unknown as Service
    if (!spec?.selector || spec.type === 'ExternalName') return undefined
    return (labels) => mapSelectorMatches(spec.selector, labels)
  }
  const { spec } = object as unknown as PodDisruptionBudget
  return spec?.selector && compileLabelSelector(spec.selector)
}

function podSpecOf({
  object,
}: Target): { spec: V1PodSpec; prefix: string; labels: Readonly<Record<string, string>> } | undefined {
  if (object.kind === 'Pod' && object.spec)
    return { spec: object.spec as unknown as V1PodSpec, prefix: 'spec', labels: object.metadata.labels ?? {} }
  const template = object.spec?.['template'] as
    | {
        readonly spec?: V1PodSpec
        readonly metadata?: { readonly labels?: Readonly<Record<string, string>> }
      }
    | undefined
  return template?.spec
    ? { spec: template.spec, prefix: 'spec.template.spec', labels: template.metadata?.labels ?? {} }
    : undefined
}

function referencesOf(spec: V1PodSpec, prefix: string): Reference[] {
  const references: Reference[] = []
  const lists = [
    ['containers', spec.containers ?? []],
    ['initContainers', spec.initContainers ?? []],
  ] as const
  for (const [list, containers] of lists) {
    for (const [i, { env = [], envFrom = [] }] of containers.entries()) {
      for (const [j, { configMapRef, secretRef }] of envFrom.entries()) {
        const at = `${prefix}.${list}[${i}].envFrom[${j}]`
        if (configMapRef?.name && !configMapRef.optional)
          references.push({ kind: 'ConfigMap', name: configMapRef.name, field: `${at}.configMapRef.name` })
        if (secretRef?.name && !secretRef.optional)
          references.push({ kind: 'Secret', name: secretRef.name, field: `${at}.secretRef.name` })
      }
      for (const [j, { valueFrom }] of env.entries()) {
        const at = `${prefix}.${list}[${i}].env[${j}].valueFrom`
        const { configMapKeyRef, secretKeyRef } = valueFrom ?? {}
        if (configMapKeyRef?.name && !configMapKeyRef.optional)
          references.push({
            kind: 'ConfigMap',
            name: configMapKeyRef.name,
            field: `${at}.configMapKeyRef.name`,
          })
        if (secretKeyRef?.name && !secretKeyRef.optional)
          references.push({ kind: 'Secret', name: secretKeyRef.name, field: `${at}.secretKeyRef.name` })
      }
    }
  }
  for (const [i, { configMap, secret }] of (spec.volumes ?? []).entries()) {
    if (configMap?.name && !configMap.optional)
      references.push({
        kind: 'ConfigMap',
        name: configMap.name,
        field: `${prefix}.volumes[${i}].configMap.name`,
      })
    if (secret?.secretName && !secret.optional)
      references.push({
        kind: 'Secret',
        name: secret.secretName,
        field: `${prefix}.volumes[${i}].secret.secretName`,
      })
  }
  if (spec.serviceAccountName)
    references.push({
      kind: 'ServiceAccount',
      name: spec.serviceAccountName,
      field: `${prefix}.serviceAccountName`,
    })
  if (spec.priorityClassName)
    references.push({
      kind: 'PriorityClass',
      name: spec.priorityClassName,
      field: `${prefix}.priorityClassName`,
    })
  return references
}

function isThere(
  there: ReadonlySet<string>,
  kind: Reference['kind'],
  name: string,
  namespace: string,
): boolean {
  if (kind === 'PriorityClass')
    return there.has(`${kind}//${name}`) || Object.hasOwn(SYSTEM_PRIORITY_CLASSES, name)
  // Made by the cluster itself.
  if (kind === 'ServiceAccount' && name === 'default') return true
  if (kind === 'ConfigMap' && name === 'kube-root-ca.crt') return true
  return there.has(`${kind}/${namespace}/${name}`)
}

function finding(
  target: Target,
  severity: Finding['severity'],
  field: string,
  rule: string,
  message: string,
): Finding {
  const { file, line = 1, column = 1 } = target.manifest.placeOf(field, message)
  return { severity, rule, file, line, column, message, resource: titleOf(target.object) }
}
