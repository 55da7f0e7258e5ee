/** Which address a load balancer gets: the first free one of the ranges, in their order. Pure. */
import ipaddr from 'ipaddr.js'

/** `wanted` (spec.loadBalancerIP) only if it is in a range and free; undefined when there is none to give. */
export function freeAddress(
  cidrs: readonly string[],
  used: ReadonlySet<string>,
  wanted?: string,
): string | undefined {
  if (wanted) return isWithin(cidrs, wanted) && !used.has(wanted) ? wanted : undefined
  for (const cidr of cidrs) {
    for (const address of addressesOf(cidr)) if (!used.has(address)) return address
  }
  return undefined
}

function isWithin(cidrs: readonly string[], address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.parse(address)
  return cidrs.some((cidr) => {
    const [range, bits] = ipaddr.parseCIDR(cidr)
    return range.kind() === parsed.kind() && parsed.match(range, bits)
  })
}

/** Neither the network's own address nor, in IPv4, its broadcast address, where the range is large enough to have them. */
function* addressesOf(cidr: string): Generator<string> {
  const [range, bits] = ipaddr.parseCIDR(cidr)
  const bytes = range.toByteArray()
  const hostBits = bytes.length * 8 - bits
  const mask = (1n << BigInt(hostBits)) - 1n
  const network = bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) & ~mask
  const isV4 = bytes.length === 4
  const first = hostBits > 1 ? 1n : 0n
  const last = hostBits > 1 && isV4 ? mask - 1n : mask
  for (let offset = first; offset <= last; offset += 1n) yield formatAddress(network + offset, bytes.length)
}

function formatAddress(value: bigint, length: number): string {
  const bytes = Array.from({ length }, (_, i) => Number((value >> BigInt((length - 1 - i) * 8)) & 255n))
  return ipaddr.fromByteArray(bytes).toString()
}
