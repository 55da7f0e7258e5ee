import { ageColumn, nameColumn } from '../age.ts'
import { sliceFaults } from '../endpoint-validation.ts'
import type { V1EndpointSlice } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { fault } from '../status.ts'
import { WAVE } from '../waves.ts'

export type EndpointSlice = Stored<V1EndpointSlice>

const SHOWN_MAX = 3

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
  validate: sliceFaults,
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
