import { type ASTNode, type Environment, EvaluationError, ParseError } from '@marcbachmann/cel-js'
import { HAS } from './library-presence.ts'
import { MATCHES } from './library-texts.ts'

/** An expression that is ready to run; `run` throws an Error whose message says what went wrong. */
export interface Program {
  /** CEL's name of the type it gives, e.g. bool, string, list<string>, dyn. */
  readonly type: string
  readonly ast: ASTNode
  run(variables: Readonly<Record<string, unknown>>): unknown
}

export type Compiled = Program | { readonly error: string }

/** Longer ones are refused: nothing is gained by reading them. */
const EXPRESSION_MAX = 64 * 1024

/**
 * Parses and type checks an expression; the error is in the words and the layout of CEL:
 *
 *   ERROR: <input>:1:6: undefined field 'foo'
 *    | self.foo
 *    | .....^
 */
export function compile(environment: Environment, expression: string): Compiled {
  if (expression.length > EXPRESSION_MAX)
    return { error: `expression is longer than ${EXPRESSION_MAX} characters` }
  const safe = withLinearMatches(expression)
  const compiled = compileSafe(environment, expression, safe)
  const isOddHas = 'error' in compiled && compiled.error.includes('has() invalid argument')
  return isOddHas ? compileSafe(environment, expression, replaceCalls(safe, 'has', HAS)) : compiled
}

function compileSafe(environment: Environment, expression: string, safe: string): Compiled {
  try {
    const parsed = environment.parse(safe)
    const checked = parsed.check()
    if (!checked.valid) return { error: describe(checked.error, expression, safe) }
    return {
      type: String(checked.type),
      ast: parsed.ast,
      run(variables) {
        try {
          return parsed(variables as Record<string, unknown>) as unknown
        } catch (error) {
          throw new Error(summaryOf(error))
        }
      },
    }
  } catch (error) {
    return { error: describe(error, expression, safe) }
  }
}

function describe(error: unknown, expression: string, safe: string): string {
  const isSyntax = error instanceof ParseError
  const start = (error as { range?: { start: number } }).range?.start ?? 0
  const before = safe.slice(0, start).replaceAll(MATCHES, 'matches').replaceAll(HAS, 'has')
  const lines = before.split('\n')
  // Of a field, CEL points at the dot.
  const isField = /^undefined field/.test(summaryOf(error))
  const column = Math.max(0, (lines.at(-1)?.length ?? 0) - Number(isField))
  const line = expression.split('\n')[lines.length - 1] ?? ''
  const what = summaryOf(error).replaceAll(MATCHES, 'matches').replaceAll(HAS, 'has')
  const message = isSyntax ? `Syntax error: ${what}` : what
  return `ERROR: <input>:${lines.length}:${column + 1}: ${message}\n | ${line}\n | ${'.'.repeat(column)}^`
}

function summaryOf(error: unknown): string {
  const summary = (error as { summary?: unknown }).summary
  const text = typeof summary === 'string' ? summary : ((error as Error).message.split('\n')[0] ?? '')
  if (error instanceof EvaluationError) return text.replace(/^No such key: (.*)$/, 'no such key: $1')
  return text
    .replace(/^No such key: (.*)$/, "undefined field '$1'")
    .replace(/^Unknown variable: (.*)$/, "undeclared reference to '$1' (in container '')")
}

const TOKEN =
  /(?:[rRbB]{0,2})(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|\/\/[^\n]*|\b[A-Za-z_]\w*(?=\s*\()/g

/** Every call of matches becomes one of the linear engine. */
function withLinearMatches(expression: string): string {
  return replaceCalls(expression, 'matches', MATCHES)
}

/** Texts and comments are left alone. */
function replaceCalls(expression: string, name: string, by: string): string {
  return expression.replace(TOKEN, (token) => (token === name ? by : token))
}
