import { describe, expect, test } from 'vitest'
import type { V1Container, V1PodSpec, V1Volume } from './generated/types.ts'
import { defaultPodOnly, defaultPodSpec } from './pod-defaults.ts'
import { validatePod, validatePodTemplate } from './pod-validation.ts'

/** The faults of a pod after defaulting, as "field: message". */
function faults(over: Partial<V1PodSpec>): string[] {
  const spec = defaultPodOnly(defaultPodSpec({ containers: [{ name: 'app', image: 'app:1' }], ...over }))
  return validatePod({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec }).map(
    ({ field, message }) => `${field}: ${message}`,
  )
}
const ofContainer = (over: Partial<V1Container>, pod: Partial<V1PodSpec> = {}) =>
  faults({ ...pod, containers: [{ name: 'app', image: 'app:1', ...over }] })
const ofVolume = (over: Partial<V1Volume>) => faults({ volumes: [{ name: 'v', ...over }] })
const ofTemplate = (over: Partial<V1PodSpec>) =>
  validatePodTemplate(
    { spec: defaultPodSpec({ containers: [{ name: 'app', image: 'app:1' }], ...over }) },
    'spec.template',
  ).map(({ field, message }) => `${field}: ${message}`)

const C = 'spec.containers[0]'

test('A plain pod has no fault', () => expect(faults({})).toEqual([]))

describe('A pod', () => {
  test.each<[string, Partial<V1PodSpec>, string[]]>([
    ['needs containers', { containers: [] }, ['spec.containers: Required value']],
    [
      'has a known restart policy',
      { restartPolicy: 'Sometimes' },
      [
        'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"',
      ],
    ],
    [
      'restarts a container by rules only where the container says how else',
      {
        containers: [
          {
            name: 'app',
            image: 'app:1',
            restartPolicyRules: [
              { action: 'Restart', exitCodes: { operator: 'In', values: [42] } },
              { action: 'Stop', exitCodes: { operator: 'Is', values: Array(256).fill(1) } },
              { action: 'RestartAllContainers' },
            ],
          },
        ],
      },
      [
        'spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used',
        'spec.containers[0].restartPolicyRules[1].action: Unsupported value: "Stop": supported values: "Restart", "RestartAllContainers"',
        'spec.containers[0].restartPolicyRules[1].exitCodes.operator: Unsupported value: "Is": supported values: "In", "NotIn"',
        'spec.containers[0].restartPolicyRules[1].exitCodes.values: Too many: 256: must have at most 255 items',
        'spec.containers[0].restartPolicyRules[2].exitCodes: Required value: must be specified',
      ],
    ],
    [
      'has a known dns policy',
      { dnsPolicy: 'Mine' },
      [
        'spec.dnsPolicy: Unsupported value: "Mine": supported values: "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"',
      ],
    ],
    [
      'names servers when it has no dns policy',
      { dnsPolicy: 'None', dnsConfig: {} },
      [
        'spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None',
      ],
    ],
    [
      'configures dns when it has no dns policy',
      { dnsPolicy: 'None' },
      ['spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
    ],
    [
      'has servers with addresses',
      { dnsConfig: { nameservers: ['1.2.3'] } },
      [
        'spec.dnsConfig.nameservers[0]: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    ],
    [
      'has no negative grace period',
      { terminationGracePeriodSeconds: -1 },
      ['spec.terminationGracePeriodSeconds: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'has a deadline of at least a second',
      { activeDeadlineSeconds: 0 },
      ['spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive'],
    ],
    [
      'knows how it preempts',
      { preemptionPolicy: 'Maybe' },
      [
        'spec.preemptionPolicy: Unsupported value: "Maybe": supported values: "Never", "PreemptLowerPriority"',
      ],
    ],
    [
      'has host aliases with addresses',
      { hostAliases: [{ ip: 'x', hostnames: ['a.b'] }] },
      [
        'spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    ],
    [
      'has no scheduling gate twice',
      { schedulingGates: [{ name: 'a' }, { name: 'a' }] },
      ['spec.schedulingGates[1]: Duplicate value: "a"'],
    ],
    [
      'has no node while it is gated',
      { nodeName: 'n', schedulingGates: [{ name: 'a' }] },
      ['spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared'],
    ],
    [
      'runs as a user with a number in range',
      { securityContext: { runAsUser: -1 } },
      ['spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive'],
    ],
    [
      'has a seccomp profile with a name',
      { securityContext: { seccompProfile: { type: 'Localhost' } } },
      [
        'spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when profile type is Localhost',
      ],
    ],
    [
      "shares processes or has the host's",
      { shareProcessNamespace: true, hostPID: true },
      [
        'spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled',
      ],
    ],
    [
      "has its own users or the host's network",
      { hostUsers: false, hostNetwork: true },
      ['spec.hostNetwork: Forbidden: when `pod.Spec.HostUsers` is false'],
    ],
  ])('%s', (_, over, expected) => expect(faults(over)).toEqual(expected))

  test.each<
    [
      keyof V1PodSpec &
        (
          | 'serviceAccountName'
          | 'nodeName'
          | 'hostname'
          | 'subdomain'
          | 'priorityClassName'
          | 'runtimeClassName'
        ),
    ]
  >([
    ['serviceAccountName'],
    ['nodeName'],
    ['hostname'],
    ['subdomain'],
    ['priorityClassName'],
    ['runtimeClassName'],
  ])('has a proper %s', (field) => {
    expect(faults({ [field]: 'ok' })).toEqual([])
    expect(faults({ [field]: 'Not_OK' })).toEqual([
      expect.stringMatching(`^spec.${field}: Invalid value: "Not_OK": a lowercase RFC 1123`),
    ])
  })

  test.each(['10.0.0.1', '::1', '2001:db8::ffff', '1:2:3:4:5:6:7:8'])('may resolve with %s', (address) =>
    expect(faults({ dnsConfig: { nameservers: [address] } })).toEqual([]),
  )
  test.each(['10.0.0.256', '01.2.3.4', ':::', '1:2:3', '1::2::3', 'g::1'])(
    'may not resolve with %s',
    (address) => expect(faults({ dnsConfig: { nameservers: [address] } })).toHaveLength(1),
  )
})

describe('A container', () => {
  test.each<[string, Partial<V1Container>, string[]]>([
    ['needs a name', { name: '' }, [`${C}.name: Required value`]],
    ['needs an image', { image: '' }, [`${C}.image: Required value`]],
    [
      'has an image without blanks around',
      { image: ' app:1' },
      [`${C}.image: Invalid value: " app:1": must not have leading or trailing whitespace`],
    ],
    [
      'has a known pull policy',
      { imagePullPolicy: 'Ever' },
      [
        `${C}.imagePullPolicy: Unsupported value: "Ever": supported values: "Always", "IfNotPresent", "Never"`,
      ],
    ],
    [
      'has a known termination message policy',
      { terminationMessagePolicy: 'No' },
      [
        `${C}.terminationMessagePolicy: Unsupported value: "No": supported values: "FallbackToLogsOnError", "File"`,
      ],
    ],
    [
      'has ports with numbers',
      { ports: [{ containerPort: 0 }] },
      [`${C}.ports[0].containerPort: Required value`],
    ],
    [
      'has ports in range',
      { ports: [{ containerPort: 65536 }] },
      [`${C}.ports[0].containerPort: Invalid value: 65536: must be between 1 and 65535, inclusive`],
    ],
    [
      'has host ports in range',
      { ports: [{ containerPort: 1, hostPort: -1 }] },
      [`${C}.ports[0].hostPort: Invalid value: -1: must be between 1 and 65535, inclusive`],
    ],
    [
      'has ports with known protocols',
      { ports: [{ containerPort: 1, protocol: 'HTTP' }] },
      [`${C}.ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"`],
    ],
    [
      'has short port names',
      { ports: [{ containerPort: 1, name: 'a-very-long-name' }] },
      [`${C}.ports[0].name: Invalid value: "a-very-long-name": must be no more than 15 characters`],
    ],
    [
      'has port names with a letter',
      { ports: [{ containerPort: 1, name: '80' }] },
      [`${C}.ports[0].name: Invalid value: "80": must contain at least one letter (a-z)`],
    ],
    [
      'has each port name once',
      {
        ports: [
          { containerPort: 1, name: 'a' },
          { containerPort: 2, name: 'a' },
        ],
      },
      [`${C}.ports[1].name: Duplicate value: "a"`],
    ],
    [
      'has each host port once',
      {
        ports: [
          { containerPort: 1, hostPort: 9 },
          { containerPort: 2, hostPort: 9 },
        ],
      },
      [`${C}.ports[1].hostPort: Duplicate value: "TCP//9"`],
    ],
    ['has variables with names', { env: [{ name: '' }] }, [`${C}.env[0].name: Required value`]],
    [
      'has variables without = in their names',
      { env: [{ name: 'a=b' }] },
      [
        `${C}.env[0].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than '='`,
      ],
    ],
    [
      'has a value or a source',
      { env: [{ name: 'A', value: 'x', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] },
      [`${C}.env[0].valueFrom: Invalid value: "": may not be specified when \`value\` is not empty`],
    ],
    [
      'has one source',
      {
        env: [
          {
            name: 'A',
            valueFrom: { secretKeyRef: { name: 's', key: 'k' }, configMapKeyRef: { name: 's', key: 'k' } },
          },
        ],
      },
      [`${C}.env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time`],
    ],
    [
      'has some source',
      { env: [{ name: 'A', valueFrom: {} }] },
      [
        `${C}.env[0].valueFrom: Invalid value: "": must specify one of: \`fieldRef\`, \`resourceFieldRef\`, \`configMapKeyRef\`, \`secretKeyRef\` or \`fileKeyRef\``,
      ],
    ],
    [
      'reads a named key',
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: '' } } }] },
      [`${C}.env[0].valueFrom.secretKeyRef.key: Required value`],
    ],
    [
      'reads labels by key',
      { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } }] },
      [],
    ],
    [
      'reads no other list by key',
      { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: "spec.x['app']" } } }] },
      [`${C}.env[0].valueFrom.fieldRef: Invalid value: "spec.x": does not support subscript`],
    ],
    [
      'takes an environment from somewhere',
      { envFrom: [{}] },
      [`${C}.envFrom[0]: Invalid value: "": must specify one of: \`configMapRef\` or \`secretRef\``],
    ],
    [
      'takes an environment from a name',
      { envFrom: [{ secretRef: {} }] },
      [`${C}.envFrom[0].secretRef.name: Required value`],
    ],
    [
      'mounts volumes of the pod',
      { volumeMounts: [{ name: 'x', mountPath: '/x' }] },
      [`${C}.volumeMounts[0].name: Not found: "x"`],
    ],
    [
      'has a known restart policy',
      { restartPolicy: 'x' },
      [`${C}.restartPolicy: Unsupported value: "x": supported values: "Always", "Never", "OnFailure"`],
    ],
    [
      'may not gain privileges and have them',
      { securityContext: { privileged: true, allowPrivilegeEscalation: false } },
      [
        `${C}.securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set \`allowPrivilegeEscalation\` to false and \`privileged\` to true`,
      ],
    ],
    [
      'sleeps within the grace period',
      { lifecycle: { preStop: { sleep: { seconds: 31 } } } },
      [
        `${C}.lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)`,
      ],
    ],
    [
      'has hooks that do something',
      { lifecycle: { postStart: {} } },
      [`${C}.lifecycle.postStart: Required value: must specify a handler type`],
    ],
  ])('%s', (_, over, expected) => expect(ofContainer(over)).toEqual(expected))

  test('has a name of its own', () => {
    const twice = { name: 'app', image: 'app:1' }
    expect(faults({ containers: [twice, twice] })).toEqual([
      'spec.containers[1].name: Duplicate value: "app"',
    ])
    expect(faults({ initContainers: [twice] })).toEqual([
      'spec.initContainers[0].name: Duplicate value: "app"',
    ])
  })

  test('reads fields that the downward API has', () => {
    const env = [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.phase' } } }]
    expect(ofContainer({ env })).toEqual([
      expect.stringMatching(
        `^${C.replaceAll('[', '\\[')}.env\\[0\\].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase"`,
      ),
    ])
  })

  test('mounts one thing at one place', () => {
    const volumes = [{ name: 'v', emptyDir: {} }]
    const mount = { name: 'v', mountPath: '/x' }
    expect(ofContainer({ volumeMounts: [mount, mount] }, { volumes })).toEqual([
      `${C}.volumeMounts[1].mountPath: Invalid value: "/x": must be unique`,
    ])
    expect(ofContainer({ volumeMounts: [{ ...mount, subPath: '../y' }] }, { volumes })).toEqual([
      `${C}.volumeMounts.subPath: Invalid value: "../y": must not contain '..'`,
    ])
    expect(ofContainer({ volumeMounts: [{ ...mount, subPath: '/y' }] }, { volumes })).toEqual([
      `${C}.volumeMounts.subPath: Invalid value: "/y": must be a relative path`,
    ])
  })

  test('has the port of its host on the host network', () => {
    const ports = [{ containerPort: 80, hostPort: 81 }]
    const wrong = 'hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true'
    expect(ofContainer({ ports }, { hostNetwork: true })).toEqual([`${C}.ports[0].${wrong}`])
  })
})

describe('Resources', () => {
  const R = `${C}.resources`
  test.each<[string, V1Container['resources'], string[]]>([
    [
      'are at most the limit',
      { requests: { cpu: '200m' }, limits: { cpu: '100m' } },
      [`${R}.requests: Invalid value: "200m": must be less than or equal to cpu limit of 100m`],
    ],
    ['may equal the limit in other words', { requests: { cpu: '1000m' }, limits: { cpu: '1' } }, []],
    [
      'are not negative',
      { requests: { memory: '-1' } },
      [`${R}.requests[memory]: Invalid value: "-1": must be greater than or equal to 0`],
    ],
    [
      'have known names',
      { limits: { disk: '1' } },
      [
        `${R}.limits[disk]: Invalid value: "disk": must be a standard resource for containers`,
        `${R}.requests[disk]: Invalid value: "disk": must be a standard resource for containers`,
      ],
    ],
    [
      'of devices need a limit',
      { requests: { 'a.b/gpu': '1' } },
      [`${R}.limits: Required value: Limit must be set for non overcommitable resources`],
    ],
    [
      'of devices equal the limit',
      { requests: { 'a.b/gpu': '1' }, limits: { 'a.b/gpu': '2' } },
      [`${R}.requests: Invalid value: "1": must be equal to a.b/gpu limit of 2`],
    ],
    [
      'of devices are whole',
      { limits: { 'a.b/gpu': '500m' } },
      [
        `${R}.limits[a.b/gpu]: Invalid value: "500m": must be an integer`,
        `${R}.requests[a.b/gpu]: Invalid value: "500m": must be an integer`,
      ],
    ],
    [
      'of huge pages need cpu or memory',
      { limits: { 'hugepages-2Mi': '2Mi' } },
      [`${R}: Forbidden: HugePages require cpu or memory`],
    ],
  ])('%s', (_, resources, expected) => expect(ofContainer(resources ? { resources } : {})).toEqual(expected))

  test('of a pod are no less than those of its containers', () => {
    const containers = [{ name: 'app', image: 'a', resources: { requests: { cpu: '2' } } }]
    expect(faults({ containers, resources: { requests: { cpu: '1' }, limits: { cpu: '4' } } })).toEqual([
      'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2',
    ])
  })
  test('of a pod are no devices', () =>
    expect(faults({ resources: { limits: { 'a.b/gpu': '1' } } })).toEqual([
      'spec.resources.limits[a.b/gpu]: Unsupported value: "a.b/gpu": supported values: "cpu", "hugepages", "memory"',
    ]))
})

describe('A probe', () => {
  const P = `${C}.livenessProbe`
  test.each<[string, NonNullable<V1Container['livenessProbe']>, string[]]>([
    ['does something', {}, [`${P}: Required value: must specify a handler type`]],
    [
      'does one thing',
      { exec: { command: ['x'] }, tcpSocket: { port: 1 } },
      [`${P}.tcpSocket: Forbidden: may not specify more than 1 handler type`],
    ],
    ['runs a command', { exec: { command: [] } }, [`${P}.exec.command: Required value`]],
    [
      'asks a port in range',
      { httpGet: { port: 0 } },
      [`${P}.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive`],
    ],
    [
      'asks a port with a proper name',
      { tcpSocket: { port: 'a--b' } },
      [`${P}.tcpSocket.port: Invalid value: "a--b": must not contain consecutive hyphens`],
    ],
    [
      'speaks HTTP or HTTPS',
      { httpGet: { port: 1, scheme: 'FTP' } },
      [`${P}.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"`],
    ],
    [
      'sends proper headers',
      { httpGet: { port: 1, httpHeaders: [{ name: 'a b', value: '' }] } },
      [
        `${P}.httpGet.httpHeaders: Invalid value: "a b": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')`,
      ],
    ],
    [
      'asks gRPC at a port in range',
      { grpc: { port: 70000 } },
      [`${P}.grpc.port: Invalid value: 70000: must be between 1 and 65535, inclusive`],
    ],
    [
      'has no negative period',
      { exec: { command: ['x'] }, periodSeconds: -1 },
      [`${P}.periodSeconds: Invalid value: -1: must be greater than or equal to 0`],
    ],
    [
      'of liveness succeeds at once',
      { exec: { command: ['x'] }, successThreshold: 2 },
      [`${P}.successThreshold: Invalid value: 2: must be 1`],
    ],
    [
      'has a positive grace period',
      { exec: { command: ['x'] }, terminationGracePeriodSeconds: 0 },
      [`${P}.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0`],
    ],
  ])('%s', (_, livenessProbe, expected) => expect(ofContainer({ livenessProbe })).toEqual(expected))

  test('of readiness may have to succeed twice and has no grace period', () => {
    const exec = { command: ['x'] }
    expect(ofContainer({ readinessProbe: { exec, successThreshold: 2 } })).toEqual([])
    expect(ofContainer({ readinessProbe: { exec, terminationGracePeriodSeconds: 5 } })).toEqual([
      `${C}.readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes`,
    ])
  })

  const init = (over: Partial<V1Container>) =>
    faults({ initContainers: [{ name: 'i', image: 'i', ...over }] })
  const probe = { exec: { command: ['x'] } }
  test('is for sidecars, not for what runs to its end', () => {
    const refusal = 'Forbidden: may not be set for init containers without restartPolicy=Always'
    expect(init({ livenessProbe: probe, lifecycle: { preStop: probe } })).toEqual([
      `spec.initContainers[0].lifecycle: ${refusal}`,
      `spec.initContainers[0].livenessProbe: ${refusal}`,
    ])
    expect(init({ restartPolicy: 'Always', livenessProbe: probe, lifecycle: { preStop: probe } })).toEqual([])
  })
})

describe('A volume', () => {
  const V = 'spec.volumes[0]'
  test.each<[string, Partial<V1Volume>, string[]]>([
    ['needs a name', { name: '' }, [`${V}.name: Required value`]],
    [
      'has one source',
      { emptyDir: {}, secret: { secretName: 's' } },
      [`${V}.secret: Forbidden: may not specify more than 1 volume type`],
    ],
    ['names its secret', { secret: {} }, [`${V}.secret.secretName: Required value`]],
    ['names its config map', { configMap: {} }, [`${V}.configMap.name: Required value`]],
    [
      'names its claim',
      { persistentVolumeClaim: { claimName: '' } },
      [`${V}.persistentVolumeClaim.claimName: Required value`],
    ],
    ['has a path on the host', { hostPath: { path: '' } }, [`${V}.hostPath.path: Required value`]],
    [
      'stays where it is on the host',
      { hostPath: { path: '/a/../b' } },
      [`${V}.hostPath.path: Invalid value: "/a/../b": must not contain '..'`],
    ],
    [
      'has a mode in range',
      { configMap: { name: 'c', defaultMode: 512 } },
      [
        `${V}.configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive`,
      ],
    ],
    [
      'puts keys into paths inside',
      { secret: { secretName: 's', items: [{ key: 'k', path: '../k' }] } },
      [`${V}.secret.items[0].path: Invalid value: "../k": must not contain '..'`],
    ],
    [
      'is not a git repository',
      { gitRepo: { repository: 'x' } },
      [`${V}.gitRepo: Forbidden: gitRepo volumes are not supported`],
    ],
    [
      'of NFS has an absolute path',
      { nfs: { server: 's', path: 'x' } },
      [`${V}.nfs.path: Invalid value: "x": must be an absolute path`],
    ],
  ])('%s', (_, over, expected) => expect(ofVolume(over)).toEqual(expected))

  test('has a name of its own', () =>
    expect(faults({ volumes: [{ name: 'v' }, { name: 'v' }] })).toEqual([
      'spec.volumes[1].name: Duplicate value: "v"',
    ]))
})

describe('A toleration', () => {
  const T = 'spec.tolerations[0]'
  test.each<[string, NonNullable<V1PodSpec['tolerations']>[number], string[]]>([
    ['of everything', { operator: 'Exists' }, []],
    [
      'without a key needs Exists',
      { value: 'x' },
      [
        `${T}.operator: Invalid value: "": operator must be Exists when \`key\` is empty, which means "match all values and all keys"`,
      ],
    ],
    [
      'has no value with Exists',
      { key: 'a', operator: 'Exists', value: 'x' },
      [`${T}.operator: Invalid value: "x": value must be empty when \`operator\` is 'Exists'`],
    ],
    [
      'has a known operator',
      { key: 'a', operator: 'Gt', value: '1' },
      [`${T}.operator: Unsupported value: "Gt": supported values: "Equal", "Exists"`],
    ],
    [
      'has a known effect',
      { key: 'a', operator: 'Exists', effect: 'No' },
      [
        `${T}.effect: Unsupported value: "No": supported values: "NoExecute", "NoSchedule", "PreferNoSchedule"`,
      ],
    ],
    [
      'of some seconds is of NoExecute',
      { key: 'a', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 1 },
      [
        `${T}.effect: Invalid value: "NoSchedule": effect must be 'NoExecute' when \`tolerationSeconds\` is set`,
      ],
    ],
  ])('%s', (_, one, expected) => expect(faults({ tolerations: [one] })).toEqual(expected))
})

describe('Topology spread', () => {
  const S = 'spec.topologySpreadConstraints[0]'
  const good = { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} }
  test.each<[string, object, string[]]>([
    ['is fine', {}, []],
    ['has a skew', { maxSkew: 0 }, [`${S}.maxSkew: Invalid value: 0: must be greater than zero`]],
    ['has a key', { topologyKey: '' }, [`${S}.topologyKey: Required value: can not be empty`]],
    [
      'is required or not',
      { whenUnsatisfiable: 'x' },
      [`${S}.whenUnsatisfiable: Unsupported value: "x": supported values: "DoNotSchedule", "ScheduleAnyway"`],
    ],
    [
      'has domains where it is required',
      { minDomains: 2, whenUnsatisfiable: 'ScheduleAnyway' },
      [
        `${S}.minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway`,
      ],
    ],
    [
      'has a known taint policy',
      { nodeTaintsPolicy: 'x' },
      [`${S}.nodeTaintsPolicy: Unsupported value: "x": supported values: "Honor", "Ignore"`],
    ],
    [
      'selects by a label once',
      { matchLabelKeys: ['a'], labelSelector: { matchLabels: { a: 'b' } } },
      [`${S}.matchLabelKeys[0]: Invalid value: "a": exists in both matchLabelKeys and labelSelector`],
    ],
  ])('%s', (_, over, expected) =>
    expect(faults({ topologySpreadConstraints: [{ ...good, ...over }] })).toEqual(expected),
  )
  test('is said once for a key', () =>
    expect(faults({ topologySpreadConstraints: [good, good] })).toEqual([
      'spec.topologySpreadConstraints[1].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}"',
    ]))
})

describe('Affinity', () => {
  const N = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms'
  const required = (term: object) => ({
    affinity: {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } },
    },
  })
  const label = (operator: string, ...values: string[]) => ({
    matchExpressions: [{ key: 'a', operator, values }],
  })
  const field = (key: string, operator: string, ...values: string[]) => ({
    matchFields: [{ key, operator, values }],
  })
  test.each<[string, Partial<V1PodSpec>, string[]]>([
    [
      'needs values with In',
      required(label('In')),
      [
        `${N}[0].matchExpressions[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`,
      ],
    ],
    [
      'has no values with Exists',
      required(label('Exists', 'x')),
      [
        `${N}[0].matchExpressions[0].values: Forbidden: may not be specified when \`operator\` is 'Exists' or 'DoesNotExist'`,
      ],
    ],
    [
      'has one value with Gt',
      required(label('Gt', '1', '2')),
      [
        `${N}[0].matchExpressions[0].values: Required value: must be specified single value when \`operator\` is 'Lt' or 'Gt'`,
      ],
    ],
    [
      'has a known operator',
      required(label('Like', 'x')),
      [`${N}[0].matchExpressions[0].operator: Invalid value: "Like": not a valid selector operator`],
    ],
    [
      'knows nodes by name only',
      required(field('spec.x', 'In', 'n')),
      [`${N}[0].matchFields[0].key: Invalid value: "spec.x": not a valid field selector key`],
    ],
    [
      'knows one node by name',
      required(field('metadata.name', 'In', 'n', 'm')),
      [
        `${N}[0].matchFields[0].values: Required value: must be only one value when \`operator\` is 'In' or 'NotIn' for node field selector`,
      ],
    ],
    [
      'has some term',
      {
        affinity: {
          nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } },
        },
      },
      [`${N}: Required value: must have at least one node selector term`],
    ],
    [
      'has a weight in range',
      {
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 101, preference: {} }],
          },
        },
      },
      [
        'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100',
      ],
    ],
    [
      'to pods needs a topology',
      {
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: '', labelSelector: {} }],
          },
        },
      },
      [
        'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty',
      ],
    ],
  ])('%s', (_, over, expected) => expect(faults(over)).toEqual(expected))
})

describe('A template', () => {
  test('is judged at its path', () =>
    expect(ofTemplate({ containers: [] })).toEqual(['spec.template.spec.containers: Required value']))
  test('may leave host ports to its pods', () => {
    const containers = [{ name: 'app', image: 'a', ports: [{ containerPort: 80 }] }]
    expect(ofTemplate({ hostNetwork: true, containers })).toEqual([])
  })
  test('may have blanks around an image, as some clusters store', () =>
    expect(ofTemplate({ containers: [{ name: 'app', image: ' ' }] })).toEqual([]))
  test('has no ephemeral containers', () =>
    expect(ofTemplate({ ephemeralContainers: [{ name: 'debug', image: 'd' }] })).toEqual([
      'spec.template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template',
    ]))
})
