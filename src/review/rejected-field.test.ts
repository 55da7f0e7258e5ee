import { expect, test } from 'vitest'
import { rejectedField } from './rejected-field.ts'

const container = (requests: Record<string, string>, hostPort?: number) => ({
  name: 'c',
  resources: { requests },
  ...(hostPort ? { ports: [{ containerPort: 80, hostPort }] } : {}),
})
const spec = { containers: [container({ cpu: '100m', memory: '2Gi' }), container({ cpu: '4' }, 80)] }

test.each([
  [
    'the container that asks for most cpu',
    'NodeResourcesFit',
    '3 Insufficient cpu.',
    'containers[1].resources.requests.cpu',
  ],
  [
    'the one that asks for most memory',
    'NodeResourcesFit',
    '1 Insufficient memory, 2 x.',
    'containers[0].resources.requests.memory',
  ],
  [
    'an extended resource nobody requests by name',
    'NodeResourcesFit',
    '3 Insufficient example.com/gpu.',
    'containers[0].resources.requests.example.com/gpu',
  ],
  ['too many pods', 'NodeResourcesFit', '3 Too many pods.', 'containers'],
  ['the container with the host port', 'NodePorts', '', 'containers[1].ports'],
  ['affinity', 'NodeAffinity', '', 'affinity.nodeAffinity'],
  ['taints', 'TaintToleration', '', 'tolerations'],
])('rejectedField names %s', (_, plugin, message, field) =>
  expect(rejectedField(spec, plugin, `0/3 nodes are available: ${message}`)).toBe(field),
)
