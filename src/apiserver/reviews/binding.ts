import { pod } from '../../api/kinds/pod.ts'
import { createSubresource } from '../verbs/subresources.ts'
import type { Answering } from './review.ts'

/** POST on the bindings of a namespace, as the oldest schedulers do: the same as on pods/binding of the pod it names. */
export const bindPod: Answering = async ({ registry, context, namespace, body }) => {
  const key = { namespace, name: body.metadata.name }
  return (await createSubresource(registry, pod, key, 'binding', body, context)) as object
}
