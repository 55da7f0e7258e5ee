import { describe, expect, test } from 'vitest'
import { deepFreeze, isObject } from '../../base/json.ts'
import type { AnyKind } from '../kind.ts'
import type { AnyResource } from '../resource.ts'
import { kinds } from './index.ts'

/** Rules and defaults of the built-in kinds: an example, one change, and what Kubernetes says or makes of it. */
const kindOf = (name: string): AnyKind => {
  const [plural, version] = name.split(' ')
  const found = kinds.find((kind) => kind.plural === plural && (!version || kind.version === version))
  if (!found) throw new Error(`No kind ${name}`)
  return found
}

/** A merge patch; undefined takes a field away. */
function laid(base: unknown, change: unknown): unknown {
  if (!isObject(base) || !isObject(change)) return change
  const result: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(change)) {
    if (value === undefined) delete result[key]
    else result[key] = laid(result[key], value)
  }
  return result
}

const made = (kind: AnyKind, change: object): AnyResource =>
  deepFreeze(
    kind.setDefaults(kind.prepareForCreate(kind.setDefaults(laid(kind.example, change)))),
  ) as AnyResource
const faultsOf = (list: readonly { readonly field?: string; readonly message: string }[]) =>
  list.map(({ field, message }) => `${field}: ${message}`)
const spec = (fields: object) => ({ spec: fields })
const N = undefined

type Rule = readonly [kind: string, what: string, change: object, faults: readonly string[]]

const asked = (exactly: object) => spec({ devices: { requests: [{ name: 'gpu', exactly }] } })
const ofGpu = { deviceClassName: 'gpu.example.com' }
const metric = (resource: object) => spec({ metrics: [{ type: 'Resource', resource }] })
const TARGET = 'spec.metrics[0].resource.target'
const path = (fields: object) =>
  spec({
    rules: [
      {
        http: {
          paths: [
            {
              path: '/',
              pathType: 'Prefix',
              backend: { service: { name: 'web', port: { number: 80 } } },
              ...fields,
            },
          ],
        },
      },
    ],
  })
const backend = (service: object) => path({ backend: { service } })
const AT = 'spec.rules[0].http.paths[0]'
const peer = (from: object, ports: object[] = []) => spec({ ingress: [{ from: [from], ports }] })
const port = (fields: object) => spec({ ingress: [{ ports: [fields] }] })
const limits = (item: object) =>
  spec({ limits: [{ type: 'Container', max: N, default: N, defaultRequest: N, ...item }] })
const hard = (list: object) =>
  spec({ hard: { pods: N, 'requests.cpu': N, 'limits.memory': N, 'count/jobs.batch': N, ...list } })
const rule = (fields: object) =>
  spec({ rules: [{ subjects: [{ kind: 'Group', group: { name: 'g' } }], ...fields }] })
const resources = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true }
const scaleUp = (fields: object) => spec({ behavior: { scaleUp: fields } })

const rules: readonly Rule[] = [
  ['persistentvolumes', 'capacity', spec({ capacity: { storage: N } }), ['spec.capacity: Required value']],
  [
    'persistentvolumes',
    'capacity of something else',
    spec({ capacity: { cpu: '1' } }),
    ['spec.capacity: Unsupported value: {"storage":"1Gi","cpu":"1"}: supported values: "storage"'],
  ],
  [
    'persistentvolumes',
    'capacity of nothing',
    spec({ capacity: { storage: '0' } }),
    ['spec.capacity[storage]: Invalid value: "0": must be greater than zero'],
  ],
  ['persistentvolumes', 'access modes', spec({ accessModes: [] }), ['spec.accessModes: Required value']],
  [
    'persistentvolumes',
    'an unknown access mode',
    spec({ accessModes: ['Often'] }),
    [
      'spec.accessModes: Unsupported value: "Often": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
    ],
  ],
  [
    'persistentvolumes',
    'one pod and more',
    spec({ accessModes: ['ReadWriteOncePod', 'ReadWriteMany'] }),
    ['spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes'],
  ],
  ['persistentvolumes', 'a source', spec({ csi: N }), ['spec: Required value: must specify a volume type']],
  [
    'persistentvolumes',
    'two sources',
    spec({ nfs: { server: 's', path: '/' } }),
    ['spec.nfs: Forbidden: may not specify more than 1 volume type'],
  ],
  [
    'persistentvolumes',
    'a local disk without a node',
    spec({ csi: N, local: { path: '/mnt' } }),
    ['spec.nodeAffinity: Required value: Local volume requires node affinity'],
  ],
  [
    'persistentvolumes',
    'the root recycled',
    spec({ csi: N, hostPath: { path: '/' }, persistentVolumeReclaimPolicy: 'Recycle' }),
    ["spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'"],
  ],
  [
    'persistentvolumes',
    'a policy',
    spec({ persistentVolumeReclaimPolicy: 'Keep' }),
    [
      'spec.persistentVolumeReclaimPolicy: Unsupported value: "Keep": supported values: "Delete", "Recycle", "Retain"',
    ],
  ],
  [
    'persistentvolumes',
    'a mode',
    spec({ volumeMode: 'Tape' }),
    ['spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"'],
  ],
  [
    'persistentvolumes',
    'nodes to choose from',
    spec({ nodeAffinity: {} }),
    ['spec.nodeAffinity.required: Required value: must specify required node constraints'],
  ],
  [
    'persistentvolumes',
    'any term of nodes',
    spec({ nodeAffinity: { required: { nodeSelectorTerms: [] } } }),
    [
      'spec.nodeAffinity.required.nodeSelectorTerms: Required value: must have at least one node selector term',
    ],
  ],
  [
    'persistentvolumes',
    'a handle',
    spec({ csi: { driver: 'd', volumeHandle: '' } }),
    ['spec.csi.volumeHandle: Required value'],
  ],
  [
    'persistentvolumeclaims',
    'access modes',
    spec({ accessModes: N }),
    ['spec.accessModes: Required value: at least 1 access mode is required'],
  ],
  [
    'persistentvolumeclaims',
    'storage',
    spec({ resources: { requests: { storage: N } } }),
    ['spec.resources[storage]: Required value'],
  ],
  [
    'persistentvolumeclaims',
    'storage of less than nothing',
    spec({ resources: { requests: { storage: '-1' } } }),
    ['spec.resources[storage]: Invalid value: "-1": must be greater than zero'],
  ],
  [
    'persistentvolumeclaims',
    'a class that has a name',
    spec({ storageClassName: 'Fast' }),
    [expect.stringContaining('spec.storageClassName: Invalid value: "Fast": a lowercase RFC 1123 subdomain')],
  ],
  [
    'persistentvolumeclaims',
    'a selector that is one',
    spec({ selector: { matchExpressions: [{ key: 'a', operator: 'Near' }] } }),
    ['spec.selector.matchExpressions[0].operator: Invalid value: "Near": not a valid selector operator'],
  ],
  [
    'persistentvolumeclaims',
    'a source of some group',
    spec({ dataSource: { kind: 'Snapshot', name: 'a' } }),
    [
      'spec.dataSource: Invalid value: "Snapshot": must be \'PersistentVolumeClaim\' when referencing the default apiGroup',
      'spec.dataSourceRef: Invalid value: "Snapshot": must be \'PersistentVolumeClaim\' when referencing the default apiGroup',
    ],
  ],
  ['storageclasses', 'a provisioner', { provisioner: '' }, ['provisioner: Required value']],
  [
    'storageclasses',
    'a policy',
    { reclaimPolicy: 'Recycle' },
    ['reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"'],
  ],
  [
    'storageclasses',
    'a binding mode',
    { volumeBindingMode: 'Later' },
    ['volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"'],
  ],
  [
    'storageclasses',
    'values of a topology',
    { allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: [] }] }] },
    ['allowedTopologies[0].matchLabelExpressions[0].values: Required value'],
  ],
  [
    'storageclasses',
    'no value twice',
    { allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['a', 'a'] }] }] },
    ['allowedTopologies[0].matchLabelExpressions[0].values[1]: Duplicate value: "a"'],
  ],
  [
    'csidrivers',
    'a group policy',
    spec({ fsGroupPolicy: 'Some' }),
    [
      'spec.fsGroupPolicy: Unsupported value: "Some": supported values: "File", "None", "ReadWriteOnceWithFSType"',
    ],
  ],
  [
    'csidrivers',
    'tokens that last',
    spec({ tokenRequests: [{ audience: 'a', expirationSeconds: 1 }] }),
    [
      'spec.tokenRequests[0].expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes',
    ],
  ],
  [
    'csidrivers',
    'an audience once',
    spec({ tokenRequests: [{ audience: 'a' }, { audience: 'a' }] }),
    ['spec.tokenRequests[1].audience: Duplicate value: "a"'],
  ],
  [
    'csinodes',
    'the id of the node',
    spec({ drivers: [{ name: 'd', nodeID: '' }] }),
    ['spec.drivers[0].nodeID: Required value'],
  ],
  [
    'csinodes',
    'a driver once',
    spec({
      drivers: [
        { name: 'd', nodeID: 'n' },
        { name: 'd', nodeID: 'n' },
      ],
    }),
    ['spec.drivers[1].name: Duplicate value: "d"'],
  ],
  ['csistoragecapacities', 'a class', { storageClassName: '' }, ['storageClassName: Required value']],
  [
    'csistoragecapacities',
    'no negative capacity',
    { capacity: '-1' },
    ['capacity: Invalid value: "-1": must be greater than or equal to 0'],
  ],
  [
    'volumeattachments',
    'a source',
    spec({ source: { persistentVolumeName: N } }),
    ['spec.source: Required value: must specify either inlineVolumeSpec or persistentVolumeName'],
  ],
  [
    'volumeattachments',
    'one source',
    spec({ source: { inlineVolumeSpec: {} } }),
    ['spec.source: Forbidden: must specify either inlineVolumeSpec or persistentVolumeName, but not both'],
  ],
  ['volumeattachments', 'a node', spec({ nodeName: '' }), ['spec.nodeName: Required value']],
  ['volumeattributesclasses', 'parameters', { parameters: { iops: N } }, ['parameters: Required value']],
  ['volumeattributesclasses', 'a driver', { driverName: '' }, ['driverName: Required value']],
  [
    'resourceclaims',
    'exactly one way of asking',
    spec({ devices: { requests: [{ name: 'gpu' }] } }),
    ['spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required'],
  ],
  [
    'resourceclaims',
    'not both ways',
    spec({
      devices: { requests: [{ name: 'gpu', exactly: ofGpu, firstAvailable: [{ name: 'a', ...ofGpu }] }] },
    }),
    [
      'spec.devices.requests[0]: Invalid value: null: exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set',
    ],
  ],
  [
    'resourceclaims',
    'a class',
    asked({}),
    ['spec.devices.requests[0].exactly.deviceClassName: Required value'],
  ],
  [
    'resourceclaims',
    'a mode',
    asked({ ...ofGpu, allocationMode: 'Most' }),
    [
      'spec.devices.requests[0].exactly.allocationMode: Unsupported value: "Most": supported values: "All", "ExactCount"',
    ],
  ],
  [
    'resourceclaims',
    'a count of more than none',
    asked({ ...ofGpu, count: -1 }),
    ['spec.devices.requests[0].exactly.count: Invalid value: -1: must be greater than zero'],
  ],
  [
    'resourceclaims',
    'no count of all',
    asked({ ...ofGpu, allocationMode: 'All', count: 2 }),
    [
      "spec.devices.requests[0].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'",
    ],
  ],
  [
    'resourceclaims',
    'an expression',
    asked({ ...ofGpu, selectors: [{ cel: { expression: '' } }] }),
    ['spec.devices.requests[0].exactly.selectors[0].cel.expression: Required value'],
  ],
  [
    'resourceclaims',
    'a request once',
    spec({
      devices: {
        requests: [
          { name: 'a', exactly: ofGpu },
          { name: 'a', exactly: ofGpu },
        ],
      },
    }),
    ['spec.devices.requests[1]: Duplicate value: "a"'],
  ],
  [
    'resourceclaims',
    'a constraint on known requests',
    spec({ devices: { constraints: [{ requests: ['tpu'], matchAttribute: 'x.example/model' }] } }),
    [
      'spec.devices.constraints[0].requests[0]: Invalid value: "tpu": must be the name of a request in the claim or the name of a request and a subrequest separated by \'/\'',
    ],
  ],
  [
    'resourceclaims',
    'an attribute with its domain',
    spec({ devices: { constraints: [{ matchAttribute: 'model' }] } }),
    ['spec.devices.constraints[0].matchAttribute: Invalid value: "model": must include a domain'],
  ],
  [
    'resourceclaims',
    'parameters that are an object',
    spec({ devices: { config: [{ opaque: { driver: 'd', parameters: 'x' } }] } }),
    ['spec.devices.config[0].opaque.parameters: Invalid value: "x": must be a valid JSON object'],
  ],
  [
    'resourceclaimtemplates',
    'what a claim needs',
    spec({ spec: { devices: { requests: [{ name: 'A', exactly: ofGpu }] } } }),
    [expect.stringContaining('spec.spec.devices.requests[0].name: Invalid value: "A"')],
  ],
  [
    'deviceclasses',
    'a resource with a domain',
    spec({ extendedResourceName: 'gpu' }),
    ['spec.extendedResourceName: Invalid value: "gpu": must be a valid extended resource name'],
  ],
  [
    'resourceslices',
    'nodes',
    spec({ nodeName: N }),
    [
      'spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required',
    ],
  ],
  [
    'resourceslices',
    'nodes said once',
    spec({ allNodes: true }),
    [
      'spec: Invalid value: null: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set',
    ],
  ],
  [
    'resourceslices',
    'a pool of some slices',
    spec({ pool: { resourceSliceCount: 0 } }),
    ['spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero'],
  ],
  [
    'resourceslices',
    'one value of an attribute',
    spec({ devices: [{ name: 'a', attributes: { x: { int: 1, bool: true } } }] }),
    [
      'spec.devices[0].attributes[x]: Invalid value: {"int":1,"bool":true}: exactly one value must be specified',
    ],
  ],
  [
    'resourceslices',
    'an effect of a taint',
    spec({ devices: [{ name: 'a', taints: [{ key: 'x' }] }] }),
    ['spec.devices[0].taints[0].effect: Required value'],
  ],
  [
    'ingresses',
    'rules or a backend',
    spec({ rules: N }),
    ['spec: Invalid value: []: either `defaultBackend` or `rules` must be specified'],
  ],
  [
    'ingresses',
    'a host that is a name',
    spec({ rules: [{ host: '10.0.0.1' }] }),
    ['spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address'],
  ],
  [
    'ingresses',
    'a wildcard in front',
    spec({ rules: [{ host: 'a.*.com' }] }),
    [
      expect.stringContaining(
        'spec.rules[0].host: Invalid value: "a.*.com": a wildcard DNS-1123 subdomain must start with \'*.\'',
      ),
    ],
  ],
  [
    'ingresses',
    'paths',
    spec({ rules: [{ http: { paths: [] } }] }),
    ['spec.rules[0].http.paths: Required value'],
  ],
  [
    'ingresses',
    'a type of the path',
    path({ pathType: N }),
    [`${AT}.pathType: Required value: pathType must be specified`],
  ],
  [
    'ingresses',
    'a known type of the path',
    path({ pathType: 'Regex' }),
    [
      `${AT}.pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
    ],
  ],
  [
    'ingresses',
    'an absolute path',
    path({ path: 'a' }),
    [`${AT}.path: Invalid value: "a": must be an absolute path`],
  ],
  [
    'ingresses',
    'a plain path',
    path({ path: '/a//b' }),
    [`${AT}.path: Invalid value: "/a//b": must not contain '//'`],
  ],
  [
    'ingresses',
    'a path that stays',
    path({ path: '/a/..' }),
    [`${AT}.path: Invalid value: "/a/..": cannot end with '/..'`],
  ],
  [
    'ingresses',
    'a backend',
    path({ backend: {} }),
    [`${AT}.backend: Required value: resource or service backend is required`],
  ],
  [
    'ingresses',
    'a port',
    backend({ name: 'web' }),
    [`${AT}.backend: Required value: port name or number is required`],
  ],
  [
    'ingresses',
    'one port',
    backend({ name: 'web', port: { name: 'http', number: 80 } }),
    [`${AT}.backend: Invalid value: "": cannot set both port name & port number`],
  ],
  [
    'ingresses',
    'a service name',
    backend({ name: '9', port: { number: 80 } }),
    [expect.stringContaining(`${AT}.backend.service.name: Invalid value: "9": a DNS-1035 label`)],
  ],
  [
    'ingressclasses',
    'a controller with its domain',
    spec({ controller: 'nginx' }),
    ['spec.controller: Invalid value: "nginx": must be a domain-prefixed path (such as "acme.io/foo")'],
  ],
  [
    'ingressclasses',
    'a namespace of its parameters',
    spec({ parameters: { kind: 'P', name: 'p', scope: 'Namespace' } }),
    ["spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"],
  ],
  [
    'ingressclasses',
    'no namespace of a cluster',
    spec({ parameters: { kind: 'P', name: 'p', namespace: 'n' } }),
    ["spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"],
  ],
  ['networkpolicies', 'a peer', peer({}), ['spec.ingress[0].from[0]: Required value: must specify a peer']],
  [
    'networkpolicies',
    'one kind of peer',
    peer({ podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }),
    ['spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer'],
  ],
  [
    'networkpolicies',
    'a network',
    peer({ ipBlock: { cidr: '10.0.0.0' } }),
    [
      'spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
    ],
  ],
  [
    'networkpolicies',
    'an exception inside',
    peer({ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16'] } }),
    [
      'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
    ],
  ],
  [
    'networkpolicies',
    'an exception that is not all',
    peer({ ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/8'] } }),
    [
      'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`',
    ],
  ],
  [
    'networkpolicies',
    'a protocol',
    port({ protocol: 'ICMP' }),
    ['spec.ingress[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"'],
  ],
  [
    'networkpolicies',
    'ports in order',
    port({ port: 90, endPort: 80 }),
    ['spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`'],
  ],
  [
    'networkpolicies',
    'a first port',
    port({ endPort: 80 }),
    [
      'spec.ingress[0].ports[0].endPort: Invalid value: 80: may not be specified when `port` is not specified',
    ],
  ],
  [
    'networkpolicies',
    'no range of a name',
    port({ port: 'http', endPort: 80 }),
    ['spec.ingress[0].ports[0].endPort: Invalid value: 80: may not be specified when `port` is non-numeric'],
  ],
  [
    'networkpolicies',
    'a type',
    spec({ policyTypes: ['Both'] }),
    ['spec.policyTypes[0]: Unsupported value: "Both": supported values: "Egress", "Ingress"'],
  ],
  [
    'servicecidrs',
    'a range',
    spec({ cidrs: [] }),
    ['spec.cidrs: Required value: at least one CIDR required'],
  ],
  [
    'servicecidrs',
    'two families',
    spec({ cidrs: ['10.0.0.0/16', '10.1.0.0/16'] }),
    [
      'spec.cidrs: Invalid value: ["10.0.0.0/16","10.1.0.0/16"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
    ],
  ],
  [
    'ipaddresses',
    'a name that is an address',
    { metadata: { name: 'web' } },
    ['metadata.name: Invalid value: "web": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
  ],
  [
    'ipaddresses',
    'the shortest form',
    { metadata: { name: '2001:DB8::0' } },
    ['metadata.name: Invalid value: "2001:DB8::0": must be in canonical form ("2001:db8::")'],
  ],
  ['ipaddresses', 'a parent', spec({ parentRef: { name: '' } }), ['spec.parentRef.name: Required value']],
  [
    'runtimeclasses',
    'a handler',
    { handler: 'A' },
    [expect.stringContaining('handler: Invalid value: "A": a lowercase RFC 1123 label')],
  ],
  [
    'limitranges',
    'an order of bounds',
    limits({ min: { cpu: '2' }, max: { cpu: '1' } }),
    expect.arrayContaining([
      'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
    ]),
  ],
  [
    'limitranges',
    'requests within limits',
    limits({ default: { cpu: '1' }, defaultRequest: { cpu: '2' } }),
    [
      'spec.limits[0].defaultRequest[cpu]: Invalid value: "2": default request value 2 is greater than default limit value 1',
    ],
  ],
  [
    'limitranges',
    'a ratio of at least one',
    limits({ maxLimitRequestRatio: { cpu: '500m' } }),
    ['spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1'],
  ],
  [
    'limitranges',
    'no defaults of pods',
    limits({ type: 'Pod', default: { cpu: '1' } }),
    ["spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"],
  ],
  [
    'limitranges',
    'a bound of claims',
    limits({ type: 'PersistentVolumeClaim' }),
    [
      'spec.limits[0]: Required value: either minimum or maximum storage value is required, but neither was provided',
    ],
  ],
  [
    'limitranges',
    'a type once',
    spec({ limits: [{ type: 'Pod' }, { type: 'Pod' }] }),
    ['spec.limits[1].type: Duplicate value: "Pod"'],
  ],
  [
    'resourcequotas',
    'a known resource',
    hard({ gpus: '1' }),
    ['spec.hard[gpus]: Invalid value: "gpus": must be a standard resource for quota'],
  ],
  [
    'resourcequotas',
    'no less than nothing',
    hard({ cpu: '-1' }),
    ['spec.hard[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
  ],
  [
    'resourcequotas',
    'whole objects',
    hard({ pods: '1500m' }),
    ['spec.hard[pods]: Invalid value: "1500m": must be an integer'],
  ],
  [
    'resourcequotas',
    'a known scope',
    spec({ scopes: ['Weekend'] }),
    ['spec.scopes: Invalid value: ["Weekend"]: unsupported scope'],
  ],
  [
    'resourcequotas',
    'no opposite scopes',
    spec({ scopes: ['BestEffort', 'NotBestEffort'] }),
    ['spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes'],
  ],
  [
    'resourcequotas',
    'values of a selector',
    spec({ scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In' }] } }),
    [
      "spec.scopeSelector.matchExpressions[0].values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
    ],
  ],
  [
    'flowschemas',
    'a precedence',
    spec({ matchingPrecedence: 20_000 }),
    ['spec.matchingPrecedence: Invalid value: 20000: must not be greater than 10000'],
  ],
  [
    'flowschemas',
    'that the first is exempt',
    spec({ matchingPrecedence: 1 }),
    [
      "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
    ],
  ],
  [
    'flowschemas',
    'a level',
    spec({ priorityLevelConfiguration: { name: '' } }),
    ['spec.priorityLevelConfiguration.name: Required value'],
  ],
  [
    'flowschemas',
    'subjects',
    rule({ subjects: [], resourceRules: [resources] }),
    ['spec.rules[0].subjects: Required value: subjects must contain at least one value'],
  ],
  [
    'flowschemas',
    'something to match',
    rule({}),
    ['spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty'],
  ],
  [
    'flowschemas',
    'a star alone',
    rule({ resourceRules: [{ ...resources, verbs: ['*', 'get'] }] }),
    [
      'spec.rules[0].resourceRules[0].verbs: Invalid value: ["*","get"]: if \'*\' is present, must not specify other verbs',
    ],
  ],
  [
    'flowschemas',
    'a namespace or the cluster',
    rule({ resourceRules: [{ ...resources, clusterScope: N }] }),
    [
      'spec.rules[0].resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace',
    ],
  ],
  [
    'prioritylevelconfigurations',
    'a type',
    spec({ type: 'Free' }),
    ['spec.type: Unsupported value: "Free": supported values: "Exempt", "Limited"'],
  ],
  [
    'prioritylevelconfigurations',
    'queues to queue in',
    spec({ limited: { limitResponse: { type: 'Queue' } } }),
    [
      'spec.limited.limitResponse.queuing: Required value: must not be empty if limitResponse.type is Limited',
    ],
  ],
  [
    'prioritylevelconfigurations',
    'hands no larger than the table',
    spec({ limited: { limitResponse: { type: 'Queue', queuing: { queues: 2, handSize: 3 } } } }),
    ['spec.limited.limitResponse.queuing.handSize: Invalid value: 3: should not be greater than queues (2)'],
  ],
  [
    'horizontalpodautoscalers v2',
    'at least one',
    spec({ minReplicas: 0 }),
    ['spec.minReplicas: Invalid value: 0: must be greater than or equal to 1'],
  ],
  [
    'horizontalpodautoscalers v2',
    'room',
    spec({ minReplicas: 5, maxReplicas: 2 }),
    ['spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`'],
  ],
  [
    'horizontalpodautoscalers v2',
    'a target',
    spec({ scaleTargetRef: { name: '' } }),
    ['spec.scaleTargetRef.name: Required value'],
  ],
  [
    'horizontalpodautoscalers v2',
    'a source',
    spec({ metrics: [{ type: 'Pods' }] }),
    ['spec.metrics[0].pods: Required value: must populate information for the given metric source'],
  ],
  [
    'horizontalpodautoscalers v2',
    'a type',
    spec({ metrics: [{ type: 'Guess' }] }),
    [
      'spec.metrics[0].type: Unsupported value: "Guess": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
    ],
  ],
  [
    'horizontalpodautoscalers v2',
    'one amount',
    metric({ name: 'cpu', target: { type: 'Utilization', averageUtilization: 5, averageValue: '1' } }),
    [`${TARGET}.averageValue: Forbidden: may not set both a target raw value and a target utilization`],
  ],
  [
    'horizontalpodautoscalers v2',
    'an amount',
    metric({ name: 'cpu', target: { type: 'Utilization' } }),
    [
      `${TARGET}.averageUtilization: Required value: must set either a target raw value or a target utilization`,
    ],
  ],
  [
    'horizontalpodautoscalers v2',
    'a policy',
    scaleUp({ policies: [] }),
    ['spec.behavior.scaleUp.policies: Required value: must specify at least one Policy'],
  ],
  [
    'horizontalpodautoscalers v2',
    'a window',
    scaleUp({ stabilizationWindowSeconds: 4000 }),
    [
      'spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 4000: must be less than or equal to 3600',
    ],
  ],
  [
    'horizontalpodautoscalers v2',
    'a period',
    scaleUp({ policies: [{ type: 'Pods', value: 1, periodSeconds: 3600 }] }),
    [
      'spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 3600: must be less than or equal to 1800',
    ],
  ],
  [
    'horizontalpodautoscalers v2',
    'a choice',
    scaleUp({ selectPolicy: 'Any' }),
    [
      'spec.behavior.scaleUp.selectPolicy: Unsupported value: "Any": supported values: "Disabled", "Max", "Min"',
    ],
  ],
]

describe('Validation wants', () => {
  test.each(rules)('of %s %s', (name, _, change, faults) => {
    const kind = kindOf(name)
    expect(faultsOf(kind.validate(made(kind, change)))).toEqual(faults)
  })
})

type Default = readonly [kind: string, what: string, change: object, expected: object]

const defaults: readonly Default[] = [
  [
    'persistentvolumes',
    'is kept',
    {},
    spec({ persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' }),
  ],
  [
    'persistentvolumes',
    'on a host path has a type',
    spec({ hostPath: { path: '/a' } }),
    spec({ hostPath: { type: '' } }),
  ],
  [
    'persistentvolumes',
    'of Ceph has a pool',
    spec({ rbd: { monitors: ['m'], image: 'i' } }),
    spec({ rbd: { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' } }),
  ],
  ['persistentvolumes', 'begins Pending', {}, { status: { phase: 'Pending' } }],
  [
    'persistentvolumeclaims',
    'is of files',
    {},
    { ...spec({ volumeMode: 'Filesystem' }), status: { phase: 'Pending' } },
  ],
  [
    'persistentvolumeclaims',
    'says its source twice',
    spec({ dataSource: { kind: 'PersistentVolumeClaim', name: 'a' } }),
    spec({ dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'a' } }),
  ],
  [
    'persistentvolumeclaims',
    'says a new source in the old words where it can',
    spec({ dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'a' } }),
    spec({ dataSource: { kind: 'PersistentVolumeClaim', name: 'a' } }),
  ],
  [
    'storageclasses',
    'deletes at once',
    { volumeBindingMode: N },
    { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' },
  ],
  [
    'csidrivers',
    'attaches',
    spec({ attachRequired: N }),
    spec({
      attachRequired: true,
      podInfoOnMount: false,
      fsGroupPolicy: 'ReadWriteOnceWithFSType',
      volumeLifecycleModes: ['Persistent'],
      requiresRepublish: false,
      seLinuxMount: false,
    }),
  ],
  [
    'resourceclaims',
    'asks for one',
    {},
    asked({ allocationMode: 'ExactCount', count: 1, deviceClassName: 'gpu.example.com' }),
  ],
  [
    'resourceclaims',
    'of all asks for no number',
    asked({ ...ofGpu, allocationMode: 'All' }),
    asked({ ...ofGpu, allocationMode: 'All' }),
  ],
  [
    'resourceclaims',
    'tolerates what is equal',
    asked({ ...ofGpu, tolerations: [{ key: 'a' }] }),
    asked({ tolerations: [{ key: 'a', operator: 'Equal' }] }),
  ],
  [
    'ingressclasses',
    'has parameters of the cluster',
    spec({ parameters: { kind: 'P', name: 'p' } }),
    spec({ parameters: { scope: 'Cluster' } }),
  ],
  ['networkpolicies', 'is of ingress', spec({ policyTypes: N }), spec({ policyTypes: ['Ingress'] })],
  [
    'networkpolicies',
    'with egress is of both',
    spec({ policyTypes: N, egress: [{}] }),
    spec({ policyTypes: ['Ingress', 'Egress'] }),
  ],
  ['networkpolicies', 'is about TCP', port({ port: 80 }), port({ port: 80, protocol: 'TCP' })],
  [
    'limitranges',
    'limits to the maximum, requests to the limit',
    limits({ max: { cpu: '2' } }),
    spec({ limits: [{ default: { cpu: '2' }, defaultRequest: { cpu: '2' } }] }),
  ],
  [
    'limitranges',
    'requests the minimum',
    limits({ min: { cpu: '1' } }),
    spec({ limits: [{ defaultRequest: { cpu: '1' } }] }),
  ],
  [
    'limitranges',
    'gives pods nothing',
    limits({ type: 'Pod', max: { cpu: '2' } }),
    spec({ limits: [{ type: 'Pod', max: { cpu: '2' } }] }),
  ],
  ['flowschemas', 'is in the middle', spec({ matchingPrecedence: N }), spec({ matchingPrecedence: 1000 })],
  [
    'prioritylevelconfigurations',
    'lends nothing',
    spec({ limited: { nominalConcurrencyShares: N } }),
    spec({ limited: { nominalConcurrencyShares: 30, lendablePercent: 0 } }),
  ],
  [
    'prioritylevelconfigurations',
    'has queues',
    spec({ limited: { limitResponse: { type: 'Queue', queuing: {} } } }),
    spec({ limited: { limitResponse: { queuing: { queues: 64, handSize: 8, queueLengthLimit: 50 } } } }),
  ],
  [
    'horizontalpodautoscalers v2',
    'aims at 80% of CPU',
    spec({ metrics: N, minReplicas: N }),
    spec({
      minReplicas: 1,
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
        },
      ],
    }),
  ],
  [
    'horizontalpodautoscalers v2',
    'says both directions once it says one',
    spec({ behavior: { scaleDown: { selectPolicy: 'Disabled' } } }),
    spec({
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 0,
          selectPolicy: 'Max',
          policies: [
            { type: 'Pods', value: 4, periodSeconds: 15 },
            { type: 'Percent', value: 100, periodSeconds: 15 },
          ],
        },
        scaleDown: {
          selectPolicy: 'Disabled',
          policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
        },
      },
    }),
  ],
]

describe('By default', () => {
  test.each(defaults)('of %s one %s', (name, _, change, expected) => {
    expect(made(kindOf(name), change)).toMatchObject(expected)
  })
})

type Fixed = readonly [kind: string, what: string, before: object, after: object, faults: readonly string[]]

const bound = { status: { phase: 'Bound', capacity: { storage: '1Gi' } } }
const size = (storage: string) => spec({ resources: { requests: { storage } } })
const FIXED_CLAIM =
  'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'

const fixed: readonly Fixed[] = [
  [
    'persistentvolumes',
    'where the bytes are',
    {},
    spec({ csi: { volumeHandle: 'x' } }),
    ['spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation'],
  ],
  [
    'persistentvolumes',
    'its mode',
    {},
    spec({ volumeMode: 'Block' }),
    ['volumeMode: Invalid value: "Block": field is immutable'],
  ],
  ['persistentvolumeclaims', 'its access modes', {}, spec({ accessModes: ['ReadOnlyMany'] }), [FIXED_CLAIM]],
  ['persistentvolumeclaims', 'its size before it is bound', {}, size('2Gi'), [FIXED_CLAIM]],
  ['persistentvolumeclaims', 'nothing when bound grows', bound, { ...size('2Gi'), ...bound }, []],
  [
    'persistentvolumeclaims',
    'that a bound one does not shrink',
    bound,
    { ...size('512Mi'), ...bound },
    ['spec.resources.requests.storage: Forbidden: field can not be less than status.capacity'],
  ],
  ['persistentvolumeclaims', 'nothing when it gets a volume', {}, spec({ volumeName: 'v' }), []],
  [
    'persistentvolumeclaims',
    'its volume',
    spec({ volumeName: 'v' }),
    spec({ volumeName: 'w' }),
    [FIXED_CLAIM],
  ],
  [
    'persistentvolumeclaims',
    'nothing when it gets the default class',
    {},
    spec({ storageClassName: 'fast' }),
    [],
  ],
  [
    'storageclasses',
    'its provisioner',
    {},
    { provisioner: 'other' },
    ['provisioner: Forbidden: updates to provisioner are forbidden.'],
  ],
  [
    'storageclasses',
    'its parameters',
    {},
    { parameters: { a: 'b' } },
    ['parameters: Forbidden: updates to parameters are forbidden.'],
  ],
  [
    'storageclasses',
    'when it binds',
    {},
    { volumeBindingMode: 'Immediate' },
    ['volumeBindingMode: Invalid value: "Immediate": field is immutable'],
  ],
  [
    'csidrivers',
    'whether it attaches',
    {},
    spec({ attachRequired: true }),
    ['spec.attachRequired: Invalid value: true: field is immutable'],
  ],
  [
    'volumeattributesclasses',
    'its parameters',
    {},
    { parameters: { iops: '1' } },
    ['parameters: Forbidden: updates to parameters are forbidden.'],
  ],
  [
    'resourceclaims',
    'what it asks for',
    {},
    asked({ ...ofGpu, count: 2 }),
    [expect.stringMatching(/^spec: Invalid value: .*: field is immutable$/)],
  ],
  [
    'resourceslices',
    'its driver',
    {},
    spec({ driver: 'x' }),
    ['spec.driver: Invalid value: "x": field is immutable'],
  ],
  [
    'ingressclasses',
    'its controller',
    {},
    spec({ controller: 'a/b' }),
    ['spec.controller: Invalid value: "a/b": field is immutable'],
  ],
  [
    'servicecidrs',
    'its ranges',
    {},
    spec({ cidrs: ['10.98.0.0/16'] }),
    ['spec.cidrs: Invalid value: ["10.98.0.0/16"]: field is immutable'],
  ],
  [
    'ipaddresses',
    'whose it is',
    {},
    spec({ parentRef: { name: 'b' } }),
    [
      'spec.parentRef: Invalid value: {"resource":"services","namespace":"default","name":"b"}: field is immutable',
    ],
  ],
  [
    'runtimeclasses',
    'its handler',
    {},
    { handler: 'kata' },
    ['handler: Invalid value: "kata": field is immutable'],
  ],
  [
    'resourcequotas',
    'its scopes',
    {},
    spec({ scopes: ['BestEffort'] }),
    ['spec.scopes: Invalid value: ["BestEffort"]: field is immutable'],
  ],
]

describe('An update may not change', () => {
  test.each(fixed)('of %s %s', (name, _, before, after, faults) => {
    const kind = kindOf(name)
    const [old, next] = [before, after].map((change) =>
      deepFreeze(kind.setDefaults(laid(kind.example, change))),
    )
    expect(faultsOf(kind.validateUpdate(next, old))).toEqual(faults)
  })
})
