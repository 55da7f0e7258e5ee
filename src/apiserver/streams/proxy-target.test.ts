import { describe, expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import { parseProxyName, podPort, serviceTargets } from './proxy-target.ts'

describe('A proxied request', () => {
  test.each([
    ['web', { name: 'web', port: '' }],
    ['web:80', { name: 'web', port: '80' }],
    ['https:web:http', { name: 'web', port: 'http' }],
    ['http:web:', { name: 'web', port: '' }],
  ])('reads %s', (text, parts) => expect(parseProxyName(text)).toEqual(parts))

  test.each(['ftp:web:80', 'a:b:c:d', ':80'])('refuses %s', (text) => {
    expect(() => parseProxyName(text)).toThrow('invalid pod or service request')
  })

  const pod = make.pod({
    spec: { containers: [{ name: 'app', image: 'x', ports: [{ containerPort: 8080, name: 'web' }] }] },
  })
  test.each([
    ['', 8080],
    ['web', 8080],
    ['9000', 9000],
  ])('goes to the port %j of a pod', (port, number) => expect(podPort(pod, port)).toBe(number))

  const service = { metadata: { name: 'web' }, spec: { ports: [{ name: 'http', port: 80 }] } }
  const slice = (ready: boolean) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1' },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080 }],
    endpoints: [
      { addresses: ['10.0.0.1'], conditions: { ready }, targetRef: { kind: 'Pod', name: 'web-a' } },
    ],
  })

  test.each(['', 'http', '80'])('goes to the ready pods behind port %j of a service', (port) => {
    expect(serviceTargets(service, port, [slice(true)])).toEqual([{ pod: 'web-a', port: 8080 }])
  })

  test.each([
    ['http', false, 'no endpoints available for service "web"'],
    ['ftp', true, 'no service port "ftp" found for service "web"'],
  ])('is refused at port %s with ready %s', (port, ready, message) => {
    expect(() => serviceTargets(service, port, [slice(ready)])).toThrow(message)
  })
})
