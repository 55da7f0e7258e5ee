// Start to the first API answer, commit to the first apply, resident memory idle: a real process, as a user starts it.
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const question =
  'start to first answer (0.3 s), commit seen to first apply (100 ms), resident memory idle (120 MB)'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

export async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'seamark-bench-'))
  const repo = join(folder, 'demo')
  const git = (...args) =>
    execFileSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@example.org', ...args], {
      cwd: repo,
    })
  cpSync(join(root, 'examples/cluster-repo'), repo, { recursive: true })
  git('init', '-q', '-b', 'main')
  git('add', '-A')
  git('commit', '-q', '-m', 'first')
  const port = 20_000 + (process.pid % 20_000)
  const startedAt = performance.now()
  const child = spawn(
    process.execPath,
    [join(root, 'dist/cli/main.js'), 'up', repo, '--listen', `127.0.0.1:${port}`, '-o', 'json'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const events = []
  let rest = ''
  child.stdout.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()
    for (const line of lines) events.push({ ...JSON.parse(line), heardAt: performance.now() })
  })
  const until = async (matches) => {
    for (;;) {
      const found = events.find(matches)
      if (found) return found
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
  try {
    const answered = await firstAnswer(port, startedAt)
    const first = await until(({ type }) => type === 'healthy')
    const file = join(repo, 'apps/web.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace('shop/web:2.3.0', 'shop/web:2.4.0'))
    git('add', '-A', '--', 'apps')
    git('commit', '-q', '-m', 'second')
    const committedAt = performance.now()
    const applied = await until(({ type, commit }) => type === 'applied' && commit !== first.commit)
    const memory =
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? Number.NaN) /
      1024
    return [
      { name: 'start to first API answer', value: answered, unit: 'ms', note: 'budget 300' },
      {
        name: 'commit to applied',
        value: applied.heardAt - committedAt,
        unit: 'ms',
        note: 'budget 100 to the first apply',
      },
      { name: 'apply of the commit itself', value: applied.tookMs, unit: 'ms' },
      {
        name: 'resident memory with the example running',
        value: memory,
        unit: 'MB',
        note: 'budget 120 idle',
      },
    ]
  } finally {
    child.kill('SIGTERM')
    await new Promise((resolve) => child.on('close', resolve))
    rmSync(folder, { recursive: true, force: true })
  }
}

async function firstAnswer(port, startedAt) {
  for (;;) {
    const isUp = await new Promise((resolve) => {
      const request = https.get(
        { host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false },
        (response) => {
          response.resume()
          resolve(response.statusCode === 200)
        },
      )
      request.on('error', () => resolve(false))
    })
    if (isUp) return performance.now() - startedAt
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
