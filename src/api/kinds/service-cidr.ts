import { deepEqual } from '../../base/json.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import type { V1ServiceCIDR } from '../generated/types.ts'
import { cidr, isIpv6 } from '../ip-networks.ts'
import { defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { fault } from '../status.ts'
import { WAVE } from '../waves.ts'

export type ServiceCIDR = Stored<V1ServiceCIDR>

/** Where cluster IPs come from. */
export const SERVICE_CIDR = '10.96.0.0/16'
/** The first of them: the Service "kubernetes" in "default". */
export const API_SERVER_IP = '10.96.0.1'

export const serviceCidr = defineKind<ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  scope: 'Cluster',
  schema: 'V1ServiceCIDR',
  hasGeneration: false,
  applyWave: WAVE.nodes,
  subresources: { status: true },
  validate({ spec: { cidrs = [] } }) {
    if (cidrs.length === 0) return [fault.required('spec.cidrs', 'at least one CIDR required')]
    if (cidrs.length > 2) return [fault.invalid('spec.cidrs', cidrs, 'may only hold up to 2 values')]
    const wrong = cidrs.flatMap((range, i) => {
      const why = cidr(range)
      return why ? [fault.invalid(`spec.cidrs[${i}]`, range, why)] : []
    })
    const [first = '', second = ''] = cidrs
    if (wrong.length === 0 && cidrs.length === 2 && isIpv6(first) === isIpv6(second))
      wrong.push(
        fault.invalid(
          'spec.cidrs',
          cidrs,
          'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
        ),
      )
    return wrong
  },
  validateUpdate: ({ spec }, { spec: old }) =>
    deepEqual(spec.cidrs, old.cidrs) ? [] : [fault.invalid('spec.cidrs', spec.cidrs, 'field is immutable')],
  columns: [
    nameColumn,
    textColumn(
      'CIDRs',
      'CIDRs defines the IP blocks in CIDR notation (e.g. "192.168.0.0/24" or "2001:db8::/64") from which to assign service cluster IPs.',
      ({ spec }) => spec.cidrs?.join(',') ?? '',
    ),
    ageColumn,
  ],
  example: {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'more' },
    spec: { cidrs: ['10.97.0.0/16'] },
  },
})
