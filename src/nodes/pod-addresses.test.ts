import { describe, expect, test } from 'vitest'
import { PodAddresses } from './pod-addresses.ts'

describe('Pod addresses', () => {
  test('come in turn, rest after they were given back, and belong to one pod', () => {
    const addresses = new PodAddresses('10.244.3.0/24')
    expect(['a', 'b', 'a'].map((uid) => addresses.take(uid))).toEqual([
      '10.244.3.2',
      '10.244.3.3',
      '10.244.3.2',
    ])
    addresses.release('a')
    expect(addresses.take('c')).toBe('10.244.3.4')
    addresses.keep('d', '10.244.3.5')
    expect(addresses.take('e')).toBe('10.244.3.6')
  })

  test.each([
    ['10.244.3.0/24', 253, '10.244.3.254'],
    ['10.0.0.8/29', 5, '10.0.0.14'],
    ['10.1.0.0/16', 65_533, '10.1.255.254'],
  ])('of %s are %d', (cidr, count, last) => {
    const addresses = new PodAddresses(cidr)
    const taken = Array.from({ length: count }, (_, i) => addresses.take(String(i)))
    expect(new Set(taken).size).toBe(count)
    expect(taken.at(-1)).toBe(last)
    expect(addresses.take('one more')).toBeUndefined()
    addresses.release('0')
    expect(addresses.take('one more')).toBe(taken[0])
  })
})
