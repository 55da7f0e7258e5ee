import type { V1PodSpec, V1ResourceRequirements } from './generated/types.ts'
import { qualifiedName } from './names.ts'
import { compareQuantities, readQuantity } from './quantity.ts'
import { containerRequestsOf, isPodLevelResource, type ResourceList } from './resource-requests.ts'
import { fault, type StatusCause } from './status.ts'

/** Requests and limits (core/validation.go ValidateContainerResourceRequirements, validatePodResources). */
const STANDARD = new Set(['cpu', 'memory', 'ephemeral-storage'])
const HUGE_PAGES = 'hugepages-'

export function validateResources(
  { requests = {}, limits = {} }: V1ResourceRequirements,
  path: string,
): StatusCause[] {
  const wrong = [
    ...Object.entries(limits).flatMap(([name, value]) => amountFaults(name, value, `${path}.limits`)),
    ...Object.entries(requests).flatMap(([name, value]) => amountFaults(name, value, `${path}.requests`)),
    ...pairFaults(requests, limits, path),
  ]
  const names = [...Object.keys(limits), ...Object.keys(requests)]
  const isAnchored = names.some((name) => name === 'cpu' || name === 'memory')
  if (names.some((name) => name.startsWith(HUGE_PAGES)) && !isAnchored)
    wrong.push(fault.forbidden(path, 'HugePages require cpu or memory'))
  return wrong
}

/** spec.resources: cpu, memory and huge pages of the pod as a whole, no less than what its containers ask for. */
export function validatePodResources(spec: V1PodSpec, path: string): StatusCause[] {
  const { resources } = spec
  if (!resources) return []
  const { requests = {}, limits = {} } = resources
  const wrong: StatusCause[] = []
  if (resources.claims)
    wrong.push(fault.forbidden(`${path}.claims`, 'claims cannot be set for Resources at pod-level'))
  for (const [list, at] of [
    [limits, `${path}.limits`],
    [requests, `${path}.requests`],
  ] as const) {
    for (const name of Object.keys(list).filter((one) => !isPodLevelResource(one)))
      wrong.push(fault.notSupported(`${at}[${name}]`, name, ['cpu', 'hugepages', 'memory']))
  }
  wrong.push(...pairFaults(requests, limits, path))
  for (const [name, asked] of Object.entries(containerRequestsOf(spec))) {
    const given = requests[name] ?? '0'
    if (isPodLevelResource(name) && compareQuantities(asked, given) > 0)
      wrong.push(
        fault.invalid(
          `${path}.requests[${name}]`,
          given,
          `must be greater than or equal to aggregate container requests of ${asked}`,
        ),
      )
  }
  for (const [i, container] of spec.containers.entries()) {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
      const most = limits[name]
      if (most !== undefined && compareQuantities(limit, most) > 0)
        wrong.push(
          fault.invalid(
            `${path}.containers[${i}][${name}].limits`,
            limit,
            `must be less than or equal to pod limits of ${most}`,
          ),
        )
    }
  }
  return wrong
}

function amountFaults(name: string, value: string, path: string): StatusCause[] {
  const at = `${path}[${name}]`
  const why = qualifiedName(name)
  if (why !== undefined) return [fault.invalid(at, name, why)]
  if (!name.includes('/') && !STANDARD.has(name) && !name.startsWith(HUGE_PAGES))
    return [fault.invalid(at, name, 'must be a standard resource for containers')]
  if (compareQuantities(value, '0') < 0)
    return [fault.invalid(at, value, 'must be greater than or equal to 0')]
  return isExtended(name) && !isInteger(value) ? [fault.invalid(at, value, 'must be an integer')] : []
}

function pairFaults(requests: ResourceList, limits: ResourceList, path: string): StatusCause[] {
  const wrong: StatusCause[] = []
  for (const [name, request] of Object.entries(requests)) {
    const limit = limits[name]
    const isStrict = isExtended(name) || name.startsWith(HUGE_PAGES)
    if (limit === undefined) {
      if (isStrict)
        wrong.push(fault.required(`${path}.limits`, 'Limit must be set for non overcommitable resources'))
    } else if (isStrict) {
      if (compareQuantities(request, limit) !== 0)
        wrong.push(fault.invalid(`${path}.requests`, request, `must be equal to ${name} limit of ${limit}`))
    } else if (compareQuantities(request, limit) > 0)
      wrong.push(
        fault.invalid(`${path}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`),
      )
  }
  return wrong
}

/** A device or other thing of a node that is counted in whole pieces and never overcommitted. */
function isExtended(name: string): boolean {
  return name.includes('/') && !/(^|\.)kubernetes\.io\//.test(name)
}

function isInteger(value: string): boolean {
  return (readQuantity(value)?.nano ?? 0n) % 1_000_000_000n === 0n
}
