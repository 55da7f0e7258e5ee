// Properties of the code itself, as pure functions over (path, text), so that a planted violation can be shown to be
// caught. Every message says what to do, because whoever reads it has just been stopped by it.
import { dirname, join, relative } from 'node:path'

export interface SourceFile {
  /** Relative to the repository, e.g. src/api/kind.ts */
  readonly path: string
  readonly text: string
}

/** What each folder of src may import besides itself. Lowest first; the five peers never import one another. */
const FOUNDATION = ['base', 'api', 'client']
const PEERS = ['apiserver', 'sync', 'controllers', 'scheduler', 'nodes']
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  api: ['base'],
  client: ['base', 'api'],
  ...Object.fromEntries(PEERS.map((peer) => [peer, FOUNDATION])),
  'control-plane.ts': [...FOUNDATION, ...PEERS],
  review: [...FOUNDATION, ...PEERS, 'control-plane.ts'],
  cli: [...FOUNDATION, ...PEERS, 'control-plane.ts', 'review'],
}

/** Folders whose every file must be named in the folder's index.ts. */
/** Not for users: only tests and simulation open it. */
const NOT_LISTED = new Set(['src/sync/sources/memory.ts'])

export const LISTED = [
  'src/api/kinds',
  'src/controllers',
  'src/scheduler/plugins',
  'src/nodes/runtimes',
  'src/sync/sources',
  'src/sync/renderers',
  'src/apiserver/admission',
  'src/review/reports',
  'src/cli/commands',
]

const FORBIDDEN_FOLDERS = /(^|\/)(utils?|common|shared|helpers?|types|misc|lib)(\/|\.ts$)/
const LINES_MAX = 400
/** Longer for now, and why. */
const MAY_BE_LONG: Readonly<Record<string, string>> = {
  'src/sync/sync.ts':
    'the way of one commit from its reading to its rollback; its stages are to become files of their own',
}
const ONLY_CLOCK =
  /\b(Date\.now|new Date\b|Date\(|setTimeout|setInterval|setImmediate|performance\.now|Math\.random|process\.hrtime)/
const MAY_TOUCH_TIME = new Set(['src/base/clock.ts', 'src/base/date.ts', 'src/base/virtual-clock.ts'])

export function wrongImports(files: readonly SourceFile[]): string[] {
  const wrong: string[] = []
  for (const { path, text } of files) {
    const layer = layerOf(path)
    const allowed = MAY_IMPORT[layer]
    if (!allowed) {
      wrong.push(`${path} is in no layer; put it into one of src/${Object.keys(MAY_IMPORT).join(', src/')}`)
      continue
    }
    for (const target of importsOf(path, text)) {
      const to = layerOf(target)
      if (to !== layer && !allowed.includes(to)) {
        wrong.push(
          `${path} imports ${target}; src/${layer} may import only ${[layer, ...allowed].join(', ')}: move what both need down a layer`,
        )
      }
    }
  }
  return wrong
}

/** Pure layers: data and functions, no I/O, nothing asynchronous. */
export function impureApi(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => path.startsWith('src/api/'))
    .flatMap(({ path, text }) => [
      ...(/from 'node:/.test(text)
        ? [`${path} imports a node: module; src/api is pure: do the I/O in a peer`]
        : []),
      ...(/\b(async|await|Promise<)\b/.test(code(text))
        ? [`${path} is async; src/api is pure: return the decision instead`]
        : []),
    ])
}

/** Files that a folder's index.ts reaches neither directly nor through a file it names (an interface, a pure half). */
export function notListed(files: readonly SourceFile[], folders: readonly string[] = LISTED): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  return folders.flatMap((folder) => {
    const index = byPath.get(`${folder}/index.ts`)
    if (!index) return [`${folder} has no index.ts; make one that lists its files`]
    const reached = reachableFrom(index, byPath, folder)
    return files
      .filter(({ path }) => dirname(path) === folder && !reached.has(path) && !NOT_LISTED.has(path))
      .map(({ path }) => `add ${path} to ${folder}/index.ts`)
  })
}

function reachableFrom(
  index: SourceFile,
  byPath: ReadonlyMap<string, SourceFile>,
  folder: string,
): Set<string> {
  const reached = new Set([index.path])
  const open = [index]
  for (let file = open.pop(); file; file = open.pop()) {
    for (const target of importsOf(file.path, file.text)) {
      const next = byPath.get(target)
      if (next && dirname(target) === folder && !reached.has(target)) {
        reached.add(target)
        open.push(next)
      }
    }
  }
  return reached
}

export function forbiddenNames(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => FORBIDDEN_FOLDERS.test(path))
    .map(({ path }) => `${path} is a drawer; name the file after the one thing in it`)
}

export function tooLong(files: readonly SourceFile[]): string[] {
  return files
    .map(({ path, text }) => ({ path, lines: text.split('\n').length }))
    .filter(({ path, lines }) => lines > LINES_MAX && !Object.hasOwn(MAY_BE_LONG, path))
    .map(
      ({ path, lines }) =>
        `${path} has ${lines} lines, more than ${LINES_MAX}; split it along a seam a reader would expect`,
    )
}

export function touchesTime(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    if (MAY_TOUCH_TIME.has(path)) return []
    return code(text)
      .split('\n')
      .flatMap((line, at) => {
        const found = ONLY_CLOCK.exec(line)?.[1]
        return found ? [`${path}:${at + 1} uses ${found}; take env.clock or env.random as an argument`] : []
      })
  })
}

function layerOf(path: string): string {
  return path.split('/')[1] ?? ''
}

function importsOf(path: string, text: string): string[] {
  const found = text.matchAll(/(?:\bfrom\s+|\bimport\(\s*|^import\s+)'(\.[^']+)'/gm)
  return [...found].map((match) => relative('.', join(dirname(path), match[1] ?? '')))
}

/** The text without comments and string contents, its line numbers kept. */
function code(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|[^:])\/\/.*$/gm, '$1')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
}
