/** The pods of a DaemonSet: bound to one node by affinity, tolerating what a node's daemon must live with. Pure. */
import type { V1NodeSelectorTerm, V1Toleration } from '../api/generated/types.ts'
import type { DaemonSet } from '../api/kinds/daemon-set.ts'
import type { Node } from '../api/kinds/node.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { matchesNodeAffinity, tolerates } from '../api/placement.ts'
import { REVISION_LABEL } from './controller-revisions.ts'
import { podFromTemplate } from './pod-from-template.ts'

const GENERATION_LABEL = 'pod-template-generation'
const GENERATION_ANNOTATION = 'deprecated.daemonset.template.generation'

/** util.AddOrUpdateDaemonPodTolerations */
const TOLERATIONS = [
  ['not-ready', 'NoExecute'],
  ['unreachable', 'NoExecute'],
  ['disk-pressure', 'NoSchedule'],
  ['memory-pressure', 'NoSchedule'],
  ['pid-pressure', 'NoSchedule'],
  ['unschedulable', 'NoSchedule'],
] as const

export function daemonTolerations(given: readonly V1Toleration[], hostNetwork: boolean): V1Toleration[] {
  const added: V1Toleration[] = [
    ...TOLERATIONS,
    ...(hostNetwork ? [['network-unavailable', 'NoSchedule'] as const] : []),
  ].map(([name, effect]) => ({ key: `node.kubernetes.io/${name}`, operator: 'Exists', effect }))
  const isAdded = (one: V1Toleration) =>
    added.some(
      ({ key, effect }) =>
        one.key === key && one.effect === effect && one.operator === 'Exists' && !one.value,
    )
  return [...given.filter((one) => !isAdded(one)), ...added]
}

/** `hash` is the short one of the revision. */
export function daemonPod(set: DaemonSet, node: string, hash: string): Pod {
  const made = podFromTemplate(set.spec.template, set)
  const generation = set.metadata.annotations?.[GENERATION_ANNOTATION]
  return {
    ...made,
    metadata: {
      ...made.metadata,
      labels: {
        ...made.metadata.labels,
        ...(generation === undefined ? {} : { [GENERATION_LABEL]: generation }),
        [REVISION_LABEL]: hash,
      },
    },
    spec: {
      ...made.spec,
      tolerations: daemonTolerations(made.spec.tolerations ?? [], made.spec.hostNetwork === true),
      affinity: {
        ...made.spec.affinity,
        nodeAffinity: { ...made.spec.affinity?.nodeAffinity, ...only(node) },
      },
    },
  }
}

/** What the template required of nodes was looked at when the node was chosen. */
function only(node: string) {
  const term: V1NodeSelectorTerm = {
    matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }],
  }
  return { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } }
}

/** The node a daemon pod is for, also before it is bound. */
export function nodeOfDaemonPod({ spec }: Pod): string | undefined {
  if (spec.nodeName) return spec.nodeName
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  for (const { matchFields = [] } of required?.nodeSelectorTerms ?? []) {
    const field = matchFields.find(({ key, operator }) => key === 'metadata.name' && operator === 'In')
    if (field?.values?.length === 1) return field.values[0]
  }
  return undefined
}

export interface NodeVerdict {
  /** A pod belongs there. */
  readonly shouldRun: boolean
  /** One that is there may stay. */
  readonly shouldContinue: boolean
}

/** daemon_controller.go NodeShouldRunDaemonPod, of each node. */
export function verdictsOf(set: DaemonSet): (node: Node) => NodeVerdict {
  const { spec, metadata } = set.spec.template
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, name: set.metadata.name, namespace: set.metadata.namespace },
    spec: { ...spec, containers: spec?.containers ?? [] },
  }
  const tolerations = daemonTolerations(spec?.tolerations ?? [], spec?.hostNetwork === true)
  return (node) => {
    const isOther = Boolean(spec?.nodeName) && spec?.nodeName !== node.metadata.name
    if (isOther || !matchesNodeAffinity(pod, node)) return { shouldRun: false, shouldContinue: false }
    const taints = [
      ...(node.spec.taints ?? []),
      ...(node.spec.unschedulable ? [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] : []),
    ]
    const forbidden = new Set(
      taints.filter((taint) => !tolerates(tolerations, taint)).map(({ effect }) => effect),
    )
    const shouldContinue = !forbidden.has('NoExecute')
    return { shouldRun: shouldContinue && !forbidden.has('NoSchedule'), shouldContinue }
  }
}
