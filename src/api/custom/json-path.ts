import { isObject } from '../../base/json.ts'

/**
 * The simple JSONPath of printer columns, scale paths and selectable fields: .spec.a, ['b'], [0], [*] and
 * [?(@.type=="Ready")]. Undefined when the text is none.
 */
export type JsonPath = readonly Step[]

type Step =
  | { readonly type: 'field'; readonly name: string }
  | { readonly type: 'index'; readonly index: number }
  | { readonly type: 'all' }
  | {
      readonly type: 'filter'
      readonly path: JsonPath
      readonly operator: '==' | '!=' | undefined
      readonly value: unknown
    }

const STEP =
  /^(?:\.?\[(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?\d+)|(\*)|\?\(@([^=!)]*)(?:(==|!=)\s*("[^"]*"|'[^']*'|[^)]*))?\))\]|\.(\*)|\.((?:[^.[\]\\]|\\.)+))/

export function parseJsonPath(text: string): JsonPath | undefined {
  const steps: Step[] = []
  let rest = text.trim()
  if (rest.startsWith('{') && rest.endsWith('}')) rest = rest.slice(1, -1)
  if (rest.startsWith('$')) rest = rest.slice(1)
  if (!rest.startsWith('.') && !rest.startsWith('[')) return undefined
  while (rest !== '' && rest !== '.') {
    const found = STEP.exec(rest)
    if (!found) return undefined
    const [whole, single, double, index, all, filter, operator, wanted, star, name] = found
    const field = single ?? double ?? name
    if (field !== undefined) steps.push({ type: 'field', name: field.replace(/\\(.)/g, '$1') })
    else if (index !== undefined) steps.push({ type: 'index', index: Number(index) })
    else if (all ?? star) steps.push({ type: 'all' })
    else {
      const path = parseJsonPath((filter ?? '').trim())
      if (!path) return undefined
      steps.push({
        type: 'filter',
        path,
        operator: operator as '==' | '!=' | undefined,
        value: literal(wanted?.trim()),
      })
    }
    rest = rest.slice(whole.length)
  }
  return steps
}

function literal(text: string | undefined): unknown {
  if (text === undefined) return undefined
  if (/^".*"$|^'.*'$/.test(text)) return text.slice(1, -1)
  if (text === 'true' || text === 'false') return text === 'true'
  return text !== '' && !Number.isNaN(Number(text)) ? Number(text) : text
}

/** Everything the path leads to. */
export function readJsonPath(value: unknown, path: JsonPath): readonly unknown[] {
  return path.reduce<readonly unknown[]>(
    (values, step) => values.flatMap((each) => follow(each, step)),
    [value],
  )
}

function follow(value: unknown, step: Step): readonly unknown[] {
  switch (step.type) {
    case 'field':
      return isObject(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : []
    case 'index': {
      const item = Array.isArray(value) ? (value.at(step.index) as unknown) : undefined
      return item === undefined ? [] : [item]
    }
    case 'all':
      return Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []
    case 'filter':
      return (Array.isArray(value) ? value : []).filter((item: unknown) => {
        const found = readJsonPath(item, step.path)
        if (step.operator === undefined) return found.length > 0
        return found.length > 0 && (found[0] === step.value) === (step.operator === '==')
      })
  }
}

/** Only fields: what scale paths and selectable fields may be. */
export function isPlainPath(path: JsonPath): boolean {
  return path.length > 0 && path.every(({ type }) => type === 'field')
}

/** The object with the value at a plain path; objects on the way are made. */
export function withValueAt<T extends object>(object: T, path: JsonPath, value: unknown): T {
  const [first, ...rest] = path
  if (first?.type !== 'field') return object
  const inner = (object as Readonly<Record<string, unknown>>)[first.name]
  return {
    ...object,
    [first.name]: rest.length === 0 ? value : withValueAt(isObject(inner) ? inner : {}, rest, value),
  }
}
