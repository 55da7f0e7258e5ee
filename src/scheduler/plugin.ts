import type { Node } from '../api/kinds/node.ts'
import type { Pod } from '../api/kinds/pod.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'
import type { Snapshot } from './snapshot.ts'

/** Why a pod does not go on a node. Rejections are made once and shared: filters run thousands of times a second. */
export interface Rejection {
  readonly plugin: string
  /** As FailedScheduling prints them; a node counts once for each. */
  readonly reasons: readonly string[]
  /** False: no pod that leaves the node would change it (UnschedulableAndUnresolvable), so preemption is not tried. */
  readonly resolvable: boolean
}

/** What happened in the cluster that may make a waiting pod fit. */
export type ClusterEvent =
  | { readonly type: 'node-added'; readonly node: Node }
  | { readonly type: 'node-updated'; readonly node: Node; readonly previous: Node }
  /** A bound pod went away or ended: its room, ports and claims are free. */
  | { readonly type: 'pod-removed'; readonly pod: Pod }
  | { readonly type: 'pod-bound'; readonly pod: Pod }
  /** The waiting pod itself changed (gates, tolerations, requests). */
  | { readonly type: 'pod-updated'; readonly pod: Pod; readonly previous: Pod }

/**
 * One rule of scheduling (kube-scheduler's framework extension points). All functions are pure; a state made by
 * `preFilter` or `preScore` lives for one pod's cycle. Absent: the plugin has nothing to say at that point.
 */
export interface Plugin<F = unknown, S = unknown> {
  readonly name: string
  /** Of `score`; the default weights of kube-scheduler. */
  readonly weight?: number
  /** Keeps a pod from being tried at all; the text goes into the PodScheduled condition. */
  preEnqueue?(pod: PodInfo): string | undefined
  /** 'skip': this pod needs no filter by this plugin. `reject` ends the cycle for all nodes, with the message as is. */
  preFilter?(pod: PodInfo, snapshot: Snapshot): 'skip' | { readonly state: F } | { readonly reject: string }
  filter?(pod: PodInfo, node: NodeInfo, state: F): Rejection | undefined
  /** 'skip': all nodes score 0. */
  preScore?(pod: PodInfo, nodes: readonly NodeInfo[], snapshot: Snapshot): 'skip' | { readonly state: S }
  score?(pod: PodInfo, node: NodeInfo, state: S): number
  /** Brings the raw scores into 0…100, in place. */
  normalize?(scores: number[]): void
  /** Whether the event may make a pod fit that this plugin rejected. Absent: every event may. */
  wakes?(pod: PodInfo, event: ClusterEvent): boolean
}

/** A list of plugins of different states has no better type. */
// biome-ignore lint/suspicious/noExplicitAny: states are private to each plugin
export type AnyPlugin = Plugin<any, any>

export const SCORE_MAX = 100

/** 100·c/max, or 100 − that; all 0 (or all 100 when reversed) where max is 0. helper.DefaultNormalizeScore. */
export function normalizeByMax(scores: number[], reverse: boolean): void {
  const max = scores.reduce((most, score) => Math.max(most, score), 0)
  for (let i = 0; i < scores.length; i += 1) {
    if (max === 0) {
      if (reverse) scores[i] = SCORE_MAX
      continue
    }
    const score = Math.floor((SCORE_MAX * (scores[i] ?? 0)) / max)
    scores[i] = reverse ? SCORE_MAX - score : score
  }
}
