import { describe, expect, test } from 'vitest'
import { type Service, service } from './service.ts'

const NOW = Date.UTC(2026, 0, 2)

function make(spec: object, status?: Service['status']): Service {
  return service.setDefaults({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec,
    ...(status ? { status } : {}),
  })
}
const port80 = { port: 80, protocol: 'TCP', targetPort: 80 }

describe('defaults', () => {
  test.each<[string, object, object]>([
    [
      'of a plain service',
      { ports: [{ port: 80 }] },
      {
        type: 'ClusterIP',
        sessionAffinity: 'None',
        internalTrafficPolicy: 'Cluster',
        ports: [port80],
      },
    ],
    [
      'of ExternalName have no addresses',
      { type: 'ExternalName', externalName: 'example.com' },
      { type: 'ExternalName', externalName: 'example.com', sessionAffinity: 'None' },
    ],
    [
      'of LoadBalancer take traffic from outside',
      { type: 'LoadBalancer', ports: [{ port: 80, targetPort: 'http' }] },
      {
        type: 'LoadBalancer',
        sessionAffinity: 'None',
        internalTrafficPolicy: 'Cluster',
        externalTrafficPolicy: 'Cluster',
        allocateLoadBalancerNodePorts: true,
        ports: [{ ...port80, targetPort: 'http' }],
      },
    ],
  ])('%s', (_, given, expected) => expect(make(given).spec).toEqual(expected))

  test('affinity lasts three hours', () =>
    expect(make({ sessionAffinity: 'ClientIP', ports: [] }).spec).toMatchObject({
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } },
    }))
})

test.each<[string, object, readonly string[]]>([
  ['a good one', { ports: [{ port: 80 }] }, []],
  [
    'fields of a load balancer where there is none',
    {
      ports: [{ port: 80 }],
      loadBalancerClass: 'example.org/metal',
      loadBalancerSourceRanges: ['10.0.0.0/8'],
      allocateLoadBalancerNodePorts: false,
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 30_000,
    },
    [
      'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
      "spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
      "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'",
      "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
    ],
  ],
  [
    'a source range that is none',
    { type: 'LoadBalancer', ports: [{ port: 80 }], loadBalancerSourceRanges: ['10.0.0.0'] },
    [
      'spec.loadBalancerSourceRanges[0]: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
    ],
  ],
  [
    'a distribution nobody knows',
    { ports: [{ port: 80 }], trafficDistribution: 'PreferFar' },
    [
      'spec.trafficDistribution: Unsupported value: "PreferFar": supported values: "PreferClose", "PreferSameNode", "PreferSameZone"',
    ],
  ],
  [
    'an outside address that is the machine itself',
    { ports: [{ port: 80 }], externalIPs: ['127.0.0.1'] },
    [
      'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
    ],
  ],
  [
    'two addresses of one family',
    { ports: [{ port: 80 }], clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9', '10.96.0.10'] },
    [
      'spec.clusterIPs: Invalid value: ["10.96.0.9","10.96.0.10"]: may specify no more than one IP for each IP family',
    ],
  ],
  [
    'an address of another family than is said',
    { ports: [{ port: 80 }], clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'], ipFamilies: ['IPv6'] },
    [
      'spec.clusterIPs[0]: Invalid value: "10.96.0.9": expected an IPv6 value as indicated by `ipFamilies[0]`',
    ],
  ],
  ['headless without ports', { clusterIP: 'None' }, []],
  ['no ports', {}, ['spec.ports: Required value']],
  [
    'a type nobody knows',
    { type: 'Magic', ports: [{ port: 80 }] },
    [
      'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ],
  ],
  ['ExternalName without a name', { type: 'ExternalName' }, ['spec.externalName: Required value']],
  [
    'two ports without names',
    { ports: [{ port: 80 }, { port: 81 }] },
    ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value'],
  ],
  [
    'two ports of one name',
    {
      ports: [
        { name: 'a', port: 80 },
        { name: 'a', port: 81 },
      ],
    },
    ['spec.ports[1].name: Duplicate value: "a"'],
  ],
  [
    'one port twice',
    {
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 80 },
      ],
    },
    ['spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}'],
  ],
  [
    'a port out of range',
    { ports: [{ port: 70000 }] },
    [
      'spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive',
      'spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
    ],
  ],
  [
    'a node port on ClusterIP',
    { ports: [{ port: 80, nodePort: 30080 }] },
    ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
  ],
  [
    'a protocol nobody knows',
    { ports: [{ port: 80, protocol: 'HTTP' }] },
    ['spec.ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"'],
  ],
  [
    'NodePort without an address',
    { type: 'NodePort', clusterIP: 'None', ports: [{ port: 80 }] },
    [`spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services`],
  ],
])('Validation of %s', (_, spec, expected) =>
  expect(service.validate(make(spec)).map(({ field, message }) => `${field}: ${message}`)).toEqual(expected),
)

describe('an update', () => {
  const old = make({
    type: 'NodePort',
    clusterIP: '10.96.0.9',
    clusterIPs: ['10.96.0.9'],
    ports: [{ port: 80, nodePort: 30080 }],
  })
  const update = (spec: object) => service.prepareForUpdate(make(spec), old)

  test('keeps address and node port that it does not mention', () =>
    expect(update({ type: 'NodePort', ports: [{ port: 80 }] }).spec).toMatchObject({
      clusterIP: '10.96.0.9',
      clusterIPs: ['10.96.0.9'],
      ports: [{ ...port80, nodePort: 30080 }],
    }))
  test('keeps node ports by name when ports change places', () =>
    expect(
      service
        .prepareForUpdate(
          make({
            type: 'NodePort',
            ports: [
              { name: 'b', port: 81 },
              { name: 'a', port: 90 },
            ],
          }),
          make({
            type: 'NodePort',
            ports: [
              { name: 'a', port: 80, nodePort: 30080 },
              { name: 'b', port: 81, nodePort: 30081 },
            ],
          }),
        )
        .spec.ports?.map(({ nodePort }) => nodePort),
    ).toEqual([30081, 30080]))
  test('to ClusterIP drops what only a balanced one has, and its address', () => {
    const balanced = make({
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 30_100,
      loadBalancerClass: 'example.org/metal',
      ports: [{ port: 80, nodePort: 30_080 }],
    })
    const given = { ...balanced, status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } }
    const asked = { ...given, spec: { ...given.spec, type: 'ClusterIP' } }
    const { spec, status } = service.prepareForUpdate(asked, given)
    expect(spec).toEqual({
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
      ports: [port80],
    })
    expect(status).toEqual({ loadBalancer: {} })
  })
  test('to ClusterIP drops node ports', () =>
    expect(update({ ports: [{ port: 80, nodePort: 30080 }] }).spec.ports).toEqual([port80]))
  test('to ExternalName drops the address', () =>
    expect(update({ type: 'ExternalName', externalName: 'a.b' }).spec.clusterIP).toBeUndefined())
  test('may not move to another address', () =>
    expect(
      service.validateUpdate(
        make({ clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'], ports: [{ port: 80 }] }),
        old,
      ),
    ).toMatchObject([
      { field: 'spec.clusterIPs[0]', message: expect.stringContaining('may not change once set') },
    ]))
})

test.each<[string, Service, readonly (string | null)[]]>([
  [
    'a plain service',
    make({ clusterIP: '10.96.0.9', selector: { b: '2', a: '1' }, ports: [{ port: 80 }] }),
    ['web', 'ClusterIP', '10.96.0.9', '<none>', '80/TCP', '<unknown>', 'a=1,b=2'],
  ],
  [
    'a balanced one that waits',
    make({ type: 'LoadBalancer', ports: [{ port: 80, nodePort: 30080 }] }),
    ['web', 'LoadBalancer', '<none>', '<pending>', '80:30080/TCP', '<unknown>', '<none>'],
  ],
  [
    'a balanced one',
    make(
      { type: 'LoadBalancer', externalIPs: ['192.0.2.9'], ports: [{ port: 80 }] },
      { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
    ),
    ['web', 'LoadBalancer', '<none>', '192.0.2.1,192.0.2.9', '80/TCP', '<unknown>', '<none>'],
  ],
  [
    'an external name',
    make({ type: 'ExternalName', externalName: 'example.com' }),
    ['web', 'ExternalName', '<none>', 'example.com', '<none>', '<unknown>', '<none>'],
  ],
])('kubectl get service -o wide prints %s', (_, resource, cells) =>
  expect(service.columns.map((column) => column.value(resource, NOW))).toEqual(cells),
)

test.each<[string, object, string]>([
  ['waits for its address', { type: 'LoadBalancer', ports: [{ port: 80 }] }, 'Progressing'],
  [
    'of another class is not waited for',
    { type: 'LoadBalancer', loadBalancerClass: 'example.org/metal', ports: [{ port: 80 }] },
    'Healthy',
  ],
  ['of the cluster is there', { ports: [{ port: 80 }] }, 'Healthy'],
])('A Service %s', (_, spec, status) => {
  expect(service.health(make(spec), NOW)).toMatchObject({ status })
})
