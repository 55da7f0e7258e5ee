import type { V1PolicyRule } from '../../../api/generated/types.ts'
import type { Attributes } from '../attributes.ts'

/** How rules of roles are read: pure tables over policy rules. */

const ALL = '*'

export function ruleAllows(rule: V1PolicyRule, attributes: Attributes): boolean {
  if (!includesOrAll(rule.verbs, attributes.verb)) return false
  if (attributes.type === 'path')
    return (rule.nonResourceURLs ?? []).some((url) => urlCovers(url, attributes.path))
  const { group, resource, subresource, name } = attributes
  return (
    includesOrAll(rule.apiGroups, group) &&
    (rule.resources ?? []).some((one) => resourceCovers(one, resource, subresource)) &&
    (!rule.resourceNames?.length || rule.resourceNames.includes(name))
  )
}

function includesOrAll(list: readonly string[] | undefined, value: string): boolean {
  return list !== undefined && (list.includes(ALL) || list.includes(value))
}

/** "pods", "pods/log", "*" and, for one subresource of anything, the form with a star before the slash. */
function resourceCovers(one: string, resource: string, subresource: string): boolean {
  if (one === ALL) return true
  if (subresource === '') return one === resource
  return one === `${resource}/${subresource}` || one === `${ALL}/${subresource}`
}

function urlCovers(pattern: string, path: string): boolean {
  if (pattern === ALL || pattern === path) return true
  return pattern.endsWith(ALL) && path.startsWith(pattern.replace(/\*+$/, ''))
}

/** What of `wanted` is not held, in rules of one verb on one thing, joined where only verbs differ; empty when all is. */
export function rulesNotHeld(
  held: readonly V1PolicyRule[],
  wanted: readonly V1PolicyRule[],
): readonly V1PolicyRule[] {
  const missing = wanted.flatMap(breakDown).filter((single) => !held.some((rule) => covers(rule, single)))
  return compact(missing)
}

function breakDown(rule: V1PolicyRule): V1PolicyRule[] {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule
  const singles: V1PolicyRule[] = []
  for (const group of apiGroups)
    for (const resource of resources)
      for (const verb of verbs)
        for (const name of resourceNames.length > 0 ? resourceNames : [undefined])
          singles.push({
            apiGroups: [group],
            resources: [resource],
            verbs: [verb],
            ...(name === undefined ? {} : { resourceNames: [name] }),
          })
  for (const url of nonResourceURLs)
    for (const verb of verbs) singles.push({ nonResourceURLs: [url], verbs: [verb] })
  return singles
}

function covers(held: V1PolicyRule, single: V1PolicyRule): boolean {
  if (!includesOrAll(held.verbs, single.verbs[0] ?? '')) return false
  const url = single.nonResourceURLs?.[0]
  if (url !== undefined) return (held.nonResourceURLs ?? []).some((pattern) => urlCovers(pattern, url))
  const [resource = '', subresource = ''] = (single.resources?.[0] ?? '').split('/')
  const name = single.resourceNames?.[0]
  return (
    includesOrAll(held.apiGroups, single.apiGroups?.[0] ?? '') &&
    (held.resources ?? []).some((one) => resourceCovers(one, resource, subresource)) &&
    (!held.resourceNames?.length || (name !== undefined && held.resourceNames.includes(name)))
  )
}

/** Rules on the same thing become one with all their verbs. */
export function compact(rules: readonly V1PolicyRule[]): V1PolicyRule[] {
  const byTarget = new Map<string, V1PolicyRule>()
  for (const rule of rules) {
    const { verbs, ...target } = rule
    const key = JSON.stringify([
      target.apiGroups ?? [],
      target.resources ?? [],
      target.resourceNames ?? [],
      target.nonResourceURLs ?? [],
    ])
    const before = byTarget.get(key)
    const merged = before ? [...before.verbs, ...verbs.filter((verb) => !before.verbs.includes(verb))] : verbs
    byTarget.set(key, { ...target, verbs: merged })
  }
  return [...byTarget.values()]
}

/** `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}`, as Kubernetes prints rules to people. */
export function formatRule(rule: V1PolicyRule): string {
  const parts = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ] as const
  const shown = parts.flatMap(([name, list]) => (list?.length ? [`${name}:${formatTexts(list)}`] : []))
  return `{${shown.join(', ')}}`
}

/** Go's %q of a list: `["a" "b"]`. */
export function formatTexts(list: readonly string[]): string {
  return `[${list.map((text) => JSON.stringify(text)).join(' ')}]`
}
