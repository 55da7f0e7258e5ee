import { describe, expect, test } from 'vitest'
import { freeAddress } from './load-balancer-addresses.ts'

describe('A load balancer', () => {
  test.each([
    ['gets the first address that is no network address', ['192.0.2.0/24'], [], undefined, '192.0.2.1'],
    ['gets the next free one', ['192.0.2.0/24'], ['192.0.2.1', '192.0.2.2'], undefined, '192.0.2.3'],
    [
      'gets none of the broadcast address',
      ['192.0.2.0/30'],
      ['192.0.2.1', '192.0.2.2'],
      undefined,
      undefined,
    ],
    [
      'goes on to the next range',
      ['192.0.2.8/32', '198.51.100.0/31'],
      ['192.0.2.8'],
      undefined,
      '198.51.100.0',
    ],
    [
      'counts from the network, whatever host bits a range has',
      ['192.0.2.77/24'],
      [],
      undefined,
      '192.0.2.1',
    ],
    ['gets IPv6 too', ['2001:db8::/64'], ['2001:db8::1'], undefined, '2001:db8::2'],
    ['gets the one it asks for', ['192.0.2.0/24'], [], '192.0.2.9', '192.0.2.9'],
    ['gets none that is taken', ['192.0.2.0/24'], ['192.0.2.9'], '192.0.2.9', undefined],
    ['gets none from elsewhere', ['192.0.2.0/24'], [], '203.0.113.1', undefined],
    ['gets none that is no address', ['192.0.2.0/24'], [], 'here', undefined],
  ] as const)('%s', (_, cidrs, used, wanted, expected) =>
    expect(freeAddress(cidrs, new Set(used), wanted)).toBe(expected),
  )
})
