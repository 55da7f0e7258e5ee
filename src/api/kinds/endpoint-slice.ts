import { ageColumn, nameColumn } from '../age.ts'
import type { V1EndpointSlice } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type EndpointSlice = Stored<V1EndpointSlice>

const SHOWN_MAX = 3
const ENDPOINTS_MAX = 1000
const PORTS_MAX = 20000

export const endpointSlice = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  scope: 'Namespaced',
  schema: 'V1EndpointSlice',
  hasGeneration: true,
  applyWave: WAVE.network,
  setDefaults: (resource) =>
    resource.ports?.some(({ name, protocol }) => name === undefined || protocol === undefined)
      ? {
          ...resource,
          ports: resource.ports.map((port) => ({
            ...port,
            name: port.name ?? '',
            protocol: port.protocol ?? 'TCP',
          })),
        }
      : resource,
  validate({ addressType, endpoints = [], ports = [] }) {
    const wrong: StatusCause[] = []
    if (!addressType) wrong.push(fault.required('addressType'))
    else if (!['IPv4', 'IPv6', 'FQDN'].includes(addressType))
      wrong.push(fault.notSupported('addressType', addressType, ['FQDN', 'IPv4', 'IPv6']))
    if (endpoints.length > ENDPOINTS_MAX)
      wrong.push(fault.tooMany('endpoints', endpoints.length, ENDPOINTS_MAX))
    if (ports.length > PORTS_MAX) wrong.push(fault.tooMany('ports', ports.length, PORTS_MAX))
    for (const [i, { addresses = [] }] of endpoints.entries()) {
      const at = `endpoints[${i}].addresses`
      if (addresses.length === 0) wrong.push(fault.required(at, 'must contain at least 1 address'))
      if (addressType !== 'IPv4') continue
      for (const [j, address] of addresses.entries()) {
        if (!isPublicIPv4(address))
          wrong.push(
            fault.invalid(
              `${at}[${j}]`,
              address,
              'must be a valid IPv4 address that is not loopback, link-local or unspecified',
            ),
          )
      }
    }
    const names = ports.map(({ name }) => name)
    for (const [i, name] of names.entries())
      if (names.indexOf(name) !== i) wrong.push(fault.duplicate(`ports[${i}].name`, name))
    return wrong
  },
  validateUpdate: (resource, old) =>
    resource.addressType === old.addressType
      ? []
      : [fault.invalid('addressType', resource.addressType, 'field is immutable')],
  columns: [
    nameColumn,
    {
      name: 'AddressType',
      type: 'string',
      description:
        'addressType specifies the type of address carried by this EndpointSlice. All addresses in this slice must be the same type.',
      value: ({ addressType }) => addressType,
    },
    {
      name: 'Ports',
      type: 'string',
      description: 'ports specifies the list of network ports exposed by each endpoint in this slice.',
      value: ({ ports = [] }) =>
        list(
          ports.map(({ port }) => String(port ?? '*')),
          '<unset>',
        ),
    },
    {
      name: 'Endpoints',
      type: 'string',
      description: 'endpoints is a list of unique endpoints in this slice.',
      value: ({ endpoints = [] }) =>
        list(
          endpoints.flatMap(({ addresses }) => addresses),
          '<unset>',
        ),
    },
    ageColumn,
  ],
  example: {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-x2bq9', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.244.0.5'], conditions: { ready: true } }],
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
  },
})

function list(values: readonly string[], none: string): string {
  if (values.length === 0) return none
  const more = values.length - SHOWN_MAX
  return values.slice(0, SHOWN_MAX).join(',') + (more > 0 ? ` + ${more} more...` : '')
}

/** Without leading zeros, and none of 0/8, 127/8, 169.254/16, 224/4. */
function isPublicIPv4(address: string): boolean {
  const parts = address.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255))
    return false
  const [first = 0, second = 0] = parts.map(Number)
  return first !== 0 && first !== 127 && first < 224 && !(first === 169 && second === 254)
}
