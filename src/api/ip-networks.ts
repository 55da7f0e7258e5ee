import ipaddr from 'ipaddr.js'

/** Addresses and networks of both families, with Kubernetes' words for what is wrong with them. */
const CIDR_MESSAGE = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'
export const IP_MESSAGE = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'

export function isIp(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text)
}

/** One way of writing an address only: no leading zeros, IPv6 short and in lower case. */
export function canonicalIp(text: string): string | undefined {
  if (!isIp(text)) return IP_MESSAGE
  return canonical(text) === text ? undefined : `must be in canonical form ("${canonical(text)}")`
}

function canonical(text: string): string {
  const parsed = ipaddr.parse(text)
  return parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString()
}

export function cidr(text: string): string | undefined {
  return rangeOf(text) ? undefined : CIDR_MESSAGE
}

interface Range {
  readonly bytes: readonly number[]
  readonly bits: number
}

function rangeOf(text: string): Range | undefined {
  const at = text.lastIndexOf('/')
  if (at < 0 || !isIp(text.slice(0, at)) || !/^\d{1,3}$/.test(text.slice(at + 1))) return undefined
  const bytes = ipaddr.parse(text.slice(0, at)).toByteArray()
  const bits = Number(text.slice(at + 1))
  return bits <= bytes.length * 8 ? { bytes, bits } : undefined
}

/** Whether `inner` is a part of `outer`, and not all of it. */
export function isStrictSubset(inner: string, outer: string): boolean {
  const a = rangeOf(inner)
  const b = rangeOf(outer)
  if (!a || !b || a.bytes.length !== b.bytes.length || a.bits <= b.bits) return false
  for (let bit = 0; bit < b.bits; bit += 1) {
    const at = bit >> 3
    const mask = 0x80 >> (bit & 7)
    if (((a.bytes[at] ?? 0) & mask) !== ((b.bytes[at] ?? 0) & mask)) return false
  }
  return true
}

export function isIpv6(text: string): boolean {
  return text.includes(':')
}

const SPECIAL = {
  unspecified: 'may not be unspecified (0.0.0.0 or ::)',
  loopback: 'may not be in the loopback range (127.0.0.0/8, ::1/128)',
  linkLocal: 'may not be in the link-local range (169.254.0.0/16, fe80::/10)',
  linkLocalMulticast: 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
} as const
type Special = keyof typeof SPECIAL

/** Why traffic may not be led to a valid address: it means another machine's own, or nobody's. */
export function specialIp(text: string): string | undefined {
  const kind = isIpv6(text) ? kindOfIpv6(text) : kindOfIpv4(text.split('.').map(Number))
  return kind && SPECIAL[kind]
}

function kindOfIpv4([a = 0, b = 0, c = 0, d = 0]: readonly number[]): Special | undefined {
  if (a === 127) return 'loopback'
  if (a === 169 && b === 254) return 'linkLocal'
  if (a === 224 && b === 0 && c === 0) return 'linkLocalMulticast'
  return a + b + c + d === 0 ? 'unspecified' : undefined
}

function kindOfIpv6(text: string): Special | undefined {
  const address = ipaddr.process(text)
  const bytes = address.toByteArray()
  if (address.kind() === 'ipv4') return kindOfIpv4(bytes)
  const [first = 0, second = 0] = bytes
  if (first === 0xff && (second & 0x0f) === 2) return 'linkLocalMulticast'
  const range = address.range()
  return range === 'unspecified' || range === 'loopback' || range === 'linkLocal' ? range : undefined
}
