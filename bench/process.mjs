// A real `seamark up` as a user starts it: its events as they come, its memory, its end.
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Runs git in `cwd` as somebody. */
export function git(cwd, ...args) {
  return execFileSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@example.org', ...args], {
    cwd,
  })
}

/** Makes a repository of what lies in the folder. */
export function commitAll(cwd) {
  git(cwd, 'init', '-q', '-b', 'main')
  git(cwd, 'add', '-A')
  git(cwd, 'commit', '-q', '-m', 'first')
}

export function startUp(repo, ...args) {
  const child = spawn(
    process.execPath,
    [join(root, 'dist/bin/seamark.js'), 'up', repo, '-o', 'json', ...args],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const events = []
  const waiting = new Set()
  let rest = ''
  child.stdout.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()
    for (const line of lines) {
      const event = { ...JSON.parse(line), heardAt: performance.now() }
      events.push(event)
      for (const each of waiting) each(event)
    }
  })
  const ended = new Promise((resolve) => child.on('close', resolve))
  const memory = (field) =>
    Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) /
    1024
  return {
    events,
    /** Resolves with the first event, past or to come, that `matches`; rejects when the process ends before. */
    until(matches) {
      const found = events.find(matches)
      if (found) return Promise.resolve(found)
      return new Promise((resolve, reject) => {
        const look = (event) => {
          if (!matches(event)) return
          waiting.delete(look)
          resolve(event)
        }
        waiting.add(look)
        void ended.then((code) => reject(new Error(`seamark ended with ${code}`)))
      })
    },
    /** MB now, and MB at the most so far. Linux only. */
    resident: () => memory('VmRSS'),
    residentPeak: () => memory('VmHWM'),
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
