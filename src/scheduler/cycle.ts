import type { Framework, Scorer } from './framework.ts'
import type { Kept } from './kept-verdicts.ts'
import type { NodeInfo } from './node-info.ts'
import type { AnyPlugin, Rejection, Remedy } from './plugin.ts'
import type { PodInfo } from './pod-info.ts'
import type { Snapshot, Trial } from './snapshot.ts'

interface Active {
  readonly plugin: AnyPlugin
  readonly state: unknown
}

export interface PluginVerdict {
  readonly plugin: string
  readonly rejection: Rejection | undefined
  readonly remedy: Remedy | undefined
}

/** A preFilter has ruled out every node. */
export interface Refusal {
  readonly reject: string
  readonly plugins: readonly string[]
  readonly resolvable: boolean
}

/**
 * One pod's way through the filters and scores of a framework. What the local plugins say is taken from what they said
 * of another pod of the same shape, as long as the node is the same; counters are asked anew each time.
 */
export class Cycle {
  readonly pod: PodInfo
  readonly snapshot: Snapshot
  readonly framework: Framework
  /** The only nodes there is a point in asking; undefined is all. And who says so. */
  readonly nodes: ReadonlySet<string> | undefined
  readonly narrowedBy: readonly string[]
  readonly #local: readonly Active[]
  readonly #other: readonly Active[]
  readonly #kept: Kept | undefined

  private constructor(
    pod: PodInfo,
    snapshot: Snapshot,
    framework: Framework,
    prepared: ReadonlyMap<AnyPlugin, unknown>,
    skipped: ReadonlySet<AnyPlugin>,
    nodes: ReadonlySet<string> | undefined,
    narrowedBy: readonly string[],
  ) {
    this.pod = pod
    this.snapshot = snapshot
    this.framework = framework
    this.nodes = nodes
    this.narrowedBy = narrowedBy
    const active = (plugins: readonly AnyPlugin[]) =>
      plugins
        .filter((plugin) => !skipped.has(plugin))
        .map((plugin) => ({ plugin, state: prepared.get(plugin) }))
    this.#local = active(framework.localFilter)
    this.#other = active(framework.otherFilter)
    this.#kept = nodes || pod.pod.spec.nodeName ? undefined : framework.kept.of(pod.shape, snapshot.slots)
  }

  static begin(pod: PodInfo, snapshot: Snapshot, framework: Framework): Cycle | Refusal {
    const states = new Map<AnyPlugin, unknown>()
    const skipped = new Set<AnyPlugin>()
    let nodes: ReadonlySet<string> | undefined
    const narrowedBy: string[] = []
    for (const plugin of framework.preFilter) {
      const prepared = plugin.preFilter!(pod, snapshot)
      if (prepared === 'skip') {
        skipped.add(plugin)
        continue
      }
      if ('reject' in prepared) {
        const { reject, resolvable = false } = prepared
        return { reject, plugins: [plugin.name], resolvable }
      }
      states.set(plugin, prepared.state)
      if (!prepared.nodes) continue
      narrowedBy.push(plugin.name)
      const { nodes: more } = prepared
      nodes = nodes ? new Set([...nodes].filter((name) => more.has(name))) : more
      if (nodes.size === 0) return noNodeLeft(narrowedBy)
    }
    return new Cycle(pod, snapshot, framework, states, skipped, nodes, narrowedBy.sort())
  }

  /** With what stands on the node, and with those of at least this priority that wait to come to it as well. */
  verdict(node: NodeInfo): Rejection | undefined {
    const rejection = this.#keptFilter(node)
    if (rejection) return rejection
    const nominated = this.snapshot.nominatedOn(node.name, this.pod.priority, this.pod.uid)
    if (nominated.length === 0) return undefined
    return this.snapshot.trial(node, (trial) => {
      for (const other of nominated) trial.add(other)
      return this.filter(node)
    })
  }

  /** The same on a node that is being tried out. */
  verdictIn(trial: Trial, node: NodeInfo): Rejection | undefined {
    const rejection = this.filter(node)
    if (rejection) return rejection
    const nominated = this.snapshot.nominatedOn(node.name, this.pod.priority, this.pod.uid)
    if (nominated.length === 0) return undefined
    for (const other of nominated) trial.add(other)
    const fuller = this.filter(node)
    for (const other of nominated) trial.remove(other)
    return fuller
  }

  /** On a node that is being tried out: nothing that is known is used, nothing is kept. */
  filter(node: NodeInfo): Rejection | undefined {
    return run(this.#local, this.pod, node) ?? run(this.#other, this.pod, node)
  }

  /** What each plugin says, whether another has rejected the node already or not, and what would change its mind. */
  everyVerdict(node: NodeInfo): readonly PluginVerdict[] {
    return [...this.#local, ...this.#other].map(({ plugin, state }) => {
      const rejection = plugin.filter?.(this.pod, node, state)
      return { plugin: plugin.name, rejection, remedy: rejection && plugin.remedy?.(this.pod, node, state) }
    })
  }

  #keptFilter(node: NodeInfo): Rejection | undefined {
    const kept = this.#kept
    if (!kept) return this.filter(node)
    if (!kept.isFiltered(node)) {
      kept.rejections[node.slot] = run(this.#local, this.pod, node)
      kept.filtered[node.slot] = node.generation
    }
    return kept.rejections[node.slot] ?? run(this.#other, this.pod, node)
  }

  /** Weighted sums, one for each node in order. `tell` hears each plugin's part, as it goes into the sum. */
  score(nodes: readonly NodeInfo[], tell?: (plugin: string, scores: Float64Array) => void): Float64Array {
    const totals = new Float64Array(nodes.length)
    const sum = ({ plugin, weight }: Scorer, scores: Float64Array, state: unknown) => {
      plugin.normalize?.(scores, nodes, state)
      for (let i = 0; i < totals.length; i += 1) totals[i] = totals[i]! + scores[i]! * weight
      tell?.(
        plugin.name,
        scores.map((score) => score * weight),
      )
    }
    const { localScore, otherScore } = this.framework
    const states = localScore.map(({ plugin }) => plugin.preScore?.(this.pod, nodes, this.snapshot))
    const kept = this.#kept
    if (kept) {
      for (const node of nodes)
        if (kept.scored[node.slot] !== node.generation) this.#keepScores(kept, node, states)
      for (let s = 0; s < localScore.length; s += 1) {
        const state = states[s]
        if (state === 'skip') continue
        const raw = kept.scores[s]!
        const { plugin, weight } = localScore[s]!
        if (!plugin.normalize && !tell) {
          for (let i = 0; i < totals.length; i += 1) totals[i] = totals[i]! + raw[nodes[i]!.slot]! * weight
          continue
        }
        const scores = new Float64Array(nodes.length)
        for (let i = 0; i < scores.length; i += 1) scores[i] = raw[nodes[i]!.slot]!
        sum(localScore[s]!, scores, state?.state)
      }
    } else {
      for (let s = 0; s < localScore.length; s += 1) this.#scoreBy(localScore[s]!, nodes, states[s], sum)
    }
    for (const scorer of otherScore)
      this.#scoreBy(scorer, nodes, scorer.plugin.preScore?.(this.pod, nodes, this.snapshot), sum)
    return totals
  }

  #keepScores(
    kept: Kept,
    node: NodeInfo,
    states: readonly (undefined | 'skip' | { readonly state: unknown })[],
  ) {
    const { localScore } = this.framework
    for (let s = 0; s < localScore.length; s += 1) {
      const state = states[s]
      if (state !== 'skip')
        kept.scores[s]![node.slot] = localScore[s]!.plugin.score!(this.pod, node, state?.state)
    }
    kept.scored[node.slot] = node.generation
  }

  #scoreBy(
    scorer: Scorer,
    nodes: readonly NodeInfo[],
    prepared: undefined | 'skip' | { readonly state: unknown },
    sum: (scorer: Scorer, scores: Float64Array, state: unknown) => void,
  ): void {
    if (prepared === 'skip') return
    const scores = new Float64Array(nodes.length)
    for (let i = 0; i < scores.length; i += 1)
      scores[i] = scorer.plugin.score!(this.pod, nodes[i]!, prepared?.state)
    sum(scorer, scores, prepared?.state)
  }
}

function run(active: readonly Active[], pod: PodInfo, node: NodeInfo): Rejection | undefined {
  for (let i = 0; i < active.length; i += 1) {
    const { plugin, state } = active[i]!
    const rejection = plugin.filter!(pod, node, state)
    if (rejection) return rejection
  }
  return undefined
}

function noNodeLeft(plugins: readonly string[]): Refusal {
  const reject =
    plugins.length === 1
      ? `node(s) didn't satisfy plugin ${plugins[0]}`
      : `node(s) didn't satisfy plugin(s) [${plugins.toSorted().join(' ')}] simultaneously`
  return { reject, plugins, resolvable: false }
}
