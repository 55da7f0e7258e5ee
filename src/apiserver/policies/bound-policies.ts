import { matchesRules } from '../../api/admission-match.ts'
import type { V1MatchResources, V1ParamKind, V1ParamRef } from '../../api/generated/types.ts'
import type { AnyKind, KindRef } from '../../api/kind.ts'
import { type AnyResource, apiVersionOf, type Resource } from '../../api/resource.ts'
import { labelSelectorMatches } from '../../api/selectors.ts'
import type { AdmissionRequest } from '../admission/admission.ts'
import { formsOf, isSelected, subjectOf } from '../webhooks/subject.ts'

interface PolicyLike extends Resource {
  readonly spec: {
    readonly matchConstraints?: V1MatchResources | undefined
    readonly paramKind?: V1ParamKind | undefined
  }
}

interface BindingLike extends Resource {
  readonly spec: {
    readonly policyName?: string | undefined
    readonly matchResources?: V1MatchResources | undefined
    readonly paramRef?: V1ParamRef | undefined
  }
}

/** A policy that is to be asked about a request, once for each binding and each object of parameters. */
export interface BoundPolicy<P, B> {
  readonly policy: P
  readonly binding: B
  /** The version the policy sees the request in. */
  readonly form: AnyKind
  readonly params: AnyResource | null
  /** Why it cannot be asked; the policy's failurePolicy decides what that means. */
  readonly problem?: string
}

export async function boundPolicies<P extends PolicyLike, B extends BindingLike>(
  request: AdmissionRequest,
  policyKind: KindRef<P>,
  bindingKind: KindRef<B>,
): Promise<readonly BoundPolicy<P, B>[]> {
  const bindings = await request.reader.all(bindingKind)
  const policies = await request.reader.all(policyKind)
  const bound: BoundPolicy<P, B>[] = []
  for (const policy of policies) {
    const own = bindings.filter(({ spec }) => spec.policyName === policy.metadata.name)
    const form = own.length > 0 ? await matchingForm(request, policy.spec.matchConstraints ?? {}) : undefined
    if (!form) continue
    for (const binding of own) {
      const { matchResources } = binding.spec
      if (matchResources && !(await isBound(request, matchResources))) continue
      for (const found of await paramsOf(request, policy, binding))
        bound.push({ policy, binding, form, ...found })
    }
  }
  return bound
}

async function matchingForm(
  request: AdmissionRequest,
  match: V1MatchResources,
): Promise<AnyKind | undefined> {
  const forms = formsOf(request, match.matchPolicy)
  const isExcluded = forms.some((form) => matchesRules(match.excludeResourceRules, subjectOf(request, form)))
  const form = forms.find((each) => matchesRules(match.resourceRules, subjectOf(request, each)))
  return form && !isExcluded && (await isSelected(request, match)) ? form : undefined
}

/** A binding narrows its policy; without rules it takes all that the policy is about. */
async function isBound(request: AdmissionRequest, match: V1MatchResources): Promise<boolean> {
  if (match.resourceRules?.length) return (await matchingForm(request, match)) !== undefined
  const forms = formsOf(request, match.matchPolicy)
  if (forms.some((form) => matchesRules(match.excludeResourceRules, subjectOf(request, form)))) return false
  return isSelected(request, match)
}

async function paramsOf(
  request: AdmissionRequest,
  policy: PolicyLike,
  binding: BindingLike,
): Promise<readonly { readonly params: AnyResource | null; readonly problem?: string }[]> {
  const { paramKind } = policy.spec
  const { paramRef } = binding.spec
  if (!paramKind || !paramRef) return [{ params: null }]
  const kind = request.kinds.find(
    (each) => each.kind === paramKind.kind && apiVersionOf(each) === paramKind.apiVersion,
  )
  const none = (problem: string) => [{ params: null, problem }]
  if (!kind)
    return none(
      `failed to find resource referenced by paramKind: '${paramKind.apiVersion}, Kind=${paramKind.kind}'`,
    )
  const namespace =
    kind.scope === 'Namespaced' ? (paramRef.namespace ?? request.object.metadata.namespace) : undefined
  if (kind.scope === 'Namespaced' && !namespace)
    return none(`cannot use namespaced paramRef in policy binding that matches cluster-scoped resources`)
  const found = paramRef.name
    ? [await request.reader.find(kind, { namespace, name: paramRef.name })]
    : (await request.reader.all(kind, namespace)).filter(({ metadata }) =>
        labelSelectorMatches(paramRef.selector, metadata.labels ?? {}),
      )
  const params = found.filter((each) => each !== undefined) as unknown as readonly AnyResource[]
  if (params.length > 0) return params.map((each) => ({ params: each }))
  return paramRef.parameterNotFoundAction === 'Deny'
    ? none('no params found for policy binding with `Deny` parameterNotFoundAction')
    : []
}
