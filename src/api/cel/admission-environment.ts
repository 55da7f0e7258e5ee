import type { Environment } from '@marcbachmann/cel-js'
import { type Compiled, compile } from './compile.ts'
import { celEnvironment, once } from './environment.ts'
import { withoutStructs } from './struct-literals.ts'

/** Of what an expression is part: variables and literals differ. */
export type ExpressionOf = 'webhook' | 'policy' | 'mutation'

/** The variables that expressions about a request may use. */
const ADMISSION_VARIABLES = ['object', 'oldObject', 'request'] as const
const POLICY_VARIABLES = [...ADMISSION_VARIABLES, 'namespaceObject', 'params', 'variables'] as const

function withVariables(names: readonly string[]): Environment {
  return names.reduce((environment, name) => environment.registerVariable(name, 'dyn'), celEnvironment())
}

class JsonPatches {}

function policyEnvironment(): Environment {
  const environment = withVariables(POLICY_VARIABLES)
  environment.registerType('JsonPatches', JsonPatches)
  environment.registerConstant('jsonpatch', 'JsonPatches', new JsonPatches())
  environment.registerFunction('JsonPatches.escapeKey(string): string', (_: JsonPatches, key: string) =>
    key.replaceAll('~', '~0').replaceAll('/', '~1'),
  )
  return environment
}

const matchEnvironment = once(() => withVariables(ADMISSION_VARIABLES))
const wholeEnvironment = once(policyEnvironment)
const compiled = new Map<string, Compiled>()
const COMPILED_MAX = 2000

/** An expression of a webhook's match condition, or of an admission policy; compiled once. */
export function admissionExpression(expression: string, of: ExpressionOf): Compiled {
  const key = `${of} ${expression}`
  let found = compiled.get(key)
  if (!found) {
    const environment = of === 'webhook' ? matchEnvironment() : wholeEnvironment()
    found = compile(environment, of === 'mutation' ? withoutStructs(expression) : expression)
    if (compiled.size >= COMPILED_MAX) compiled.clear()
    compiled.set(key, found)
  }
  return found
}
