import type { V1LabelSelector, V1PodAffinityTerm } from '../api/generated/types.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { compileLabelSelector, type LabelPredicate, type Labels } from '../api/selectors.ts'
import { labelsOfAll } from './by-label.ts'

/** One term of pod (anti-)affinity, made ready to be asked of many pods. Equal terms have equal keys. */
export interface Term {
  readonly key: string
  readonly topologyKey: string
  /** "key=value" that every pod it is about has. */
  readonly labels: readonly string[]
  /** Of a preferred term; 1 for a required one. */
  readonly weight: number
  /** `namespaceLabels`: the labels of the namespace of the pod that is asked about. */
  matches(namespace: string, labels: Labels, namespaceLabels: Labels): boolean
}

export interface Terms {
  readonly requiredAffinity: readonly Term[]
  readonly requiredAntiAffinity: readonly Term[]
  readonly preferredAffinity: readonly Term[]
  readonly preferredAntiAffinity: readonly Term[]
}

export function termsOf(pod: Pod): Terms | undefined {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {}
  if (!podAffinity && !podAntiAffinity) return undefined
  const required = (terms: readonly V1PodAffinityTerm[] = []) => terms.map((term) => termOf(pod, term, 1))
  return {
    requiredAffinity: required(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    requiredAntiAffinity: required(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: (podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ podAffinityTerm, weight }) => termOf(pod, podAffinityTerm, weight),
    ),
    preferredAntiAffinity: (podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ podAffinityTerm, weight }) => termOf(pod, podAffinityTerm, weight),
    ),
  }
}

/** Without namespaces and namespaceSelector a term is about its pod's own namespace; an empty selector is all of them. */
function termOf(pod: Pod, term: V1PodAffinityTerm, weight: number): Term {
  const { topologyKey, namespaceSelector } = term
  const own = pod.metadata.namespace ?? ''
  const named = term.namespaces ?? []
  const namespaces = new Set(named.length === 0 && !namespaceSelector ? [own] : named)
  const labelSelector = withLabelKeys(term.labelSelector, pod, term.matchLabelKeys, term.mismatchLabelKeys)
  const selects = compileLabelSelector(labelSelector)
  const selectsNamespace: LabelPredicate = compileLabelSelector(namespaceSelector)
  return {
    key: JSON.stringify([topologyKey, weight, [...namespaces].sort(), namespaceSelector, labelSelector]),
    topologyKey,
    labels: labelsOfAll(labelSelector),
    weight,
    matches: (namespace, labels, namespaceLabels) =>
      (namespaces.has(namespace) || selectsNamespace(namespaceLabels)) && selects(labels),
  }
}

/** matchLabelKeys and mismatchLabelKeys stand for the pod's own values of these labels; a label it lacks is passed over. */
export function withLabelKeys(
  selector: V1LabelSelector | undefined,
  pod: Pod,
  matchLabelKeys: readonly string[] = [],
  mismatchLabelKeys: readonly string[] = [],
): V1LabelSelector | undefined {
  if (!selector || matchLabelKeys.length + mismatchLabelKeys.length === 0) return selector
  const more = (keys: readonly string[], operator: string) =>
    keys.flatMap((key) => {
      const value = pod.metadata.labels?.[key]
      return value === undefined ? [] : [{ key, operator, values: [value] }]
    })
  return {
    ...selector,
    matchExpressions: [
      ...(selector.matchExpressions ?? []),
      ...more(matchLabelKeys, 'In'),
      ...more(mismatchLabelKeys, 'NotIn'),
    ],
  }
}
