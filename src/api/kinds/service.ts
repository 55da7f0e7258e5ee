import { ageColumn, nameColumn } from '../age.ts'
import type { V1Service, V1ServicePort } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import { dns1123Label, dns1123Subdomain, validateLabels } from '../names.ts'
import type { Stored } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type Service = Stored<V1Service>

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const SESSION_AFFINITY_SECONDS = 10800
const PORT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

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
  /** What the type no longer has is dropped; what was allocated and is not mentioned is kept. */
  prepareForUpdate(resource, old) {
    const { spec } = resource
    if (spec.type === 'ExternalName') {
      const { clusterIP: _ip, clusterIPs: _ips, ...rest } = spec
      return { ...resource, spec: rest }
    }
    if (old.spec.type === 'ExternalName') return resource
    const keepsIp =
      !spec.clusterIP && old.spec.clusterIP
        ? { clusterIP: old.spec.clusterIP, clusterIPs: old.spec.clusterIPs }
        : {}
    const ports = spec.ports?.map((port) => keepNodePort(port, spec.type, old.spec.ports))
    return { ...resource, spec: { ...spec, ...keepsIp, ...(ports ? { ports } : {}) } }
  },
  validate,
  validateUpdate(resource, old) {
    const { spec } = resource
    const isIpFree = spec.type === 'ExternalName' || old.spec.type === 'ExternalName' || !old.spec.clusterIP
    if (isIpFree || spec.clusterIP === old.spec.clusterIP) return []
    return [
      fault.invalid('spec.clusterIPs[0]', spec.clusterIPs ?? [spec.clusterIP], 'may not change once set'),
    ]
  },
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
  health: ({ spec, status }) =>
    spec.type === 'LoadBalancer' && !status?.loadBalancer?.ingress?.length
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
  const isExternal = type === 'ExternalName'
  const takesOutside = type === 'NodePort' || type === 'LoadBalancer'
  return {
    ...resource,
    spec: {
      ...spec,
      type,
      sessionAffinity,
      ...(sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined
        ? { sessionAffinityConfig: { clientIP: { timeoutSeconds: SESSION_AFFINITY_SECONDS } } }
        : {}),
      ...(isExternal ? {} : { internalTrafficPolicy: spec.internalTrafficPolicy ?? 'Cluster' }),
      ...(isExternal
        ? {}
        : { ipFamilies: spec.ipFamilies ?? ['IPv4'], ipFamilyPolicy: spec.ipFamilyPolicy ?? 'SingleStack' }),
      ...(takesOutside ? { externalTrafficPolicy: spec.externalTrafficPolicy ?? 'Cluster' } : {}),
      ...(type === 'LoadBalancer'
        ? { allocateLoadBalancerNodePorts: spec.allocateLoadBalancerNodePorts ?? true }
        : {}),
      ...(spec.clusterIP && !spec.clusterIPs ? { clusterIPs: [spec.clusterIP] } : {}),
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

function keepNodePort(
  port: V1ServicePort,
  type: string | undefined,
  before: readonly V1ServicePort[] | undefined,
): V1ServicePort {
  if (type !== 'NodePort' && type !== 'LoadBalancer') {
    const { nodePort: _, ...rest } = port
    return rest
  }
  if (port.nodePort) return port
  const known = before?.find(
    (other) => other.port === port.port && other.protocol === port.protocol,
  )?.nodePort
  return known ? { ...port, nodePort: known } : port
}

function validate({ spec }: Service): StatusCause[] {
  const wrong: StatusCause[] = []
  const { type = 'ClusterIP', ports = [] } = spec
  if (!TYPES.includes(type)) wrong.push(fault.notSupported('spec.type', type, TYPES))
  if (ports.length === 0 && type !== 'ExternalName' && spec.clusterIP !== 'None')
    wrong.push(fault.required('spec.ports'))
  if (type === 'ExternalName') {
    if (!spec.externalName) wrong.push(fault.required('spec.externalName'))
    else {
      const why = dns1123Subdomain(spec.externalName)
      if (why) wrong.push(fault.invalid('spec.externalName', spec.externalName, why))
    }
    if (spec.clusterIP)
      wrong.push(fault.forbidden('spec.clusterIPs[0]', 'may not be set for ExternalName services'))
  }
  if (type === 'LoadBalancer' && spec.clusterIP === 'None')
    wrong.push(
      fault.invalid('spec.clusterIPs[0]', 'None', "may not be set to 'None' for LoadBalancer services"),
    )
  if (type === 'NodePort' && spec.clusterIP === 'None')
    wrong.push(fault.invalid('spec.clusterIPs[0]', 'None', "may not be set to 'None' for NodePort services"))
  const affinity = spec.sessionAffinity ?? 'None'
  if (affinity !== 'None' && affinity !== 'ClientIP')
    wrong.push(fault.notSupported('spec.sessionAffinity', affinity, ['ClientIP', 'None']))
  wrong.push(...validateLabels(spec.selector, 'spec.selector'))
  const names = new Set<string>()
  const numbers = new Set<string>()
  for (const [i, port] of ports.entries()) {
    const at = `spec.ports[${i}]`
    wrong.push(...validatePort(port, at, ports.length > 1))
    if (port.name && names.has(port.name)) wrong.push(fault.duplicate(`${at}.name`, port.name))
    const id = `${port.protocol ?? 'TCP'}/${port.port}`
    if (numbers.has(id))
      wrong.push(fault.duplicate(at, { protocol: port.protocol ?? 'TCP', port: port.port }))
    names.add(port.name ?? '')
    numbers.add(id)
    if (type === 'ClusterIP' && port.nodePort)
      wrong.push(fault.forbidden(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'"))
  }
  return wrong
}

function validatePort(port: V1ServicePort, at: string, needsName: boolean): StatusCause[] {
  const wrong: StatusCause[] = []
  if (needsName && !port.name) wrong.push(fault.required(`${at}.name`))
  else if (port.name) {
    const why = dns1123Label(port.name)
    if (why) wrong.push(fault.invalid(`${at}.name`, port.name, why))
  }
  if (!isPort(port.port))
    wrong.push(fault.invalid(`${at}.port`, port.port ?? 0, 'must be between 1 and 65535, inclusive'))
  if (port.protocol !== undefined && !PROTOCOLS.includes(port.protocol))
    wrong.push(fault.notSupported(`${at}.protocol`, port.protocol, PROTOCOLS))
  const { targetPort } = port
  if (typeof targetPort === 'number' && !isPort(targetPort))
    wrong.push(fault.invalid(`${at}.targetPort`, targetPort, 'must be between 1 and 65535, inclusive'))
  if (
    typeof targetPort === 'string' &&
    (targetPort.length > 15 || !PORT_NAME.test(targetPort) || !/[a-z]/.test(targetPort))
  ) {
    wrong.push(
      fault.invalid(
        `${at}.targetPort`,
        targetPort,
        'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-), at least one letter, and be no more than 15 characters',
      ),
    )
  }
  return wrong
}

export function isPort(port: number | undefined): boolean {
  return port !== undefined && Number.isInteger(port) && port >= 1 && port <= 65535
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
