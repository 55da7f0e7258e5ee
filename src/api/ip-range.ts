/** The addresses of a network as numbers, to count and to give out. Pure. */
import ipaddr from 'ipaddr.js'

export interface IpRange {
  readonly cidr: string
  readonly family: 'IPv4' | 'IPv6'
  /** The first and last address that may be given out: not the network's own, nor IPv4's broadcast address. */
  readonly first: bigint
  readonly last: bigint
}

/** `cidr` must be valid. Networks too small for addresses of their own (/31, /32, /128) give out what they have. */
export function ipRange(cidr: string): IpRange {
  const [address, bits] = ipaddr.parseCIDR(cidr)
  const bytes = address.toByteArray()
  const hostBits = bytes.length * 8 - bits
  const mask = (1n << BigInt(hostBits)) - 1n
  const network = numberOf(bytes) & ~mask
  const isV4 = bytes.length === 4
  return {
    cidr,
    family: isV4 ? 'IPv4' : 'IPv6',
    first: network + (hostBits > 1 ? 1n : 0n),
    last: network + (hostBits > 1 && isV4 ? mask - 1n : mask),
  }
}

export function addressAt({ family }: IpRange, number: bigint): string {
  const length = family === 'IPv4' ? 4 : 16
  const bytes = Array.from({ length }, (_, i) => Number((number >> BigInt((length - 1 - i) * 8)) & 255n))
  const address = ipaddr.fromByteArray(bytes)
  return address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString()
}

/** Whether the address is of the network, its own and the broadcast address included. */
export function isInNetwork(cidr: string, ip: string): boolean {
  if (!ipaddr.isValid(ip)) return false
  const address = ipaddr.parse(ip)
  const [network, bits] = ipaddr.parseCIDR(cidr)
  return network.kind() === address.kind() && address.match(network, bits)
}

/** Whether the address may be given out. */
export function isInRange(range: IpRange, ip: string): boolean {
  if (!isInNetwork(range.cidr, ip)) return false
  const number = numberOf(ipaddr.parse(ip).toByteArray())
  return number >= range.first && number <= range.last
}

/** All from `from` on, and then those before it: each number of first..last once. */
export function* around(first: bigint, last: bigint, from: bigint): Generator<bigint> {
  for (let number = from; number <= last; number += 1n) yield number
  for (let number = first; number < from; number += 1n) yield number
}

function numberOf(bytes: readonly number[]): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
}
