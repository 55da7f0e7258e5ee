import { ageColumn, nameColumn } from '../age.ts'
import { textColumn } from '../columns.ts'
import { oneOf } from '../field-rules.ts'
import type { V1NetworkPolicy, V1NetworkPolicyPeer, V1NetworkPolicyPort } from '../generated/types.ts'
import { cidr, isStrictSubset } from '../ip-networks.ts'
import { defineKind } from '../kind.ts'
import { portFaults } from '../ports.ts'
import type { Stored } from '../resource.ts'
import { formatLabelSelector, validateLabelSelector } from '../selectors.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type NetworkPolicy = Stored<V1NetworkPolicy>

export const networkPolicy = defineKind<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  scope: 'Namespaced',
  shortNames: ['netpol'],
  schema: 'V1NetworkPolicy',
  applyWave: WAVE.policy,
  setDefaults: ({ spec, ...resource }) => ({
    ...resource,
    spec: {
      ...spec,
      podSelector: spec.podSelector ?? {},
      ...(spec.ingress
        ? {
            ingress: spec.ingress.map((rule) =>
              rule.ports ? { ...rule, ports: rule.ports.map(withProtocol) } : rule,
            ),
          }
        : {}),
      ...(spec.egress
        ? {
            egress: spec.egress.map((rule) =>
              rule.ports ? { ...rule, ports: rule.ports.map(withProtocol) } : rule,
            ),
          }
        : {}),
      policyTypes: spec.policyTypes?.length
        ? spec.policyTypes
        : ['Ingress', ...(spec.egress?.length ? ['Egress'] : [])],
    },
  }),
  validate: ({ spec: { podSelector, ingress = [], egress = [], policyTypes = [] } }) => [
    ...validateLabelSelector(podSelector, 'spec.podSelector'),
    ...ingress.flatMap(({ ports, from }, i) => validateRule(ports, from, `spec.ingress[${i}]`, 'from')),
    ...egress.flatMap(({ ports, to }, i) => validateRule(ports, to, `spec.egress[${i}]`, 'to')),
    ...(policyTypes.length > 2
      ? [fault.invalid('spec.policyTypes', policyTypes, 'may not specify more than two policyTypes')]
      : []),
    ...policyTypes.flatMap((type, i) => oneOf(type, ['Egress', 'Ingress'], `spec.policyTypes[${i}]`)),
  ],
  columns: [
    nameColumn,
    textColumn(
      'Pod-Selector',
      'podSelector selects the pods to which this NetworkPolicy object applies.',
      ({ spec }) => formatLabelSelector(spec.podSelector),
    ),
    ageColumn,
  ],
  example: {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'web', namespace: 'default' },
    spec: { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'] },
  },
})

function withProtocol(port: V1NetworkPolicyPort): V1NetworkPolicyPort {
  return port.protocol === undefined ? { ...port, protocol: 'TCP' } : port
}

function validateRule(
  ports: readonly V1NetworkPolicyPort[] = [],
  peers: readonly V1NetworkPolicyPeer[] = [],
  path: string,
  side: 'from' | 'to',
): StatusCause[] {
  return [
    ...ports.flatMap((port, i) => validatePort(port, `${path}.ports[${i}]`)),
    ...peers.flatMap((peer, i) => validatePeer(peer, `${path}.${side}[${i}]`)),
  ]
}

function validatePort({ protocol, port, endPort }: V1NetworkPolicyPort, path: string): StatusCause[] {
  const wrong = oneOf(protocol, ['SCTP', 'TCP', 'UDP'], `${path}.protocol`)
  if (port !== undefined) wrong.push(...portFaults(port, `${path}.port`))
  if (endPort === undefined) return wrong
  const at = `${path}.endPort`
  if (port === undefined)
    return [...wrong, fault.invalid(at, endPort, 'may not be specified when `port` is not specified')]
  if (typeof port === 'string')
    return [...wrong, fault.invalid(at, endPort, 'may not be specified when `port` is non-numeric')]
  if (endPort < port) wrong.push(fault.invalid(at, endPort, 'must be greater than or equal to `port`'))
  return [...wrong, ...portFaults(endPort, at)]
}

function validatePeer(
  { podSelector, namespaceSelector, ipBlock }: V1NetworkPolicyPeer,
  path: string,
): StatusCause[] {
  const wrong = [
    ...validateLabelSelector(podSelector, `${path}.podSelector`),
    ...validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`),
  ]
  if (!podSelector && !namespaceSelector && !ipBlock) return [fault.required(path, 'must specify a peer')]
  if (!ipBlock) return wrong
  if (podSelector || namespaceSelector)
    wrong.push(fault.forbidden(path, 'may not specify both ipBlock and another peer'))
  const at = `${path}.ipBlock`
  if (!ipBlock.cidr) return [...wrong, fault.required(`${at}.cidr`)]
  const why = cidr(ipBlock.cidr)
  if (why) return [...wrong, fault.invalid(`${at}.cidr`, ipBlock.cidr, why)]
  for (const [i, except] of (ipBlock.except ?? []).entries()) {
    const bad = cidr(except)
    if (bad) wrong.push(fault.invalid(`${at}.except[${i}]`, except, bad))
    else if (!isStrictSubset(except, ipBlock.cidr))
      wrong.push(fault.invalid(`${at}.except[${i}]`, except, 'must be a strict subset of `cidr`'))
  }
  return wrong
}
