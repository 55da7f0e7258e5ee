/** Which address a load balancer gets: the first free one of the ranges, in their order. Pure. */
import { addressAt, around, ipRange, isInNetwork } from '../api/ip-range.ts'

/** `wanted` (spec.loadBalancerIP) only if it is in a range and free; undefined when there is none to give. */
export function freeAddress(
  cidrs: readonly string[],
  used: ReadonlySet<string>,
  wanted?: string,
): string | undefined {
  if (wanted) return cidrs.some((cidr) => isInNetwork(cidr, wanted)) && !used.has(wanted) ? wanted : undefined
  for (const range of cidrs.map(ipRange)) {
    for (const number of around(range.first, range.last, range.first)) {
      const address = addressAt(range, number)
      if (!used.has(address)) return address
    }
  }
  return undefined
}
