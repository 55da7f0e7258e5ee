import type { V1Validation } from '../../api/generated/types.ts'
import {
  type ValidatingAdmissionPolicy,
  validatingAdmissionPolicy,
} from '../../api/kinds/validating-admission-policy.ts'
import {
  type ValidatingAdmissionPolicyBinding,
  validatingAdmissionPolicyBinding,
} from '../../api/kinds/validating-admission-policy-binding.ts'
import { ApiError, forbidden, type StatusReason } from '../../api/status.ts'
import { type BoundPolicy, boundPolicies } from '../policies/bound-policies.ts'
import { Evaluation } from '../policies/evaluation.ts'
import { isExempt } from '../webhooks/subject.ts'
import type { Admission, AdmissionRequest } from './admission.ts'

interface Failure {
  readonly message: string
  readonly reason: StatusReason
}

/** ValidatingAdmissionPolicy: what its expressions say no to is denied or warned about, as each binding wants it. */
export const validatingAdmissionPolicies: Admission = {
  name: 'ValidatingAdmissionPolicy',
  concerns: ({ kind, reader }) => !isExempt(kind) && !reader.isEmpty(validatingAdmissionPolicyBinding),
  async validate(request) {
    for (const bound of await boundPolicies(
      request,
      validatingAdmissionPolicy,
      validatingAdmissionPolicyBinding,
    )) {
      const { policy, binding } = bound
      const title = `ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}'`
      for (const { message, reason } of await failuresOf(request, bound)) {
        const { validationActions } = binding.spec
        if (validationActions.includes('Deny'))
          throw denied(request, `${title} denied request: ${message}`, reason)
        if (validationActions.includes('Warn'))
          request.context.warnings.push(`Validation failed for ${title}: ${message}`)
      }
    }
  },
}

type Bound = BoundPolicy<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding>

async function failuresOf(
  request: AdmissionRequest,
  { policy, form, params, problem }: Bound,
): Promise<readonly Failure[]> {
  const { validations = [], matchConditions, variables, failurePolicy } = policy.spec
  const broken = (message: string): readonly Failure[] =>
    failurePolicy === 'Ignore' ? [] : [{ message, reason: 'Invalid' }]
  if (problem !== undefined) return broken(problem)
  const evaluation = await Evaluation.of(request, form, params, variables)
  try {
    if (!evaluation.meets(matchConditions)) return []
  } catch (error) {
    return broken((error as Error).message)
  }
  return validations.flatMap((validation) => {
    const { expression } = validation
    try {
      if (evaluation.run(expression) === true) return []
    } catch (error) {
      return broken(`expression '${expression}' resulted in error: ${(error as Error).message}`)
    }
    return [
      {
        message: messageOf(validation, evaluation),
        reason: (validation.reason ?? 'Invalid') as StatusReason,
      },
    ]
  })
}

function messageOf({ expression, message, messageExpression }: V1Validation, evaluation: Evaluation): string {
  if (messageExpression) {
    try {
      const text = evaluation.run(messageExpression)
      if (typeof text === 'string' && text.trim() !== '' && !text.includes('\n')) return text.trim()
    } catch {
      // What is said without it.
    }
  }
  return message?.trim() || `failed expression: ${expression.trim()}`
}

function denied({ kind, object }: AdmissionRequest, message: string, reason: StatusReason): ApiError {
  const { message: text, details } = forbidden(kind, object.metadata.name ?? '', message)
  return new ApiError(reason, text, { ...(details ? { details } : {}), causes: [{ reason: '', message }] })
}
