import { comingKinds } from '../api/custom/coming-kinds.ts'
import type { V1PodTemplateSpec } from '../api/generated/types.ts'
import type { AnyKind } from '../api/kind.ts'
import { customResourceDefinition } from '../api/kinds/custom-resource-definition.ts'
import { kinds } from '../api/kinds/index.ts'
import { namespace as namespaceKind } from '../api/kinds/namespace.ts'
import { type Node, node as nodeKind } from '../api/kinds/node.ts'
import { DEFAULT_CAPACITY, type NodePool, nodePool as nodePoolKind } from '../api/kinds/node-pool.ts'
import { type Pod, pod as podKind } from '../api/kinds/pod.ts'
import type { AnyResource } from '../api/resource.ts'
import { ApiError } from '../api/status.ts'
import { seededRandom } from '../base/random.ts'
import type { Client } from '../client/client.ts'
import { objectsOf } from '../scheduler/cluster-objects.ts'
import { dryRunSchedule } from '../scheduler/dry-run.ts'
import { diff, FIELD_MANAGER, type Refusal } from '../sync/apply.ts'
import type { Manifest } from '../sync/manifest.ts'
import { renderPlain } from '../sync/renderers/plain.ts'
import type { SourceFile } from '../sync/sources/source.ts'
import { groups, type Target, titleOf, waveOf } from '../sync/target.ts'
import { untilServed } from './definitions.ts'
import { expand } from './expand.ts'
import { type Finding, findingAt, type Review } from './finding.ts'
import { unreadableImages } from './images.ts'
import { unresolvedReferences } from './references.ts'
import { rejectedField } from './rejected-field.ts'

const DEFAULT_NODES = 3

/**
 * Whether a set of manifests would be taken and run: read as sync reads it, accepted by the real API server (in memory:
 * defaulting, admission, validation), its references resolve, and all its pods together find a node by the real
 * scheduler. `client` is that of an API server with nothing in it but the system namespaces; it is filled.
 */
export async function validate(client: Client, files: readonly SourceFile[], path = '.'): Promise<Review> {
  const { manifests, errors, warnings } = renderPlain(files, path)
  const findings: Finding[] = [
    ...errors.map(({ file, line = 1, column = 1, message }) => ({
      severity: 'error' as const,
      rule: 'unreadable',
      file,
      line,
      column,
      message,
    })),
    ...warnings.map(({ file, line = 1, column = 1, message }) => ({
      severity: 'warning' as const,
      rule: 'passed-over',
      file,
      line,
      column,
      message,
    })),
  ]
  const targets = targetsOf(manifests, findings)
  const accepted = await acceptAll(client, targets, findings)
  findings.push(...unresolvedReferences(targets))
  findings.push(...(await unschedulable(client, accepted)))
  const isManifest = new Set(manifests.map(({ file }) => file))
  return {
    objects: manifests.length,
    files: isManifest.size,
    findings: findings.sort((a, b) =>
      a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column,
    ),
  }
}

function targetsOf(manifests: readonly Manifest[], findings: Finding[]): Target[] {
  const coming = comingKinds(
    manifests.map(({ object }) => object),
    kinds,
  )
  return manifests.flatMap((manifest): Target[] => {
    const { apiVersion, kind: name } = manifest.object
    const kind: AnyKind | undefined = [...coming, ...kinds].find(
      (candidate) =>
        candidate.kind === name &&
        `${candidate.group ? `${candidate.group}/` : ''}${candidate.version}` === apiVersion,
    )
    if (!kind) {
      findings.push(
        findingAt(manifest, 'kind', 'unknown-kind', `no kind "${name}" in version "${apiVersion}" is served`),
      )
      return []
    }
    const { namespace: given, ...metadata } = manifest.object.metadata
    const namespace = kind.scope === 'Namespaced' ? { namespace: given ?? 'default' } : {}
    return [
      {
        manifest,
        kind,
        object: { ...manifest.object, metadata: { ...metadata, ...namespace } } as AnyResource,
        wave: waveOf(manifest.object, kind),
      },
    ]
  })
}

/** Applies everything, in order; returns what was taken, as stored. */
async function acceptAll(
  client: Client,
  targets: readonly Target[],
  findings: Finding[],
): Promise<readonly { readonly target: Target; readonly stored: AnyResource }[]> {
  const accepted: { target: Target; stored: AnyResource }[] = []
  for (const group of groups(targets)) {
    await ensureNamespaces(client, group, findings)
    const { entries, refused } = await diff(client, group, 'default/validate')
    // What has an unknown field is looked at again without it: one run says everything that is wrong.
    const again = await diff(
      lenient(client),
      refused.map(({ target }) => target),
      'default/validate',
    )
    const told = new Set(refused.flatMap(({ places }) => places.map(({ message }) => message)))
    const more = again.refused.map((refusal) => ({
      ...refusal,
      places: refusal.places.filter(({ message }) => !told.has(message)),
    }))
    for (const refusal of [...refused, ...more]) findings.push(...findingsOf(refusal))
    for (const { target } of [...entries, ...again.entries]) {
      const options = { fieldManager: FIELD_MANAGER, force: true, fieldValidation: 'Ignore' as const }
      const stored = (await client.apply(target.kind, target.object, options)) as AnyResource
      accepted.push({ target, stored })
      const why = target.kind === customResourceDefinition ? await untilServed(client, stored) : undefined
      if (why) findings.push(findingAt(target.manifest, 'spec.names', 'invalid', why))
    }
  }
  return accepted
}

/** The client that passes over unknown fields. */
function lenient(client: Client): Client {
  const apply: Client['apply'] = (kind, resource, options) =>
    client.apply(kind, resource, { ...options, fieldValidation: 'Ignore' })
  return new Proxy(client, {
    get: (of, name) => {
      if (name === 'apply') return apply
      const member: unknown = Reflect.get(of, name)
      return typeof member === 'function' ? member.bind(of) : member
    },
  })
}

function findingsOf({ target, places }: Refusal): Finding[] {
  const resource = titleOf(target.object)
  return places.map(({ file, line = 1, column = 1, message }) => ({
    severity: 'error',
    rule: 'invalid',
    file,
    line,
    column,
    message,
    resource,
  }))
}

/** A namespace nobody declares is said once, and made, so that what is in it can still be looked at. */
async function ensureNamespaces(
  client: Client,
  group: readonly Target[],
  findings: Finding[],
): Promise<void> {
  const there = new Set((await client.list(namespaceKind)).items.map(({ metadata }) => metadata.name))
  for (const { object, manifest } of group) {
    const name = object.metadata.namespace
    if (name === undefined || there.has(name)) continue
    there.add(name)
    findings.push(
      findingAt(
        manifest,
        'metadata.namespace',
        'unresolved-reference',
        `namespace "${name}" is not in this set of manifests; add a Namespace, or check the spelling`,
      ),
    )
    await client.create(namespaceKind, { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: {} })
  }
}

async function unschedulable(
  client: Client,
  accepted: readonly { readonly target: Target; readonly stored: AnyResource }[],
): Promise<Finding[]> {
  const nodes = nodesOf(accepted.map(({ stored }) => stored))
  const pods: Pod[] = []
  const origin = new Map<Pod, { readonly target: Target; readonly prefix: string }>()
  const findings = new Map<Target, Finding>()
  const images: Finding[] = []
  for (const { target, stored } of accepted) {
    const expansion = expand(target, stored, nodes)
    if (!expansion) continue
    images.push(...unreadableImages(target.manifest, stored, expansion))
    const { prefix, templates } = expansion
    const made = await Promise.all(templates.map((template, i) => admittedPod(client, stored, template, i)))
    const refused = made.find((one) => one instanceof ApiError)
    // A missing account is told by its own reference already.
    if (refused && !refused.message.includes('error looking up service account')) {
      const finding = findingAt(target.manifest, prefix.slice(0, -1), 'refused-pod', refused.message)
      findings.set(target, { ...finding, resource: titleOf(target.object) })
    }
    if (refused) continue
    for (const pod of target.kind === podKind ? [stored as unknown as Pod] : (made as Pod[])) {
      pods.push(pod)
      origin.set(pod, { target, prefix })
    }
  }
  const objects = objectsOf(accepted.map(({ stored }) => stored))
  for (const { pod, message, plugins = [] } of dryRunSchedule({
    pods,
    nodes,
    objects,
    random: seededRandom(1),
  })) {
    const from = origin.get(pod)
    if (message === undefined || !from || findings.has(from.target)) continue
    const field = `${from.prefix}${rejectedField(pod.spec, plugins[0], message)}`
    const { manifest, object } = from.target
    const resource = titleOf(object)
    findings.set(from.target, { ...findingAt(manifest, field, 'unschedulable', message), resource })
  }
  return [...images, ...findings.values()]
}

/** The pod that a workload's template becomes, through the API's own admission (priority, tolerations), or why it would be refused. */
async function admittedPod(
  client: Client,
  stored: AnyResource,
  template: V1PodTemplateSpec,
  index: number,
): Promise<Pod | ApiError> {
  const { namespace, name } = stored.metadata
  const { labels, annotations } = template.metadata ?? {}
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { labels, annotations, namespace, name: `${name}-${index}`.slice(-63) },
    spec: template.spec,
  } as Pod
  try {
    return await client.create(podKind, pod, { dryRun: true, fieldValidation: 'Ignore' })
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
}

/** The declared nodes, or the three that a repository without any is given. */
function nodesOf(resources: readonly AnyResource[]): Node[] {
  const nodes = resources.filter(({ kind }) => kind === nodeKind.kind).map((node) => node as unknown as Node)
  const pools = resources
    .filter(({ kind }) => kind === nodePoolKind.kind)
    .map((pool) => pool as unknown as NodePool)
  if (nodes.length === 0 && pools.length === 0)
    pools.push({
      apiVersion: 'seamark.dev/v1alpha1',
      kind: 'NodePool',
      metadata: { name: 'simulated' },
      spec: { count: DEFAULT_NODES },
    })
  return [...nodes, ...pools.flatMap(poolNodes)]
}

function poolNodes({ metadata, spec }: NodePool): Node[] {
  const capacity = { ...DEFAULT_CAPACITY, ...spec.template?.capacity }
  return Array.from({ length: spec.count }, (_, i) => {
    const name = `${metadata.name}-${i}`
    const zone = spec.zones?.[i % (spec.zones.length || 1)]
    const labels = {
      ...spec.template?.labels,
      'kubernetes.io/hostname': name,
      'kubernetes.io/os': 'linux',
      ...(zone ? { 'topology.kubernetes.io/zone': zone } : {}),
    }
    return {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels },
      spec: { ...(spec.template?.taints ? { taints: spec.template.taints } : {}) },
      status: { capacity, allocatable: capacity },
    }
  })
}
