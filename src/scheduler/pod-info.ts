import type { V1Container } from '../api/generated/types.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { heldSpec, isResizing } from '../api/pod-resize.ts'
import { podPriority, podRequests } from '../api/pods.ts'
import { controllerOf } from '../api/resource.ts'
import { requestsOf } from '../api/resource-requests.ts'
import { parseTime } from '../base/date.ts'
import { type Amounts, amountsOf } from './amounts.ts'
import { type Terms, termsOf } from './terms.ts'

export interface HostPort {
  readonly protocol: string
  readonly ip: string
  readonly port: number
}

/**
 * What decides where a pod can go, apart from who it is: pods of one template share one shape, so what is worked out
 * for the first is there for all. Two pods of one shape get the same verdict and score of a local plugin on the same
 * node; claims of volumes and devices are looked at by others.
 */
export interface PodShape {
  readonly requests: Amounts
  /** With 100m and 200Mi for each container that asks for no cpu or memory (GetNonzeroRequests). */
  readonly nonZeroMilliCpu: number
  readonly nonZeroMemory: number
  readonly hostPorts: readonly HostPort[]
  readonly terms: Terms | undefined
}

/** What the scheduler wants to know of a pod, worked out once per version of it. */
export class PodInfo implements PodShape {
  readonly pod: Pod
  readonly uid: string
  /** "namespace/name" */
  readonly key: string
  readonly namespace: string
  readonly priority: number
  readonly shape: PodShape
  /** Namespace, labels and whether it is being deleted: what selectors look at. Equal pods have equal keys. */
  readonly labelKey: string
  readonly isTerminating: boolean
  /** Epoch ms; when it began to run, or now if it has not: preemption spares the older of equals. */
  readonly startedAt: number | undefined
  readonly requests: Amounts
  readonly nonZeroMilliCpu: number
  readonly nonZeroMemory: number
  readonly hostPorts: readonly HostPort[]
  readonly terms: Terms | undefined
  /** "namespace/name" of the volume claims it mounts, those of ephemeral volumes among them. */
  readonly claims: readonly string[]

  constructor(pod: Pod, shape: PodShape, labelKey: string) {
    const { metadata } = pod
    this.pod = pod
    this.uid = metadata.uid ?? ''
    this.key = `${metadata.namespace}/${metadata.name}`
    this.namespace = metadata.namespace ?? ''
    this.priority = podPriority(pod)
    this.shape = shape
    this.isTerminating = metadata.deletionTimestamp !== undefined
    this.labelKey = labelKey
    this.startedAt = parseTime(pod.status?.startTime)
    this.requests = shape.requests
    this.nonZeroMilliCpu = shape.nonZeroMilliCpu
    this.nonZeroMemory = shape.nonZeroMemory
    this.hostPorts = shape.hostPorts
    this.terms = shape.terms
    this.claims = pod.spec.volumes ? claimsOf(pod) : NO_CLAIMS
  }

  /** The same pod in another form, of the same shape. */
  as(pod: Pod): PodInfo {
    return new PodInfo(pod, this.shape, this.labelKey)
  }
}

const known = new WeakMap<Pod, PodInfo>()
const shapes = new Map<string, PodShape>()
/** Beyond this the table of shapes begins anew; pods that are known keep theirs. */
const SHAPES_MAX = 20_000

/** `previous`: an older version of the same pod; what has not changed since is taken over. */
export function podInfo(pod: Pod, previous?: PodInfo): PodInfo {
  let info = known.get(pod)
  if (!info) {
    info =
      previous && !isResizing(previous.pod) && !isResizing(pod) && isSameShape(previous.pod, pod)
        ? new PodInfo(pod, previous.shape, previous.labelKey)
        : new PodInfo(pod, shapeOf(pod), labelKeyOf(pod))
    known.set(pod, info)
  }
  return info
}

function labelKeyOf({ metadata }: Pod): string {
  return `${metadata.deletionTimestamp === undefined ? '' : '-'}${metadata.namespace}${JSON.stringify(metadata.labels ?? {})}`
}

/** By reference: parts that a write has not touched are shared by both versions. */
function isSameShape(a: Pod, b: Pod): boolean {
  return (
    a.metadata.labels === b.metadata.labels &&
    a.metadata.ownerReferences === b.metadata.ownerReferences &&
    a.metadata.deletionTimestamp === b.metadata.deletionTimestamp &&
    a.spec.containers === b.spec.containers &&
    a.spec.initContainers === b.spec.initContainers &&
    a.spec.affinity === b.spec.affinity &&
    a.spec.tolerations === b.spec.tolerations &&
    a.spec.nodeSelector === b.spec.nodeSelector &&
    a.spec.topologySpreadConstraints === b.spec.topologySpreadConstraints &&
    a.spec.volumes === b.spec.volumes &&
    a.spec.resourceClaims === b.spec.resourceClaims &&
    a.spec.resources === b.spec.resources &&
    a.spec.overhead === b.spec.overhead &&
    a.spec.hostNetwork === b.spec.hostNetwork
  )
}

function shapeOf(pod: Pod): PodShape {
  const signature = signatureOf(pod)
  let shape = shapes.get(signature)
  if (!shape) {
    shape = describeShape(pod)
    if (shapes.size >= SHAPES_MAX) shapes.clear()
    shapes.set(signature, shape)
  }
  return shape
}

/** Every field a local plugin looks at, but for spec.nodeName: a pod that has a node is not decided. */
function signatureOf(pod: Pod): string {
  const { metadata, spec } = pod
  const held = heldSpec(pod)
  const container = ({ image, resources, ports, restartPolicy }: V1Container) => [
    image,
    resources,
    ports,
    restartPolicy,
  ]
  const owner = controllerOf(pod)
  return JSON.stringify([
    metadata.namespace,
    metadata.labels,
    owner && [owner.kind, owner.name],
    spec.nodeSelector,
    spec.affinity,
    spec.tolerations,
    spec.topologySpreadConstraints,
    spec.overhead,
    spec.resources,
    spec.hostNetwork,
    held.containers.map(container),
    held.initContainers?.map(container),
  ])
}

function describeShape(pod: Pod): PodShape {
  const held = heldSpec(pod)
  const nonZero = amountsOf(requestsOf(held, { cpu: '100m', memory: '200Mi' }))
  return {
    requests: amountsOf(held === pod.spec ? podRequests(pod) : requestsOf(held)),
    nonZeroMilliCpu: nonZero.milliCpu,
    nonZeroMemory: nonZero.memory,
    hostPorts: [
      ...(pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'),
      ...pod.spec.containers,
    ].flatMap(({ ports }) =>
      (ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
        hostPort ? [{ protocol: protocol ?? 'TCP', ip: hostIP || '0.0.0.0', port: hostPort }] : [],
      ),
    ),
    terms: termsOf(pod),
  }
}

const NO_CLAIMS: readonly string[] = []

function claimsOf({ metadata, spec }: Pod): readonly string[] {
  return (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    const claim = persistentVolumeClaim?.claimName ?? (ephemeral ? `${metadata.name}-${name}` : undefined)
    return claim === undefined ? [] : [`${metadata.namespace}/${claim}`]
  })
}
