import type { V1LabelSelector } from './generated/types.ts'
import { labelValue, qualifiedName } from './names.ts'
import { badRequest, fault, type StatusCause } from './status.ts'

export type Labels = Readonly<Record<string, string>>
/** A selector made ready: compiled once, asked often. */
export type LabelPredicate = (labels: Labels) => boolean

type Operator = 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt'

export interface Requirement {
  readonly key: string
  readonly operator: Operator
  readonly values: readonly string[]
}

export const EVERYTHING: LabelPredicate = () => true
export const NOTHING: LabelPredicate = () => false

function predicateOf({ key, operator, values }: Requirement): LabelPredicate {
  switch (operator) {
    case 'In':
      return values.length === 1
        ? (labels) => labels[key] === values[0]
        : (labels) => values.includes(labels[key] ?? '\0')
    case 'NotIn':
      return (labels) => !values.includes(labels[key] ?? '\0')
    case 'Exists':
      return (labels) => typeof labels[key] === 'string'
    case 'DoesNotExist':
      return (labels) => typeof labels[key] !== 'string'
    case 'Gt':
      return (labels) => integerOf(labels[key]) > integerOf(values[0])
    case 'Lt':
      return (labels) => integerOf(labels[key]) < integerOf(values[0])
    default: // A selector that validation has yet to refuse.
      return NOTHING
  }
}

/** NaN, which is neither more nor less than anything, for what is no whole number. */
function integerOf(text: string | undefined): number {
  return text !== undefined && /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
}

export function compileRequirements(requirements: readonly Requirement[]): LabelPredicate {
  const predicates = requirements.map(predicateOf)
  if (predicates.length === 0) return EVERYTHING
  if (predicates.length === 1) return predicates[0]!
  return (labels) => predicates.every((predicate) => predicate(labels))
}

/** metav1.LabelSelector: absent selects nothing, empty selects everything. */
export function compileLabelSelector(selector: V1LabelSelector | undefined): LabelPredicate {
  if (!selector) return NOTHING
  return compileRequirements(requirementsOf(selector))
}

export function requirementsOf(selector: V1LabelSelector): Requirement[] {
  return [
    ...Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
      key,
      operator: 'In' as const,
      values: [value],
    })),
    ...(selector.matchExpressions ?? []).map(({ key, operator, values }) => ({
      key,
      operator: operator as Operator,
      values: values ?? [],
    })),
  ]
}

export function labelSelectorMatches(
  selector: V1LabelSelector | undefined,
  labels: Labels | undefined,
): boolean {
  return compileLabelSelector(selector)(labels ?? {})
}

/** A plain map (Service.spec.selector): every pair must be there. An empty map selects nothing here. */
export function mapSelectorMatches(selector: Labels | undefined, labels: Labels | undefined): boolean {
  const pairs = Object.entries(selector ?? {})
  return pairs.length > 0 && pairs.every(([key, value]) => labels?.[key] === value)
}

/** A selector as text: "app=web,tier in (a,b),!legacy". Sorted by key as Kubernetes prints it. */
export function formatLabelSelector(selector: V1LabelSelector | undefined): string {
  if (!selector) return '<none>'
  const parts = requirementsOf(selector)
    .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ key, operator, values }) => {
      if (operator === 'Exists') return key
      if (operator === 'DoesNotExist') return `!${key}`
      if (operator === 'In' && values.length === 1) return `${key}=${values[0]}`
      return `${key} ${operator === 'In' ? 'in' : 'notin'} (${[...values].sort().join(',')})`
    })
  return parts.length === 0 ? '<none>' : parts.join(',')
}

const TOKEN = /\s*(\(|\)|,|!=|==|=|!|>|<|[^\s(),!=<>]+)/y

/** Parses kubectl's -l text. Throws BadRequest `unable to parse requirement: …`. Empty text selects everything. */
export function parseLabelSelector(text: string | undefined): Requirement[] {
  const tokens = tokenize(text ?? '')
  const requirements: Requirement[] = []
  let at = 0
  const refuse = (why: string): never => {
    throw badRequest(`unable to parse requirement: ${why}`)
  }
  const next = () => tokens[at++]
  const values = (operator: string): string[] => {
    if (next() !== '(') refuse(`found '${tokens[at - 1] ?? ''}', expected: '('`)
    const list: string[] = []
    for (let token = next(); token !== ')'; token = next()) {
      if (token === undefined) refuse(`found '', expected: ',', or ')'`)
      else if (token !== ',') list.push(checkedValue(token))
    }
    if (list.length === 0) refuse(`for 'in', 'notin' operators, values set can't be empty (${operator})`)
    return list
  }
  while (at < tokens.length) {
    const token = next() ?? ''
    if (token === '!') {
      requirements.push({ key: checkedKey(next() ?? ''), operator: 'DoesNotExist', values: [] })
    } else {
      const key = checkedKey(token)
      const operator = tokens[at]
      if (operator === undefined || operator === ',')
        requirements.push({ key, operator: 'Exists', values: [] })
      else {
        at += 1
        if (operator === 'in') requirements.push({ key, operator: 'In', values: values(operator) })
        else if (operator === 'notin') requirements.push({ key, operator: 'NotIn', values: values(operator) })
        else if (operator === '=' || operator === '==' || operator === '!=') {
          const value = tokens[at] === undefined || tokens[at] === ',' ? '' : (next() ?? '')
          requirements.push({
            key,
            operator: operator === '!=' ? 'NotIn' : 'In',
            values: [checkedValue(value)],
          })
        } else if (operator === '>' || operator === '<') {
          const value = next() ?? ''
          if (!/^-?\d+$/.test(value)) refuse(`for 'Gt', 'Lt' operators, the value must be an integer`)
          requirements.push({ key, operator: operator === '>' ? 'Gt' : 'Lt', values: [value] })
        } else refuse(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`)
      }
    }
    const separator = next()
    if (separator !== undefined && separator !== ',')
      refuse(`found '${separator}', expected: ',' or 'end of string'`)
    if (separator === ',' && at >= tokens.length) refuse(`found '', expected: identifier after ','`)
  }
  return requirements
}

function tokenize(text: string): string[] {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  let end = 0
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    tokens.push(match[1] ?? '')
    end = TOKEN.lastIndex
  }
  if (text.slice(end).trim() !== '')
    throw badRequest(`unable to parse requirement: found '${text.slice(end).trim()}'`)
  return tokens
}

function checkedKey(key: string): string {
  const wrong = qualifiedName(key)
  if (wrong)
    throw badRequest(`unable to parse requirement: <nil>: Invalid value: ${JSON.stringify(key)}: ${wrong}`)
  return key
}

function checkedValue(value: string): string {
  const wrong = labelValue(value)
  if (wrong)
    throw badRequest(`unable to parse requirement: <nil>: Invalid value: ${JSON.stringify(value)}: ${wrong}`)
  return value
}

export interface FieldRequirement {
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}

/** Parses "status.phase=Running,metadata.name!=web"; `\,` `\=` and `\\` are escapes. Throws BadRequest. */
export function parseFieldSelector(text: string | undefined): FieldRequirement[] {
  return (text ?? '')
    .split(/(?<!\\),/)
    .filter((part) => part !== '')
    .map((part) => {
      const match = /^((?:[^=!\\]|\\.)*?)(==|!=|=)(.*)$/s.exec(part)
      if (!match) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`)
      const [, field = '', operator, value = ''] = match
      return {
        field: field.trim(),
        operator: operator === '!=' ? '!=' : '=',
        value: value.replace(/\\([\\,=])/g, '$1'),
      }
    })
}

/** The faults of a LabelSelector in a spec. */
export function validateLabelSelector(selector: V1LabelSelector | undefined, path: string): StatusCause[] {
  if (!selector) return []
  const wrong: StatusCause[] = []
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    const wrongKey = qualifiedName(key)
    const wrongValue = labelValue(value)
    if (wrongKey) wrong.push(fault.invalid(`${path}.matchLabels`, key, wrongKey))
    if (wrongValue) wrong.push(fault.invalid(`${path}.matchLabels`, value, wrongValue))
  }
  for (const [i, { key, operator, values = [] }] of (selector.matchExpressions ?? []).entries()) {
    const at = `${path}.matchExpressions[${i}]`
    const wrongKey = qualifiedName(key)
    if (wrongKey) wrong.push(fault.invalid(`${at}.key`, key, wrongKey))
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        wrong.push(fault.required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        wrong.push(
          fault.forbidden(
            `${at}.values`,
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
          ),
        )
    } else wrong.push(fault.invalid(`${at}.operator`, operator, 'not a valid selector operator'))
    for (const [j, value] of values.entries()) {
      const wrongValue = labelValue(value)
      if (wrongValue) wrong.push(fault.invalid(`${at}.values[${j}]`, value, wrongValue))
    }
  }
  return wrong
}

/** As Go prints a *LabelSelector, which is how kube-controller-manager tells of one. */
export function goSelector(selector: V1LabelSelector | undefined): string {
  if (!selector) return 'nil'
  const labels = Object.entries(selector.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  )
  const pairs = labels.map(([key, value]) => `${key}: ${value},`).join('')
  return `&LabelSelector{MatchLabels:map[string]string{${pairs}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`
}
