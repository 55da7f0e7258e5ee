import { describe, expect, test } from 'vitest'
import type { V1ServiceSpec } from '../../api/generated/types.ts'
import type { Service } from '../../api/kinds/service.ts'
import { hasClusterIp, serviceEnvironment } from './service-environment.ts'

const service = (name: string, spec: V1ServiceSpec): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop' },
  spec,
})

describe('Where services are', () => {
  test('is told of each of their ports, the first one also without its name', () => {
    const ports = [
      { name: 'http', port: 80 },
      { name: 'dns-udp', port: 53, protocol: 'UDP' },
    ]
    expect(serviceEnvironment([service('my-db.v2', { clusterIP: '10.96.0.7', ports })])).toEqual({
      MY_DB_V2_SERVICE_HOST: '10.96.0.7',
      MY_DB_V2_SERVICE_PORT: '80',
      MY_DB_V2_SERVICE_PORT_HTTP: '80',
      MY_DB_V2_SERVICE_PORT_DNS_UDP: '53',
      MY_DB_V2_PORT: 'tcp://10.96.0.7:80',
      MY_DB_V2_PORT_80_TCP: 'tcp://10.96.0.7:80',
      MY_DB_V2_PORT_80_TCP_PROTO: 'tcp',
      MY_DB_V2_PORT_80_TCP_PORT: '80',
      MY_DB_V2_PORT_80_TCP_ADDR: '10.96.0.7',
      MY_DB_V2_PORT_53_UDP: 'udp://10.96.0.7:53',
      MY_DB_V2_PORT_53_UDP_PROTO: 'udp',
      MY_DB_V2_PORT_53_UDP_PORT: '53',
      MY_DB_V2_PORT_53_UDP_ADDR: '10.96.0.7',
    })
  })

  test('begins with an underscore where the name begins with a digit', () => {
    const [first] = Object.keys(serviceEnvironment([service('3scale', { clusterIP: '10.96.0.7' })]))
    expect(first).toBe('_3SCALE_SERVICE_HOST')
  })

  test.each<[string, V1ServiceSpec, boolean]>([
    ['an address', { clusterIP: '10.96.0.7' }, true],
    ['none', { clusterIP: 'None' }, false],
    ['none yet', {}, false],
    ['a name elsewhere', { type: 'ExternalName', clusterIP: '' }, false],
  ])('is not told of one with %s unless that is a cluster IP', (_, spec, told) => {
    expect(hasClusterIp(service('db', spec))).toBe(told)
  })
})
