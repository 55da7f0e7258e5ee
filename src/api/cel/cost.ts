import type { ASTNode } from '@marcbachmann/cel-js'
import type { JsonSchema } from '../custom/json-schema.ts'
import { HAS } from './library-presence.ts'
import { escapeField } from './schema-types.ts'

/**
 * An upper bound on the work of an expression, in the units of Kubernetes' static estimate: about one for each step and
 * a tenth for each character looked at. What a schema does not bound is bounded by the size of a request. An estimate
 * and not the very number upstream gives: the order of magnitude decides, as there.
 */
const REQUEST_BYTES_MAX = 3 * 1024 * 1024
const CHARACTER_COST = 0.1

interface Estimate {
  readonly cost: number
  /** Characters, items or members at most. */
  readonly size: number
  readonly schema?: JsonSchema | undefined
}

type Scope = ReadonlyMap<string, Omit<Estimate, 'cost'>>

export function estimateCost(ast: ASTNode, variables: Readonly<Record<string, JsonSchema>>): number {
  const scope = new Map(
    Object.entries(variables).map(([name, schema]) => [name, { schema, size: maxSize(schema) }]),
  )
  return Math.ceil(estimate(ast, scope).cost)
}

/** How many items or members a list or map can have, or characters a text. */
export function maxSize(schema: JsonSchema | undefined): number {
  if (!schema) return REQUEST_BYTES_MAX
  switch (schema.type) {
    case 'array':
      return schema.maxItems ?? Math.floor(REQUEST_BYTES_MAX / (minBytes(schema.items) + 1))
    case 'object':
      if (typeof schema.additionalProperties !== 'object') return Object.keys(schema.properties ?? {}).length
      return (
        schema.maxProperties ?? Math.floor(REQUEST_BYTES_MAX / (minBytes(schema.additionalProperties) + 6))
      )
    case 'string':
      return textSize(schema)
    case 'integer':
    case 'number':
    case 'boolean':
      return 1
    default:
      return REQUEST_BYTES_MAX
  }
}

const FORMAT_SIZES: Readonly<Record<string, number>> = {
  date: 10,
  'date-time': 32,
  duration: 32,
  uuid: 36,
  ipv4: 15,
  ipv6: 45,
  cidr: 49,
}

function textSize({ maxLength, enum: allowed, format }: JsonSchema): number {
  if (allowed?.length) return Math.max(...allowed.map((value) => String(value).length))
  return maxLength ?? FORMAT_SIZES[format ?? ''] ?? REQUEST_BYTES_MAX - 2
}

/** The fewest bytes of JSON that a value takes. */
function minBytes(schema: JsonSchema | undefined): number {
  switch (schema?.type) {
    case 'string':
      return 2 + (schema.minLength ?? 0)
    case 'boolean':
      return 4
    case 'array':
      return 2 + (schema.minItems ?? 0) * (minBytes(schema.items) + 1)
    case 'object':
      return (schema.required ?? []).reduce(
        (sum, name) => sum + name.length + 4 + minBytes(schema.properties?.[name]),
        2,
      )
    default:
      return 1
  }
}

function estimate(node: ASTNode, scope: Scope): Estimate {
  switch (node.op) {
    case 'value':
      return { cost: 0, size: typeof node.args === 'string' ? node.args.length : 1 }
    case 'id':
      return { cost: 1, size: REQUEST_BYTES_MAX, ...scope.get(node.args as string) }
    case '.':
    case '.?': {
      const [object, field] = node.args as [ASTNode, string]
      const of = estimate(object, scope)
      const schema = memberNamed(of.schema, field)
      return { cost: of.cost + 1, schema, size: maxSize(schema) }
    }
    case '[]':
    case '[?]': {
      const [object, index] = node.args as [ASTNode, ASTNode]
      const of = estimate(object, scope)
      const schema = of.schema?.items ?? additional(of.schema)
      return { cost: of.cost + estimate(index, scope).cost + 1, schema, size: maxSize(schema) }
    }
    case 'call': {
      const [name, given] = node.args as [string, readonly ASTNode[]]
      return callCost(
        name,
        given.map((argument) => estimate(argument, scope)),
      )
    }
    case 'rcall':
      return receiverCost(node.args as [string, ASTNode, readonly ASTNode[]], scope)
    case 'list': {
      const items = (node.args as readonly ASTNode[]).map((item) => estimate(item, scope))
      return { cost: 10 + sum(items), size: items.length }
    }
    case 'map': {
      const entries = (node.args as readonly (readonly [ASTNode, ASTNode])[])
        .flat()
        .map((item) => estimate(item, scope))
      return { cost: 30 + sum(entries), size: entries.length / 2 }
    }
    case '?:': {
      const [condition, yes, no] = (node.args as readonly ASTNode[]).map((each) => estimate(each, scope)) as [
        Estimate,
        Estimate,
        Estimate,
      ]
      const larger = yes.size > no.size ? yes : no
      return { ...larger, cost: condition.cost + Math.max(yes.cost, no.cost) }
    }
    case '!_':
    case '-_':
      return { cost: estimate(node.args as ASTNode, scope).cost + 1, size: 1 }
    default: {
      const [a, b] = (node.args as readonly ASTNode[]).map((each) => estimate(each, scope)) as [
        Estimate,
        Estimate,
      ]
      return operatorCost(node.op, a, b)
    }
  }
}

function operatorCost(op: string, a: Estimate, b: Estimate): Estimate {
  const cost = a.cost + b.cost
  if (op === '&&' || op === '||') return { cost, size: 1 }
  if (op === 'in') return { cost: cost + Math.max(1, b.size), size: 1 }
  if (op === '+')
    return {
      cost: cost + 1 + (a.size + b.size > 2 ? (a.size + b.size) * CHARACTER_COST : 0),
      size: a.size + b.size,
    }
  const both = Math.min(a.size, b.size)
  return { cost: cost + 1 + (both > 1 ? both * CHARACTER_COST : 0), size: 1 }
}

const LOOPS = new Set(['all', 'exists', 'exists_one', 'existsOne', 'map', 'filter'])
const WHOLE_LIST = new Set(['isSorted', 'sum', 'min', 'max', 'indexOf', 'lastIndexOf'])

function receiverCost(
  [name, receiver, given]: readonly [string, ASTNode, readonly ASTNode[]],
  scope: Scope,
): Estimate {
  const of = estimate(receiver, scope)
  const [variable] = given
  if (LOOPS.has(name) && variable?.op === 'id') {
    const isMap = of.schema?.type === 'object'
    const schema = isMap ? undefined : of.schema?.items
    const inner = new Map(scope).set(variable.args as string, {
      schema,
      size: schema ? maxSize(schema) : of.size === REQUEST_BYTES_MAX ? REQUEST_BYTES_MAX : 64,
    })
    const body = given.slice(1).map((each) => estimate(each, inner))
    return {
      cost: of.cost + of.size * (sum(body) + 2),
      size: of.size,
      schema: name === 'filter' ? of.schema : undefined,
    }
  }
  const values = given.map((argument) => estimate(argument, scope))
  if (name === 'bind' && given[0]?.op === 'id' && values[1]) {
    const inner = new Map(scope).set(given[0].args as string, values[1])
    const body = given[2] ? estimate(given[2], inner) : values[1]
    return { ...body, cost: body.cost + values[1].cost + 1 }
  }
  const cost = of.cost + sum(values) + 1
  const [first] = values
  if (WHOLE_LIST.has(name) && of.schema?.type === 'array') return { cost: cost + of.size, size: 1 }
  if (name === 'matchRe' || name === 'find' || name === 'findAll')
    return { cost: cost + of.size * CHARACTER_COST * Math.max(1, (first?.size ?? 1) * 0.25), size: of.size }
  if (name === 'contains')
    return {
      cost: cost + of.size * CHARACTER_COST * Math.max(1, (first?.size ?? 1) * CHARACTER_COST),
      size: 1,
    }
  if (name === 'size' || name === 'orValue' || name === 'hasValue' || name === 'value')
    return { cost, size: name === 'size' ? 1 : of.size, schema: of.schema }
  return { cost: cost + of.size * CHARACTER_COST, size: of.size }
}

function callCost(name: string, values: readonly Estimate[]): Estimate {
  const cost = sum(values) + 1
  const size = Math.max(1, ...values.map((value) => value.size))
  if (name === 'has' || name === HAS || name === 'size' || name === 'type') return { cost, size: 1 }
  if (name === 'dyn') return { cost, size, schema: values[0]?.schema }
  return { cost: cost + size * CHARACTER_COST, size }
}

function sum(values: readonly Estimate[]): number {
  return values.reduce((total, { cost }) => total + cost, 0)
}

function additional(schema: JsonSchema | undefined): JsonSchema | undefined {
  return typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined
}

function memberNamed(schema: JsonSchema | undefined, field: string): JsonSchema | undefined {
  const found = Object.entries(schema?.properties ?? {}).find(
    ([name]) => name === field || escapeField(name) === field,
  )
  return found?.[1] ?? additional(schema)
}
