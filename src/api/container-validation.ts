import type { V1Container, V1EnvVar, V1Probe, V1Volume } from './generated/types.ts'
import { dns1123Label, dns1123Subdomain, qualifiedName } from './names.ts'
import { compareQuantities } from './quantity.ts'
import { fault, type StatusCause } from './status.ts'

export interface ContainerPlace {
  readonly volumes: ReadonlyMap<string, V1Volume>
  readonly init: boolean
  readonly hostNetwork: boolean
}

const PORT_RANGE = 'must be between 1 and 65535, inclusive'
const PORT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const ENV_NAME = /^[-._a-zA-Z][-._a-zA-Z0-9]*$|^[^\s=\0]+$/
const STANDARD = new Set(['cpu', 'memory', 'ephemeral-storage'])

/** One container (core/validation.go validateContainer). `path` is e.g. "spec.containers[0]". */
export function validateContainer(
  container: V1Container,
  path: string,
  place: ContainerPlace,
): StatusCause[] {
  const wrong: StatusCause[] = []
  const isSidecar = place.init && container.restartPolicy === 'Always'
  const wrongName = container.name ? dns1123Label(container.name) : undefined
  if (!container.name) wrong.push(fault.required(`${path}.name`))
  else if (wrongName) wrong.push(fault.invalid(`${path}.name`, container.name, wrongName))
  if (!container.image) wrong.push(fault.required(`${path}.image`))
  else if (container.image !== container.image.trim()) {
    wrong.push(
      fault.invalid(`${path}.image`, container.image, 'must not have leading or trailing whitespace'),
    )
  }
  if (container.imagePullPolicy && !['Always', 'IfNotPresent', 'Never'].includes(container.imagePullPolicy)) {
    wrong.push(
      fault.notSupported(`${path}.imagePullPolicy`, container.imagePullPolicy, [
        'Always',
        'IfNotPresent',
        'Never',
      ]),
    )
  }
  wrong.push(...validatePorts(container, path, place.hostNetwork), ...validateEnv(container, path))
  wrong.push(...validateMounts(container, path, place.volumes), ...validateResources(container, path))
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    const probe = container[name]
    if (!probe) continue
    if (place.init && !isSidecar)
      wrong.push(
        fault.forbidden(`${path}.${name}`, 'may not be set for init containers without restartPolicy=Always'),
      )
    else wrong.push(...validateProbe(probe, `${path}.${name}`, name))
  }
  if (place.init && container.lifecycle && !isSidecar) {
    wrong.push(
      fault.forbidden(`${path}.lifecycle`, 'may not be set for init containers without restartPolicy=Always'),
    )
  }
  return wrong
}

function validatePorts({ ports = [] }: V1Container, path: string, hostNetwork: boolean): StatusCause[] {
  const wrong: StatusCause[] = []
  const names = new Set<string>()
  for (const [i, port] of ports.entries()) {
    const at = `${path}.ports[${i}]`
    if (port.name) {
      if (port.name.length > 15 || !PORT_NAME.test(port.name) || !/[a-z]/.test(port.name)) {
        wrong.push(
          fault.invalid(
            `${at}.name`,
            port.name,
            port.name.length > 15
              ? 'must be no more than 15 characters'
              : 'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
          ),
        )
      } else if (names.has(port.name)) wrong.push(fault.duplicate(`${at}.name`, port.name))
      names.add(port.name)
    }
    if (!port.containerPort) wrong.push(fault.required(`${at}.containerPort`))
    else if (port.containerPort < 1 || port.containerPort > 65535)
      wrong.push(fault.invalid(`${at}.containerPort`, port.containerPort, PORT_RANGE))
    if (port.hostPort && (port.hostPort < 1 || port.hostPort > 65535))
      wrong.push(fault.invalid(`${at}.hostPort`, port.hostPort, PORT_RANGE))
    if (hostNetwork && port.hostPort && port.hostPort !== port.containerPort) {
      wrong.push(
        fault.invalid(
          `${at}.containerPort`,
          port.containerPort,
          'must match `hostPort` when `hostNetwork` is true',
        ),
      )
    }
    if (port.protocol && !['TCP', 'UDP', 'SCTP'].includes(port.protocol))
      wrong.push(fault.notSupported(`${at}.protocol`, port.protocol, ['SCTP', 'TCP', 'UDP']))
  }
  return wrong
}

function validateEnv({ env = [], envFrom = [] }: V1Container, path: string): StatusCause[] {
  const wrong = env.flatMap((entry, i) => validateEnvVar(entry, `${path}.env[${i}]`))
  for (const [i, { configMapRef, secretRef }] of envFrom.entries()) {
    const at = `${path}.envFrom[${i}]`
    if (!configMapRef && !secretRef)
      wrong.push(fault.invalid(at, '', 'must specify one of: `configMapRef` or `secretRef`'))
    for (const [name, ref] of [
      ['configMapRef', configMapRef],
      ['secretRef', secretRef],
    ] as const) {
      const why = ref?.name ? dns1123Subdomain(ref.name) : undefined
      if (ref && !ref.name) wrong.push(fault.required(`${at}.${name}.name`))
      else if (why) wrong.push(fault.invalid(`${at}.${name}.name`, ref?.name, why))
    }
  }
  return wrong
}

function validateEnvVar({ name, value, valueFrom }: V1EnvVar, at: string): StatusCause[] {
  const wrong: StatusCause[] = []
  if (!name) wrong.push(fault.required(`${at}.name`))
  else if (!ENV_NAME.test(name))
    wrong.push(
      fault.invalid(
        `${at}.name`,
        name,
        "a valid environment variable name must consist only of printable ASCII characters other than '='",
      ),
    )
  if (!valueFrom) return wrong
  const sources = Object.entries(valueFrom).filter(([, source]) => source !== undefined)
  if (value)
    wrong.push(fault.invalid(`${at}.valueFrom`, '', 'may not be specified when `value` is not empty'))
  if (sources.length === 0)
    wrong.push(
      fault.invalid(
        `${at}.valueFrom`,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      ),
    )
  if (sources.length > 1)
    wrong.push(fault.invalid(`${at}.valueFrom`, '', 'may not have more than one field specified at a time'))
  for (const kind of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const ref = valueFrom[kind]
    if (!ref) continue
    if (!ref.name) wrong.push(fault.required(`${at}.valueFrom.${kind}.name`))
    if (!ref.key) wrong.push(fault.required(`${at}.valueFrom.${kind}.key`))
  }
  return wrong
}

function validateMounts(
  { volumeMounts = [] }: V1Container,
  path: string,
  volumes: ReadonlyMap<string, V1Volume>,
): StatusCause[] {
  const wrong: StatusCause[] = []
  const paths = new Set<string>()
  for (const [i, mount] of volumeMounts.entries()) {
    const at = `${path}.volumeMounts[${i}]`
    if (!mount.name) wrong.push(fault.required(`${at}.name`))
    else if (!volumes.has(mount.name)) wrong.push(fault.notFound(`${at}.name`, mount.name))
    if (!mount.mountPath) wrong.push(fault.required(`${at}.mountPath`))
    else if (paths.has(mount.mountPath))
      wrong.push(fault.invalid(`${at}.mountPath`, mount.mountPath, 'must be unique'))
    paths.add(mount.mountPath)
    if (mount.subPath?.split('/').includes('..'))
      wrong.push(fault.invalid(`${at}.subPath`, mount.subPath, "must not contain '..'"))
  }
  return wrong
}

function validateResources({ resources = {} }: V1Container, path: string): StatusCause[] {
  const wrong: StatusCause[] = []
  const { requests = {}, limits = {} } = resources
  for (const [list, at] of [
    [limits, `${path}.resources.limits`],
    [requests, `${path}.resources.requests`],
  ] as const) {
    for (const [name, value] of Object.entries(list)) {
      const why = qualifiedName(name)
      if (why) wrong.push(fault.invalid(`${at}[${name}]`, name, why))
      else if (!name.includes('/') && !STANDARD.has(name) && !name.startsWith('hugepages-')) {
        wrong.push(fault.invalid(`${at}[${name}]`, name, 'must be a standard resource for containers'))
      }
      if (compareQuantities(value, '0') < 0)
        wrong.push(fault.invalid(`${at}[${name}]`, value, 'must be greater than or equal to 0'))
    }
  }
  for (const [name, request] of Object.entries(requests)) {
    const limit = limits[name]
    const at = `${path}.resources.requests`
    if (limit !== undefined && compareQuantities(request, limit) > 0)
      wrong.push(fault.invalid(at, request, `must be less than or equal to ${name} limit of ${limit}`))
    if (name.includes('/') && limit === undefined)
      wrong.push(
        fault.required(`${path}.resources.limits`, 'Limit must be set for non overcommitable resources'),
      )
    else if (name.includes('/') && compareQuantities(request, limit ?? '0') !== 0)
      wrong.push(fault.invalid(at, request, `must be equal to ${name} limit of ${limit}`))
  }
  return wrong
}

function validateProbe(
  probe: V1Probe,
  path: string,
  kind: 'livenessProbe' | 'readinessProbe' | 'startupProbe',
): StatusCause[] {
  const wrong: StatusCause[] = []
  const handlers = (['exec', 'httpGet', 'tcpSocket', 'grpc'] as const).filter(
    (name) => probe[name] !== undefined,
  )
  if (handlers.length === 0) wrong.push(fault.required(path, 'must specify a handler type'))
  for (const name of handlers.slice(1))
    wrong.push(fault.forbidden(`${path}.${name}`, 'may not specify more than 1 handler type'))
  for (const field of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ] as const) {
    const value = probe[field]
    if (value !== undefined && value < 0)
      wrong.push(fault.invalid(`${path}.${field}`, value, 'must be greater than or equal to 0'))
  }
  if (kind !== 'readinessProbe' && probe.successThreshold !== undefined && probe.successThreshold !== 1) {
    wrong.push(fault.invalid(`${path}.successThreshold`, probe.successThreshold, 'must be 1'))
  }
  if (probe.exec && !probe.exec.command?.length) wrong.push(fault.required(`${path}.exec.command`))
  const port = probe.httpGet?.port ?? probe.tcpSocket?.port
  const portPath = `${path}.${probe.httpGet ? 'httpGet' : 'tcpSocket'}.port`
  if (typeof port === 'number' && (port < 1 || port > 65535))
    wrong.push(fault.invalid(portPath, port, PORT_RANGE))
  if (typeof port === 'string' && !PORT_NAME.test(port))
    wrong.push(
      fault.invalid(portPath, port, 'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)'),
    )
  return wrong
}
