import { expect, test } from 'vitest'
import type { V1Probe } from '../../api/generated/types.ts'
import { probeRefusal } from './probe-refusal.ts'

const refused = 'connect: connection refused'

test.each<[string, V1Probe, string]>([
  [
    'an HTTP probe, by the name of its port',
    { httpGet: { port: 'web', path: 'ok', scheme: 'HTTPS' } },
    `Get "https://10.0.0.7:8443/ok": dial tcp 10.0.0.7:8443: ${refused}`,
  ],
  [
    'an HTTP probe with a host of its own',
    { httpGet: { port: 80, host: 'other' } },
    `Get "http://other:80/": dial tcp other:80: ${refused}`,
  ],
  ['a TCP probe', { tcpSocket: { port: 5432 } }, `dial tcp 10.0.0.7:5432: ${refused}`],
  [
    'a gRPC probe',
    { grpc: { port: 9000 }, timeoutSeconds: 3 },
    'timeout: failed to connect service "10.0.0.7:9000" within 3s: context deadline exceeded',
  ],
  ['a command that printed nothing', { exec: { command: ['true'] } }, ''],
])('A refusal is put as a kubelet does for %s', (_, probe, message) => {
  const container = { name: 'app', ports: [{ name: 'web', containerPort: 8443 }] }
  expect(probeRefusal(probe, container, '10.0.0.7')).toBe(message)
})
