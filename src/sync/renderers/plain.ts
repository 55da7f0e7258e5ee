import picomatch from 'picomatch'
import type { AnyResource } from '../../api/resource.ts'
import { isObject } from '../../base/json.ts'
import { type Manifest, manifestOf } from '../manifest.ts'
import type { Place } from '../progress.ts'
import type { SourceFile } from '../sources/source.ts'
import { lineTable, parseYaml, type YamlDocument } from '../yaml.ts'
import type { Rendered } from './renderer.ts'

/**
 * Plain manifests: every .yaml, .yml and .json below the path, several documents to a file, List kinds taken apart,
 * .seamarkignore obeyed. A file that cannot be read fails the whole commit: nothing is ever applied by halves. YAML
 * that is no Kubernetes object (neither apiVersion nor kind) is passed over with a warning. What a file holds is kept
 * for as long as its SourceFile lives: a commit that changes one file of a thousand parses one file.
 */
export function renderPlain(files: readonly SourceFile[], path: string): Rendered {
  const prefix = path === '.' || path === '' ? '' : `${path.replace(/^(\.\/)+/, '').replace(/\/+$/, '')}/`
  const { isIgnored, charts } = layoutOf(files)
  const below = files.filter(({ path: file }) => file.startsWith(prefix))
  if (prefix !== '' && below.length === 0)
    return {
      manifests: [],
      errors: [{ file: prefix, message: `Folder "${path}" holds no manifest` }],
      warnings: [],
    }
  const manifests: Manifest[] = []
  const errors: Place[] = []
  const warnings: Place[] = []
  for (const folder of charts) {
    if (!folder.startsWith(prefix)) continue
    const message =
      'is a Helm chart or a kustomization, which this version does not render; its files are not applied'
    // A whole source that cannot be rendered is an error: taken for an empty one, everything would be deleted.
    if (folder === prefix) errors.push({ file: folder || '.', message })
    else warnings.push({ file: folder, message })
  }
  for (const file of below) {
    if (isIgnored(file.path) || charts.some((folder) => file.path.startsWith(folder))) continue
    const read = readFile(file)
    manifests.push(...read.manifests)
    errors.push(...read.errors)
    warnings.push(...read.warnings)
  }
  errors.push(...duplicates(manifests))
  return { manifests, errors, warnings }
}

interface Layout {
  isIgnored(path: string): boolean
  /** Folders with a Chart.yaml or kustomization.yaml, with a slash at their end; "" is the root. */
  readonly charts: readonly string[]
}

const layouts = new WeakMap<readonly SourceFile[], Layout>()

function layoutOf(files: readonly SourceFile[]): Layout {
  const known = layouts.get(files)
  if (known) return known
  const isIgnored = ignoredBy(files)
  const charts = files
    .filter(({ path }) => /(^|\/)(Chart\.ya?ml|kustomization\.ya?ml)$/.test(path) && !isIgnored(path))
    .map(({ path }) => path.slice(0, path.lastIndexOf('/') + 1))
  const layout = { isIgnored, charts: [...new Set(charts)] }
  layouts.set(files, layout)
  return layout
}

const readFiles = new WeakMap<SourceFile, Rendered>()

function readFile(file: SourceFile): Rendered {
  let read = readFiles.get(file)
  if (!read) {
    read = parseFile(file)
    readFiles.set(file, read)
  }
  return read
}

function parseFile({ path: file, text, problem }: SourceFile): Rendered {
  const manifests: Manifest[] = []
  const errors: Place[] = []
  const warnings: Place[] = []
  if (problem !== undefined) return { manifests, warnings, errors: [{ file, message: problem }] }
  let documents: YamlDocument[]
  try {
    documents = parseYaml(text, file)
  } catch (error) {
    return { manifests, warnings, errors: [yamlError(file, error)] }
  }
  const lines = lineTable(text)
  for (const document of documents) {
    const { value, start } = document
    if (value === null || value === undefined) continue
    if (!isObject(value)) {
      warnings.push({ file, ...lines(start), message: 'is not an object and is passed over' })
      continue
    }
    if (value['apiVersion'] === undefined && value['kind'] === undefined) {
      warnings.push({ file, ...lines(start), message: 'has neither apiVersion nor kind and is passed over' })
      continue
    }
    const add = (object: unknown, root: string, depth: number): void => {
      if (isList(object) && depth < LIST_DEPTH_MAX) {
        for (const [i, item] of (object['items'] ?? []).entries()) add(item, `${root}/items/${i}`, depth + 1)
        return
      }
      const wrong = shapeError(object)
      if (wrong === undefined) manifests.push(manifestOf(object as AnyResource, file, lines, document, root))
      else {
        const offset = root === '' ? start : (document.offsets.get(root) ?? start)
        errors.push({ file, ...lines(offset), message: wrong })
      }
    }
    add(value, '', 0)
  }
  return { manifests, errors, warnings }
}

const LIST_DEPTH_MAX = 5
/** What a parser means by it. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ['deficient indentation', ': is a "{" or "[" above it not closed?'],
])

/** v1 List, and lists of a kind such as ConfigMapList. An empty one may say null. */
function isList(value: unknown): value is { readonly items: readonly unknown[] | null | undefined } {
  if (!isObject(value) || typeof value['kind'] !== 'string' || !value['kind'].endsWith('List')) return false
  return Array.isArray(value['items']) || ('items' in value && value['items'] === null)
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
  const annotations = metadata['annotations'] ?? {}
  if (!isObject(annotations)) return `${kind} "${metadata['name']}" has annotations that are not an object`
  const odd = Object.entries(annotations).find(([, value]) => typeof value !== 'string')
  if (odd) return `${kind} "${metadata['name']}" has an annotation "${odd[0]}" that is not text; quote it`
  return undefined
}

function yamlError(file: string, error: unknown): Place {
  const { reason, mark, message } = error as {
    reason?: string
    mark?: { line: number; column: number }
    message: string
  }
  const place = mark ? { line: mark.line + 1, column: mark.column + 1 } : {}
  const why = reason ?? message.split('\n')[0] ?? ''
  return { file, ...place, message: `Cannot read YAML: ${why}${HINTS.get(why) ?? ''}` }
}

/** One object from two places has no right answer. */
function duplicates(manifests: readonly Manifest[]): Place[] {
  const seen = new Map<string, Manifest>()
  return manifests.flatMap((manifest) => {
    const { apiVersion, kind, metadata } = manifest.object
    const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : ''
    const id = `${group}/${kind}/${metadata.namespace ?? ''}/${metadata.name}`
    const first = seen.get(id)
    if (!first) {
      seen.set(id, manifest)
      return []
    }
    const where = `${first.file}:${first.line}`
    return [
      manifest.placeOf(
        'metadata.name',
        `${kind} "${metadata.name}" is already in ${where}; keep one of them`,
      ),
    ]
  })
}

/**
 * .seamarkignore reads as .gitignore: globs, a folder with a slash at its end, "!" takes back, the last line that
 * matches decides. Each file rules below its own folder.
 */
function ignoredBy(files: readonly SourceFile[]): (path: string) => boolean {
  const rules = files
    .filter(({ path }) => /(^|\/)\.seamarkignore$/.test(path))
    .sort((a, b) => a.path.length - b.path.length)
    .flatMap(({ path, text }) => {
      const folder = path.slice(0, path.lastIndexOf('/') + 1)
      const lines = text.split(/\r?\n/).map((line) => line.trim())
      return lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => ruleOf(folder, line))
    })
  return (path) => {
    if (/(^|\/)\.seamarkignore$/.test(path)) return true
    let ignored = false
    for (const { folder, matches, takesBack } of rules)
      if (ignored === takesBack && path.startsWith(folder) && matches(path.slice(folder.length)))
        ignored = !takesBack
    return ignored
  }
}

function ruleOf(folder: string, line: string) {
  const takesBack = line.startsWith('!')
  const glob = takesBack ? line.slice(1) : line
  const isFolder = glob.endsWith('/')
  const bare = glob.replace(/^\//, '').replace(/\/$/, '')
  // A slash anywhere but at the end ties the glob to its folder.
  const anchored = glob.replace(/\/$/, '').includes('/') ? bare : `**/${bare}`
  const matches = picomatch(isFolder ? [`${anchored}/**`] : [anchored, `${anchored}/**`], { dot: true })
  return { folder, takesBack, matches: (path: string) => matches(path) }
}
