import picomatch from 'picomatch'
import type { AnyResource } from '../../api/resource.ts'
import { isObject } from '../../base/json.ts'
import { type Manifest, manifestOf } from '../manifest.ts'
import type { Place } from '../progress.ts'
import type { SourceFile } from '../sources/source.ts'
import { lineColumn, parseYaml, type YamlDocument } from '../yaml.ts'
import type { Rendered } from './renderer.ts'

/**
 * Plain manifests: every .yaml, .yml and .json below the path, several documents to a file, List kinds taken apart,
 * .seamarkignore obeyed. A file that cannot be read fails the whole commit: nothing is ever applied by halves. YAML
 * that is no Kubernetes object (neither apiVersion nor kind) is passed over with a warning.
 */
export function renderPlain(files: readonly SourceFile[], path: string): Rendered {
  const prefix = path === '.' || path === '' ? '' : `${path.replace(/^\.\//, '').replace(/\/$/, '')}/`
  const ignores = ignoredBy(files)
  const manifests: Manifest[] = []
  const errors: Place[] = []
  const warnings: Place[] = []
  const charts = files
    .filter(({ path: file }) => /(^|\/)(Chart|kustomization)\.ya?ml$/.test(file) && file.startsWith(prefix))
    .map(({ path: file }) => file.slice(0, file.lastIndexOf('/') + 1))
  for (const folder of new Set(charts)) {
    warnings.push({
      file: `${folder}`,
      message: 'is a Helm chart or a kustomization, which is not rendered; its files are not applied',
    })
  }
  for (const { path: file, text } of files) {
    const isOurs = file.startsWith(prefix) && !file.endsWith('.seamarkignore') && !ignores(file)
    if (!isOurs || charts.some((folder) => folder !== '' && file.startsWith(folder))) continue
    readFile(file, text, manifests, errors, warnings)
  }
  errors.push(...duplicates(manifests))
  return { manifests, errors, warnings }
}

function readFile(
  file: string,
  text: string,
  manifests: Manifest[],
  errors: Place[],
  warnings: Place[],
): void {
  let documents: YamlDocument[]
  try {
    documents = parseYaml(text, file)
  } catch (error) {
    errors.push(yamlError(file, error))
    return
  }
  for (const { value, offsets } of documents) {
    if (value === null || value === undefined) continue
    const at = lineColumn(text, offsets.get('') ?? 0)
    if (!isObject(value)) {
      warnings.push({ file, ...at, message: 'is not an object and is passed over' })
      continue
    }
    const { apiVersion, kind } = value
    if (apiVersion === undefined && kind === undefined) {
      warnings.push({ file, ...at, message: 'has neither apiVersion nor kind and is passed over' })
      continue
    }
    if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(value['items'])) {
      for (const [i, item] of value['items'].entries()) addObject(item, `/items/${i}`)
    } else addObject(value, '')

    function addObject(object: unknown, root: string): void {
      const place = { file, ...lineColumn(text, offsets.get(root) ?? 0) }
      const wrong = shapeError(object)
      if (wrong !== undefined) errors.push({ ...place, message: wrong })
      else manifests.push(manifestOf(object as AnyResource, file, text, offsets, root))
    }
  }
}

/** What an object needs before the API can be asked about it. */
function shapeError(object: unknown): string | undefined {
  if (!isObject(object)) return 'Expected a Kubernetes object'
  const { apiVersion, kind, metadata } = object
  if (typeof apiVersion !== 'string' || apiVersion === '')
    return `Object has no apiVersion; add one, such as "apiVersion: v1"`
  if (typeof kind !== 'string' || kind === '') return 'Object has no kind'
  if (!isObject(metadata)) return `${kind} has no metadata; add metadata.name`
  if (typeof metadata['name'] !== 'string' || metadata['name'] === '') {
    return metadata['generateName']
      ? `${kind} has generateName; what is kept converged needs a name`
      : `${kind} has no metadata.name, or one that is not text (quote it)`
  }
  if (metadata['namespace'] !== undefined && typeof metadata['namespace'] !== 'string')
    return `${kind} "${metadata['name']}" has a namespace that is not text; quote it`
  return undefined
}

function yamlError(file: string, error: unknown): Place {
  const { reason, mark, message } = error as {
    reason?: string
    mark?: { line: number; column: number }
    message: string
  }
  const place = mark ? { line: mark.line + 1, column: mark.column + 1 } : {}
  return { file, ...place, message: `Cannot read YAML: ${reason ?? message.split('\n')[0]}` }
}

/** One object from two places has no right answer. */
function duplicates(manifests: readonly Manifest[]): Place[] {
  const seen = new Map<string, Manifest>()
  return manifests.flatMap((manifest) => {
    const { apiVersion, kind, metadata } = manifest.object
    const id = `${apiVersion.split('/').length > 1 ? apiVersion.split('/')[0] : ''}/${kind}/${metadata.namespace ?? ''}/${metadata.name}`
    const first = seen.get(id)
    if (!first) {
      seen.set(id, manifest)
      return []
    }
    return [
      manifest.placeOf(
        'metadata.name',
        `${kind} "${metadata.name}" is already in ${first.file}:${first.line}; keep one of them`,
      ),
    ]
  })
}

/** Lines as in .gitignore, without negation: a folder with a slash at its end, or a glob. Each file rules below its folder. */
function ignoredBy(files: readonly SourceFile[]): (path: string) => boolean {
  const rules = files
    .filter(({ path }) => path.endsWith('.seamarkignore'))
    .flatMap(({ path, text }) => {
      const folder = path.slice(0, path.lastIndexOf('/') + 1)
      const lines = text.split('\n').map((line) => line.trim())
      return lines
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => ({ folder, glob: line.endsWith('/') ? `${line}**` : line }))
    })
  const matchers = rules.map(({ folder, glob }) => ({
    folder,
    matches: picomatch(
      glob.startsWith('/')
        ? glob.slice(1)
        : glob.includes('/') && !glob.endsWith('/**')
          ? glob
          : [glob, `**/${glob}`, `${glob}/**`],
      { dot: true },
    ),
  }))
  return (path) =>
    matchers.some(({ folder, matches }) => path.startsWith(folder) && matches(path.slice(folder.length)))
}
