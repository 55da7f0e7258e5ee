import type { Application } from '../api/kinds/application.ts'
import { isObject } from '../base/json.ts'
import type { Manifest } from './manifest.ts'
import type { Rendered } from './renderers/renderer.ts'

/**
 * What is left of a rendered folder for one Application: without the folders that other Applications have, whether those
 * exist already or come with this very commit. `excludes` are the folders of those that exist. Pure.
 */
export function ownManifests(
  { manifests, errors, warnings }: Rendered,
  application: Application,
  excludes: readonly string[],
): Rendered {
  const own = folderOf(application.spec.source.path)
  const folders = new Set([...excludes.map(folderOf), ...manifests.flatMap(folderOfApplication)])
  // The nearer to the root the folder, the more is decided by it: an Application inside it is not ours to read.
  const taken: string[] = []
  const nested = [...folders].filter((folder) => folder !== own && folder.startsWith(own))
  for (const folder of nested.sort((a, b) => a.length - b.length))
    if (!taken.some((outer) => folder.startsWith(outer))) taken.push(folder)
  const isOurs = ({ file }: { readonly file: string }) => !taken.some((folder) => file.startsWith(folder))
  // An Application that lies in its own folder belongs to whoever is around it, not to itself.
  const declaresIt = (manifest: Manifest) =>
    folderOfApplication(manifest).some((folder) => taken.includes(folder) && manifest.file.startsWith(folder))
  const isItself = ({ object: { kind, metadata } }: Manifest) =>
    kind === 'Application' &&
    metadata.name === application.metadata.name &&
    (metadata.namespace ?? 'default') === application.metadata.namespace
  return {
    manifests: manifests.filter(
      (manifest) => (isOurs(manifest) || declaresIt(manifest)) && !isItself(manifest),
    ),
    errors: errors.filter(isOurs),
    warnings: warnings.filter(isOurs),
  }
}

/** "./apps/shop/" -> "apps/shop/", and "" for the root. */
function folderOf(path: string | undefined): string {
  const plain = (path ?? '').replace(/^(\.\/)+/, '').replace(/\/+$/, '')
  return plain === '' || plain === '.' ? '' : `${plain}/`
}

/** The folder of an Application that follows the same source at the same place as whoever renders this. */
function folderOfApplication({ object }: Manifest): string[] {
  if (object.kind !== 'Application' || !object.apiVersion.startsWith('seamark.dev/')) return []
  const source = isObject(object.spec) ? object.spec['source'] : undefined
  if (!isObject(source) || !followsTheSame(source)) return []
  const { path } = source
  return typeof path === 'string' ? [folderOf(path)] : []
}

/** Neither another repository nor another branch. */
export function followsTheSame(source: { readonly [field: string]: unknown }): boolean {
  return ['repo', 'branch', 'tag', 'semver', 'commit'].every((field) => source[field] === undefined)
}
