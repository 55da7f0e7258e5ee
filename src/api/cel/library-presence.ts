import type { ASTNode, Environment } from '@marcbachmann/cel-js'

/** What `has(` is called where the library's own does not take its argument: a field behind an index. */
export const HAS = 'hasField'

interface Macro {
  readonly argument: ASTNode
}

/** has() of any field: whether it is there, without an error when what holds it is. */
export function registerPresence(environment: Environment): void {
  environment.registerFunction(`${HAS}(ast): bool`, ({ args }: { readonly args: readonly [ASTNode] }) => {
    const [argument] = args
    if (argument.op !== '.') throw new Error('has() invalid argument')
    return {
      argument,
      typeCheck(
        checker: { check(node: ASTNode, context: unknown): unknown; getType(name: string): unknown },
        macro: Macro,
        context: unknown,
      ) {
        checker.check(macro.argument, context)
        return checker.getType('bool')
      },
      evaluate(evaluator: { run(node: ASTNode, context: unknown): unknown }, macro: Macro, context: unknown) {
        const [holder, field] = macro.argument.args as [ASTNode, string]
        const value = evaluator.run(holder, context)
        if (value instanceof Map) return value.has(field)
        return typeof value === 'object' && value !== null && Object.hasOwn(value, field)
      },
    }
  })
}
