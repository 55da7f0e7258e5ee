import { describe, expect, test } from 'vitest'
import { sliceFaults, subsetFaults } from './endpoint-validation.ts'
import type { V1Endpoint, V1EndpointSubset } from './generated/types.ts'

const told = (causes: readonly { field?: string | undefined; message: string }[]) =>
  causes.map(({ field, message }) => `${field}: ${message}`)

describe('Endpoints say', () => {
  const addresses = [{ ip: '10.0.0.1' }]
  test.each<[string, V1EndpointSubset, readonly string[]]>([
    ['nothing about good ones', { addresses, ports: [{ port: 80, protocol: 'TCP' }] }, []],
    [
      'that a subset needs addresses',
      {},
      ['subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`'],
    ],
    [
      'that an address is none',
      { notReadyAddresses: [{ ip: 'web' }] },
      [
        'subsets[0].notReadyAddresses[0].ip: Invalid value: "web": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    ],
    [
      'that several ports need names',
      { addresses, ports: [{ port: 80 }, { name: 'b', port: 0 }] },
      [
        'subsets[0].ports[0].name: Required value',
        'subsets[0].ports[1].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      ],
    ],
  ])('%s', (_, subset, expected) => {
    expect(told(subsetFaults([subset]))).toEqual(expected)
  })
})

describe('An EndpointSlice says', () => {
  const check = (endpoint: Partial<V1Endpoint>, addressType = 'IPv4') =>
    told(
      sliceFaults({
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 'web-1' },
        addressType,
        endpoints: [{ addresses: ['10.0.0.1'], ...endpoint }],
      }),
    )
  const at = 'endpoints[0].addresses[0]: Invalid value:'
  test.each<[string, Partial<V1Endpoint>, string, readonly string[]]>([
    ['nothing about a good one', {}, 'IPv4', []],
    [
      'that an address is needed',
      { addresses: [] },
      'IPv4',
      ['endpoints[0].addresses: Required value: must contain at least 1 address'],
    ],
    [
      'where a loopback address is',
      { addresses: ['127.0.0.1'] },
      'IPv4',
      [`${at} "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)`],
    ],
    [
      'where one of its machine is, also mapped',
      { addresses: ['::ffff:127.0.0.1'] },
      'IPv6',
      [`${at} "::ffff:127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)`],
    ],
    [
      'where a link-local one is',
      { addresses: ['169.254.169.254'] },
      'IPv4',
      [`${at} "169.254.169.254": may not be in the link-local range (169.254.0.0/16, fe80::/10)`],
    ],
    [
      'where no address is',
      { addresses: ['0.0.0.0'] },
      'IPv4',
      [`${at} "0.0.0.0": may not be unspecified (0.0.0.0 or ::)`],
    ],
    [
      'where one of multicast is',
      { addresses: ['ff02::1'] },
      'IPv6',
      [`${at} "ff02::1": may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)`],
    ],
    [
      'which family is expected',
      { addresses: ['2001:db8::1'] },
      'IPv4',
      [`${at} "2001:db8::1": must be an IPv4 address`],
    ],
    [
      'that a name has two parts',
      { addresses: ['web'] },
      'FQDN',
      [`${at} "web": should be a domain with at least two segments separated by dots`],
    ],
    [
      'that a hint is given twice',
      { hints: { forZones: [{ name: 'a' }, { name: 'a' }] } },
      'IPv4',
      ['endpoints[0].hints.forZones[1].name: Duplicate value: "a"'],
    ],
  ])('%s', (_, endpoint, type, expected) => {
    expect(check(endpoint, type)).toEqual(expected)
  })
})
