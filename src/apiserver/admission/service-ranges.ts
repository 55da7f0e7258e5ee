import { addressAt, around, type IpRange, ipRange } from '../../api/ip-range.ts'
import { SERVICE_CIDR, type ServiceCIDR } from '../../api/kinds/service-cidr.ts'
import type { IpFamily } from '../../api/service-families.ts'
import type { Random } from '../../base/random.ts'

const STATIC_BAND_MIN = 16n
const STATIC_BAND_MAX = 256n
/** How far into a very large network a draw goes. */
const DRAW_MAX = 2n ** 31n

/**
 * Where cluster IPs come from: the networks of all ServiceCIDRs that are not being deleted, the cluster's own first.
 * That one is there before its object is.
 */
export function serviceRanges(declared: readonly ServiceCIDR[]): readonly IpRange[] {
  const isOwn = ({ metadata }: ServiceCIDR) => metadata.name === 'kubernetes'
  const usable = declared.filter(({ metadata }) => !metadata.deletionTimestamp)
  const sorted = usable.toSorted(
    (a, b) => Number(isOwn(b)) - Number(isOwn(a)) || (a.metadata.name < b.metadata.name ? -1 : 1),
  )
  const own = declared.some(isOwn) ? [] : [SERVICE_CIDR]
  return [...new Set([...own, ...sorted.flatMap(({ spec }) => spec.cidrs ?? [])])].map(ipRange)
}

/** The default one first. */
export function familiesOf(ranges: readonly IpRange[]): readonly IpFamily[] {
  return [...new Set(ranges.map(({ family }) => family))]
}

/**
 * Addresses in the order they are tried: drawn from above the static band of min(max(16, size/16), 256), which is for
 * those who ask for an address; from the band when that is full (KEP-3070).
 */
export function* drawn(range: IpRange, random: Random): Generator<string> {
  const size = range.last - range.first + 1n
  const wanted = size / 16n
  const least = wanted < STATIC_BAND_MIN ? STATIC_BAND_MIN : wanted
  const band = size <= STATIC_BAND_MIN ? 0n : least > STATIC_BAND_MAX ? STATIC_BAND_MAX : least
  const dynamic = range.first + band
  const draw = (count: bigint) => BigInt(random.int(Number(count > DRAW_MAX ? DRAW_MAX : count)))
  for (const number of around(dynamic, range.last, dynamic + draw(range.last - dynamic + 1n)))
    yield addressAt(range, number)
  if (band === 0n) return
  for (const number of around(range.first, dynamic - 1n, range.first + draw(band)))
    yield addressAt(range, number)
}
