import { comingKinds } from '../api/custom/coming-kinds.ts'
import type { AnyKind } from '../api/kind.ts'
import type { InventoryEntry } from '../api/kinds/application.ts'
import { type AnyResource, apiVersionOf } from '../api/resource.ts'
import type { Manifest } from './manifest.ts'
import type { Place } from './progress.ts'

/** A manifest with its kind and the namespace it goes to. */
export interface Target {
  readonly manifest: Manifest
  readonly kind: AnyKind
  readonly object: AnyResource
  /** A custom resource whose definition comes with the same commit: the API does not know its kind yet. */
  readonly isComing?: true
  /** Lower first: the annotation, then the kind's own. */
  readonly wave: readonly [number, number]
}

/**
 * Manifests as what will be applied: kind found, also among those the manifests define themselves, namespace filled in
 * (or taken away from what has none). Unknown kinds,
 * and two manifests that turn out to be one object once their namespaces are filled in, are errors.
 */
export function targetsOf(
  manifests: readonly Manifest[],
  kinds: readonly AnyKind[],
  namespaceDefault = 'default',
): { readonly targets: readonly Target[]; readonly errors: readonly Place[] } {
  const coming = comingKinds(
    manifests.map(({ object }) => object),
    kinds,
  )
  const byName = new Map([...kinds, ...coming].map((kind) => [`${apiVersionOf(kind)} ${kind.kind}`, kind]))
  const seen = new Map<string, Manifest>()
  const errors: Place[] = []
  const targets: Target[] = []
  for (const manifest of manifests) {
    const { apiVersion, kind: name } = manifest.object
    const kind = byName.get(`${apiVersion} ${name}`)
    if (!kind) {
      errors.push(manifest.placeOf('kind', noKind(apiVersion, name, kinds)))
      continue
    }
    const { namespace: given, ...metadata } = manifest.object.metadata
    const namespace = kind.scope === 'Namespaced' ? given || namespaceDefault : undefined
    const object: AnyResource = {
      ...manifest.object,
      metadata: namespace === undefined ? metadata : { ...metadata, namespace },
    }
    const id = idOf(kind, object)
    const first = seen.get(id)
    if (first) {
      const where = `${first.file}:${first.line}`
      errors.push(
        manifest.placeOf('metadata.name', `${titleOf(object)} is already in ${where}; keep one of them`),
      )
      continue
    }
    seen.set(id, manifest)
    const isComing = coming.includes(kind) ? { isComing: true as const } : {}
    targets.push({ manifest, kind, object, ...isComing, wave: waveOf(object, kind) })
  }
  return { targets, errors }
}

function noKind(apiVersion: string, name: string, kinds: readonly AnyKind[]): string {
  const others = kinds.filter(({ kind }) => kind === name).map(apiVersionOf)
  const fix = others.length > 0 ? `; use ${others.map((version) => `"${version}"`).join(' or ')}` : ''
  return `no kind "${name}" in version "${apiVersion}" is served${fix}`
}

/** One object, whatever version it is written in: as in the inventory. */
export function idOf(
  kind: { readonly group: string; readonly kind: string },
  { metadata }: { readonly metadata: { readonly namespace?: string | undefined; readonly name: string } },
): string {
  return `${metadata.namespace ?? ''}_${metadata.name}_${kind.group}_${kind.kind}`
}

const WAVE_ANNOTATIONS = ['seamark.dev/sync-wave', 'argocd.argoproj.io/sync-wave']

/** The wave of an object: by annotation first, then by kind. */
export function waveOf(object: AnyResource, kind: AnyKind): readonly [number, number] {
  const annotations = object.metadata.annotations ?? {}
  const text = WAVE_ANNOTATIONS.map((name) => annotations[name]).find((value) => value !== undefined)
  const wave = Number.parseInt(text ?? '0', 10)
  return [Number.isNaN(wave) ? 0 : wave, kind.applyWave]
}

/** In the order of application: waves, then kind, namespace and name, so that two runs are alike. */
export function inOrder(targets: readonly Target[]): Target[] {
  const text = ({ object, kind }: Target) =>
    `${kind.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`
  return [...targets].sort(
    (a, b) => a.wave[0] - b.wave[0] || a.wave[1] - b.wave[1] || (text(a) < text(b) ? -1 : 1),
  )
}

/** Targets of one annotation wave and one kind wave: applied side by side. */
export function groups(targets: readonly Target[]): Target[][] {
  const result: Target[][] = []
  for (const target of inOrder(targets)) {
    const last = result.at(-1)
    if (last?.[0] && last[0].wave[0] === target.wave[0] && last[0].wave[1] === target.wave[1])
      last.push(target)
    else result.push([target])
  }
  return result
}

/** "Deployment shop/checkout" */
export function titleOf({
  kind,
  metadata,
}: {
  readonly kind: string
  readonly metadata: { readonly namespace?: string | undefined; readonly name: string }
}): string {
  return `${kind} ${metadata.namespace ? `${metadata.namespace}/` : ''}${metadata.name}`
}

/** namespace_name_group_kind, as Flux; names hold no underscore. */
export function inventoryEntry(kind: AnyKind, object: AnyResource): InventoryEntry {
  return { id: idOf(kind, object), v: kind.version }
}

export interface Owned {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string | undefined
  readonly name: string
}

export function readInventory({ id, v }: InventoryEntry): Owned {
  const [namespace = '', name = '', group = '', kind = ''] = id.split('_')
  return { apiVersion: apiVersionOf({ group, version: v }), kind, namespace: namespace || undefined, name }
}
