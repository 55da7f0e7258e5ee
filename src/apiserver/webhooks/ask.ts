import { matchesRules } from '../../api/admission-match.ts'
import { admissionExpression } from '../../api/cel/admission-environment.ts'
import { exceedsLoops, largestCollection } from '../../api/cel/loop-bound.ts'
import { dynamicValue } from '../../api/cel/schema-types.ts'
import type { V1MutatingWebhook } from '../../api/generated/types.ts'
import type { AnyKind } from '../../api/kind.ts'
import { ApiError, forbidden } from '../../api/status.ts'
import type { AdmissionRequest } from '../admission/admission.ts'
import { callWebhook } from './call.ts'
import { type ReviewAnswer, readReview, refusal, reviewRequest } from './review.ts'
import { isSimulated } from './simulated-service.ts'
import { formsOf, isSelected, objectsIn, subjectOf } from './subject.ts'

export interface Asked extends ReviewAnswer {
  /** The version the webhook was shown, which its patch is in. */
  readonly form: AnyKind
}

/**
 * Asks one webhook about a request, if it is about this request at all: undefined when it is not, or when it failed and
 * may be passed over. Throws the webhook's refusal, and its failure when it must not fail.
 */
export async function askWebhook(
  request: AdmissionRequest,
  webhook: V1MutatingWebhook,
): Promise<Asked | undefined> {
  const form = formsOf(request, webhook.matchPolicy).find((each) =>
    matchesRules(webhook.rules, subjectOf(request, each)),
  )
  if (!form || !(await isSelected(request, webhook)) || !meetsConditions(request, webhook, form))
    return undefined
  const { env, reader, context } = request
  const { service } = webhook.clientConfig
  if (service && (await isSimulated(reader, service))) {
    context.warnings.push(
      `webhook ${JSON.stringify(webhook.name)} was not asked: pods on simulated nodes serve ${service.namespace}/${service.name}, and nobody listens there`,
    )
    return undefined
  }
  const uid = env.random.uuid()
  const review = {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: reviewRequest(request, form, uid),
  }
  let answer: ReviewAnswer
  try {
    answer = readReview(
      await callWebhook(env, reader, webhook.clientConfig, review, webhook.timeoutSeconds ?? 10),
      uid,
    )
  } catch (error) {
    const message = `failed calling webhook ${JSON.stringify(webhook.name)}: ${(error as Error).message}`
    if (webhook.failurePolicy !== 'Ignore')
      throw new ApiError('InternalError', `Internal error occurred: ${message}`)
    env.log.warn({ webhook: webhook.name }, `${message}; failing open`)
    return undefined
  }
  context.warnings.push(...answer.warnings)
  if (!answer.allowed) throw refusal(webhook.name, answer.status)
  return { ...answer, form }
}

/** All conditions must hold; one that is false passes over the webhook even if another one fails. */
function meetsConditions(
  request: AdmissionRequest,
  { matchConditions = [], failurePolicy, name }: V1MutatingWebhook,
  form: AnyKind,
): boolean {
  if (matchConditions.length === 0) return true
  const { object, oldObject } = objectsIn(request, form)
  const {
    object: _object,
    oldObject: _old,
    ...about
  } = reviewRequest(request, form, '') as Record<string, unknown>
  const variables = {
    object: dynamicValue(object),
    oldObject: dynamicValue(oldObject),
    request: dynamicValue(about),
  }
  const largest = largestCollection([object, oldObject])
  const failures: string[] = []
  for (const { name: condition, expression } of matchConditions) {
    const program = admissionExpression(expression, 'webhook')
    try {
      if ('error' in program) throw new Error(program.error)
      if (exceedsLoops(program.ast, largest))
        throw new Error('operation cancelled: actual cost limit exceeded')
      if (program.run(variables) !== true) return false
    } catch (error) {
      failures.push(`${condition}: ${(error as Error).message}`)
    }
  }
  if (failures.length === 0) return true
  if (failurePolicy === 'Ignore') return false
  throw forbidden(
    request.kind,
    request.object.metadata.name ?? '',
    `webhook ${JSON.stringify(name)} match conditions could not be evaluated: ${failures.join(', ')}`,
  )
}
