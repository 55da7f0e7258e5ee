import type { Environment } from '@marcbachmann/cel-js'
import { type Compiled, compile, type Program } from '../cel/compile.ts'
import { estimateCost, maxSize } from '../cel/cost.ts'
import { celEnvironment } from '../cel/environment.ts'
import { type CelType, SchemaTypes } from '../cel/schema-types.ts'
import type { JsonSchema, ValidationRule } from './json-schema.ts'

/** The x-kubernetes-validations of a schema, compiled: the branches of the schema that have any. */
export interface RuleNode {
  readonly schema: JsonSchema
  readonly type: CelType
  readonly rules: readonly CompiledRule[]
  readonly properties: ReadonlyMap<string, RuleNode>
  readonly items?: RuleNode
  readonly additional?: RuleNode
}

export interface CompiledRule {
  readonly rule: ValidationRule
  readonly program: Compiled
  readonly message?: Compiled
  readonly usesOldSelf: boolean
  /** Static estimate, for as many values as there can be. */
  readonly cost: number
}

const compiledOnce = new WeakMap<JsonSchema, RuleNode | 'none'>()

/** Undefined when the schema has no rules. Compiled once for each schema. */
export function rulesOf(root: JsonSchema): RuleNode | undefined {
  let node = compiledOnce.get(root)
  if (!node) {
    node = hasRules(root) ? new Compiler().node(root, true, 1) : 'none'
    compiledOnce.set(root, node)
  }
  return node === 'none' ? undefined : node
}

function hasRules(schema: JsonSchema): boolean {
  return (schema.rules?.length ?? 0) > 0 || childrenOf(schema).some(([, child]) => hasRules(child))
}

function childrenOf({ properties, items, additionalProperties }: JsonSchema): [string, JsonSchema][] {
  return [
    ...Object.entries(properties ?? {}),
    ...(items ? [['items', items] as [string, JsonSchema]] : []),
    ...(typeof additionalProperties === 'object'
      ? [['additionalProperties', additionalProperties] as [string, JsonSchema]]
      : []),
  ]
}

class Compiler {
  readonly #environment: Environment = celEnvironment()
  readonly #types = new SchemaTypes(this.#environment)
  /** Types are declared before anything is compiled: an environment takes no more of them once it has been cloned. */
  readonly #later: (() => void)[] = []

  node(schema: JsonSchema, isRoot: boolean, count: number): RuleNode {
    const type = this.#types.of(schema, isRoot || schema.embedded === true)
    const rules: CompiledRule[] = []
    const properties = new Map<string, RuleNode>()
    for (const [name, property] of Object.entries(schema.properties ?? {}))
      if (hasRules(property)) properties.set(name, this.node(property, false, count))
    const many = count * maxSize(schema)
    const { items, additionalProperties } = schema
    const node: RuleNode = {
      schema,
      type,
      rules,
      properties,
      ...(items && hasRules(items) ? { items: this.node(items, false, many) } : {}),
      ...(typeof additionalProperties === 'object' && hasRules(additionalProperties)
        ? { additional: this.node(additionalProperties, false, many) }
        : {}),
    }
    this.#later.push(() => {
      for (const rule of schema.rules ?? []) rules.push(this.#rule(rule, schema, type, count))
    })
    if (isRoot) for (const work of this.#later) work()
    return node
  }

  #rule(rule: ValidationRule, schema: JsonSchema, { name }: CelType, count: number): CompiledRule {
    const oldSelf = rule.optionalOldSelf ? `optional<${name}>` : name
    const environment = this.#environment
      .clone()
      .registerVariable('self', name)
      .registerVariable('oldSelf', oldSelf)
    const program = compile(environment, rule.rule)
    const message = rule.messageExpression ? compile(environment, rule.messageExpression) : undefined
    const variables = { self: schema, oldSelf: schema }
    return {
      rule,
      program,
      ...(message ? { message } : {}),
      usesOldSelf: 'ast' in program && mentions(program, 'oldSelf'),
      cost: 'ast' in program ? estimateCost(program.ast, variables) * count : 0,
    }
  }
}

function mentions({ ast }: Program, name: string): boolean {
  const walk = (value: unknown): boolean => {
    if (Array.isArray(value)) return value.some(walk)
    if (typeof value !== 'object' || value === null || !('op' in value)) return false
    const { op, args } = value as { op: string; args: unknown }
    return op === 'id' ? args === name : walk(args)
  }
  return walk(ast)
}
