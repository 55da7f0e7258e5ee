/**
 * Which address families a Service is of: what it says of ipFamilyPolicy, ipFamilies and clusterIPs, and what the
 * cluster has, as kube-apiserver fills them in. Pure.
 */
import { deepEqual } from '../base/json.ts'
import type { V1Service } from './generated/types.ts'
import { isIpv6 } from './ip-networks.ts'
import type { Stored } from './resource.ts'
import { fault, type StatusCause } from './status.ts'

export type IpFamily = 'IPv4' | 'IPv6'

export const familyOf = (ip: string): IpFamily => (isIpv6(ip) ? 'IPv6' : 'IPv4')

type Service = Stored<V1Service>
type Spec = Service['spec']
type Filled = { readonly spec: Spec } | { readonly faults: readonly StatusCause[] }

const POLICY = 'spec.ipFamilyPolicy'

/** @param families those the cluster has service ranges of, the default one first */
export function withFamilies(
  { spec }: Service,
  old: Spec | undefined,
  families: readonly IpFamily[],
): Filled {
  if (spec.type === 'ExternalName' || staysAsItIs(spec, old)) return { spec }
  const isSelectorless = spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0
  const policy =
    spec.ipFamilyPolicy ?? old?.ipFamilyPolicy ?? (isSelectorless ? 'RequireDualStack' : 'SingleStack')
  const isSingle = policy === 'SingleStack'
  const faults: StatusCause[] = []
  let { clusterIPs = [], ipFamilies = [] } = spec
  if (old) {
    const { clusterIPs: oldIPs = [], ipFamilies: oldFamilies = [] } = old
    // The policy alone says that the second one is to go.
    if (isSingle) {
      if (deepEqual(oldIPs, clusterIPs)) clusterIPs = clusterIPs.slice(0, 1)
      if (deepEqual(oldFamilies, ipFamilies)) ipFamilies = ipFamilies.slice(0, 1)
    } else {
      const isReduced = (before: readonly string[], now: readonly string[]) =>
        before.length === 2 && now.length === 1 && before[0] === now[0]
      if (isReduced(oldIPs, clusterIPs))
        faults.push(
          fault.invalid(POLICY, policy, "must be 'SingleStack' to release the secondary cluster IP"),
        )
      if (isReduced(oldFamilies, ipFamilies))
        faults.push(fault.invalid(POLICY, policy, "must be 'SingleStack' to release the secondary IP family"))
    }
  }
  const several = "must be 'RequireDualStack' or 'PreferDualStack' when multiple"
  if (isSingle && clusterIPs.length === 2)
    faults.push(fault.invalid(POLICY, policy, `${several} cluster IPs are specified`))
  if (isSingle && ipFamilies.length === 2)
    faults.push(fault.invalid(POLICY, policy, `${several} IP families are specified`))
  for (const [i, ip] of clusterIPs.entries()) {
    if (ip === 'None') break
    if (i < ipFamilies.length) continue
    if (families.includes(familyOf(ip))) ipFamilies = [...ipFamilies, familyOf(ip)]
    else
      faults.push(
        fault.invalid(
          `spec.clusterIPs[${i}]`,
          clusterIPs,
          `${familyOf(ip)} is not configured on this cluster`,
        ),
      )
  }
  if (!isSelectorless) {
    if (policy === 'RequireDualStack' && families.length < 2)
      faults.push(fault.invalid(POLICY, policy, 'this cluster is not configured for dual-stack services'))
    for (const [i, family] of ipFamilies.entries())
      if (!families.some((known) => known === family))
        faults.push(fault.invalid(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster'))
  }
  if (faults.length > 0) return { faults }
  if (ipFamilies.length === 0) ipFamilies = families.slice(0, 1)
  if (!isSingle && ipFamilies.length === 1 && (isSelectorless || families.length === 2))
    ipFamilies = [...ipFamilies, ipFamilies[0] === 'IPv4' ? 'IPv6' : 'IPv4']
  const ips = clusterIPs.length > 0 ? { clusterIPs } : {}
  return { spec: { ...spec, ...ips, ipFamilyPolicy: policy, ipFamilies } }
}

/**
 * What is not touched is not moved, nor refused, by what the cluster has become since: a range may have come, or be on
 * its way out.
 */
function staysAsItIs(spec: Spec, old: Spec | undefined): boolean {
  return (
    old !== undefined &&
    old.type !== 'ExternalName' &&
    spec.ipFamilyPolicy !== undefined &&
    spec.ipFamilyPolicy === old.ipFamilyPolicy &&
    deepEqual(spec.clusterIPs, old.clusterIPs) &&
    deepEqual(spec.ipFamilies, old.ipFamilies)
  )
}
