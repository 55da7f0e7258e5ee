import type { IgnoreDifference } from '../api/kinds/application.ts'
import type { AnyResource } from '../api/resource.ts'
import { isObject } from '../base/json.ts'
import type { Target } from './target.ts'

/** Fields of an object that others decide: JSON pointers of the rules that fit it. */
export function ignoredPointers(target: Target, rules: readonly IgnoreDifference[]): readonly string[] {
  const { kind, object } = target
  return rules.flatMap((rule) => {
    const fits =
      (rule.group === undefined || rule.group === kind.group) &&
      (rule.kind === undefined || rule.kind === kind.kind) &&
      (rule.name === undefined || rule.name === object.metadata.name) &&
      (rule.namespace === undefined || rule.namespace === object.metadata.namespace)
    return fits ? (rule.jsonPointers ?? []) : []
  })
}

/**
 * The object with each of these fields as it is in the cluster (left out where the cluster has none), so that applying
 * it changes nothing there: a replica count that an autoscaler owns, a certificate that a controller fills in.
 */
export function adoptLive(object: AnyResource, live: AnyResource, pointers: readonly string[]): AnyResource {
  return pointers.reduce<AnyResource>((result, pointer) => {
    const steps = pointer
      .split('/')
      .slice(1)
      .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    return steps.length === 0 ? result : (adopt(result, live, steps) as AnyResource)
  }, object)
}

function adopt(value: unknown, live: unknown, steps: readonly string[]): unknown {
  const [step = '', ...rest] = steps
  if (Array.isArray(value)) {
    const at = Number(step)
    if (!Number.isInteger(at) || at >= value.length) return value
    const there: unknown = Array.isArray(live) ? live[at] : undefined
    if (rest.length === 0 && there === undefined) return value
    return value.map((item: unknown, i) =>
      i === at ? (rest.length === 0 ? there : adopt(item, there, rest)) : item,
    )
  }
  if (!isObject(value)) return value
  const there = isObject(live) ? live[step] : undefined
  if (rest.length > 0) return step in value ? { ...value, [step]: adopt(value[step], there, rest) } : value
  if (!(step in value)) return value
  const { [step]: _dropped, ...others } = value
  return there === undefined ? others : { ...others, [step]: there }
}
