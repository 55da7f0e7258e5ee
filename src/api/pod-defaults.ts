import type { V1Container, V1PodSpec, V1PodTemplateSpec, V1Probe, V1Volume } from './generated/types.ts'

/** The defaults of a PodSpec (core/v1/defaults.go), for pods and for the templates of workloads. Pure and idempotent. */
export function defaultPodSpec(spec: V1PodSpec): V1PodSpec {
  const account = spec.serviceAccountName || spec.serviceAccount
  return {
    ...spec,
    restartPolicy: spec.restartPolicy ?? 'Always',
    dnsPolicy: spec.dnsPolicy ?? 'ClusterFirst',
    schedulerName: spec.schedulerName ?? 'default-scheduler',
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
    securityContext: spec.securityContext ?? {},
    ...(account ? { serviceAccountName: account, serviceAccount: account } : {}),
    containers: (spec.containers ?? []).map((container) =>
      defaultContainer(container, spec.hostNetwork === true),
    ),
    ...(spec.initContainers
      ? {
          initContainers: spec.initContainers.map((container) =>
            defaultContainer(container, spec.hostNetwork === true),
          ),
        }
      : {}),
    ...(spec.volumes ? { volumes: spec.volumes.map(defaultVolume) } : {}),
  }
}

/** A template is defaulted like the pods it will make. */
export function defaultPodTemplate(template: V1PodTemplateSpec | undefined): V1PodTemplateSpec {
  return {
    ...template,
    metadata: template?.metadata ?? {},
    spec: defaultPodSpec(template?.spec ?? { containers: [] }),
  }
}

/** Only for pods that are stored, not for templates. */
export function defaultEnableServiceLinks(spec: V1PodSpec): V1PodSpec {
  return spec.enableServiceLinks === undefined ? { ...spec, enableServiceLinks: true } : spec
}

function defaultContainer(container: V1Container, hostNetwork: boolean): V1Container {
  return {
    ...container,
    imagePullPolicy: container.imagePullPolicy ?? pullPolicyOf(container.image ?? ''),
    terminationMessagePath: container.terminationMessagePath ?? '/dev/termination-log',
    terminationMessagePolicy: container.terminationMessagePolicy ?? 'File',
    resources: defaultResources(container.resources),
    ...(container.ports
      ? {
          ports: container.ports.map((port) => ({
            ...port,
            protocol: port.protocol ?? 'TCP',
            ...(hostNetwork && !port.hostPort ? { hostPort: port.containerPort } : {}),
          })),
        }
      : {}),
    ...(container.env
      ? {
          env: container.env.map((entry) =>
            entry.valueFrom?.fieldRef && !entry.valueFrom.fieldRef.apiVersion
              ? {
                  ...entry,
                  valueFrom: {
                    ...entry.valueFrom,
                    fieldRef: { ...entry.valueFrom.fieldRef, apiVersion: 'v1' },
                  },
                }
              : entry,
          ),
        }
      : {}),
    ...(container.livenessProbe ? { livenessProbe: defaultProbe(container.livenessProbe) } : {}),
    ...(container.readinessProbe ? { readinessProbe: defaultProbe(container.readinessProbe) } : {}),
    ...(container.startupProbe ? { startupProbe: defaultProbe(container.startupProbe) } : {}),
    ...(container.lifecycle ? { lifecycle: defaultLifecycle(container.lifecycle) } : {}),
  }
}

/** A limit without a request is also the request. */
function defaultResources(resources: V1Container['resources']): NonNullable<V1Container['resources']> {
  if (!resources?.limits) return resources ?? {}
  const missing = Object.entries(resources.limits).filter(
    ([name]) => resources.requests?.[name] === undefined,
  )
  return missing.length === 0
    ? resources
    : { ...resources, requests: { ...resources.requests, ...Object.fromEntries(missing) } }
}

/** Always for no tag or :latest, else IfNotPresent; a digest is a tag. */
export function pullPolicyOf(image: string): 'Always' | 'IfNotPresent' {
  if (image.includes('@')) return 'IfNotPresent'
  const name = image.slice(image.lastIndexOf('/') + 1)
  const tag = name.includes(':') ? name.slice(name.indexOf(':') + 1) : 'latest'
  return tag === 'latest' ? 'Always' : 'IfNotPresent'
}

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

function defaultLifecycle(
  lifecycle: NonNullable<V1Container['lifecycle']>,
): NonNullable<V1Container['lifecycle']> {
  const { postStart, preStop } = lifecycle
  return {
    ...lifecycle,
    ...(postStart?.httpGet
      ? { postStart: { ...postStart, httpGet: defaultHttpGet(postStart.httpGet) } }
      : {}),
    ...(preStop?.httpGet ? { preStop: { ...preStop, httpGet: defaultHttpGet(preStop.httpGet) } } : {}),
  }
}

const MODE = 420

function defaultVolume(volume: V1Volume): V1Volume {
  const { configMap, secret, downwardAPI, projected, hostPath } = volume
  if (configMap) return { ...volume, configMap: { ...configMap, defaultMode: configMap.defaultMode ?? MODE } }
  if (secret) return { ...volume, secret: { ...secret, defaultMode: secret.defaultMode ?? MODE } }
  if (downwardAPI) {
    const items = downwardAPI.items?.map((item) =>
      item.fieldRef
        ? { ...item, fieldRef: { ...item.fieldRef, apiVersion: item.fieldRef.apiVersion ?? 'v1' } }
        : item,
    )
    return {
      ...volume,
      downwardAPI: {
        ...downwardAPI,
        ...(items ? { items } : {}),
        defaultMode: downwardAPI.defaultMode ?? MODE,
      },
    }
  }
  if (projected) {
    const sources = projected.sources?.map((source) =>
      source.serviceAccountToken
        ? {
            ...source,
            serviceAccountToken: {
              ...source.serviceAccountToken,
              expirationSeconds: source.serviceAccountToken.expirationSeconds ?? 3600,
            },
          }
        : source,
    )
    return {
      ...volume,
      projected: {
        ...projected,
        ...(sources ? { sources } : {}),
        defaultMode: projected.defaultMode ?? MODE,
      },
    }
  }
  if (hostPath) return { ...volume, hostPath: { ...hostPath, type: hostPath.type ?? '' } }
  const hasSource = Object.entries(volume).some(([key, value]) => key !== 'name' && value !== undefined)
  return hasSource ? volume : { ...volume, emptyDir: {} }
}
