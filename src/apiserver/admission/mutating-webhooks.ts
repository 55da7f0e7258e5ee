import type { V1MutatingWebhook } from '../../api/generated/types.ts'
import { mutatingWebhookConfiguration } from '../../api/kinds/mutating-webhook-configuration.ts'
import type { AnyResource } from '../../api/resource.ts'
import { ApiError } from '../../api/status.ts'
import { deepEqual } from '../../base/json.ts'
import { jsonPatch } from '../patch/json-patch.ts'
import { convert } from '../versions.ts'
import { askWebhook } from '../webhooks/ask.ts'
import { isExempt } from '../webhooks/subject.ts'
import type { Admission, AdmissionRequest } from './admission.ts'

/**
 * Calls the mutating webhooks one after the other, by the names of their configurations; each sees what those before it
 * made. Those with reinvocationPolicy IfNeeded are asked once more when a later one has changed the object.
 */
export const mutatingWebhooks: Admission = {
  name: 'MutatingAdmissionWebhook',
  concerns: ({ kind, reader }) => !isExempt(kind) && !reader.isEmpty(mutatingWebhookConfiguration),
  async mutate(request) {
    const webhooks = await webhooksFor(request)
    let { object } = request
    /** Those asked already that want to hear of later changes. */
    const again = new Set<V1MutatingWebhook>()
    for (const webhook of webhooks) {
      const patched = await askOne({ ...request, object }, webhook)
      const isChanged = patched !== object && !deepEqual(patched, object)
      if (isChanged) for (const earlier of webhooks.slice(0, webhooks.indexOf(webhook))) again.add(earlier)
      object = patched
    }
    for (const webhook of webhooks)
      if (again.has(webhook) && webhook.reinvocationPolicy === 'IfNeeded')
        object = await askOne({ ...request, object }, webhook)
    return object
  },
  /** A deletion cannot be changed, only refused. */
  async validate(request) {
    if (request.operation !== 'DELETE') return
    for (const webhook of await webhooksFor(request)) await askWebhook(request, webhook)
  },
}

async function webhooksFor({ reader }: AdmissionRequest): Promise<readonly V1MutatingWebhook[]> {
  return (await reader.all(mutatingWebhookConfiguration)).flatMap(({ webhooks }) => webhooks ?? [])
}

async function askOne(request: AdmissionRequest, webhook: V1MutatingWebhook): Promise<AnyResource> {
  const answer = await askWebhook(request, webhook)
  if (answer?.patch === undefined) return request.object
  const { form, patch } = answer
  const { kind, object, context } = request
  try {
    const patched = jsonPatch(convert(kind, form, object), patch)
    const back = convert(form, kind, patched as AnyResource)
    return kind.setDefaults(back) as AnyResource
  } catch (error) {
    if (webhook.failurePolicy === 'Ignore' && error instanceof ApiError) {
      context.warnings.push(`webhook ${JSON.stringify(webhook.name)} was passed over: ${error.message}`)
      return object
    }
    throw new ApiError(
      'InternalError',
      `Internal error occurred: failed calling webhook ${JSON.stringify(webhook.name)}: its patch cannot be applied: ${(error as Error).message}`,
    )
  }
}
