import { accessSync, constants, existsSync, mkdirSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { ApiError, badRequest } from '../../api/status.ts'
import { systemClock } from '../../base/clock.ts'
import { createEnv } from '../../base/env.ts'
import { createLog, type LogLevel } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import { type ControlPlane, startControlPlane } from '../../control-plane.ts'
import type { Progress } from '../../sync/progress.ts'
import { openSource } from '../../sync/sources/index.ts'
import { parseStatusMode } from '../../sync/write-back.ts'
import type { CliCommand, CommandContext } from '../command.ts'
import { createScreen } from '../screen.ts'
import { VERSION } from '../version.ts'

interface UpOptions {
  readonly branch?: string
  readonly path: string
  readonly interval: string
  readonly worktree?: boolean
  readonly data?: string
  readonly store: string
  readonly listen: string
  readonly kubeconfig?: string
  readonly nodes: string
  readonly status: string
  readonly once?: boolean
  readonly output: string
  readonly logLevel: string
}

/** A second Ctrl-C, or this long after the first, ends the process whatever is left. */
const STOP_MS = 2000

export const up: CliCommand = {
  add(program, context) {
    program
      .command('up')
      .description('run the control plane and keep a repository converged')
      .argument('[repo]', 'folder, work tree, bare repository or URL', '.')
      .option('--branch <name>', 'branch, tag or commit to follow (default: what HEAD names)')
      .option('--path <folder>', 'folder inside the repository', '.')
      .option('--interval <duration>', 'how often to look when nothing announces a change', '60s')
      .option('--worktree', 'follow files on disk, not commits')
      .option('--data <dir>', 'where state is kept (default: .seamark in the repository)')
      .option('--store <engine>', 'embedded or memory', 'embedded')
      .option('--listen <host:port>', 'where the API is served; port 0 is any free port', '127.0.0.1:6443')
      .option('--kubeconfig <file>', 'where the kubeconfig is written (default: DATA/kubeconfig)')
      .option('--nodes <n>', 'simulated nodes when the repository declares none', '3')
      .option('--status <mode>', 'where outcomes go: none, notes, branch:NAME or files:DIR', 'notes')
      .option('--once', 'exit 0 when everything is healthy, 1 when the commit failed')
      .option('-o, --output <form>', 'pretty, plain or json', 'pretty')
      .option('--log-level <level>', 'trace, debug, info, warn, error or silent', 'silent')
      .action((repo: string, options: UpOptions) => run(repo, options, context))
  },
}

async function run(repo: string, options: UpOptions, { output, exit }: CommandContext): Promise<void> {
  const statusMode = parseStatusMode(options.status)
  if (!statusMode)
    throw badRequest(`Cannot use --status "${options.status}": give none, notes, branch:NAME or files:DIR`)
  if (options.store !== 'embedded' && options.store !== 'memory')
    throw badRequest(`Cannot use --store "${options.store}": give embedded or memory`)
  if (options.output !== 'pretty' && options.output !== 'plain' && options.output !== 'json')
    throw badRequest(`Cannot use --output "${options.output}": give pretty, plain or json`)
  const nodes = Number(options.nodes)
  if (!Number.isInteger(nodes) || nodes < 0)
    throw badRequest(`Cannot use --nodes "${options.nodes}": give a whole number of at least 0`)
  const listen = parseListen(options.listen)
  const isUrl = /^https?:\/\//.test(repo)
  const data = resolve(options.data ?? (isUrl ? '.seamark' : join(repo, '.seamark')))
  const source = openSource(systemClock, repo, {
    ref: options.branch,
    worktree: options.worktree,
    cacheDirectory: join(data, 'repos'),
    intervalMs: 60_000,
  })
  if (!isUrl && existsSync(resolve(repo))) checkReadable(resolve(repo))
  prepareData(data)

  const env = createEnv({
    clock: systemClock,
    random: systemRandom(),
    log: createLog({ level: options.logLevel as LogLevel }),
  })
  const screen = createScreen(systemClock, output, options.output)
  const ended = new Deferred<number>()
  const onProgress = (progress: Progress) => {
    screen.show(progress)
    if (!options.once) return
    if (progress.type === 'healthy') ended.resolve(0)
    else if (progress.type === 'rolled-back') ended.resolve(1)
    else if (progress.type === 'failed') systemClock.after(200, () => ended.resolve(1))
  }
  let plane: ControlPlane
  try {
    plane = await startControlPlane(env, {
      dataDirectory: data,
      store: options.store,
      listen,
      kubeconfigPath: options.kubeconfig === undefined ? undefined : resolve(options.kubeconfig),
      sync: {
        source,
        name: nameOf(repo),
        path: options.path,
        interval: options.interval,
        statusMode,
        nodes,
        onProgress,
      },
    })
  } catch (error) {
    screen.close()
    throw error
  }
  const shownPath = plane.kubeconfigPath ?? ''
  screen.line(`seamark ${VERSION}   ${plane.url}   export KUBECONFIG=${shownPath}`)
  const stop = (signal: string) => {
    process.once('SIGINT', () => process.exit(130))
    process.once('SIGTERM', () => process.exit(143))
    if (signal === 'SIGINT') screen.line('stopping … press Ctrl-C again to stop at once')
    ended.resolve(signal === 'once' ? 0 : 0)
  }
  process.once('SIGINT', () => stop('SIGINT'))
  process.once('SIGTERM', () => stop('SIGTERM'))
  const code = await ended.promise
  const revision = plane.store.revision
  const cancel = systemClock.after(STOP_MS - 200, () => process.exit(code))
  await plane.stop()
  cancel()
  screen.line(`stopped at revision ${revision}; state is kept in ${data}`)
  screen.close()
  exit(code)
}

class Deferred<T> {
  resolve: (value: T) => void = () => {}
  readonly promise: Promise<T> = new Promise((resolve) => {
    this.resolve = resolve
  })
}

export function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (!match || port > 65_535)
    throw badRequest(`Cannot listen on "${text}": give HOST:PORT, such as 127.0.0.1:6443`)
  return { host: match[1] ?? (match[2] || '127.0.0.1'), port }
}

/** The Application's name: the folder's, made a DNS label. */
function nameOf(repo: string): string {
  const name = basename(/^https?:/.test(repo) ? repo : resolve(repo))
    .replace(/\.git$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
  return name || 'repository'
}

function checkReadable(folder: string): void {
  try {
    accessSync(folder, constants.R_OK | constants.X_OK)
  } catch (error) {
    throw new ApiError('Forbidden', `Cannot read ${folder}: no permission; check who owns it`, {
      cause: error,
    })
  }
}

/** The data directory never becomes part of the repository it lies in: it ignores itself. */
function prepareData(data: string): void {
  try {
    mkdirSync(data, { recursive: true, mode: 0o700 })
    accessSync(data, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new ApiError(
      'Forbidden',
      `Cannot write to data directory ${data}: ${(error as NodeJS.ErrnoException).code === 'EACCES' ? 'no permission' : (error as Error).message}; choose another with --data`,
      { cause: error },
    )
  }
}
