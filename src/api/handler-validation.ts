import { named, notNegative, oneOf } from './field-rules.ts'
import type { V1Container, V1HTTPGetAction, V1LifecycleHandler, V1Probe } from './generated/types.ts'
import { portFaults, portNumberFaults } from './ports.ts'
import { fault, type StatusCause } from './status.ts'

/** Probes and lifecycle hooks (core/validation.go validateProbe, validateHandler). */
export type ProbeName = 'livenessProbe' | 'readinessProbe' | 'startupProbe'
const HEADER_NAME = /^[-A-Za-z0-9]+$/
const HEADER_MESSAGE =
  "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"

export function validateProbe(probe: V1Probe, path: string, name: ProbeName): StatusCause[] {
  const grace = probe.terminationGracePeriodSeconds
  const wrong = [
    ...validateHandler(probe, path),
    ...notNegative(probe.initialDelaySeconds, `${path}.initialDelaySeconds`),
    ...notNegative(probe.timeoutSeconds, `${path}.timeoutSeconds`),
    ...notNegative(probe.periodSeconds, `${path}.periodSeconds`),
    ...notNegative(probe.successThreshold, `${path}.successThreshold`),
    ...notNegative(probe.failureThreshold, `${path}.failureThreshold`),
  ]
  if (grace !== undefined && grace <= 0)
    wrong.push(fault.invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'))
  if (name === 'readinessProbe') {
    if (grace !== undefined)
      wrong.push(
        fault.invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes'),
      )
  } else if ((probe.successThreshold ?? 1) !== 1)
    wrong.push(fault.invalid(`${path}.successThreshold`, probe.successThreshold, 'must be 1'))
  return wrong
}

/** `graceSeconds` is the pod's, within which a sleep has to fit. */
export function validateLifecycle(
  { postStart, preStop }: NonNullable<V1Container['lifecycle']>,
  path: string,
  graceSeconds: number | undefined,
): StatusCause[] {
  return [
    ...(postStart ? validateHandler(postStart, `${path}.postStart`, graceSeconds) : []),
    ...(preStop ? validateHandler(preStop, `${path}.preStop`, graceSeconds) : []),
  ]
}

type Handler = Pick<V1Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & Pick<V1LifecycleHandler, 'sleep'>

function validateHandler(handler: Handler, path: string, graceSeconds?: number): StatusCause[] {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler
  const checks: readonly (readonly [string, () => StatusCause[]] | undefined)[] = [
    exec && ['exec', () => (exec.command?.length ? [] : [fault.required(`${path}.exec.command`)])],
    httpGet && ['httpGet', () => validateHttpGet(httpGet, `${path}.httpGet`)],
    tcpSocket && ['tcpSocket', () => portFaults(tcpSocket.port, `${path}.tcpSocket.port`)],
    grpc && ['grpc', () => portNumberFaults(grpc.port, `${path}.grpc.port`)],
    sleep && ['sleep', () => validateSleep(sleep.seconds, `${path}.sleep`, graceSeconds)],
  ]
  const [first, ...others] = checks.filter((check) => check !== undefined)
  if (!first) return [fault.required(path, 'must specify a handler type')]
  const more = others.map(([name]) =>
    fault.forbidden(`${path}.${name}`, 'may not specify more than 1 handler type'),
  )
  return [...first[1](), ...more]
}

function validateHttpGet(
  { path: url, port, scheme, httpHeaders = [] }: V1HTTPGetAction,
  path: string,
): StatusCause[] {
  return [
    ...named(url, () => undefined, `${path}.path`),
    ...portFaults(port, `${path}.port`),
    ...oneOf(scheme, ['HTTP', 'HTTPS'], `${path}.scheme`),
    ...httpHeaders
      .filter(({ name }) => !HEADER_NAME.test(name))
      .map(({ name }) => fault.invalid(`${path}.httpHeaders`, name, HEADER_MESSAGE)),
  ]
}

function validateSleep(seconds: number, path: string, graceSeconds: number | undefined): StatusCause[] {
  if (graceSeconds === undefined || (seconds >= 0 && seconds <= graceSeconds)) return []
  return [
    fault.invalid(
      path,
      seconds,
      `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`,
    ),
  ]
}
