import { isObject } from '../base/json.ts'
import { follows, named, oneOf } from './field-rules.ts'
import type {
  V1DeviceClaim,
  V1DeviceConstraint,
  V1DeviceRequest,
  V1DeviceSelector,
  V1DeviceSubRequest,
  V1DeviceToleration,
  V1ExactDeviceRequest,
  V1OpaqueDeviceConfiguration,
} from './generated/types.ts'
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from './names.ts'
import { fault, type StatusCause } from './status.ts'

/**
 * What ResourceClaims ask for, also those that templates make: defaults and rules (apis/resource/validation). CEL of
 * selectors is compiled by who evaluates it; here it only has to be there and to be of a sensible length.
 */
const REQUESTS_MAX = 32
const ALTERNATIVES_MAX = 8
const SELECTORS_MAX = 32
const CONSTRAINTS_MAX = 32
const CONFIG_MAX = 32
const TOLERATIONS_MAX = 16
const EXPRESSION_BYTES_MAX = 10 * 1024
const PARAMETERS_BYTES_MAX = 10 * 1024
const MODES = ['All', 'ExactCount']
const EFFECTS = ['NoExecute', 'NoSchedule', 'None']

type Ask = Omit<V1ExactDeviceRequest, 'adminAccess'>

export function defaultDeviceClaim(claim: V1DeviceClaim): V1DeviceClaim {
  if (!claim.requests) return claim
  return { ...claim, requests: claim.requests.map(defaultRequest) }
}

function defaultRequest(request: V1DeviceRequest): V1DeviceRequest {
  return {
    ...request,
    ...(request.exactly ? { exactly: defaultAsk(request.exactly) } : {}),
    ...(request.firstAvailable ? { firstAvailable: request.firstAvailable.map(defaultAsk) } : {}),
  }
}

function defaultAsk<A extends Ask>(ask: A): A {
  const allocationMode = ask.allocationMode || 'ExactCount'
  return {
    ...ask,
    allocationMode,
    ...(allocationMode === 'ExactCount' && !ask.count ? { count: 1 } : {}),
    ...(ask.tolerations
      ? { tolerations: ask.tolerations.map((one) => ({ ...one, operator: one.operator || 'Equal' })) }
      : {}),
  }
}

export function validateDeviceClaim(claim: V1DeviceClaim, path: string): StatusCause[] {
  const { requests = [], constraints = [], config = [] } = claim
  const names = requestNames(requests)
  return [
    ...atMost(requests, REQUESTS_MAX, `${path}.requests`),
    ...duplicates(requests, `${path}.requests`),
    ...requests.flatMap((request, i) => validateRequest(request, `${path}.requests[${i}]`)),
    ...atMost(constraints, CONSTRAINTS_MAX, `${path}.constraints`),
    ...constraints.flatMap((constraint, i) =>
      validateConstraint(constraint, `${path}.constraints[${i}]`, names),
    ),
    ...atMost(config, CONFIG_MAX, `${path}.config`),
    ...config.flatMap(({ requests: about = [], opaque }, i) => [
      ...knownRequests(about, `${path}.config[${i}].requests`, names),
      ...validateConfiguration(opaque, `${path}.config[${i}]`),
    ]),
  ]
}

/** A request is named by its name, an alternative of it by "request/alternative". */
function requestNames(requests: readonly V1DeviceRequest[]): ReadonlySet<string> {
  return new Set(
    requests.flatMap(({ name, firstAvailable = [] }) => [
      name,
      ...firstAvailable.map((alternative) => `${name}/${alternative.name}`),
    ]),
  )
}

function validateRequest(
  { name, exactly, firstAvailable = [] }: V1DeviceRequest,
  path: string,
): StatusCause[] {
  const wrong = named(name, dns1123Label, `${path}.name`)
  if (exactly && firstAvailable.length > 0)
    return [
      ...wrong,
      fault.invalid(
        path,
        null,
        'exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set',
      ),
    ]
  if (exactly) return [...wrong, ...validateAsk(exactly, `${path}.exactly`)]
  if (firstAvailable.length === 0)
    return [...wrong, fault.required(path, 'exactly one of `exactly` or `firstAvailable` is required')]
  return [
    ...wrong,
    ...atMost(firstAvailable, ALTERNATIVES_MAX, `${path}.firstAvailable`),
    ...duplicates(firstAvailable, `${path}.firstAvailable`),
    ...firstAvailable.flatMap((alternative: V1DeviceSubRequest, i) => [
      ...named(alternative.name, dns1123Label, `${path}.firstAvailable[${i}].name`),
      ...validateAsk(alternative, `${path}.firstAvailable[${i}]`),
    ]),
  ]
}

function validateAsk(ask: Ask, path: string): StatusCause[] {
  const { allocationMode, count = 0, selectors, tolerations = [] } = ask
  const wrong = [
    ...named(ask.deviceClassName, dns1123Subdomain, `${path}.deviceClassName`),
    ...validateDeviceSelectors(selectors, `${path}.selectors`),
  ]
  if (allocationMode === 'All' && count !== 0)
    wrong.push(fault.invalid(`${path}.count`, count, "must not be specified when allocationMode is 'All'"))
  else if (allocationMode === 'ExactCount' && count <= 0)
    wrong.push(fault.invalid(`${path}.count`, count, 'must be greater than zero'))
  wrong.push(...oneOf(allocationMode, MODES, `${path}.allocationMode`))
  wrong.push(...atMost(tolerations, TOLERATIONS_MAX, `${path}.tolerations`))
  return [...wrong, ...tolerations.flatMap((one, i) => validateToleration(one, `${path}.tolerations[${i}]`))]
}

function validateToleration(
  { key, operator, value, effect }: V1DeviceToleration,
  path: string,
): StatusCause[] {
  const wrong = follows(key, qualifiedName, `${path}.key`)
  if (operator === 'Exists') {
    if (value) wrong.push(fault.invalid(`${path}.value`, value, 'must be empty for operator `Exists`'))
  } else if (operator === 'Equal') wrong.push(...follows(value, labelValue, `${path}.value`))
  else wrong.push(...oneOf(operator, ['Equal', 'Exists'], `${path}.operator`))
  if (!key && operator !== 'Exists')
    wrong.push(
      fault.invalid(
        `${path}.operator`,
        operator,
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ),
    )
  if (effect) wrong.push(...oneOf(effect, EFFECTS, `${path}.effect`))
  return wrong
}

export function validateDeviceSelectors(
  selectors: readonly V1DeviceSelector[] | undefined,
  path: string,
): StatusCause[] {
  if (!selectors) return []
  return [
    ...atMost(selectors, SELECTORS_MAX, path),
    ...selectors.flatMap(({ cel }, i) => {
      if (!cel) return [fault.required(`${path}[${i}].cel`)]
      const at = `${path}[${i}].cel.expression`
      if (!cel.expression) return [fault.required(at)]
      return Buffer.byteLength(cel.expression) > EXPRESSION_BYTES_MAX
        ? [fault.tooLong(at, EXPRESSION_BYTES_MAX)]
        : []
    }),
  ]
}

function validateConstraint(
  { requests = [], matchAttribute, distinctAttribute }: V1DeviceConstraint,
  path: string,
  names: ReadonlySet<string>,
): StatusCause[] {
  const wrong = knownRequests(requests, `${path}.requests`, names)
  const attribute = matchAttribute ?? distinctAttribute
  if (attribute === undefined)
    return [
      ...wrong,
      fault.required(path, 'exactly one of `matchAttribute` or `distinctAttribute` is required'),
    ]
  if (matchAttribute !== undefined && distinctAttribute !== undefined)
    return [
      ...wrong,
      fault.invalid(
        path,
        null,
        'exactly one of `matchAttribute` or `distinctAttribute` is required, but multiple fields are set',
      ),
    ]
  const at = `${path}.${matchAttribute === undefined ? 'distinctAttribute' : 'matchAttribute'}`
  if (!attribute.includes('/')) return [...wrong, fault.invalid(at, attribute, 'must include a domain')]
  return [...wrong, ...follows(attribute, qualifiedName, at)]
}

export function validateConfiguration(
  opaque: V1OpaqueDeviceConfiguration | undefined,
  path: string,
): StatusCause[] {
  if (!opaque) return [fault.required(path, 'exactly one of `opaque` is required')]
  const { driver, parameters } = opaque
  const wrong = named(driver, dns1123Subdomain, `${path}.opaque.driver`)
  const at = `${path}.opaque.parameters`
  if (parameters === undefined || parameters === null) wrong.push(fault.required(at))
  else if (!isObject(parameters)) wrong.push(fault.invalid(at, parameters, 'must be a valid JSON object'))
  else if (Buffer.byteLength(JSON.stringify(parameters)) > PARAMETERS_BYTES_MAX)
    wrong.push(fault.tooLong(at, PARAMETERS_BYTES_MAX))
  return wrong
}

function knownRequests(requests: readonly string[], path: string, names: ReadonlySet<string>): StatusCause[] {
  return requests.flatMap((request, i) => [
    ...(requests.indexOf(request) < i ? [fault.duplicate(`${path}[${i}]`, request)] : []),
    ...(names.has(request)
      ? []
      : [
          fault.invalid(
            `${path}[${i}]`,
            request,
            "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'",
          ),
        ]),
  ])
}

export function atMost(list: readonly unknown[], max: number, path: string): StatusCause[] {
  return list.length > max ? [fault.tooMany(path, list.length, max)] : []
}

function duplicates(list: readonly { readonly name: string }[], path: string): StatusCause[] {
  return list.flatMap(({ name }, i) =>
    list.findIndex((other) => other.name === name) < i ? [fault.duplicate(`${path}[${i}]`, name)] : [],
  )
}
