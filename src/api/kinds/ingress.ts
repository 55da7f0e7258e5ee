import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { follows, named, oneOf } from '../field-rules.ts'
import type { V1HTTPIngressPath, V1Ingress, V1IngressBackend, V1IngressRule } from '../generated/types.ts'
import { isIp } from '../ip-networks.ts'
import { defineKind } from '../kind.ts'
import { dns1035Label, dns1123Subdomain } from '../names.ts'
import { portNameFaults, portNumberFaults } from '../ports.ts'
import type { Stored } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type Ingress = Stored<V1Ingress>

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'
const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix']
const BAD_PATHS = ['//', '/./', '/../', '%2f', '%2F']
const BAD_ENDS = ['/..', '/.']
const HOSTS_SHOWN = 3
const WILDCARD_MESSAGE =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

export const ingress = defineKind<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  scope: 'Namespaced',
  shortNames: ['ing'],
  schema: 'V1Ingress',
  applyWave: WAVE.disruption,
  subresources: { status: true },
  prepareForCreate: (resource) => ({ ...resource, status: { loadBalancer: {} } }),
  validate: ({ spec }) => [
    ...(!spec.defaultBackend && !spec.rules?.length
      ? [fault.invalid('spec', [], 'either `defaultBackend` or `rules` must be specified')]
      : []),
    ...(spec.rules ?? []).flatMap((rule, i) => validateRule(rule, `spec.rules[${i}]`)),
    ...(spec.defaultBackend ? validateBackend(spec.defaultBackend, 'spec.defaultBackend') : []),
    ...(spec.tls ?? []).flatMap(({ hosts = [], secretName }, i) => [
      ...hosts.flatMap((host, j) => validateHost(host, `spec.tls[${i}].hosts[${j}]`)),
      ...follows(secretName, dns1123Subdomain, `spec.tls[${i}].secretName`),
    ]),
    ...follows(spec.ingressClassName, dns1123Subdomain, 'spec.ingressClassName'),
  ],
  columns: [
    nameColumn,
    textColumn(
      'Class',
      'The name of the IngressClass resource that should be used for additional configuration',
      ({ metadata, spec }) => spec.ingressClassName ?? metadata.annotations?.[CLASS_ANNOTATION] ?? '<none>',
    ),
    textColumn(
      'Hosts',
      'Hosts that incoming requests are matched against before the ingress rule',
      ({ spec }) => hostsText(spec.rules),
    ),
    textColumn('Address', 'Address is a list containing ingress points for the load-balancer', ({ status }) =>
      [...new Set((status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip || hostname || []))]
        .sort()
        .join(','),
    ),
    textColumn('Ports', 'Ports of TLS configurations that open', ({ spec }) =>
      spec.tls?.length ? '80, 443' : '80',
    ),
    ageColumn,
  ],
  // Whoever serves it is not part of every cluster, so having no address yet is not being on the way.
  example: {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      rules: [
        {
          host: 'shop.example.com',
          http: {
            paths: [
              { path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } },
            ],
          },
        },
      ],
    },
  },
})

function hostsText(rules: readonly V1IngressRule[] = []): string {
  const shown = rules.slice(0, HOSTS_SHOWN).flatMap(({ host }) => host || [])
  if (shown.length === 0) return '*'
  const more = rules.length - HOSTS_SHOWN
  return more > 0 ? `${shown.join(',')} + ${more} more...` : shown.join(',')
}

function validateRule({ host, http }: V1IngressRule, path: string): StatusCause[] {
  const wrong = host ? validateHost(host, `${path}.host`) : []
  if (!http) return wrong
  if (http.paths.length === 0) return [...wrong, fault.required(`${path}.http.paths`)]
  return [...wrong, ...http.paths.flatMap((each, i) => validatePath(each, `${path}.http.paths[${i}]`))]
}

function validateHost(host: string, path: string): StatusCause[] {
  if (isIp(host)) return [fault.invalid(path, host, 'must be a DNS name, not an IP address')]
  if (!host.includes('*')) return follows(host, dns1123Subdomain, path)
  const isWildcard = host.startsWith('*.') && dns1123Subdomain(host.slice(2)) === undefined
  return isWildcard ? [] : [fault.invalid(path, host, WILDCARD_MESSAGE)]
}

function validatePath({ path = '', pathType, backend }: V1HTTPIngressPath, at: string): StatusCause[] {
  const wrong: StatusCause[] = []
  if (!pathType) wrong.push(fault.required(`${at}.pathType`, 'pathType must be specified'))
  else wrong.push(...oneOf(pathType, PATH_TYPES, `${at}.pathType`))
  if (pathType === 'Exact' || pathType === 'Prefix') {
    if (!path.startsWith('/')) wrong.push(fault.invalid(`${at}.path`, path, 'must be an absolute path'))
    else {
      for (const bad of BAD_PATHS)
        if (path.includes(bad)) wrong.push(fault.invalid(`${at}.path`, path, `must not contain '${bad}'`))
      for (const bad of BAD_ENDS)
        if (path.endsWith(bad)) wrong.push(fault.invalid(`${at}.path`, path, `cannot end with '${bad}'`))
    }
  } else if (path && !path.startsWith('/'))
    wrong.push(fault.invalid(`${at}.path`, path, 'must be an absolute path'))
  return [...wrong, ...validateBackend(backend, `${at}.backend`)]
}

function validateBackend({ resource, service }: V1IngressBackend, path: string): StatusCause[] {
  if (resource && service) return [fault.invalid(path, '', 'cannot set both resource and service backends')]
  if (resource)
    return [
      ...named(resource.kind, () => undefined, `${path}.resource.kind`),
      ...named(resource.name, () => undefined, `${path}.resource.name`),
    ]
  if (!service) return [fault.required(path, 'resource or service backend is required')]
  const wrong = named(service.name, dns1035Label, `${path}.service.name`)
  const { name = '', number = 0 } = service.port ?? {}
  if (name && number) wrong.push(fault.invalid(path, '', 'cannot set both port name & port number'))
  else if (name) wrong.push(...portNameFaults(name, `${path}.service.port.name`))
  else if (number) wrong.push(...portNumberFaults(number, `${path}.service.port.number`))
  else wrong.push(fault.required(path, 'port name or number is required'))
  return wrong
}
