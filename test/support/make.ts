import type { V1PodSpec } from '../../src/api/generated/types.ts'
import type { ConfigMap } from '../../src/api/kinds/config-map.ts'
import type { Deployment } from '../../src/api/kinds/deployment.ts'
import type { Node } from '../../src/api/kinds/node.ts'
import type { Pod } from '../../src/api/kinds/pod.ts'
import type { Service } from '../../src/api/kinds/service.ts'
import { isObject } from '../../src/base/json.ts'

/** Default objects with a deep override: `make.pod({ spec: { nodeName: 'a' } })`. Lists in the override replace. */
type Deep<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: Deep<T[K]> }
    : T

function merge(base: unknown, override: unknown): unknown {
  if (!isObject(base) || !isObject(override)) return override === undefined ? base : override
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(override)) merged[key] = merge(merged[key], value)
  return merged
}

const container = { name: 'app', image: 'registry.example/app:1' }

const podSpec = (override: Deep<V1PodSpec> = {}): V1PodSpec =>
  merge({ containers: [container] }, override) as V1PodSpec

export const make = {
  pod: (override: Deep<Pod> = {}): Pod =>
    merge(
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'web', namespace: 'default', labels: { app: 'web' } },
        spec: podSpec(),
      },
      override,
    ) as Pod,
  deployment: (override: Deep<Deployment> = {}): Deployment =>
    merge(
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', namespace: 'default' },
        spec: {
          replicas: 3,
          selector: { matchLabels: { app: 'web' } },
          template: { metadata: { labels: { app: 'web' } }, spec: podSpec() },
        },
      },
      override,
    ) as Deployment,
  service: (override: Deep<Service> = {}): Service =>
    merge(
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web', namespace: 'default' },
        spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
      },
      override,
    ) as Service,
  configMap: (override: Deep<ConfigMap> = {}): ConfigMap =>
    merge(
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'settings', namespace: 'default' },
        data: { color: 'blue' },
      },
      override,
    ) as ConfigMap,
  node: (override: Deep<Node> = {}): Node => {
    const amounts = { cpu: '4', memory: '16Gi', pods: '110' }
    return merge(
      {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: 'node-a', labels: { 'kubernetes.io/hostname': 'node-a' } },
        spec: {},
        status: { capacity: amounts, allocatable: amounts, conditions: [{ type: 'Ready', status: 'True' }] },
      },
      override,
    ) as Node
  },
}
