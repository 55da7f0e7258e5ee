import { describe, expect, test } from 'vitest'
import type { V1Container, V1PodSpec } from '../generated/types.ts'
import { LATEST_MINOR, type Level, violations } from './levels.ts'

/** One that the restricted level allows; fields of the pod and of its container are laid over it. */
function pod(spec: Partial<V1PodSpec> = {}, container: Partial<V1Container> = {}) {
  const safe = {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  }
  const securityContext = { ...safe, ...container.securityContext }
  return {
    metadata: {},
    spec: { ...spec, containers: [{ name: 'a', image: 'i', ...container, securityContext }] },
  }
}
const inside = (securityContext: object) => pod({}, { securityContext })
const outside = (securityContext: object) => pod({ securityContext })
const port = (hostPort: number) => ({ containerPort: 80, hostPort })

describe('The baseline level', () => {
  test.each<[string, object, string[]]>([
    ['allows what is restricted', pod(), []],
    ['allows a pod that says nothing', { metadata: {}, spec: { containers: [{ name: 'a' }] } }, []],
    [
      'forbids host namespaces',
      pod({ hostNetwork: true, hostPID: true, hostIPC: true }),
      ['host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)'],
    ],
    [
      'forbids privileged containers',
      inside({ privileged: true }),
      ['privileged (container "a" must not set securityContext.privileged=true)'],
    ],
    [
      'forbids capabilities',
      inside({ capabilities: { add: ['NET_ADMIN', 'CHOWN', 'SYS_TIME'] } }),
      [
        'non-default capabilities (container "a" must not include "NET_ADMIN", "SYS_TIME" in securityContext.capabilities.add)',
      ],
    ],
    [
      'forbids hostPath',
      pod({
        volumes: [
          { name: 'x', hostPath: { path: '/' } },
          { name: 'y', hostPath: { path: '/' } },
        ],
      }),
      ['hostPath volumes (volumes "x", "y")'],
    ],
    ['forbids a host port', pod({}, { ports: [port(80)] }), ['hostPort (container "a" uses hostPort 80)']],
    [
      'forbids host ports',
      pod({}, { ports: [port(80), port(443)] }),
      ['hostPorts (container "a" uses hostPorts 443, 80)'],
    ],
    ['forbids host 0', pod({}, { ports: [port(0)] }), []],
    [
      'forbids another procMount',
      inside({ procMount: 'Unmasked' }),
      ['procMount (container "a" must not set securityContext.procMount to "Unmasked")'],
    ],
    [
      'forbids SELinux users',
      outside({ seLinuxOptions: { user: 'u', role: 'r', type: 'spc_t' } }),
      [
        'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set; role may not be set)',
      ],
    ],
    [
      'allows SELinux container types',
      outside({ seLinuxOptions: { type: 'container_init_t', level: 's0' } }),
      [],
    ],
    [
      'forbids no seccomp',
      outside({ seccompProfile: { type: 'Unconfined' } }),
      ['seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")'],
    ],
    [
      'forbids unsafe sysctls',
      outside({
        sysctls: [
          { name: 'kernel.msgmax', value: '1' },
          { name: 'net.ipv4.tcp_syncookies', value: '1' },
        ],
      }),
      ['forbidden sysctls (kernel.msgmax)'],
    ],
    [
      'forbids no AppArmor',
      inside({ appArmorProfile: { type: 'Unconfined' } }),
      ['forbidden AppArmor profile (container "a" must not set AppArmor profile type to "Unconfined")'],
    ],
    [
      'forbids Windows host processes',
      outside({ windowsOptions: { hostProcess: true } }),
      ['hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)'],
    ],
    [
      'forbids probes of other hosts',
      pod({}, { livenessProbe: { httpGet: { host: '10.0.0.1', port: 80 } } }),
      ['probe or lifecycle host (container "a" uses probe or lifecycle host "10.0.0.1")'],
    ],
  ])('%s', (_, given, expected) =>
    expect(violations(given as ReturnType<typeof pod>, 'baseline', LATEST_MINOR)).toEqual(expected),
  )
})

describe('The restricted level', () => {
  test.each<[string, object, string[]]>([
    ['allows a careful pod', pod(), []],
    [
      'tells all that a careless one leaves out',
      { metadata: {}, spec: { containers: [{ name: 'nginx', image: 'nginx' }] } },
      [
        'allowPrivilegeEscalation != false (container "nginx" must set securityContext.allowPrivilegeEscalation=false)',
        'unrestricted capabilities (container "nginx" must set securityContext.capabilities.drop=["ALL"])',
        'runAsNonRoot != true (pod or container "nginx" must set securityContext.runAsNonRoot=true)',
        'seccompProfile (pod or container "nginx" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
      ],
    ],
    ['forbids what the baseline does', pod({ hostNetwork: true }), ['host namespaces (hostNetwork=true)']],
    ['allows one capability', inside({ capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } }), []],
    [
      'forbids another one',
      inside({ capabilities: { drop: ['ALL'], add: ['CHOWN'] } }),
      [
        'unrestricted capabilities (container "a" must not include "CHOWN" in securityContext.capabilities.add)',
      ],
    ],
    [
      'forbids volumes of the node',
      pod({
        volumes: [
          { name: 'x', hostPath: { path: '/' } },
          { name: 'y', nfs: { server: 's', path: '/' } },
        ],
      }),
      ['restricted volume types (volumes "x", "y" use restricted volume types "hostPath", "nfs")'],
    ],
    [
      'allows volumes of the API',
      pod({
        volumes: [
          { name: 'x', configMap: { name: 'c' } },
          { name: 'y', emptyDir: {} },
        ],
      }),
      [],
    ],
    ['forbids root by number', outside({ runAsUser: 0 }), ['runAsUser=0 (pod must not set runAsUser=0)']],
    [
      'forbids root by word',
      inside({ runAsNonRoot: false }),
      ['runAsNonRoot != true (container "a" must not set securityContext.runAsNonRoot=false)'],
    ],
    [
      'forbids no seccomp',
      inside({ seccompProfile: { type: 'Unconfined' } }),
      ['seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined")'],
    ],
    [
      'takes Windows as it is',
      {
        metadata: {},
        spec: {
          os: { name: 'windows' },
          securityContext: { runAsNonRoot: true },
          containers: [{ name: 'a' }],
        },
      },
      [],
    ],
  ])('%s', (_, given, expected) =>
    expect(violations(given as ReturnType<typeof pod>, 'restricted', LATEST_MINOR)).toEqual(expected),
  )
})

test.each<[Level, number, object, number]>([
  ['privileged', 36, pod({ hostNetwork: true }), 0],
  ['baseline', 28, outside({ sysctls: [{ name: 'net.ipv4.tcp_fin_timeout', value: '1' }] }), 1],
  ['baseline', 29, outside({ sysctls: [{ name: 'net.ipv4.tcp_fin_timeout', value: '1' }] }), 0],
  ['baseline', 33, pod({}, { livenessProbe: { tcpSocket: { host: 'h', port: 1 } } }), 0],
])('%s of v1.%i is as it was then', (level, minor, given, many) =>
  expect(violations(given as ReturnType<typeof pod>, level, minor)).toHaveLength(many),
)
