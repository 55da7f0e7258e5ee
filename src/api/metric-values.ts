import type { V1LabelSelector } from './generated/types.ts'
import type { KindRef } from './kind.ts'
import type { Resource } from './resource.ts'

/**
 * What custom.metrics.k8s.io and external.metrics.k8s.io answer, as metrics adapters add them to a cluster. Their paths
 * name a metric where others name a kind, so a reference is made for each; their items carry no metadata.
 */
export const CUSTOM_METRICS = 'custom.metrics.k8s.io'
export const EXTERNAL_METRICS = 'external.metrics.k8s.io'

export interface MetricValue {
  readonly describedObject: {
    readonly apiVersion: string
    readonly kind: string
    readonly name: string
    readonly namespace?: string
  }
  readonly metric: { readonly name: string; readonly selector: V1LabelSelector | null }
  readonly timestamp: string
  /** A quantity. */
  readonly value: string
}

export interface ExternalMetricValue {
  readonly metricName: string
  readonly metricLabels: Readonly<Record<string, string>>
  readonly timestamp: string
  /** A quantity. */
  readonly value: string
}

/** A figure of objects: "pods", "*" for all that a label selector selects; "ingresses.networking.k8s.io", its name. */
export function customMetric(
  resource: string,
  name: string,
  metric: string,
): KindRef<MetricValue & Resource> {
  return { ...CUSTOM, plural: `${resource}/${name}/${metric}` }
}

/** A figure of the namespace itself. */
export function namespaceMetric(metric: string): KindRef<MetricValue & Resource> {
  return { ...CUSTOM, plural: `metrics/${metric}` }
}

export function externalMetric(metric: string): KindRef<ExternalMetricValue & Resource> {
  return {
    group: EXTERNAL_METRICS,
    version: 'v1beta1',
    kind: 'ExternalMetricValueList',
    plural: metric,
    scope: 'Namespaced',
  }
}

const CUSTOM = {
  group: CUSTOM_METRICS,
  version: 'v1beta2',
  kind: 'MetricValueList',
  scope: 'Namespaced',
} as const

/** As paths of custom metrics name the resource of a kind: "ingresses.networking.k8s.io", "pods". */
export function groupResourceOf({ group, plural }: Pick<KindRef, 'group' | 'plural'>): string {
  return group === '' ? plural : `${plural}.${group}`
}
