// Start to the first API answer, commit to the first apply, resident memory idle: a real process, as a user starts it.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commitAll, git, root, startUp } from './process.mjs'

export const question =
  'start to first answer (0.3 s), commit seen to first apply (100 ms), resident memory idle (120 MB)'

export async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'seamark-bench-'))
  try {
    return [...(await idle(folder)), ...(await example(folder))]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** An empty folder: no objects but the system's own. */
async function idle(folder) {
  const repo = join(folder, 'empty')
  mkdirSync(repo)
  const answers = []
  let memory = Number.NaN
  for (let time = 0; time < 3; time += 1) {
    const port = 20_000 + (process.pid % 20_000) + time
    const startedAt = performance.now()
    const seamark = startUp(repo, '--listen', `127.0.0.1:${port}`, '--data', join(folder, `data-${time}`))
    answers.push(await firstAnswer(port, startedAt))
    await new Promise((resolve) => setTimeout(resolve, 5000))
    memory = seamark.resident()
    await seamark.stop()
  }
  const [, median] = answers.toSorted((a, b) => a - b)
  return [
    {
      name: 'start to first API answer, empty store',
      value: median,
      unit: 'ms',
      note: 'budget 300; process start included',
    },
    { name: 'resident memory, idle', value: memory, unit: 'MB', note: 'budget 120' },
  ]
}

async function example(folder) {
  const repo = join(folder, 'demo')
  cpSync(join(root, 'examples/cluster-repo'), repo, { recursive: true })
  commitAll(repo)
  const seamark = startUp(repo, '--listen', '127.0.0.1:0')
  try {
    const first = await seamark.until(({ type }) => type === 'healthy')
    const file = join(repo, 'apps/web.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace('shop/web:2.3.0', 'shop/web:2.4.0'))
    git(repo, 'add', '-A', '--', 'apps')
    git(repo, 'commit', '-q', '-m', 'second')
    const committedAt = performance.now()
    const applied = await seamark.until(({ type, commit }) => type === 'applied' && commit !== first.commit)
    return [
      {
        name: 'git commit returned to applied',
        value: applied.heardAt - committedAt,
        unit: 'ms',
        note: 'budget 100 to the first apply',
      },
      { name: 'of it, rendering and applying', value: applied.tookMs, unit: 'ms' },
      { name: 'resident memory with the example running', value: seamark.resident(), unit: 'MB' },
    ]
  } finally {
    await seamark.stop()
  }
}

async function firstAnswer(port, startedAt) {
  for (;;) {
    const isUp = await new Promise((resolve) => {
      const options = { host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false, agent: false }
      const request = https.get(options, (response) => {
        response.resume()
        resolve(response.statusCode === 200)
      })
      request.on('error', () => resolve(false))
    })
    if (isUp) return performance.now() - startedAt
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
