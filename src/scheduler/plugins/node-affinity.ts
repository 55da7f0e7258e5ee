import type { V1NodeAffinity, V1NodeSelectorTerm } from '../../api/generated/types.ts'
import type { Node } from '../../api/kinds/node.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { matchesNodeAffinity, matchesTerm, preferredWeight } from '../../api/placement.ts'
import { normalizeByMax, type Plugin } from '../plugin.ts'

const NAME = 'NodeAffinity'
const REJECTION = {
  plugin: NAME,
  reasons: ["node(s) didn't match Pod's node affinity/selector"],
  resolvable: false,
}
const ENFORCED = {
  plugin: NAME,
  reasons: ["node(s) didn't match scheduler-enforced node affinity"],
  resolvable: false,
}

export interface NodeAffinityArgs {
  /** Holds for every pod of the profile, beside its own. */
  readonly addedAffinity?: V1NodeAffinity | undefined
}

/** spec.nodeSelector and node affinity; a node scores the weights of the preferred terms it matches, 100·sum/max. */
export function nodeAffinity({ addedAffinity }: NodeAffinityArgs = {}): Plugin {
  const enforced = addedAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  const addedPreferred = addedAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  const isEnforced = (node: Node) =>
    enforced === undefined || enforced.some((term) => matchesTerm(term, node))
  const isWanted = (pod: Pod, node: Node) => isEnforced(node) && matchesNodeAffinity(pod, node)
  return {
    name: NAME,
    isLocal: true,
    preFilter({ pod }) {
      const required = requiredOf(pod)
      if (!pod.spec.nodeSelector && !required && !enforced) return 'skip'
      const nodes = namedNodes(required?.nodeSelectorTerms ?? [])
      if (nodes?.size === 0) return { reject: 'pod affinity terms conflict' }
      return { state: undefined, nodes }
    },
    filter({ pod }, { node }) {
      if (!isEnforced(node)) return ENFORCED
      return matchesNodeAffinity(pod, node) ? undefined : REJECTION
    },
    remedy({ pod }, { name, node }) {
      if (!isEnforced(node))
        return { change: `label node "${name}" as addedAffinity of the profile wants it`, cost: 1 }
      const labels = node.metadata.labels ?? {}
      const missing = Object.entries(pod.spec.nodeSelector ?? {}).filter(
        ([key, value]) => labels[key] !== value,
      )
      const pairs = missing.map(([key, value]) => `${key}=${value}`).join(',')
      if (matchesNodeAffinity({ ...pod, spec: { ...pod.spec, nodeSelector: {} } }, node))
        return {
          change: `label node "${name}" ${pairs}, or take it out of spec.nodeSelector`,
          cost: missing.length,
        }
      const relabelled = labelsFor(pod, node)
      if (relabelled)
        return { change: `label node "${name}" ${relabelled.join(',')}`, cost: relabelled.length }
      return {
        change: `change spec.affinity.nodeAffinity${pairs ? ' and spec.nodeSelector' : ''} to match node "${name}"`,
        cost: missing.length + 1,
      }
    },
    preScore: ({ pod }) =>
      addedPreferred.length > 0 || preferredOf(pod).length > 0 ? { state: undefined } : 'skip',
    score: ({ pod }, { node }) =>
      preferredWeight(addedPreferred, node) + preferredWeight(preferredOf(pod), node),
    normalize: (scores) => normalizeByMax(scores, false),
    hints: {
      'node-added': ({ pod }, { node }) => isWanted(pod, node),
      'node-updated': ({ pod }, { node, previous }) => !isWanted(pod, previous) && isWanted(pod, node),
    },
  }
}

/**
 * The fewest labels that make the node one the pod wants, as `kubectl label` takes them ("zone=a", "old-"); undefined
 * where no label does.
 */
function labelsFor(pod: Pod, node: Node): readonly string[] | undefined {
  const selected = Object.entries(pod.spec.nodeSelector ?? {}).map(([key, value]) => ({
    key,
    operator: 'In',
    values: [value],
  }))
  const ways = (requiredOf(pod)?.nodeSelectorTerms ?? []).flatMap(({ matchExpressions = [] }) => {
    const labels: Record<string, string> = { ...node.metadata.labels }
    const changes = new Set<string>()
    for (const requirement of [...selected, ...matchExpressions]) {
      const { key, operator, values = [] } = requirement
      if (matchesTerm({ matchExpressions: [requirement] }, node)) continue
      const value = valueFor(operator, values)
      changes.add(value === undefined ? `${key}-` : `${key}=${value}`)
      if (value === undefined) delete labels[key]
      else labels[key] = value
    }
    const changed = { ...node, metadata: { ...node.metadata, labels } }
    return matchesNodeAffinity(pod, changed) ? [[...changes]] : []
  })
  return ways.sort((a, b) => a.length - b.length)[0]
}

/** Undefined: no value at all. */
function valueFor(operator: string, values: readonly string[]): string | undefined {
  if (operator === 'In') return values[0]
  if (operator === 'Exists') return 'true'
  if (operator === 'Gt') return String(Number(values[0]) + 1)
  if (operator === 'Lt') return String(Number(values[0]) - 1)
  return undefined
}

function requiredOf({ spec }: Pod) {
  return spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
}

function preferredOf({ spec }: Pod) {
  return spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
}

/** The nodes that matchFields name, when every term names some: no other need be asked. */
function namedNodes(terms: readonly V1NodeSelectorTerm[]): ReadonlySet<string> | undefined {
  if (terms.length === 0) return undefined
  const all = new Set<string>()
  for (const { matchFields = [] } of terms) {
    const lists = matchFields
      .filter(({ key, operator }) => key === 'metadata.name' && operator === 'In')
      .map(({ values = [] }) => values)
    const [first, ...others] = lists
    if (!first) return undefined
    for (const name of first) if (others.every((list) => list.includes(name))) all.add(name)
  }
  return all
}
