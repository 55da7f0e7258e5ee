import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const MAIN = join(import.meta.dirname, '../../dist/bin/seamark.js')

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A real `seamark` process from dist/ (npm run build makes it), and what it has said so far. */
export interface SeamarkProcess {
  readonly pid: number
  readonly ended: Promise<Ended>
  /** All of stdout and stderr. */
  said(): string
  /** Waits until what it says matches; fails with all of it when the process ends, or time is up, before. */
  until(pattern: RegExp, withinMs?: number): Promise<RegExpMatchArray>
  signal(name: NodeJS.Signals): void
}

export function runSeamark(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): SeamarkProcess {
  if (!existsSync(MAIN)) throw new Error(`There is no ${MAIN}; run "npm run build" first`)
  // Nobody's KUBECONFIG or home is touched.
  const env = {
    PATH: process.env['PATH'],
    HOME: mkdtempSync(join(tmpdir(), 'seamark-home-')),
    ...options.env,
  }
  const child: ChildProcess = spawn(process.execPath, [MAIN, ...args], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  const listeners = new Set<() => void>()
  const heard = () => {
    for (const listener of listeners) listener()
  }
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
    heard()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
    heard()
  })
  let isOver = false
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (code) => {
      isOver = true
      heard()
      resolve({ code, stdout, stderr })
    }),
  )
  const said = () => stdout + stderr
  return {
    pid: child.pid ?? 0,
    ended,
    said,
    signal: (name) => void child.kill(name),
    until: (pattern, withinMs = 30_000) =>
      new Promise((resolve, reject) => {
        const finish = (why: string) => {
          const match = pattern.exec(said())
          if (!match && why === '') return
          clearTimeout(timer)
          listeners.delete(listen)
          if (match) resolve(match)
          else reject(new Error(`${pattern} was not said ${why}:\n${said()}`))
        }
        const listen = () => finish(isOver ? 'before the process ended' : '')
        const timer = setTimeout(() => finish(`within ${withinMs} ms`), withinMs)
        listeners.add(listen)
        listen()
      }),
  }
}
