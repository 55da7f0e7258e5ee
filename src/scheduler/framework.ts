import { KeptVerdicts } from './kept-verdicts.ts'
import type { AnyPlugin } from './plugin.ts'

/** One profile of a KubeSchedulerConfiguration, made ready: which plugins say something at which point, in order. */
export interface Framework {
  /** spec.schedulerName of the pods it is for. */
  readonly name: string
  readonly preEnqueue: readonly AnyPlugin[]
  readonly preFilter: readonly AnyPlugin[]
  /** The local ones before the first that is not: what they said is kept. */
  readonly localFilter: readonly AnyPlugin[]
  readonly otherFilter: readonly AnyPlugin[]
  readonly localScore: readonly Scorer[]
  readonly otherScore: readonly Scorer[]
  /** Of DefaultPreemption; undefined when it is off. */
  readonly preemption: PreemptionArgs | undefined
  readonly reserve: readonly AnyPlugin[]
  readonly permit: readonly AnyPlugin[]
  readonly preBind: readonly AnyPlugin[]
  readonly bind: readonly AnyPlugin[]
  readonly postBind: readonly AnyPlugin[]
  readonly byName: ReadonlyMap<string, AnyPlugin>
  /** percentageOfNodesToScore; 0 is automatic. */
  readonly percentage: number
  readonly kept: KeptVerdicts
}

/** DefaultPreemptionArgs: how many of the nodes where evicting may help are candidates enough; 10 %, at least 100. */
export interface PreemptionArgs {
  readonly minCandidateNodesPercentage?: number
  readonly minCandidateNodesAbsolute?: number
}

export interface Scorer {
  readonly plugin: AnyPlugin
  readonly weight: number
}

/** Which plugins are on at each extension point, in order; `score` with weights. */
export interface PluginSets {
  readonly preEnqueue: readonly AnyPlugin[]
  readonly preFilter: readonly AnyPlugin[]
  readonly filter: readonly AnyPlugin[]
  readonly preemption: PreemptionArgs | undefined
  readonly score: readonly Scorer[]
  readonly reserve: readonly AnyPlugin[]
  readonly permit: readonly AnyPlugin[]
  readonly preBind: readonly AnyPlugin[]
  readonly bind: readonly AnyPlugin[]
  readonly postBind: readonly AnyPlugin[]
}

export function frameworkOf(name: string, sets: PluginSets, percentage = 0): Framework {
  const filters = sets.filter.filter(({ filter }) => filter)
  const firstOther = filters.findIndex(({ isLocal }) => !isLocal)
  const locals = firstOther < 0 ? filters.length : firstOther
  const scorers = sets.score.filter(({ plugin }) => plugin.score)
  const localScore = scorers.filter(({ plugin }) => plugin.isLocal)
  const all = [
    ...sets.preEnqueue,
    ...sets.preFilter,
    ...sets.filter,
    ...sets.score.map(({ plugin }) => plugin),
    ...sets.reserve,
    ...sets.permit,
    ...sets.preBind,
    ...sets.bind,
    ...sets.postBind,
  ]
  return {
    name,
    preEnqueue: sets.preEnqueue.filter(({ preEnqueue }) => preEnqueue),
    preFilter: sets.preFilter.filter(({ preFilter }) => preFilter),
    localFilter: filters.slice(0, locals),
    otherFilter: filters.slice(locals),
    localScore,
    otherScore: scorers.filter(({ plugin }) => !plugin.isLocal),
    preemption: sets.preemption,
    reserve: sets.reserve.filter(({ reserve }) => reserve),
    permit: sets.permit.filter(({ permit }) => permit),
    preBind: sets.preBind.filter(({ preBind }) => preBind),
    bind: sets.bind.filter(({ bind }) => bind),
    postBind: sets.postBind.filter(({ postBind }) => postBind),
    byName: new Map(all.map((plugin) => [plugin.name, plugin])),
    percentage,
    kept: new KeptVerdicts(localScore.length),
  }
}
