import type { V1PodTemplateSpec } from '../../api/generated/types.ts'
import { type Namespace, namespace as namespaceKind } from '../../api/kinds/namespace.ts'
import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import { LATEST_MINOR, type Level, violations } from '../../api/pod-security/levels.ts'
import type { PodShape } from '../../api/pod-security/shape.ts'
import type { AnyResource } from '../../api/resource.ts'
import { fault, forbidden, invalid, type StatusCause } from '../../api/status.ts'
import { deepEqual, isObject } from '../../base/json.ts'
import type { Admission, AdmissionRequest } from './admission.ts'

/**
 * Pod Security: the labels pod-security.kubernetes.io/{enforce,warn} of a namespace say which of the standards its pods
 * keep to. Workloads that make pods are warned of, never refused.
 */
const PREFIX = 'pod-security.kubernetes.io/'
const LEVELS = ['privileged', 'baseline', 'restricted']
const MODES = ['enforce', 'audit', 'warn'] as const
/** Existing pods that are looked at when a namespace becomes stricter. */
const CHECKED_MAX = 3000
const SHOWN_MAX = 10
/** What changes a pod's containers beside the pod itself. */
const ADDING = ['ephemeralcontainers', 'resize']

interface Policy {
  readonly level: Level
  readonly version: string
  readonly minor: number
}

export const podSecurity: Admission = {
  name: 'PodSecurity',
  concerns: ({ operation, subresource, kind }) =>
    operation !== 'DELETE' && (subresource === '' || (kind === podKind && ADDING.includes(subresource))),
  async validate(request) {
    const { kind } = request
    if (kind === namespaceKind) {
      await checkNamespace(request)
      return
    }
    const template = templateOf(request)
    if (!template) return
    const namespace = await request.reader.find(namespaceKind, {
      name: request.object.metadata.namespace ?? '',
    })
    const labels = namespace?.metadata.labels ?? {}
    if (kind === podKind) {
      const enforced = policyOf(labels, 'enforce')
      const wrong = violations(template, enforced.level, enforced.minor)
      if (wrong.length > 0)
        throw forbidden(
          podKind,
          request.object.metadata.name,
          `violates PodSecurity ${titleOf(enforced)}: ${wrong.join(', ')}`,
        )
    }
    const warned = policyOf(labels, 'warn')
    const wrong = violations(template, warned.level, warned.minor)
    if (wrong.length > 0)
      request.context.warnings.push(`would violate PodSecurity ${titleOf(warned)}: ${wrong.join(', ')}`)
  },
}

function titleOf({ level, version }: Policy): string {
  return JSON.stringify(`${level}:${version}`)
}

function policyOf(labels: Readonly<Record<string, string>>, mode: (typeof MODES)[number]): Policy {
  const given = labels[`${PREFIX}${mode}`]
  // A label that cannot be read is taken at its strictest.
  const level = given === undefined ? 'privileged' : LEVELS.includes(given) ? (given as Level) : 'restricted'
  const version = labels[`${PREFIX}${mode}-version`] ?? 'latest'
  const minor = /^v1\.(\d{1,3})$/.exec(version)?.[1]
  return { level, version, minor: Math.min(minor === undefined ? LATEST_MINOR : Number(minor), LATEST_MINOR) }
}

/** The pod, or the template of what makes pods, when it is new or has changed in what matters here. */
function templateOf({ kind, object, old }: AdmissionRequest): PodShape | undefined {
  if (kind === podKind) {
    const pod = object as unknown as Pod
    return old && !isSignificant(pod, old as unknown as Pod) ? undefined : pod
  }
  const template = podTemplateOf(object)
  const before = old && podTemplateOf(old)
  if (!template || (before && deepEqual(template, before))) return undefined
  return { metadata: template.metadata ?? {}, spec: template.spec ?? { containers: [] } }
}

/** Of what may change in a pod that is there: images, and containers that are added. */
function isSignificant({ spec }: Pod, { spec: old }: Pod): boolean {
  const images = (one: Pod['spec']) =>
    [one.initContainers, one.containers, one.ephemeralContainers].map((list) =>
      list?.map(({ name, image, securityContext }) => ({ name, image, securityContext })),
    )
  return !deepEqual(images(spec), images(old))
}

/** spec.template of workloads, spec.jobTemplate of CronJobs, template of PodTemplates. */
function podTemplateOf({ spec, template }: AnyResource): V1PodTemplateSpec | undefined {
  const job = isObject(spec?.['jobTemplate']) ? spec['jobTemplate']['spec'] : undefined
  const found = spec?.['template'] ?? (isObject(job) ? job['template'] : undefined) ?? template
  return isObject(found) && isObject(found['spec']) && Array.isArray(found['spec']['containers'])
    ? (found as V1PodTemplateSpec)
    : undefined
}

async function checkNamespace({ object, old, reader, context }: AdmissionRequest): Promise<void> {
  const { name, labels = {} } = object.metadata
  const wrong: StatusCause[] = MODES.flatMap((mode) => {
    const level = labels[`${PREFIX}${mode}`]
    const version = labels[`${PREFIX}${mode}-version`]
    const at = (label: string) => `metadata.labels[${PREFIX}${label}]`
    return [
      ...(level !== undefined && !LEVELS.includes(level)
        ? [fault.invalid(at(mode), level, `must be one of ${LEVELS.join(', ')}`)]
        : []),
      ...(version !== undefined && version !== 'latest' && !/^v1\.(0|[1-9]\d{0,2})$/.test(version)
        ? [fault.invalid(at(`${mode}-version`), version, `must be "latest" or "v1.x"`)]
        : []),
    ]
  })
  const before = old?.metadata.labels ?? {}
  const isOld = MODES.every((mode) =>
    ['', '-version'].every((end) => labels[`${PREFIX}${mode}${end}`] === before[`${PREFIX}${mode}${end}`]),
  )
  if (wrong.length > 0 && !isOld) throw invalid(namespaceKind, name, wrong)
  if (!old) return
  const policy = policyOf(labels, 'enforce')
  const held = policyOf(before, 'enforce')
  const isStricter = LEVELS.indexOf(policy.level) > LEVELS.indexOf(held.level)
  if (!isStricter && (policy.minor === held.minor || policy.level === 'privileged')) return
  const pods = (await reader.all<Pod>(podKind, (object as unknown as Namespace).metadata.name)).slice(
    0,
    CHECKED_MAX,
  )
  context.warnings.push(...existingFaults(pods, policy, name))
}

/** Pods that would be refused now, put together by what is wrong with them. */
function existingFaults(pods: readonly Pod[], policy: Policy, namespace: string): string[] {
  const byFault = new Map<string, string[]>()
  for (const pod of pods) {
    const wrong = violations(pod, policy.level, policy.minor).map((text) => text.replace(/ \(.*\)$/s, ''))
    if (wrong.length === 0) continue
    const text = wrong.join(', ')
    byFault.set(text, [...(byFault.get(text) ?? []), pod.metadata.name])
  }
  if (byFault.size === 0) return []
  const lines = [...byFault].map(([text, names]) => {
    const [first = ''] = names.sort()
    const others = names.length - 1
    const more = others === 0 ? '' : ` (and ${others} other ${others === 1 ? 'pod' : 'pods'})`
    return `${first}${more}: ${text}`
  })
  return [
    `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${titleOf(policy)}`,
    ...lines.sort().slice(0, SHOWN_MAX),
  ]
}
