import { oneOf } from './field-rules.ts'
import type {
  AdmissionregistrationV1WebhookClientConfig,
  V1MutatingWebhook,
  V1RuleWithOperations,
} from './generated/types.ts'
import { validateMatchConditions } from './match-condition-validation.ts'
import { dns1123Subdomain } from './names.ts'
import { validateLabelSelector } from './selectors.ts'
import { fault, type StatusCause } from './status.ts'

/** A validating webhook has no reinvocationPolicy; all else is alike. */
type Webhook = V1MutatingWebhook

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']

export function withWebhookDefaults<W extends Webhook>(webhook: W, isMutating: boolean): W {
  const { clientConfig, rules } = webhook
  const { service } = clientConfig
  return {
    ...webhook,
    failurePolicy: webhook.failurePolicy ?? 'Fail',
    matchPolicy: webhook.matchPolicy ?? 'Equivalent',
    namespaceSelector: webhook.namespaceSelector ?? {},
    objectSelector: webhook.objectSelector ?? {},
    timeoutSeconds: webhook.timeoutSeconds ?? 10,
    ...(isMutating ? { reinvocationPolicy: webhook.reinvocationPolicy ?? 'Never' } : {}),
    ...(service && service.port === undefined
      ? { clientConfig: { ...clientConfig, service: { ...service, port: 443 } } }
      : {}),
    ...(rules
      ? { rules: rules.map((rule) => (rule.scope === undefined ? { ...rule, scope: '*' } : rule)) }
      : {}),
  }
}

export function validateWebhooks(webhooks: readonly Webhook[] | undefined): StatusCause[] {
  const faults: StatusCause[] = []
  const seen = new Set<string>()
  for (const [i, webhook] of (webhooks ?? []).entries()) {
    const at = `webhooks[${i}]`
    faults.push(...validateWebhook(webhook, at))
    if (seen.has(webhook.name)) faults.push(fault.duplicate(`${at}.name`, webhook.name))
    seen.add(webhook.name)
  }
  return faults
}

function validateWebhook(webhook: Webhook, at: string): StatusCause[] {
  const {
    name,
    admissionReviewVersions: versions,
    sideEffects,
    timeoutSeconds,
    rules,
    clientConfig,
  } = webhook
  const faults: StatusCause[] = []
  const wrong = dns1123Subdomain(name)
  if (!name) faults.push(fault.required(`${at}.name`))
  else if (wrong) faults.push(fault.invalid(`${at}.name`, name, wrong))
  else if (name.split('.').length < 3)
    faults.push(
      fault.invalid(`${at}.name`, name, 'should be a domain with at least three segments separated by dots'),
    )
  if (versions.length === 0)
    faults.push(fault.required(`${at}.admissionReviewVersions`, 'must specify one of v1, v1beta1'))
  else if (!versions.some((version) => version === 'v1' || version === 'v1beta1'))
    faults.push(
      fault.invalid(`${at}.admissionReviewVersions`, versions, 'must include at least one of v1, v1beta1'),
    )
  if (!sideEffects) faults.push(fault.required(`${at}.sideEffects`, 'must specify one of None, NoneOnDryRun'))
  else faults.push(...oneOf(sideEffects, ['None', 'NoneOnDryRun'], `${at}.sideEffects`))
  if (timeoutSeconds !== undefined && (timeoutSeconds < 1 || timeoutSeconds > 30))
    faults.push(
      fault.invalid(
        `${at}.timeoutSeconds`,
        timeoutSeconds,
        'the timeout value must be between 1 and 30 seconds',
      ),
    )
  faults.push(
    ...oneOf(webhook.failurePolicy, ['Fail', 'Ignore'], `${at}.failurePolicy`),
    ...oneOf(webhook.matchPolicy, ['Equivalent', 'Exact'], `${at}.matchPolicy`),
    ...oneOf(webhook.reinvocationPolicy, ['IfNeeded', 'Never'], `${at}.reinvocationPolicy`),
    ...validateLabelSelector(webhook.namespaceSelector, `${at}.namespaceSelector`),
    ...validateLabelSelector(webhook.objectSelector, `${at}.objectSelector`),
    ...(rules ?? []).flatMap((rule, i) => validateRule(rule, `${at}.rules[${i}]`)),
    ...validateClientConfig(clientConfig, `${at}.clientConfig`),
    ...validateMatchConditions(webhook.matchConditions, `${at}.matchConditions`, 'webhook'),
  )
  return faults
}

/** A rule of a webhook or policy. */
export function validateRule(rule: V1RuleWithOperations, at: string): StatusCause[] {
  const faults: StatusCause[] = []
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule
  const listed = (list: readonly string[], name: string, noun: string) => {
    if (list.length === 0) faults.push(fault.required(`${at}.${name}`))
    else if (list.includes('*') && list.length > 1)
      faults.push(fault.invalid(`${at}.${name}`, list, `if '*' is present, must not specify other ${noun}`))
  }
  listed(operations, 'operations', 'operations')
  for (const [i, operation] of operations.entries())
    faults.push(...oneOf(operation, OPERATIONS, `${at}.operations[${i}]`))
  listed(apiGroups, 'apiGroups', 'API groups')
  listed(apiVersions, 'apiVersions', 'API versions')
  if (resources.length === 0) faults.push(fault.required(`${at}.resources`))
  if (resources.includes('*/*') && resources.length > 1)
    faults.push(
      fault.invalid(`${at}.resources`, resources, "if '*/*' is present, must not specify other resources"),
    )
  for (const [i, resource] of resources.entries())
    if (resource === '') faults.push(fault.required(`${at}.resources[${i}]`))
  faults.push(...oneOf(scope, ['*', 'Cluster', 'Namespaced'], `${at}.scope`))
  return faults
}

function validateClientConfig(
  { url, service }: AdmissionregistrationV1WebhookClientConfig,
  at: string,
): StatusCause[] {
  if ((url === undefined) === (service === undefined))
    return [fault.required(at, 'exactly one of url or service is required')]
  if (service) {
    const faults: StatusCause[] = []
    if (!service.name) faults.push(fault.required(`${at}.service.name`, 'service name is required'))
    if (!service.namespace)
      faults.push(fault.required(`${at}.service.namespace`, 'service namespace is required'))
    if (service.path !== undefined && !service.path.startsWith('/'))
      faults.push(fault.invalid(`${at}.service.path`, service.path, "must start with a '/'"))
    if (service.port !== undefined && (service.port < 1 || service.port > 65535))
      faults.push(
        fault.invalid(
          `${at}.service.port`,
          service.port,
          'port is not valid: must be between 1 and 65535, inclusive',
        ),
      )
    return faults
  }
  const form = 'desired format: https://host[/path]'
  const parsed = url !== undefined && URL.canParse(url) ? new URL(url) : undefined
  if (!parsed) return [fault.invalid(`${at}.url`, url, `url must be a valid URL; ${form}`)]
  if (parsed.protocol !== 'https:')
    return [
      fault.invalid(
        `${at}.url`,
        parsed.protocol.slice(0, -1),
        `'https' is the only allowed URL scheme; ${form}`,
      ),
    ]
  if (parsed.username || parsed.password)
    return [fault.invalid(`${at}.url`, parsed.host, `user information is not permitted in the URL; ${form}`)]
  if (parsed.hash)
    return [fault.invalid(`${at}.url`, parsed.hash.slice(1), 'fragments are not permitted in the URL')]
  if (parsed.search)
    return [
      fault.invalid(`${at}.url`, parsed.search.slice(1), 'query parameters are not permitted in the URL'),
    ]
  return []
}
