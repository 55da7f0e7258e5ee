import type { V1MutatingWebhook } from '../../api/generated/types.ts'
import { validatingWebhookConfiguration } from '../../api/kinds/validating-webhook-configuration.ts'
import { askWebhook } from '../webhooks/ask.ts'
import { isExempt } from '../webhooks/subject.ts'
import type { Admission } from './admission.ts'

/** Calls all validating webhooks at once; the first refusal, in the order of their configurations, is told. */
export const validatingWebhooks: Admission = {
  name: 'ValidatingAdmissionWebhook',
  concerns: ({ kind, reader }) => !isExempt(kind) && !reader.isEmpty(validatingWebhookConfiguration),
  async validate(request) {
    const configurations = await request.reader.all(validatingWebhookConfiguration)
    const webhooks = configurations.flatMap(
      ({ webhooks: all }) => (all ?? []) as readonly V1MutatingWebhook[],
    )
    const results = await Promise.allSettled(webhooks.map((webhook) => askWebhook(request, webhook)))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  },
}
