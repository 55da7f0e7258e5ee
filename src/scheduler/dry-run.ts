import type { Node } from '../api/kinds/node.ts'
import type { Pod } from '../api/kinds/pod.ts'
import { isPodTerminal } from '../api/pods.ts'
import type { Random } from '../base/random.ts'
import type { ClusterObjects } from './cluster-objects.ts'
import { decide } from './decide.ts'
import { type FitError, fitErrorMessage } from './fit-error.ts'
import { podInfo } from './pod-info.ts'
import { frameworksOf } from './profile.ts'
import { Snapshot } from './snapshot.ts'

export interface DryRunResult {
  readonly pod: Pod
  /** Where it would go; absent when it fits nowhere. */
  readonly node?: string
  /** `0/3 nodes are available: …`, and which plugins rejected most nodes first. */
  readonly message?: string
  readonly plugins?: readonly string[]
}

const NEED_LIFE = ['VolumeBinding', 'DynamicResources', 'NodeDeclaredFeatures']

/** Claims that are about to be made are not there yet to be looked at, nor has a declared node said what it can do. */
const BEFORE_LIFE = {
  profiles: [{ plugins: { multiPoint: { disabled: NEED_LIFE.map((name) => ({ name })) } } }],
}

/**
 * Where these pods would go, decided one after the other as the scheduler would: by priority, then in the order given.
 * `placed` are pods that have a node already. Nothing is written; preemption is not tried.
 */
export function dryRunSchedule(options: {
  readonly pods: readonly Pod[]
  readonly nodes: readonly Node[]
  readonly placed?: readonly Pod[]
  /** Services, ReplicaSets and whatever else the plugins ask for. */
  readonly objects?: ClusterObjects | undefined
  readonly random: Random
}): DryRunResult[] {
  const framework = frameworksOf(BEFORE_LIFE)[0]!
  const snapshot = new Snapshot(options.objects)
  for (const node of options.nodes) snapshot.setNode(node)
  for (const pod of options.placed ?? []) {
    if (pod.spec.nodeName && !isPodTerminal(pod)) snapshot.setPod(podInfo(pod), pod.spec.nodeName)
  }
  const inOrder = options.pods
    .map((pod, i) => ({ info: podInfo(pod), i }))
    .sort((a, b) => b.info.priority - a.info.priority || a.i - b.i)
  const results = new Map<number, DryRunResult>()
  for (const { info, i } of inOrder) {
    const decision = decide(info, snapshot, framework, options.random)
    if (decision.fits) {
      snapshot.assume(info, decision.node)
      results.set(i, { pod: info.pod, node: decision.node })
    } else {
      results.set(i, {
        pod: info.pod,
        message: fitErrorMessage(decision.error),
        plugins: byRejections(decision.error),
      })
    }
  }
  return options.pods.flatMap((_, i) => results.get(i) ?? [])
}

function byRejections({ rejections, plugins: names }: FitError): string[] {
  const counts = new Map([...names].map((name) => [name, 0]))
  for (const { plugin } of rejections.values()) counts.set(plugin, (counts.get(plugin) ?? 0) + 1)
  return [...counts].sort(([, a], [, b]) => b - a).map(([name]) => name)
}
