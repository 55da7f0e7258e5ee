import { type AdmissionSubject, matchesSelectors } from '../../api/admission-match.ts'
import type { V1LabelSelector } from '../../api/generated/types.ts'
import type { AnyKind } from '../../api/kind.ts'
import { namespace as namespaceKind } from '../../api/kinds/namespace.ts'
import type { AnyResource } from '../../api/resource.ts'
import type { AdmissionRequest } from '../admission/admission.ts'
import { convert, storedKind } from '../versions.ts'

/** Configurations of admission itself are never asked about: a bad one could not be taken away any more. */
export function isExempt({ group, kind }: AnyKind): boolean {
  return (
    group === 'admissionregistration.k8s.io' &&
    (kind.endsWith('WebhookConfiguration') || kind.includes('AdmissionPolicy'))
  )
}

/** The versions a request can be seen in: its own, and for matchPolicy Equivalent the others of the same objects. */
export function formsOf(
  { kind, kinds }: AdmissionRequest,
  matchPolicy: string | undefined,
): readonly AnyKind[] {
  if (matchPolicy === 'Exact') return [kind]
  const others = kinds.filter(
    (other) => other !== kind && other.plural === kind.plural && storedKind(other) === storedKind(kind),
  )
  return [kind, ...others]
}

export function subjectOf(request: AdmissionRequest, form: AnyKind): AdmissionSubject {
  const { group, version, plural, scope } = form
  const { operation, subresource, object } = request
  return { operation, group, version, plural, scope, subresource, name: object.metadata.name ?? '' }
}

/** The objects of a request in one version: of a deletion only the old one is there. */
export function objectsIn(
  request: AdmissionRequest,
  form: AnyKind,
): { readonly object: AnyResource | null; readonly oldObject: AnyResource | null } {
  const show = (resource: AnyResource | undefined) =>
    resource ? convert(request.kind, form, resource) : null
  return {
    object: request.operation === 'DELETE' ? null : show(request.object),
    oldObject: show(request.old),
  }
}

/** The namespace an object is in, or the Namespace it is; undefined for other objects of the cluster. */
export async function namespaceOf({
  kind,
  object,
  reader,
}: AdmissionRequest): Promise<AnyResource | undefined> {
  if (kind === namespaceKind) return object
  const name = object.metadata.namespace
  if (kind.scope === 'Cluster' || !name) return undefined
  return (await reader.find(namespaceKind, { name })) as AnyResource | undefined
}

export async function isSelected(
  request: AdmissionRequest,
  selectors: {
    readonly namespaceSelector?: V1LabelSelector | undefined
    readonly objectSelector?: V1LabelSelector | undefined
  },
): Promise<boolean> {
  const namespace = await namespaceOf(request)
  const objects = [request.operation === 'DELETE' ? undefined : request.object, request.old]
  return matchesSelectors(
    selectors,
    namespace && (namespace.metadata.labels ?? {}),
    objects.map((object) => object && (object.metadata.labels ?? {})),
  )
}
