import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
const MAIN = join(ROOT, 'dist/bin/seamark.js')

/** Why e2e tests cannot run here; undefined when they can. */
export function missingForE2e(): string | undefined {
  if (!existsSync(MAIN)) return 'dist/ is not built: npm run build'
  try {
    execFileSync('git', ['--version'])
  } catch {
    return 'there is no git'
  }
  return undefined
}

export interface Seamark {
  /** All lines of progress so far, as JSON events. */
  readonly events: Event[]
  readonly errors: () => string
  readonly pid: number
  readonly kubeconfig: string
  /** The first event from `from` on that matches; rejects when the process ends or `withinMs` passes. */
  until(matches: (event: Event) => boolean, options?: { from?: number; withinMs?: number }): Promise<Event>
  signal(name: NodeJS.Signals): void
  readonly ended: Promise<number>
}

export interface Event {
  readonly type: string
  readonly commit?: unknown
  readonly [field: string]: unknown
}

/** A real `seamark up -o json` on a free port. */
export function startSeamark(repo: string, args: readonly string[] = []): Seamark {
  const child = spawn(
    process.execPath,
    [MAIN, 'up', repo, '--listen', '127.0.0.1:0', '-o', 'json', ...args],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, CI: '' } },
  )
  const events: Event[] = []
  const waiting = new Set<() => void>()
  let rest = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) events.push(JSON.parse(line) as Event)
    for (const look of waiting) look()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const ended = new Promise<number>((resolve) =>
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 1))),
  )
  return {
    events,
    errors: () => errors,
    pid: child.pid ?? 0,
    kubeconfig: join(repo, '.seamark/kubeconfig'),
    ended,
    signal: (name) => child.kill(name),
    until: (matches, { from = 0, withinMs = 60_000 } = {}) =>
      new Promise((resolve, reject) => {
        const done = (finish: () => void) => {
          waiting.delete(look)
          clearTimeout(timer)
          finish()
        }
        const look = () => {
          const found = events.slice(from).find(matches)
          if (found) done(() => resolve(found))
        }
        const fail = (why: string) =>
          done(() =>
            reject(
              new Error(`${why}; events: ${events.map(({ type }) => type).join(' ')}; stderr: ${errors}`),
            ),
          )
        const timer = setTimeout(() => fail(`Not seen within ${withinMs} ms`), withinMs)
        waiting.add(look)
        void ended.then((code) => fail(`Seamark ended with ${code}`))
        look()
      }),
  }
}

/** A temporary folder that goes with `remove`. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'seamark-e2e-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** The example repository as a git repository of its own. */
export function exampleRepository(parent: string, name = 'demo'): Repository {
  const path = join(parent, name)
  cpSync(join(ROOT, 'examples/cluster-repo'), path, { recursive: true })
  const repository = repositoryAt(path)
  repository.git('init', '-q', '-b', 'main')
  repository.commit('A small shop')
  return repository
}

export interface Repository {
  readonly path: string
  git(...args: string[]): string
  /** Everything that changed, as one commit; returns its id. */
  commit(subject: string): string
  edit(file: string, from: string, to: string): void
}

export function repositoryAt(path: string): Repository {
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', ...args], {
      cwd: path,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  return {
    path,
    git,
    commit(subject) {
      git('add', '-A', '--', '.', ':!.seamark')
      git('commit', '-q', '-m', subject)
      return git('rev-parse', 'HEAD').trim()
    },
    edit(file, from, to) {
      const full = join(path, file)
      const text = readFileSync(full, 'utf8')
      if (!text.includes(from)) throw new Error(`${file} does not contain ${from}`)
      writeFileSync(full, text.replace(from, to))
    },
  }
}
