import { ageColumn, nameColumn } from '../age.ts'
import type { V1Service, V1ServicePort } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { isBalancedHere, isExternallyAccessible, updatedService } from '../service-changes.ts'
import { serviceFaults, serviceUpdateFaults } from '../service-validation.ts'
import { WAVE } from '../waves.ts'

export type Service = Stored<V1Service>

const SESSION_AFFINITY_SECONDS = 10800

export const service = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  scope: 'Namespaced',
  shortNames: ['svc'],
  categories: ['all'],
  schema: 'V1Service',
  hasGeneration: false,
  applyWave: WAVE.network,
  nameRule: 'dns1123-label',
  subresources: {
    status: true,
    others: {
      proxy: {
        group: '',
        version: 'v1',
        kind: 'ServiceProxyOptions',
        verbs: ['create', 'delete', 'get', 'patch', 'update'],
      },
    },
  },
  fieldSelectors: {
    'spec.clusterIP': ({ spec }) => spec.clusterIP ?? '',
    'spec.type': ({ spec }) => spec.type ?? '',
  },
  setDefaults,
  prepareForCreate: (resource) => ({ ...resource, status: { loadBalancer: {} } }),
  prepareForUpdate: updatedService,
  validate: serviceFaults,
  validateUpdate: serviceUpdateFaults,
  columns: [
    nameColumn,
    {
      name: 'Type',
      type: 'string',
      description: 'type determines how the Service is exposed.',
      value: ({ spec }) => spec.type ?? '',
    },
    {
      name: 'Cluster-IP',
      type: 'string',
      description: 'clusterIP is the IP address of the service and is usually assigned randomly.',
      value: ({ spec }) => spec.clusterIP || '<none>',
    },
    {
      name: 'External-IP',
      type: 'string',
      description:
        'externalIPs is a list of IP addresses for which nodes in the cluster will also accept traffic for this service.',
      value: (resource) => externalText(resource),
    },
    {
      name: 'Port(s)',
      type: 'string',
      description: 'The list of ports that are exposed by this service.',
      value: ({ spec }) => portsText(spec.ports),
    },
    ageColumn,
    {
      name: 'Selector',
      type: 'string',
      priority: 1,
      description: 'Route service traffic to pods with label keys and values matching this selector.',
      value: ({ spec }) =>
        Object.entries(spec.selector ?? {})
          .sort()
          .map(([key, value]) => `${key}=${value}`)
          .join(',') || '<none>',
    },
  ],
  // What another controller is to balance may wait for ever: nobody here can tell.
  health: ({ spec, status }) =>
    isBalancedHere(spec) && !status?.loadBalancer?.ingress?.length
      ? { status: 'Progressing', message: 'Waiting for a load balancer address' }
      : { status: 'Healthy' },
  example: {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
  },
})

export function isHeadless({ spec }: Service): boolean {
  return spec.clusterIP === 'None'
}

function setDefaults(resource: Service): Service {
  const { spec } = resource
  const type = spec.type ?? 'ClusterIP'
  const sessionAffinity = spec.sessionAffinity ?? 'None'
  const { sessionAffinityConfig, ...plain } = spec
  return {
    ...resource,
    spec: {
      ...plain,
      type,
      sessionAffinity,
      ...(sessionAffinity !== 'None' && sessionAffinityConfig ? { sessionAffinityConfig } : {}),
      ...(sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined
        ? { sessionAffinityConfig: { clientIP: { timeoutSeconds: SESSION_AFFINITY_SECONDS } } }
        : {}),
      ...(type === 'ExternalName' ? {} : { internalTrafficPolicy: spec.internalTrafficPolicy ?? 'Cluster' }),
      ...(isExternallyAccessible({ ...spec, type })
        ? { externalTrafficPolicy: spec.externalTrafficPolicy ?? 'Cluster' }
        : {}),
      ...(type === 'LoadBalancer'
        ? { allocateLoadBalancerNodePorts: spec.allocateLoadBalancerNodePorts ?? true }
        : {}),
      ...(spec.ports
        ? {
            ports: spec.ports.map((port) => ({
              ...port,
              protocol: port.protocol || 'TCP',
              targetPort:
                port.targetPort === undefined || port.targetPort === '' || port.targetPort === 0
                  ? port.port
                  : port.targetPort,
            })),
          }
        : {}),
    },
  }
}

function portsText(ports: readonly V1ServicePort[] = []): string {
  if (ports.length === 0) return '<none>'
  return ports
    .map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol}`)
    .join(',')
}

function externalText({ spec, status }: Service): string {
  if (spec.type === 'ExternalName') return spec.externalName ?? ''
  const balanced = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? [])
  const all = [...balanced, ...(spec.externalIPs ?? [])]
  if (all.length > 0) return all.join(',')
  return spec.type === 'LoadBalancer' ? '<pending>' : '<none>'
}
