import type { V1LabelSelector, V1NamedRuleWithOperations } from './generated/types.ts'
import { type Labels, labelSelectorMatches } from './selectors.ts'

/** What a request is about, as the rules of webhooks and admission policies see it. */
export interface AdmissionSubject {
  readonly operation: string
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly subresource: string
  readonly scope: 'Namespaced' | 'Cluster'
  readonly name: string
}

/** Whether any rule of the list is about this request. No rules match nothing. */
export function matchesRules(
  rules: readonly V1NamedRuleWithOperations[] | undefined,
  subject: AdmissionSubject,
): boolean {
  return (rules ?? []).some((rule) => matchesRule(rule, subject))
}

function matchesRule(rule: V1NamedRuleWithOperations, subject: AdmissionSubject): boolean {
  const {
    operations = [],
    apiGroups = [],
    apiVersions = [],
    resources = [],
    scope = '*',
    resourceNames = [],
  } = rule
  const has = (list: readonly string[], value: string) => list.includes('*') || list.includes(value)
  return (
    has(operations, subject.operation) &&
    has(apiGroups, subject.group) &&
    has(apiVersions, subject.version) &&
    resources.some((resource) => matchesResource(resource, subject)) &&
    (scope === '*' || scope === subject.scope) &&
    (resourceNames.length === 0 || resourceNames.includes(subject.name))
  )
}

// "pods", "pods/status", "pods/*", "*", "*/scale" and "*/*".
function matchesResource(wanted: string, { plural, subresource }: AdmissionSubject): boolean {
  const [resource, sub = ''] = wanted.split('/')
  return (resource === '*' || resource === plural) && (sub === '*' ? wanted !== '*' : sub === subresource)
}

/** Selectors of a webhook or policy; `namespace` is undefined for what has none, which every namespace selector takes. */
export function matchesSelectors(
  {
    namespaceSelector,
    objectSelector,
  }: {
    readonly namespaceSelector?: V1LabelSelector | undefined
    readonly objectSelector?: V1LabelSelector | undefined
  },
  namespace: Labels | undefined,
  objects: readonly (Labels | undefined)[],
): boolean {
  const isEmpty = (selector: V1LabelSelector | undefined) =>
    !selector ||
    (Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions?.length ?? 0) === 0)
  if (!isEmpty(namespaceSelector) && namespace && !labelSelectorMatches(namespaceSelector, namespace))
    return false
  return (
    isEmpty(objectSelector) ||
    objects.some((labels) => labels !== undefined && labelSelectorMatches(objectSelector, labels))
  )
}
