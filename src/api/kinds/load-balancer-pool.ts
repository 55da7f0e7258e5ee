import ipaddr from 'ipaddr.js'
import { ageColumn, nameColumn } from '../age.ts'
import { defineKind } from '../kind.ts'
import { ownSchema } from '../own-schema.ts'
import type { Resource } from '../resource.ts'
import { fault } from '../status.ts'
import { validateSchema } from '../validate-schema.ts'
import { WAVE } from '../waves.ts'

/** Addresses for Services of type LoadBalancer. Without any pool they come from DEFAULT_LOAD_BALANCER_CIDR. */
export interface LoadBalancerPool extends Resource {
  readonly spec: { readonly cidrs: readonly string[] }
}

/** TEST-NET-1 (RFC 5737): an address of it is nobody's. */
export const DEFAULT_LOAD_BALANCER_CIDR = '192.0.2.0/24'

const schema = ownSchema('A LoadBalancerPool declares addresses for Services of type LoadBalancer.', {
  spec: {
    type: 'object',
    description: 'What is given out.',
    required: ['cidrs'],
    properties: {
      cidrs: {
        type: 'array',
        items: { type: 'string', minLength: 1 },
        minItems: 1,
        description: 'Ranges, used in their order: "192.0.2.0/24".',
      },
    },
  },
})

export const loadBalancerPool = defineKind<LoadBalancerPool>({
  group: 'seamark.dev',
  version: 'v1alpha1',
  kind: 'LoadBalancerPool',
  plural: 'loadbalancerpools',
  scope: 'Cluster',
  shortNames: ['lbpool'],
  categories: ['seamark'],
  schema,
  applyWave: WAVE.nodes,
  // What is missing is told by the schema below, not by a crash.
  setDefaults: (resource) => ({ ...resource, spec: { ...resource.spec, cidrs: resource.spec?.cidrs ?? [] } }),
  validate: ({ spec }) => [
    ...validateSchema({ spec }, schema),
    ...spec.cidrs.flatMap((cidr, i) =>
      ipaddr.isValidCIDR(cidr)
        ? []
        : [
            fault.invalid(
              `spec.cidrs[${i}]`,
              cidr,
              'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
            ),
          ],
    ),
  ],
  columns: [
    nameColumn,
    {
      name: 'CIDRs',
      type: 'string',
      description: 'Ranges it gives out.',
      value: ({ spec }) => spec.cidrs.join(','),
    },
    ageColumn,
  ],
  example: {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'LoadBalancerPool',
    metadata: { name: 'public' },
    spec: { cidrs: ['192.0.2.0/24'] },
  },
})
