import { parseDuration } from '../api/duration.ts'
import type { Pod } from '../api/kinds/pod.ts'
import type { Clock } from '../base/clock.ts'
import { isObject } from '../base/json.ts'
import type { Random } from '../base/random.ts'
import type { ExtenderConfiguration } from './configuration.ts'
import { type Decision, findFeasible, pick, rejectionsOf } from './decide.ts'
import { post, tlsOptions } from './extender-transport.ts'
import type { Framework } from './framework.ts'
import type { NodeInfo } from './node-info.ts'
import type { Rejection } from './plugin.ts'
import type { PodInfo } from './pod-info.ts'
import { type Candidate, moreImportantFirst } from './preemption.ts'
import type { Snapshot } from './snapshot.ts'

const NAME = 'Extender'
const TIMEOUT_MS = 5000
/** Extenders score from 0 to 10. */
const SCORE_FACTOR = 10

/**
 * A program beside the scheduler that is asked over HTTP after the plugins: which of the feasible nodes to leave out, and
 * what the others are worth (kube-scheduler's extender protocol, ExtenderArgs and ExtenderFilterResult).
 */
export class Extender {
  readonly #clock: Clock
  readonly #config: ExtenderConfiguration
  #tls: ReturnType<typeof tlsOptions> | undefined

  constructor(clock: Clock, config: ExtenderConfiguration) {
    this.#clock = clock
    this.#config = config
  }

  get filters(): boolean {
    return Boolean(this.#config.filterVerb)
  }

  get binds(): boolean {
    return Boolean(this.#config.bindVerb)
  }

  get preempts(): boolean {
    return Boolean(this.#config.preemptVerb)
  }

  /** Without managedResources all pods; else those that ask for one of them. */
  isInterested({ pod }: PodInfo): boolean {
    const managed = this.#config.managedResources ?? []
    if (managed.length === 0) return true
    const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
    return containers.some(({ resources }) =>
      managed.some(
        ({ name }) => resources?.requests?.[name] !== undefined || resources?.limits?.[name] !== undefined,
      ),
    )
  }

  /** The nodes that are left, and why the others are not. Throws when it cannot be asked, unless it may be passed over. */
  async filter(
    pod: Pod,
    nodes: readonly NodeInfo[],
  ): Promise<{ readonly left: readonly NodeInfo[]; readonly rejections: ReadonlyMap<string, Rejection> }> {
    const rejections = new Map<string, Rejection>()
    let answer: Readonly<Record<string, unknown>>
    try {
      answer = await this.#post(this.#config.filterVerb ?? '', this.#args(pod, nodes))
      failOn(answer)
    } catch (error) {
      if (this.#config.ignorable) return { left: nodes, rejections }
      throw error
    }
    const names = new Set(namesIn(answer))
    const failed = (member: string, resolvable: boolean) => {
      for (const [name, reason] of Object.entries(objectIn(answer, member)))
        if (!rejections.has(name))
          rejections.set(name, { plugin: NAME, reasons: [String(reason)], resolvable })
    }
    failed('FailedAndUnresolvableNodes', false)
    failed('FailedNodes', true)
    return { left: nodes.filter(({ name }) => names.has(name)), rejections }
  }

  /** Adds to the scores, in place. One that fails counts for nothing. */
  async prioritize(pod: Pod, nodes: readonly NodeInfo[], scores: Float64Array): Promise<void> {
    const { prioritizeVerb, weight = 1 } = this.#config
    if (!prioritizeVerb) return
    let answer: unknown
    try {
      answer = await this.#post(prioritizeVerb, this.#args(pod, nodes))
    } catch {
      return
    }
    const given = new Map(
      (Array.isArray(answer) ? answer : []).map((each: object): [unknown, number] => [
        memberOf(each, 'Host'),
        Number(memberOf(each, 'Score') ?? 0),
      ]),
    )
    nodes.forEach(({ name }, i) => {
      scores[i] = (scores[i] ?? 0) + (given.get(name) ?? 0) * weight * SCORE_FACTOR
    })
  }

  /** Throws when the pod could not be bound. */
  async bind({ metadata }: Pod, node: string): Promise<void> {
    const answer = await this.#post(this.#config.bindVerb ?? '', {
      PodName: metadata.name,
      PodNamespace: metadata.namespace,
      PodUID: metadata.uid,
      Node: node,
    })
    failOn(answer)
  }

  /**
   * The candidates it leaves, with the victims it wants. Throws when it cannot be asked or names pods that are not there,
   * unless it may be passed over.
   */
  async preempt(
    info: PodInfo,
    candidates: readonly Candidate[],
    snapshot: Snapshot,
  ): Promise<readonly Candidate[]> {
    const { preemptVerb = '', nodeCacheCapable, ignorable } = this.#config
    const victims = (pods: (candidate: Candidate) => readonly unknown[]) =>
      Object.fromEntries(
        candidates.map((candidate) => [
          candidate.node,
          { Pods: pods(candidate), NumPDBViolations: candidate.budgetViolations },
        ]),
      )
    const shown = nodeCacheCapable
      ? { NodeNameToMetaVictims: victims((each) => each.victims.map(({ uid }) => ({ UID: uid }))) }
      : { NodeNameToVictims: victims((each) => each.victims.map(({ pod }) => pod)) }
    try {
      const answer = await this.#post(preemptVerb, { Pod: info.pod, ...shown })
      return Object.entries(objectIn(answer, 'NodeNameToMetaVictims')).flatMap(([node, given]) => {
        const found = this.#victimsIn(node, isObject(given) ? given : {}, snapshot)
        if (found.length === 0 && !ignorable)
          throw new Error(`expected at least one victim pod on node "${node}"`)
        const budgetViolations = Number(memberOf(given as object, 'NumPDBViolations') ?? 0)
        return found.length === 0 ? [] : [{ node, victims: found, budgetViolations }]
      })
    } catch (error) {
      if (ignorable) return candidates
      throw error
    }
  }

  #victimsIn(node: string, given: object, snapshot: Snapshot): PodInfo[] {
    const pods = memberOf(given, 'Pods')
    return (Array.isArray(pods) ? pods : [])
      .map((each: object) => {
        const uid = String(memberOf(each, 'UID') ?? '')
        const victim = snapshot.node(node)?.pods.get(uid)
        if (!victim)
          throw new Error(
            `extender: ${this.#config.urlPrefix} claims to preempt pod (UID: ${uid}) on node: ${node}, but the pod is not found on that node`,
          )
        return victim
      })
      .sort(moreImportantFirst)
  }

  #args(pod: Pod, nodes: readonly NodeInfo[]): object {
    return this.#config.nodeCacheCapable
      ? { Pod: pod, NodeNames: nodes.map(({ name }) => name) }
      : { Pod: pod, Nodes: { apiVersion: 'v1', kind: 'NodeList', items: nodes.map(({ node }) => node) } }
  }

  async #post(verb: string, body: object): Promise<Readonly<Record<string, unknown>>> {
    const { urlPrefix, httpTimeout } = this.#config
    const stop = new AbortController()
    const ms = httpTimeout === undefined ? TIMEOUT_MS : (parseDuration(httpTimeout) ?? TIMEOUT_MS)
    const cancel = this.#clock.after(ms, () => stop.abort())
    try {
      this.#tls ??= tlsOptions(this.#config)
      const url = `${urlPrefix.replace(/\/$/, '')}/${verb}`
      const { status, text } = await post(url, JSON.stringify(body), this.#tls, stop.signal)
      if (status !== 200) throw new Error(`failed ${verb} with extender at URL ${urlPrefix}, code ${status}`)
      return JSON.parse(text) as Readonly<Record<string, unknown>>
    } finally {
      cancel()
    }
  }
}

function namesIn(answer: object): readonly string[] {
  const names = memberOf(answer, 'NodeNames')
  if (Array.isArray(names)) return names.map(String)
  const items = objectIn(answer, 'Nodes')['items']
  return (Array.isArray(items) ? items : []).map(
    (node: { metadata?: { name?: string } }) => node.metadata?.name ?? '',
  )
}

/** The protocol has Go's names; extenders in other languages write them as they like, and Go takes any case. */
function memberOf(object: object, name: string): unknown {
  const wanted = name.toLowerCase()
  return Object.entries(object).find(([key]) => key.toLowerCase() === wanted)?.[1]
}

function objectIn(object: object, name: string): Readonly<Record<string, unknown>> {
  const member = memberOf(object, name)
  return isObject(member) ? member : {}
}

function failOn(answer: object): void {
  const error = memberOf(answer, 'Error')
  if (typeof error === 'string' && error !== '') throw new Error(error)
}

/** The decision with extenders: each narrows what the one before has left; all add to the scores. */
export async function decideWithExtenders(
  pod: PodInfo,
  snapshot: Snapshot,
  framework: Framework,
  random: Random,
  extenders: readonly Extender[],
): Promise<Decision> {
  const found = findFeasible(pod, snapshot, framework)
  if ('error' in found) return { fits: false, error: found.error }
  let feasible = found.feasible
  const rejections = new Map<string, Rejection>()
  for (const extender of extenders) {
    if (!extender.filters || feasible.length === 0) continue
    const { left, rejections: more } = await extender.filter(pod.pod, feasible)
    for (const [name, rejection] of more) rejections.set(name, rejection)
    feasible = left
  }
  const [only] = feasible
  if (!only) {
    const all = new Map([...rejectionsOf(found.cycle, snapshot.nodes), ...rejections])
    const plugins = new Set([...all.values()].map(({ plugin }) => plugin))
    return { fits: false, error: { nodes: snapshot.size, rejections: all, plugins: plugins.add(NAME) } }
  }
  const scores = found.cycle.score(feasible)
  for (const extender of extenders) await extender.prioritize(pod.pod, feasible, scores)
  return { fits: true, node: pick(feasible, scores, random).name, feasible, scores }
}
