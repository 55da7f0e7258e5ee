import { expect, test } from 'vitest'
import { apiServerEndpoints } from './api-server-endpoints.ts'

test.each([
  ['10.0.0.7', '10.0.0.7', true],
  ['0.0.0.0', '192.168.1.2', true],
  ['::', '192.168.1.2', true],
  ['fd00::7', 'fd00::7', true],
  ['127.0.0.1', '192.168.1.2', false],
  ['localhost', '192.168.1.2', false],
])('An API server that listens on %s is said to be at %s, ready %s', (host, ip, isReady) => {
  const said = apiServerEndpoints({ host, port: 6443 }, '192.168.1.2')
  expect(said?.slice).toMatchObject({
    addressType: ip.includes(':') ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses: [ip], conditions: { ready: isReady } }],
    ports: [{ name: 'https', port: 6443, protocol: 'TCP' }],
  })
  const [subset] = said?.endpoints.subsets ?? []
  expect(isReady ? subset?.addresses : subset?.notReadyAddresses).toEqual([{ ip }])
})

test('An API server on a machine without a network says nothing', () => {
  expect(apiServerEndpoints({ host: '127.0.0.1', port: 6443 }, undefined)).toBeUndefined()
})
