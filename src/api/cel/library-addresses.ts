import type { Environment } from '@marcbachmann/cel-js'
import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** Zones, and IPv4 written as IPv6, are refused, as Kubernetes does. */
function parseAddress(text: string): Address | undefined {
  if (text.includes('%')) return undefined
  if (/^\d+(?:\.\d+){3}$/.test(text))
    return ipaddr.IPv4.isValidFourPartDecimal(text) && !/(^|\.)0\d/.test(text)
      ? ipaddr.IPv4.parse(text)
      : undefined
  if (!text.includes(':') || !ipaddr.IPv6.isValid(text)) return undefined
  const address = ipaddr.IPv6.parse(text)
  return address.isIPv4MappedAddress() ? undefined : address
}

class Ip {
  readonly address: Address

  constructor(text: string) {
    const address = parseAddress(text)
    if (!address)
      throw new Error(`IP Address ${JSON.stringify(text)} parse error during conversion from string`)
    this.address = address
  }

  get family(): bigint {
    return this.address.kind() === 'ipv4' ? 4n : 6n
  }

  is(...ranges: readonly string[]): boolean {
    return ranges.includes(this.address.range())
  }

  toString(): string {
    return this.address.kind() === 'ipv4'
      ? this.address.toString()
      : (this.address as ipaddr.IPv6).toRFC5952String()
  }

  valueOf(): string {
    return this.toString()
  }
}

class Cidr {
  readonly ip: Ip
  readonly bits: number

  constructor(text: string) {
    const at = text.lastIndexOf('/')
    const bits = text.slice(at + 1)
    if (at < 0 || !/^(?:0|[1-9]\d{0,2})$/.test(bits))
      throw new Error(`network address parse error during conversion from string: ${JSON.stringify(text)}`)
    this.ip = new Ip(text.slice(0, at))
    this.bits = Number(bits)
    if (this.bits > (this.ip.family === 4n ? 32 : 128))
      throw new Error(`network address parse error during conversion from string: ${JSON.stringify(text)}`)
  }

  contains({ address }: Ip): boolean {
    return (
      address.kind() === this.ip.address.kind() &&
      (address as ipaddr.IPv4).match(this.ip.address as ipaddr.IPv4, this.bits)
    )
  }

  masked(): Cidr {
    const network =
      this.ip.family === 4n
        ? ipaddr.IPv4.networkAddressFromCIDR(this.toString())
        : ipaddr.IPv6.networkAddressFromCIDR(this.toString())
    return new Cidr(`${network.toString()}/${this.bits}`)
  }

  toString(): string {
    return `${this.ip}/${this.bits}`
  }

  valueOf(): string {
    return this.toString()
  }
}

function can(make: () => unknown): boolean {
  try {
    make()
    return true
  } catch {
    return false
  }
}

/** ip, isIP, cidr and isCIDR, and what can be asked of them. */
export function registerAddresses(environment: Environment): void {
  environment.registerType('IP', { ctor: Ip, fields: {} })
  environment.registerType('CIDR', { ctor: Cidr, fields: {} })
  environment.registerFunction('ip(string): IP', (text: string) => new Ip(text))
  environment.registerFunction('isIP(string): bool', (text: string) => parseAddress(text) !== undefined)
  environment.registerFunction('cidr(string): CIDR', (text: string) => new Cidr(text))
  environment.registerFunction('isCIDR(string): bool', (text: string) => can(() => new Cidr(text)))
  environment.registerFunction('string(IP): string', String)
  environment.registerFunction('string(CIDR): string', String)
  environment.registerFunction('IP.family(): int', (ip: Ip) => ip.family)
  environment.registerFunction('IP.isUnspecified(): bool', (ip: Ip) => ip.is('unspecified'))
  environment.registerFunction('IP.isLoopback(): bool', (ip: Ip) => ip.is('loopback'))
  environment.registerFunction(
    'IP.isLinkLocalMulticast(): bool',
    (ip: Ip) => ip.is('multicast') && /^(?:224\.0\.0\.|ff.2:)/.test(ip.toString()),
  )
  environment.registerFunction('IP.isLinkLocalUnicast(): bool', (ip: Ip) => ip.is('linkLocal'))
  environment.registerFunction(
    'IP.isGlobalUnicast(): bool',
    (ip: Ip) => !ip.is('unspecified', 'loopback', 'multicast', 'linkLocal', 'broadcast'),
  )
  environment.registerFunction('CIDR.containsIP(IP): bool', (cidr: Cidr, ip: Ip) => cidr.contains(ip))
  environment.registerFunction('CIDR.containsIP(string): bool', (cidr: Cidr, ip: string) =>
    cidr.contains(new Ip(ip)),
  )
  const covers = (cidr: Cidr, other: Cidr) => other.bits >= cidr.bits && cidr.contains(other.ip)
  environment.registerFunction('CIDR.containsCIDR(CIDR): bool', covers)
  environment.registerFunction('CIDR.containsCIDR(string): bool', (cidr: Cidr, other: string) =>
    covers(cidr, new Cidr(other)),
  )
  environment.registerFunction('CIDR.ip(): IP', (cidr: Cidr) => cidr.ip)
  environment.registerFunction('CIDR.masked(): CIDR', (cidr: Cidr) => cidr.masked())
  environment.registerFunction('CIDR.prefixLength(): int', (cidr: Cidr) => BigInt(cidr.bits))
  const isSame = (a: Ip | Cidr, b: Ip | Cidr) => a.toString() === b.toString()
  environment.registerOperator('IP == IP', isSame)
  environment.registerOperator('CIDR == CIDR', isSame)
}
