import { validateEnv } from './env-validation.ts'
import { named, oneOf } from './field-rules.ts'
import type { V1Container, V1Volume } from './generated/types.ts'
import { type ProbeName, validateLifecycle, validateProbe } from './handler-validation.ts'
import { dns1123Label } from './names.ts'
import { portNameFaults, portNumberFaults } from './ports.ts'
import { validateResources } from './resource-validation.ts'
import { validateContainerSecurity } from './security-validation.ts'
import { fault, type StatusCause } from './status.ts'
import { validateMounts } from './volume-validation.ts'

/** What validation has to know of the pod around a container. */
export interface ContainerPlace {
  readonly volumes: ReadonlyMap<string, V1Volume>
  readonly sort: 'regular' | 'init' | 'ephemeral'
  readonly hostNetwork: boolean
  /** A template may leave to the pod what a pod must have, and has to keep what clusters already store. */
  readonly isPod: boolean
  readonly podRestartPolicy: string | undefined
  readonly graceSeconds: number | undefined
}

const PROBES: readonly ProbeName[] = ['livenessProbe', 'readinessProbe', 'startupProbe']
const NOT_IN_INIT = 'may not be set for init containers without restartPolicy=Always'
const NOT_IN_EPHEMERAL = 'cannot be set for an Ephemeral Container'

/** One container (core/validation.go validateContainerCommon and its callers). `path` is e.g. "spec.containers[0]". */
export function validateContainer(
  container: V1Container,
  path: string,
  place: ContainerPlace,
): StatusCause[] {
  const { image, securityContext } = container
  const wrong = named(container.name, dns1123Label, `${path}.name`)
  if (!image) wrong.push(fault.required(`${path}.image`))
  else if (place.isPod && image !== image.trim())
    wrong.push(fault.invalid(`${path}.image`, image, 'must not have leading or trailing whitespace'))
  wrong.push(
    ...oneOf(
      container.terminationMessagePolicy,
      ['FallbackToLogsOnError', 'File'],
      `${path}.terminationMessagePolicy`,
    ),
    ...validatePorts(container, path, place),
    ...validateEnv(container, path),
    ...validateMounts(container, path, place.volumes),
    ...oneOf(container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never'], `${path}.imagePullPolicy`),
    ...validateResources(container.resources ?? {}, `${path}.resources`),
    ...validateResizePolicy(container, path, place.podRestartPolicy),
    ...(securityContext ? validateContainerSecurity(securityContext, `${path}.securityContext`) : []),
    ...validateRestart(container, path),
    ...validateHandlers(container, path, place),
  )
  return wrong
}

function validatePorts({ ports = [] }: V1Container, path: string, place: ContainerPlace): StatusCause[] {
  const names = new Set<string>()
  return ports.flatMap(({ name, containerPort, hostPort = 0, protocol }, i) => {
    const at = `${path}.ports[${i}]`
    const wrong = name ? portNameFaults(name, `${at}.name`) : []
    if (name && names.has(name)) wrong.push(fault.duplicate(`${at}.name`, name))
    if (name) names.add(name)
    if (!containerPort) wrong.push(fault.required(`${at}.containerPort`))
    else wrong.push(...portNumberFaults(containerPort, `${at}.containerPort`))
    if (hostPort !== 0) wrong.push(...portNumberFaults(hostPort, `${at}.hostPort`))
    // The host ports of a template are given to its pods; until then they may be left out, but not be others.
    const isJudged = place.hostNetwork && place.sort === 'regular' && (place.isPod || hostPort !== 0)
    if (isJudged && hostPort !== containerPort)
      wrong.push(
        fault.invalid(`${at}.hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true'),
      )
    return [...wrong, ...oneOf(protocol, ['SCTP', 'TCP', 'UDP'], `${at}.protocol`)]
  })
}

function validateResizePolicy(
  { resizePolicy = [] }: V1Container,
  path: string,
  podRestartPolicy: string | undefined,
): StatusCause[] {
  const at = `${path}.resizePolicy`
  const names = new Set<string>()
  return resizePolicy.flatMap(({ resourceName, restartPolicy }, i) => {
    const wrong = names.has(resourceName) ? [fault.duplicate(`${at}[${i}]`, resourceName)] : []
    names.add(resourceName)
    wrong.push(...oneOf(resourceName, ['cpu', 'memory'], at))
    wrong.push(...oneOf(restartPolicy, ['NotRequired', 'RestartContainer'], at))
    if (podRestartPolicy === 'Never' && restartPolicy !== 'NotRequired')
      wrong.push(fault.invalid(at, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"))
    return wrong
  })
}

const RULES_MAX = 20
const EXIT_CODES_MAX = 255

function validateRestart({ restartPolicy, restartPolicyRules }: V1Container, path: string): StatusCause[] {
  const wrong = oneOf(restartPolicy, ['Always', 'Never', 'OnFailure'], `${path}.restartPolicy`)
  if (restartPolicyRules?.length && restartPolicy === undefined)
    wrong.push(
      fault.required(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used'),
    )
  return [...wrong, ...validateRestartRules(restartPolicyRules ?? [], `${path}.restartPolicyRules`)]
}

function validateRestartRules(
  rules: NonNullable<V1Container['restartPolicyRules']>,
  path: string,
): StatusCause[] {
  const wrong = rules.flatMap(({ action, exitCodes }, i) => {
    const at = `${path}[${i}]`
    const codes = `${at}.exitCodes`
    if (!exitCodes)
      return [
        ...oneOf(action, ['Restart', 'RestartAllContainers'], `${at}.action`),
        fault.required(codes, 'must be specified'),
      ]
    const { operator, values = [] } = exitCodes
    return [
      ...oneOf(action, ['Restart', 'RestartAllContainers'], `${at}.action`),
      ...oneOf(operator, ['In', 'NotIn'], `${codes}.operator`),
      ...(values.length > EXIT_CODES_MAX
        ? [fault.tooMany(`${codes}.values`, values.length, EXIT_CODES_MAX)]
        : []),
    ]
  })
  return rules.length > RULES_MAX ? [fault.tooMany(path, rules.length, RULES_MAX), ...wrong] : wrong
}

/** Probes and hooks are for what keeps running. */
function validateHandlers(container: V1Container, path: string, place: ContainerPlace): StatusCause[] {
  const isRunning =
    place.sort === 'regular' || (place.sort === 'init' && container.restartPolicy === 'Always')
  const refusal = place.sort === 'init' ? NOT_IN_INIT : NOT_IN_EPHEMERAL
  const wrong: StatusCause[] = []
  if (container.lifecycle)
    wrong.push(
      ...(isRunning
        ? validateLifecycle(container.lifecycle, `${path}.lifecycle`, place.graceSeconds)
        : [fault.forbidden(`${path}.lifecycle`, refusal)]),
    )
  for (const name of PROBES) {
    const probe = container[name]
    if (!probe) continue
    const at = `${path}.${name}`
    wrong.push(...(isRunning ? validateProbe(probe, at, name) : [fault.forbidden(at, refusal)]))
  }
  return wrong
}
