import { fromCel } from '../../api/cel/from-cel.ts'
import type { V1Mutation } from '../../api/generated/types.ts'
import {
  type MutatingAdmissionPolicy,
  mutatingAdmissionPolicy,
} from '../../api/kinds/mutating-admission-policy.ts'
import {
  type MutatingAdmissionPolicyBinding,
  mutatingAdmissionPolicyBinding,
} from '../../api/kinds/mutating-admission-policy-binding.ts'
import type { AnyResource } from '../../api/resource.ts'
import { forbidden } from '../../api/status.ts'
import { deepEqual } from '../../base/json.ts'
import { jsonPatch } from '../patch/json-patch.ts'
import { mergeApplied } from '../patch/merge-applied.ts'
import { type BoundPolicy, boundPolicies } from '../policies/bound-policies.ts'
import { Evaluation } from '../policies/evaluation.ts'
import { convert } from '../versions.ts'
import { isExempt } from '../webhooks/subject.ts'
import type { Admission, AdmissionRequest } from './admission.ts'

type Bound = BoundPolicy<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding>

/**
 * MutatingAdmissionPolicy: configurations merged as server-side apply does, or JSON patches, made by expressions. Each
 * sees what those before it made; those with reinvocationPolicy IfNeeded are asked again when a later one changed it.
 */
export const mutatingAdmissionPolicies: Admission = {
  name: 'MutatingAdmissionPolicy',
  concerns: ({ kind, reader }) => !isExempt(kind) && !reader.isEmpty(mutatingAdmissionPolicyBinding),
  async mutate(request) {
    const bound = await boundPolicies(request, mutatingAdmissionPolicy, mutatingAdmissionPolicyBinding)
    let { object } = request
    const again = new Set<Bound>()
    for (const each of bound) {
      const changed = await mutateBy({ ...request, object }, each)
      if (!deepEqual(changed, object))
        for (const earlier of bound.slice(0, bound.indexOf(each))) again.add(earlier)
      object = changed
    }
    for (const each of again)
      if (each.policy.spec.reinvocationPolicy === 'IfNeeded')
        object = await mutateBy({ ...request, object }, each)
    return object
  },
}

async function mutateBy(
  request: AdmissionRequest,
  { policy, binding, form, params, problem }: Bound,
): Promise<AnyResource> {
  const { kind } = request
  const { mutations = [], matchConditions, variables, failurePolicy } = policy.spec
  let { object } = request
  try {
    if (problem !== undefined) throw new Error(problem)
    const first = await Evaluation.of(request, form, params, variables)
    if (!first.meets(matchConditions)) return object
    for (const mutation of mutations) {
      const evaluation = await Evaluation.of({ ...request, object }, form, params, variables)
      const mutated = mutate(convert(kind, form, object), mutation, evaluation, form.schema)
      object = kind.setDefaults(convert(form, kind, mutated)) as AnyResource
    }
    return object
  } catch (error) {
    if (failurePolicy === 'Ignore') return request.object
    const title = `policy '${policy.metadata.name}' with binding '${binding.metadata.name}'`
    throw forbidden(kind, object.metadata.name ?? '', `${title} denied request: ${(error as Error).message}`)
  }
}

function mutate(
  object: AnyResource,
  mutation: V1Mutation,
  evaluation: Evaluation,
  schema: Bound['form']['schema'],
): AnyResource {
  if (mutation.patchType === 'JSONPatch') {
    const operations = fromCel(evaluation.run(mutation.jsonPatch?.expression ?? '[]', 'mutation'))
    return jsonPatch(object, operations) as AnyResource
  }
  const made = fromCel(evaluation.run(mutation.applyConfiguration?.expression ?? '{}', 'mutation')) as object
  const { apiVersion, kind } = object
  const configuration = { ...made, apiVersion, kind } as unknown as AnyResource
  return mergeApplied(object, configuration, schema) as AnyResource
}
