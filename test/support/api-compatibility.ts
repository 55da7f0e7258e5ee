import type { AnyKind } from '../../src/api/kind.ts'
import { apiVersionOf } from '../../src/api/resource.ts'
import { subresourcesOf } from '../../src/apiserver/discovery.ts'

/** What is served and what differs from Kubernetes 1.36, as one document worked out from the kinds themselves. Pure. */
interface Difference {
  /** Group version, or "GROUP/VERSION RESOURCE", or "GROUP/VERSION RESOURCE/SUBRESOURCE". */
  readonly what: string
  readonly why: string
}

const NOT_YET = 'not served yet'

/** Every difference that is known, with its reason. A test holds it against the discovery document of Kubernetes 1.36. */
export const differences: readonly Difference[] = [
  { what: 'admissionregistration.k8s.io/v1', why: NOT_YET },
  {
    what: 'admissionregistration.k8s.io/v1beta1',
    why: 'beta, off by default in Kubernetes 1.36; v1 is served',
  },
  { what: 'admissionregistration.k8s.io/v1alpha1', why: 'alpha, off by default in Kubernetes 1.36' },
  { what: 'certificates.k8s.io/v1beta1', why: 'beta, off by default in Kubernetes 1.36' },
  { what: 'certificates.k8s.io/v1alpha1', why: 'alpha, off by default in Kubernetes 1.36' },
  { what: 'coordination.k8s.io/v1beta1', why: 'beta, off by default in Kubernetes 1.36' },
  { what: 'coordination.k8s.io/v1alpha2', why: 'alpha, off by default in Kubernetes 1.36' },
  {
    what: 'internal.apiserver.k8s.io/v1alpha1',
    why: 'alpha, and about several API servers of different age',
  },
  { what: 'networking.k8s.io/v1beta1', why: 'beta, off by default in Kubernetes 1.36; v1 is served' },
  { what: 'resource.k8s.io/v1beta2', why: 'beta, off by default in Kubernetes 1.36; v1 is served' },
  { what: 'resource.k8s.io/v1beta1', why: 'beta, off by default in Kubernetes 1.36; v1 is served' },
  { what: 'resource.k8s.io/v1alpha3', why: 'alpha, off by default in Kubernetes 1.36' },
  { what: 'scheduling.k8s.io/v1alpha2', why: 'alpha, off by default in Kubernetes 1.36' },
  { what: 'storage.k8s.io/v1beta1', why: 'beta, off by default in Kubernetes 1.36; v1 is served' },
  { what: 'storagemigration.k8s.io/v1beta1', why: 'beta, off by default in Kubernetes 1.36' },
]

const BEHAVIOUR = `## What behaves otherwise, and why

- Answers are JSON or YAML. Protobuf is read in requests, where kubectl sends it, and never written: every client that
  accepts protobuf accepts JSON as well. CBOR (alpha) is not read.
- \`/openapi/v2\` as protobuf holds the definitions (what clients validate with) and not the paths.
- The token in a pod is made when something in its container first reads it, and renewed for the next reader after 80 % of
  its life. A named service account must exist.
- FlowSchemas and PriorityLevelConfigurations are kept and not read: requests queue fairly by user, within fixed bounds.
- Conversion webhooks of custom resources are not called (a version that needs one is answered with an error), and no
  other API server is proxied to. CEL has no \`authorizer\`.
- A webhook behind a Service that only simulated pods serve is passed over with a warning.
- Messages that Kubernetes ends with a printed difference of two Go structs (an update of a bound claim's spec) end
  before it.
- \`nodes/NAME/proxy\` answers for the kubelet of a simulated node: \`/healthz\`, \`/pods\`, \`/runningpods\`, \`/stats/summary\` and
  \`/metrics/resource\`; anything else is not found.
- exec, attach and port-forward are WebSockets only (\`v5.channel.k8s.io\`, \`v4.channel.k8s.io\`, SPDY in a WebSocket for
  port-forward), as kubectl has asked first since 1.31; plain SPDY upgrades are refused.
- \`metrics.k8s.io\` is part of the server; samples are 15 s apart. So are \`custom.metrics.k8s.io\` and
  \`external.metrics.k8s.io\`, while metrics are declared.
- Component statuses tell of one process: while it answers, its parts run.
- Pod Security: the audit level adds no annotation to an audit event of its own; \`hostUsers: false\` relaxes no check.
- A taint of a device that is added by an update of a ResourceSlice has no \`timeAdded\` unless it says one.
- A ServiceCIDR of the other family makes the cluster dual-stack; pods have one address, IPv4 ([networking.md](networking.md)).
- The endpoints of the Service \`kubernetes\` are not ready while the API server listens on its loopback only: endpoints may
  not be loopback addresses, and nobody else can reach it.
- Pods that nodes reject are made again ever more seldom by ReplicaSets (after 1 s, 2 s … 5 minutes) and StatefulSets (up to
  15 minutes), as by DaemonSets; kube-controller-manager makes them again at once.
- Nodes have no annotation \`node.alpha.kubernetes.io/ttl\`, ValidatingAdmissionPolicies no \`status.typeChecking\`.
`

export function compatibilityDocument(kinds: readonly AnyKind[]): string {
  const rows = kinds
    .filter(({ group }) => group !== 'seamark.dev')
    .map((kind) => [
      apiVersionOf(kind),
      kind.kind,
      kind.plural,
      kind.scope === 'Namespaced' ? 'yes' : 'no',
      verbsText(kind.verbs),
      subresourcesOf(kind)
        .map(({ name, verbs }) => `${name} (${verbs.join(', ')})`)
        .join('; '),
      kind.storedAs ? `the same objects as ${apiVersionOf(kind.storedAs.kind)}` : '',
    ])
    .sort((a, b) => (a.join(' ') < b.join(' ') ? -1 : 1))
  return `# API compatibility

The API is that of Kubernetes 1.36. This file is made from the kinds that are served, by \`node tools/api-compatibility.mjs\`;
a test fails when it is stale, and another one when a served kind differs from the discovery document of Kubernetes 1.36.

## What is served

"All" stands for create, delete, deletecollection, get, list, patch, update, watch.

${table(['group/version', 'kind', 'resource', 'namespaced', 'verbs', 'subresources', ''], rows)}
Kinds of CustomResourceDefinitions are served beside them, and Seamark's own of \`seamark.dev/v1alpha1\`.

## What Kubernetes has and is not served, and why

${table(
  ['what', 'why'],
  differences.filter(({ what }) => !isServed(kinds, what)).map(({ what, why }) => [what, why]),
)}
${BEHAVIOUR}`
}

/** Whether there is anything of the group version, or the resource, or the subresource. */
function isServed(kinds: readonly AnyKind[], what: string): boolean {
  const [version, path = ''] = what.split(' ')
  const [resource = '', subresource] = path.split('/')
  return kinds.some(
    (kind) =>
      apiVersionOf(kind) === version &&
      (resource === '' || kind.plural === resource) &&
      (subresource === undefined || subresourcesOf(kind).some(({ name }) => name === subresource)),
  )
}

const ALL = 8

function verbsText(verbs: readonly string[]): string {
  return verbs.length === ALL ? 'All' : verbs.join(', ')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('')
}
