import { load } from 'js-yaml'
import { badRequest } from '../../api/status.ts'
import { isObject } from '../../base/json.ts'
import type { Attributes } from '../auth/attributes.ts'

/** audit.k8s.io/v1 Policy: which requests are written down, and how much of them. Pure; the first rule that fits decides. */
export const LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'] as const
export type Level = (typeof LEVELS)[number]
export const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete'] as const
export type Stage = (typeof STAGES)[number]

export interface AuditPolicy {
  readonly rules: readonly AuditRule[]
  readonly omitStages: readonly string[]
  readonly omitManagedFields: boolean
}

interface AuditRule {
  readonly level: Level
  readonly users?: readonly string[]
  readonly userGroups?: readonly string[]
  readonly verbs?: readonly string[]
  readonly resources?: readonly {
    readonly group?: string
    readonly resources?: readonly string[]
    readonly resourceNames?: readonly string[]
  }[]
  readonly namespaces?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
  readonly omitStages?: readonly string[]
  readonly omitManagedFields?: boolean
}

export interface AuditDecision {
  readonly level: Level
  readonly omitStages: readonly string[]
  readonly omitManagedFields: boolean
}

/** Without a policy file: who did what, never what with. */
export const DEFAULT_POLICY: AuditPolicy = {
  rules: [
    { level: 'None', nonResourceURLs: ['/healthz*', '/livez*', '/readyz*', '/version'] },
    { level: 'Metadata' },
  ],
  omitStages: ['RequestReceived'],
  omitManagedFields: true,
}

/** Throws BadRequest that names the file and the fault. */
export function readAuditPolicy(text: string, file: string): AuditPolicy {
  const refuse = (why: string) => badRequest(`Cannot use the audit policy ${file}: ${why}`)
  let policy: unknown
  try {
    policy = load(text)
  } catch (error) {
    throw refuse((error as Error).message.split('\n')[0] ?? '')
  }
  if (!isObject(policy) || policy['kind'] !== 'Policy' || policy['apiVersion'] !== 'audit.k8s.io/v1')
    throw refuse('it must be a Policy of apiVersion audit.k8s.io/v1')
  const { rules, omitStages, omitManagedFields } = policy
  if (!Array.isArray(rules) || rules.length === 0) throw refuse('rules: Required value: give at least one')
  for (const [i, rule] of rules.entries()) {
    const level = isObject(rule) ? rule['level'] : undefined
    if (!LEVELS.includes(level as Level))
      throw refuse(
        `rules[${i}].level: Unsupported value: ${JSON.stringify(level)}: give one of ${LEVELS.join(', ')}`,
      )
    for (const [field, value] of Object.entries(rule as object))
      if (field !== 'level' && field !== 'omitManagedFields' && !Array.isArray(value))
        throw refuse(`rules[${i}].${field}: Invalid value: ${JSON.stringify(value)}: must be a list`)
  }
  return {
    rules: rules as readonly AuditRule[],
    omitStages: Array.isArray(omitStages) ? (omitStages as string[]) : [],
    omitManagedFields: omitManagedFields === true,
  }
}

/** What to write down about a request. Secrets and tokens are never written: at most their metadata. */
export function decideAudit(policy: AuditPolicy, attributes: Attributes): AuditDecision {
  const rule = policy.rules.find((each) => fits(each, attributes))
  if (!rule) return { level: 'None', omitStages: [], omitManagedFields: true }
  const isBodied = rule.level === 'Request' || rule.level === 'RequestResponse'
  return {
    level: isBodied && isSecret(attributes) ? 'Metadata' : rule.level,
    omitStages: [...policy.omitStages, ...(rule.omitStages ?? [])],
    omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields,
  }
}

function isSecret(attributes: Attributes): boolean {
  if (attributes.type === 'path') return false
  const { group, resource, subresource } = attributes
  return (
    (group === '' && resource === 'secrets') ||
    (group === '' && resource === 'serviceaccounts' && subresource === 'token') ||
    (group === 'authentication.k8s.io' && resource === 'tokenreviews')
  )
}

function fits(rule: AuditRule, attributes: Attributes): boolean {
  const { user, verb } = attributes
  const anyOf = (list: readonly string[] | undefined, value: string) => !list?.length || list.includes(value)
  if (!anyOf(rule.users, user.name) || !anyOf(rule.verbs, verb)) return false
  if (rule.userGroups?.length && !rule.userGroups.some((group) => user.groups.includes(group))) return false
  const isOfResources = Boolean(rule.resources?.length || rule.namespaces?.length)
  if (!isOfResources && !rule.nonResourceURLs?.length) return true
  if (attributes.type === 'path')
    return (rule.nonResourceURLs ?? []).some(
      (url) => url === attributes.path || (url.endsWith('*') && attributes.path.startsWith(url.slice(0, -1))),
    )
  const { group, resource, subresource, name, namespace } = attributes
  if (!isOfResources || !anyOf(rule.namespaces, namespace)) return false
  const whole = subresource ? `${resource}/${subresource}` : resource
  return (
    !rule.resources?.length ||
    rule.resources.some(
      (each) =>
        (each.group ?? '') === group &&
        anyOf(each.resourceNames, name) &&
        (!each.resources?.length ||
          each.resources.some(
            (one) =>
              one === '*' ||
              one === whole ||
              one === `${resource}/*` ||
              (subresource !== '' && one === `*/${subresource}`),
          )),
    )
  )
}
