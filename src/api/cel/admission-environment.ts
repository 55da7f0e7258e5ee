import type { Environment } from '@marcbachmann/cel-js'
import { type Compiled, compile } from './compile.ts'
import { celEnvironment } from './environment.ts'

/** The variables that expressions about a request may use. */
export const ADMISSION_VARIABLES = ['object', 'oldObject', 'request'] as const
const POLICY_VARIABLES = [...ADMISSION_VARIABLES, 'namespaceObject', 'params', 'variables'] as const

function withVariables(names: readonly string[]): Environment {
  return names.reduce((environment, name) => environment.registerVariable(name, 'dyn'), celEnvironment())
}

const MATCH_ENVIRONMENT = withVariables(ADMISSION_VARIABLES)
const POLICY_ENVIRONMENT = withVariables(POLICY_VARIABLES)
const compiled = new Map<string, Compiled>()
const COMPILED_MAX = 2000

/** An expression of a webhook's match condition, or of an admission policy; compiled once. */
export function admissionExpression(expression: string, of: 'webhook' | 'policy'): Compiled {
  const key = `${of} ${expression}`
  let found = compiled.get(key)
  if (!found) {
    found = compile(of === 'webhook' ? MATCH_ENVIRONMENT : POLICY_ENVIRONMENT, expression)
    if (compiled.size >= COMPILED_MAX) compiled.clear()
    compiled.set(key, found)
  }
  return found
}
