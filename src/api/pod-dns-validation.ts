import { oneOf } from './field-rules.ts'
import type { V1PodSpec } from './generated/types.ts'
import { dns1123Subdomain } from './names.ts'
import { fault, type StatusCause } from './status.ts'

/** How a pod resolves names (core/validation.go validatePodDNSConfig, ValidateHostAliases). */
const NAMESERVERS_MAX = 3
const SEARCHES_MAX = 32
const SEARCH_LETTERS_MAX = 2048
const IP_MESSAGE = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'

export function validateDns({ dnsPolicy, dnsConfig }: V1PodSpec, path: string): StatusCause[] {
  const wrong = oneOf(
    dnsPolicy,
    ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'],
    `${path}.dnsPolicy`,
  )
  const at = `${path}.dnsConfig`
  if (dnsPolicy === 'None') {
    if (!dnsConfig) return [...wrong, fault.required(at, 'must provide `dnsConfig` when `dnsPolicy` is None')]
    if (!dnsConfig.nameservers?.length)
      wrong.push(
        fault.required(
          `${at}.nameservers`,
          'must provide at least one DNS nameserver when `dnsPolicy` is None',
        ),
      )
  }
  const { nameservers = [], searches = [], options = [] } = dnsConfig ?? {}
  if (nameservers.length > NAMESERVERS_MAX)
    wrong.push(
      fault.invalid(
        `${at}.nameservers`,
        nameservers,
        `must not have more than ${NAMESERVERS_MAX} nameservers`,
      ),
    )
  for (const [i, address] of nameservers.entries())
    wrong.push(...ipFaults(address, `${at}.nameservers[${i}]`))
  if (searches.length > SEARCHES_MAX)
    wrong.push(
      fault.invalid(`${at}.searches`, searches, `must not have more than ${SEARCHES_MAX} search paths`),
    )
  if (searches.join(' ').length > SEARCH_LETTERS_MAX)
    wrong.push(
      fault.invalid(
        `${at}.searches`,
        searches,
        `must not have more than ${SEARCH_LETTERS_MAX} characters (including spaces) in the search list`,
      ),
    )
  for (const [i, { name }] of options.entries())
    if (!name) wrong.push(fault.required(`${at}.options[${i}]`, 'must not be empty'))
  return wrong
}

export function validateHostAliases({ hostAliases = [] }: V1PodSpec, path: string): StatusCause[] {
  return hostAliases.flatMap(({ ip, hostnames = [] }, i) => {
    const at = `${path}.hostAliases[${i}]`
    const wrongNames = hostnames.flatMap((name, j) => {
      const why = dns1123Subdomain(name)
      return why === undefined ? [] : [fault.invalid(`${at}.hostnames[${j}]`, name, why)]
    })
    return [...ipFaults(ip, `${at}.ip`), ...wrongNames]
  })
}

function ipFaults(address: string, path: string): StatusCause[] {
  return isIp(address) ? [] : [fault.invalid(path, address, IP_MESSAGE)]
}

function isIp(address: string): boolean {
  const parts = address.split('.')
  if (parts.length === 4) return parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)
  return isIpv6(address)
}

/** Eight groups of up to four hexadecimal digits, one run of zero groups written as "::". */
function isIpv6(address: string): boolean {
  if (!/^[0-9a-fA-F:]+$/.test(address)) return false
  const halves = address.split('::')
  if (halves.length > 2) return false
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  const isComplete = halves.length === 2 ? groups.length < 8 : groups.length === 8
  return isComplete && groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))
}
