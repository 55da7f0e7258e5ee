import type { KindRef } from '../api/kind.ts'
import type { Node } from '../api/kinds/node.ts'
import type { Pod } from '../api/kinds/pod.ts'
import type { Resource } from '../api/resource.ts'
import type { Env } from '../base/env.ts'
import type { Client } from '../client/client.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'
import type { Snapshot } from './snapshot.ts'
import type { WaitingPods } from './waiting-pods.ts'

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
  | { readonly type: 'node-removed'; readonly node: Node }
  /** A bound pod went away or ended: its room, ports and claims are free. */
  | { readonly type: 'pod-removed'; readonly pod: Pod }
  | { readonly type: 'pod-bound'; readonly pod: Pod }
  /** The labels or requests of a bound pod changed, or it began to end. */
  | { readonly type: 'placed-pod-updated'; readonly pod: Pod; readonly previous: Pod }
  /** The waiting pod itself changed (gates, tolerations, requests). */
  | { readonly type: 'pod-updated'; readonly pod: Pod; readonly previous: Pod }
  /** An object of another kind that a plugin asks for came, changed or went; `resource` is its newest form. */
  | ObjectChanged

export interface ObjectChanged {
  readonly type: 'object-changed'
  readonly kind: KindRef
  readonly change: 'added' | 'updated' | 'deleted'
  readonly resource: Resource
  readonly previous?: Resource | undefined
}

/** What a preFilter says: nothing to do, a state for `filter`, only some nodes at all, or no node. */
export type Prepared<F> =
  | 'skip'
  | { readonly state: F; readonly nodes?: ReadonlySet<string> | undefined }
  | { readonly reject: string; readonly resolvable?: boolean }

/** One change, of the pod or of the cluster, as a sentence without its full stop; '' where another plugin's does. */
export interface Remedy {
  readonly change: string
  /** How much it asks for: 0 is nothing, 1 a field or a label, between them a part of a request. */
  readonly cost: number
}

/** What a permit says: go on, not at all, or not before the plugin allows it (rejected after `waitMs`, 15 min at most). */
export type Permission = undefined | { readonly reject: string } | { readonly waitMs: number }

/** All of these changes, each as big as the next. */
export function together(changes: readonly string[]): Remedy | undefined {
  return changes.length === 0 ? undefined : { change: changes.join(' and '), cost: changes.length }
}

/** What asynchronous steps work with. */
export interface BindingContext {
  readonly env: Env
  readonly client: Client
  readonly snapshot: Snapshot
  /** Waits until an object changes so that `isDone`; throws "timed out waiting until …" after `ms`. */
  until(isDone: () => unknown, ms: number, what: string): Promise<void>
}

/**
 * One rule of scheduling: kube-scheduler's framework extension points. All but `preBind` and `bind` are synchronous and
 * change nothing outside the plugin; a state made by `preFilter` or `preScore` lives for one pod's cycle. Absent: the
 * plugin has nothing to say at that point.
 */
export interface Plugin<F = unknown, S = unknown> {
  readonly name: string
  /**
   * `filter` and `score` depend on nothing but the pod's shape and the node itself with its pods: what they said of
   * one pod holds for the next of its shape until the node changes.
   */
  readonly isLocal?: boolean
  /** Kinds beside pods and nodes whose changes may make a rejected pod fit. */
  readonly watches?: readonly KindRef[]
  /** Keeps a pod from being tried at all; the text goes into the PodScheduled condition. */
  preEnqueue?(pod: PodInfo, snapshot: Snapshot): string | undefined
  preFilter?(pod: PodInfo, snapshot: Snapshot): Prepared<F>
  filter?(pod: PodInfo, node: NodeInfo, state: F): Rejection | undefined
  /** What would make `filter` take the node that it rejects; undefined when there is nothing one could change. */
  remedy?(pod: PodInfo, node: NodeInfo, state: F): Remedy | undefined
  /** 'skip': all nodes score 0. */
  preScore?(pod: PodInfo, nodes: readonly NodeInfo[], snapshot: Snapshot): 'skip' | { readonly state: S }
  score?(pod: PodInfo, node: NodeInfo, state: S): number
  /** Brings the raw scores into 0…100, in place. */
  normalize?(scores: Scores, nodes: readonly NodeInfo[], state: S): void
  /** Takes what the pod is going to use, before it is bound; the text of a failure puts the pod back. */
  reserve?(pod: PodInfo, node: NodeInfo, snapshot: Snapshot): string | undefined
  /** Gives it back: the binding failed. */
  unreserve?(pod: PodInfo): void
  /** The last word on a pod that has its node; of all plugins that wait, each must allow it (see WaitingPods). */
  permit?(pod: PodInfo, node: string, waiting: WaitingPods, snapshot: Snapshot): Permission
  /** What must be true in the cluster before the pod is bound. A throw puts the pod back. */
  preBind?(pod: PodInfo, node: string, context: BindingContext): Promise<void>
  /** Binds the pod; of several, the first that is asked. */
  bind?(pod: PodInfo, node: string, context: BindingContext): Promise<void>
  /** Told that the pod is bound. */
  postBind?(pod: PodInfo, node: string): void
  /**
   * Which events may make a pod fit that this plugin rejected, by type; a type that is absent never does. A plugin
   * without hints is woken by every event.
   */
  readonly hints?: Hints
}

type EventOf<T extends ClusterEvent['type']> = Extract<ClusterEvent, { readonly type: T }>

/** Pure and quick: asked of every pod that waits. */
export type Hints = {
  readonly [T in ClusterEvent['type']]?: (pod: PodInfo, event: EventOf<T>, snapshot: Snapshot) => boolean
}

/** The waiting pod's own change. */
export const isOwn = ({ uid }: PodInfo, { pod }: { readonly pod: Pod }): boolean => pod.metadata.uid === uid

/** The object is a claim that the pod mounts. */
export const isOwnClaim = ({ claims }: PodInfo, { resource: { metadata } }: ObjectChanged): boolean =>
  claims.includes(`${metadata.namespace}/${metadata.name}`)

/** One score for each feasible node. */
export type Scores = Float64Array

/** A list of plugins of different states has no better type. */
// biome-ignore lint/suspicious/noExplicitAny: states are private to each plugin
export type AnyPlugin = Plugin<any, any>

export const SCORE_MAX = 100

/** 100·c/max, or 100 − that; all 0 (or all 100 when reversed) where max is 0. helper.DefaultNormalizeScore. */
export function normalizeByMax(scores: Scores, reverse: boolean): void {
  let max = 0
  for (let i = 0; i < scores.length; i += 1) max = Math.max(max, scores[i]!)
  if (max === 0) {
    if (reverse) scores.fill(SCORE_MAX)
    return
  }
  for (let i = 0; i < scores.length; i += 1) {
    const score = Math.floor((SCORE_MAX * scores[i]!) / max)
    scores[i] = reverse ? SCORE_MAX - score : score
  }
}
