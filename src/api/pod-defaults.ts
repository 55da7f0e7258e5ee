import type { V1Container, V1PodSpec, V1PodTemplateSpec, V1Probe } from './generated/types.ts'
import { pullPolicyOf } from './image-name.ts'
import { compareQuantities } from './quantity.ts'
import { containerRequestsOf, isPodLevelResource, type ResourceList } from './resource-requests.ts'
import { defaultFieldRef, defaultVolume } from './volume-defaults.ts'

/**
 * The defaults of pods (core/v1/defaults.go). Pure and idempotent. `defaultPodSpec` is for every PodSpec, templates of
 * workloads included; `defaultPodOnly` adds what only a pod itself gets, so that a template keeps what its author wrote:
 * requests from limits, pod-level requests, service links and host ports.
 */
export function defaultPodSpec(spec: V1PodSpec): V1PodSpec {
  const account = spec.serviceAccountName || spec.serviceAccount
  return {
    ...spec,
    restartPolicy: spec.restartPolicy || 'Always',
    dnsPolicy: spec.dnsPolicy || 'ClusterFirst',
    schedulerName: spec.schedulerName || 'default-scheduler',
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
    securityContext: spec.securityContext ?? {},
    ...(account ? { serviceAccountName: account, serviceAccount: account } : {}),
    containers: (spec.containers ?? []).map(defaultContainer),
    ...(spec.initContainers ? { initContainers: spec.initContainers.map(defaultContainer) } : {}),
    ...(spec.ephemeralContainers
      ? { ephemeralContainers: spec.ephemeralContainers.map(defaultContainer) }
      : {}),
    ...(spec.volumes ? { volumes: spec.volumes.map(defaultVolume) } : {}),
  }
}

export function defaultPodTemplate(template: V1PodTemplateSpec | undefined): V1PodTemplateSpec {
  return {
    ...template,
    metadata: template?.metadata ?? {},
    spec: defaultPodSpec(template?.spec ?? { containers: [] }),
  }
}

/** To be called with what `defaultPodSpec` made. */
export function defaultPodOnly(spec: V1PodSpec): V1PodSpec {
  const container = (one: V1Container) => defaultHostPorts(defaultRequests(one), spec.hostNetwork === true)
  const containers = spec.containers.map(container)
  const initContainers = spec.initContainers?.map(container)
  const complete = {
    ...spec,
    containers,
    ...(initContainers ? { initContainers } : {}),
    enableServiceLinks: spec.enableServiceLinks ?? true,
  }
  return spec.resources ? { ...complete, resources: defaultPodResources(complete) } : complete
}

function defaultContainer<C extends V1Container>(container: C): C {
  return {
    ...container,
    imagePullPolicy: container.imagePullPolicy || pullPolicyOf(container.image ?? ''),
    terminationMessagePath: container.terminationMessagePath || '/dev/termination-log',
    terminationMessagePolicy: container.terminationMessagePolicy || 'File',
    resources: container.resources ?? {},
    ...(container.ports
      ? { ports: container.ports.map((port) => ({ ...port, protocol: port.protocol || 'TCP' })) }
      : {}),
    ...(container.env ? { env: container.env.map(defaultEnvVar) } : {}),
    ...(container.livenessProbe ? { livenessProbe: defaultProbe(container.livenessProbe) } : {}),
    ...(container.readinessProbe ? { readinessProbe: defaultProbe(container.readinessProbe) } : {}),
    ...(container.startupProbe ? { startupProbe: defaultProbe(container.startupProbe) } : {}),
    ...(container.lifecycle ? { lifecycle: defaultLifecycle(container.lifecycle) } : {}),
  }
}

type EnvVar = NonNullable<V1Container['env']>[number]

function defaultEnvVar(entry: EnvVar): EnvVar {
  const ref = entry.valueFrom?.fieldRef
  return ref ? { ...entry, valueFrom: { ...entry.valueFrom, fieldRef: defaultFieldRef(ref) } } : entry
}

/** Zero counts as not said, as in Kubernetes. */
function defaultProbe(probe: V1Probe): V1Probe {
  return {
    ...probe,
    ...(probe.httpGet ? { httpGet: defaultHttpGet(probe.httpGet) } : {}),
    ...(probe.grpc ? { grpc: { ...probe.grpc, service: probe.grpc.service ?? '' } } : {}),
    timeoutSeconds: probe.timeoutSeconds || 1,
    periodSeconds: probe.periodSeconds || 10,
    successThreshold: probe.successThreshold || 1,
    failureThreshold: probe.failureThreshold || 3,
  }
}

type HttpGet = NonNullable<V1Probe['httpGet']>

function defaultHttpGet(get: HttpGet): HttpGet {
  return { ...get, path: get.path || '/', scheme: get.scheme || 'HTTP' }
}

type Lifecycle = NonNullable<V1Container['lifecycle']>

function defaultLifecycle(lifecycle: Lifecycle): Lifecycle {
  const { postStart, preStop } = lifecycle
  return {
    ...lifecycle,
    ...(postStart?.httpGet
      ? { postStart: { ...postStart, httpGet: defaultHttpGet(postStart.httpGet) } }
      : {}),
    ...(preStop?.httpGet ? { preStop: { ...preStop, httpGet: defaultHttpGet(preStop.httpGet) } } : {}),
  }
}

/** A limit without a request is also the request. */
function defaultRequests(container: V1Container): V1Container {
  const { limits, requests } = container.resources ?? {}
  if (!limits || Object.keys(limits).every((name) => requests?.[name] !== undefined)) return container
  return { ...container, resources: { ...container.resources, requests: { ...limits, ...requests } } }
}

/** With the host's network a container's port is the host's port. */
function defaultHostPorts(container: V1Container, hostNetwork: boolean): V1Container {
  if (!hostNetwork || !container.ports) return container
  const ports = container.ports.map((port) => ({ ...port, hostPort: port.hostPort || port.containerPort }))
  return { ...container, ports }
}

/**
 * Pod-level requests, when there are pod-level limits: what the containers ask for in all, or else the limit. Huge
 * pages are never overcommitted, so theirs is the limit.
 */
function defaultPodResources(spec: V1PodSpec): NonNullable<V1PodSpec['resources']> {
  const { resources = {} } = spec
  const { limits } = resources
  if (!limits || Object.keys(limits).length === 0) return resources
  const requests: Record<string, string> = { ...resources.requests }
  const asked: ResourceList = containerRequestsOf(spec)
  for (const [name, value] of Object.entries(asked)) {
    const isOvercommitted = isPodLevelResource(name) && !name.startsWith('hugepages-')
    if (isOvercommitted && requests[name] === undefined && compareQuantities(value, '0') > 0)
      requests[name] = value
  }
  for (const [name, value] of Object.entries(limits)) if (isPodLevelResource(name)) requests[name] ??= value
  return Object.keys(requests).length === 0 ? resources : { ...resources, requests }
}
