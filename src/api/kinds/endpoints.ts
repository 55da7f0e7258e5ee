import { ageColumn, nameColumn } from '../age.ts'
import { subsetFaults } from '../endpoint-validation.ts'
import type { V1Endpoints } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { WAVE } from '../waves.ts'

export type Endpoints = Stored<V1Endpoints>

const SHOWN_MAX = 3

export const endpoints = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  scope: 'Namespaced',
  singular: 'endpoints',
  shortNames: ['ep'],
  schema: 'V1Endpoints',
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  applyWave: WAVE.network,
  setDefaults: (resource) =>
    resource.subsets?.some(({ ports }) => ports?.some(({ protocol }) => !protocol))
      ? {
          ...resource,
          subsets: resource.subsets.map((subset) => ({
            ...subset,
            ...(subset.ports
              ? { ports: subset.ports.map((port) => ({ ...port, protocol: port.protocol || 'TCP' })) }
              : {}),
          })),
        }
      : resource,
  validate: ({ subsets = [] }) => subsetFaults(subsets),
  columns: [
    nameColumn,
    {
      name: 'Endpoints',
      type: 'string',
      description: 'The set of all endpoints is the union of all subsets.',
      value: (resource) => shown(resource),
    },
    ageColumn,
  ],
  example: {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'web', namespace: 'default' },
    subsets: [{ addresses: [{ ip: '10.244.0.5' }], ports: [{ port: 8080, protocol: 'TCP' }] }],
  },
})

function shown({ subsets = [] }: Endpoints): string {
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => `${ip}:${port}`)),
  )
  if (all.length === 0) return '<none>'
  const more = all.length - SHOWN_MAX
  return all.slice(0, SHOWN_MAX).join(',') + (more > 0 ? ` + ${more} more...` : '')
}
