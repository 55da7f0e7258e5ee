import type { V1BoundObjectReference } from '../../../api/generated/types.ts'
import type { KindRef } from '../../../api/kind.ts'
import { node } from '../../../api/kinds/node.ts'
import { pod } from '../../../api/kinds/pod.ts'
import { secret } from '../../../api/kinds/secret.ts'
import type { Resource } from '../../../api/resource.ts'
import { badRequest, conflict, notFound } from '../../../api/status.ts'
import type { Reader } from '../../admission/admission.ts'

/** What a token can be bound to: it is good for no longer than that. */
export type BoundName = 'pod' | 'secret' | 'node'

export const boundKinds: Readonly<Record<BoundName, KindRef>> = { pod, secret, node }

export interface BoundObject {
  /** As they stand in the token, below "kubernetes.io". */
  readonly claims: Readonly<Partial<Record<BoundName, { readonly name: string; readonly uid: string }>>>
}

/** The object a TokenRequest asks to be bound to, looked up and checked; throws what the client is to be told. */
export async function findBound(
  reader: Reader,
  reference: V1BoundObjectReference,
  account: { readonly namespace: string; readonly name: string },
): Promise<BoundObject> {
  const { apiVersion = '', kind = '', name = '', uid } = reference
  const bound = kind.toLowerCase() as BoundName
  const ref = Object.hasOwn(boundKinds, bound) ? boundKinds[bound] : undefined
  if (!ref || ref.kind !== kind || apiVersion !== 'v1') {
    const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
    throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`)
  }
  const object = await reader.find(ref, { namespace: account.namespace, name })
  if (!object) throw notFound(ref, name)
  if (uid && uid !== object.metadata.uid)
    throw conflict(
      ref,
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    )
  const claims = { [bound]: identityOf(object) }
  if (bound !== 'pod') return { claims }
  const { serviceAccountName, nodeName } = (object as Running).spec ?? {}
  if (serviceAccountName !== account.name)
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(account.name)} to pod running with different serviceaccount name.`,
    )
  const its = nodeName ? await reader.find(node, { name: nodeName }) : undefined
  return { claims: { ...claims, ...(its ? { node: identityOf(its) } : {}) } }
}

interface Running extends Resource {
  readonly spec?: { readonly serviceAccountName?: string; readonly nodeName?: string }
}

function identityOf({ metadata }: Resource): { name: string; uid: string } {
  return { name: metadata.name, uid: metadata.uid ?? '' }
}
