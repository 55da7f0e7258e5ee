import { admissionExpression, type ExpressionOf } from '../../api/cel/admission-environment.ts'
import { exceedsLoops, largestCollection } from '../../api/cel/loop-bound.ts'
import { dynamicValue } from '../../api/cel/schema-types.ts'
import type { V1MatchCondition, V1Variable } from '../../api/generated/types.ts'
import type { AnyKind } from '../../api/kind.ts'
import type { AnyResource } from '../../api/resource.ts'
import type { AdmissionRequest } from '../admission/admission.ts'
import { reviewRequest } from '../webhooks/review.ts'
import { namespaceOf, objectsIn } from '../webhooks/subject.ts'

/** Runs the expressions of one policy about one request. */
export class Evaluation {
  readonly #variables: Readonly<Record<string, unknown>>
  readonly #largest: number

  /** `largest`: how many items the largest collection among the variables has. */
  constructor(variables: Readonly<Record<string, unknown>>, largest: number) {
    this.#variables = variables
    this.#largest = largest
  }

  static async of(
    request: AdmissionRequest,
    form: AnyKind,
    params: AnyResource | null,
    variables: readonly V1Variable[] = [],
  ): Promise<Evaluation> {
    const { object, oldObject } = objectsIn(request, form)
    const {
      object: _object,
      oldObject: _old,
      ...about
    } = reviewRequest(request, form, '') as Record<string, unknown>
    const lazy: Record<string, unknown> = {}
    const all: Record<string, unknown> = {
      object: dynamicValue(object),
      oldObject: dynamicValue(oldObject),
      request: dynamicValue(about),
      namespaceObject: dynamicValue((await namespaceOf(request)) ?? null),
      params: dynamicValue(params),
      variables: lazy,
    }
    const evaluation = new Evaluation(all, largestCollection([object, oldObject, params]))
    for (const { name, expression } of variables) defineLazily(lazy, name, () => evaluation.run(expression))
    return evaluation
  }

  /** Throws an Error that says what went wrong. */
  run(expression: string, of: ExpressionOf = 'policy'): unknown {
    const program = admissionExpression(expression, of)
    if ('error' in program) throw new Error(program.error)
    if (exceedsLoops(program.ast, this.#largest))
      throw new Error('operation cancelled: actual cost limit exceeded')
    return program.run(this.#variables)
  }

  /** False when one condition is; throws when none is but one fails. */
  meets(conditions: readonly V1MatchCondition[] = []): boolean {
    let failure: unknown
    for (const { expression } of conditions) {
      try {
        if (this.run(expression) !== true) return false
      } catch (error) {
        failure ??= error
      }
    }
    if (failure !== undefined) throw failure
    return true
  }
}

/** A variable is worked out when it is first asked for, and once. */
function defineLazily(target: Record<string, unknown>, name: string, make: () => unknown): void {
  Object.defineProperty(target, name, {
    enumerable: true,
    configurable: true,
    get() {
      const value = make()
      Object.defineProperty(target, name, { value, enumerable: true })
      return value
    },
  })
}
