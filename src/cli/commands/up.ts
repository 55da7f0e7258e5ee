import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { ApiError, badRequest } from '../../api/status.ts'
import type { Cancel } from '../../base/clock.ts'
import { systemClock } from '../../base/clock.ts'
import { createEnv } from '../../base/env.ts'
import { createLog, type LogLevel } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import { type ControlPlane, startControlPlane } from '../../control-plane.ts'
import type { Progress } from '../../sync/progress.ts'
import { findGitDir } from '../../sync/sources/git.ts'
import { openSource } from '../../sync/sources/index.ts'
import { parseStatusMode } from '../../sync/write-back.ts'
import type { CliCommand, CommandContext } from '../command.ts'
import { readSchedulerConfig } from '../scheduler-config.ts'
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
  readonly auditLog?: string
  readonly auditPolicy?: string
  readonly nodes: string
  readonly schedulerConfig?: string
  readonly status: string
  readonly once?: boolean
  readonly output: string
  readonly logLevel: string
}

/** A second Ctrl-C, or this long after the first, ends the process whatever is left. */
const STOP_MS = 2000
const SIGNALS = [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const
/** With --once: after one of these, and nothing else this long, it is over. */
const GIVES_UP: ReadonlySet<Progress['type']> = new Set(['failed', 'waiting-for-source', 'suspended'])
const GIVE_UP_MS = 500
/** File of the data directory that names what is followed. */
const FOLLOWED = 'repository'

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
      .option('--data <dir>', 'where state is kept (default: .seamark in the work tree, else here)')
      .option('--store <engine>', 'embedded or memory', 'embedded')
      .option('--listen <host:port>', 'where the API is served; port 0 is any free port', '127.0.0.1:6443')
      .option('--kubeconfig <file>', 'where the kubeconfig is written (default: DATA/kubeconfig)')
      .option('--audit-log <file>', 'write down who asks what of the API, one JSON line each')
      .option('--audit-policy <file>', 'an audit.k8s.io/v1 Policy: which requests, and how much of each')
      .option('--nodes <n>', 'simulated nodes when the repository declares none', '3')
      .option('--scheduler-config <file>', 'a KubeSchedulerConfiguration: profiles, plugins, extenders')
      .option('--status <mode>', 'where outcomes go: none, notes, branch:NAME or files:DIR', 'notes')
      .option('--once', 'exit 0 when everything is healthy, 1 when the commit failed')
      .option('-o, --output <form>', 'pretty, plain or json', 'pretty')
      .option('--log-level <level>', 'trace, debug, info, warn, error or silent', 'silent')
      .action((repo: string, options: UpOptions) => run(repo, options, context))
  },
}

/**
 * A control plane lives long and rests mostly: memory is worth more to it than the last percent of a start. V8 collects
 * when what lives has grown by this much, where its own choice is up to fourfold.
 */
const HEAP_GROWING_PERCENT = 80

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
  const schedulerConfiguration =
    options.schedulerConfig === undefined ? undefined : readSchedulerConfig(options.schedulerConfig)
  const data = resolve(options.data ?? defaultData(repo))
  const source = openSource(systemClock, repo, {
    ref: options.branch,
    worktree: options.worktree,
    cacheDirectory: join(data, 'repos'),
    intervalMs: 60_000,
  })
  if (!isUrl(repo) && existsSync(resolve(repo))) checkReadable(resolve(repo))
  prepareData(data, repo)
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`)

  const env = createEnv({
    clock: systemClock,
    random: systemRandom(),
    log: createLog({ level: options.logLevel as LogLevel }),
  })
  const screen = createScreen(systemClock, output, options.output)
  const ended = new Deferred<number>()
  const name = nameOf(repo)
  let giveUp: Cancel = () => {}
  const onProgress = (progress: Progress) => {
    screen.show(progress)
    // Applications below the root are part of its health.
    if (!options.once || progress.application !== `default/${name}`) return
    giveUp()
    if (progress.type === 'healthy') ended.resolve(0)
    else if (progress.type === 'rolled-back') ended.resolve(1)
    // Going back, if there is anything to go back to, follows at once and is waited for.
    else if (GIVES_UP.has(progress.type)) giveUp = systemClock.after(GIVE_UP_MS, () => ended.resolve(1))
  }
  let plane: ControlPlane
  try {
    plane = await startControlPlane(env, {
      dataDirectory: data,
      store: options.store,
      listen,
      schedulerConfiguration,
      audit: auditOf(options),
      kubeconfigPath: options.kubeconfig === undefined ? undefined : resolve(options.kubeconfig),
      sync: {
        source,
        name,
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
  const { url = '', kubeconfigPath = '' } = plane
  screen.notice({ type: 'started', version: VERSION, url, kubeconfig: kubeconfigPath })
  let isStopping = false
  for (const [signal, number] of SIGNALS) {
    process.on(signal, () => {
      if (isStopping) endNow(plane, 128 + number)
      isStopping = true
      if (signal === 'SIGINT') screen.notice({ type: 'stopping' })
      ended.resolve(0)
    })
  }
  const code = await ended.promise
  const revision = plane.store.revision
  const cancel = systemClock.after(STOP_MS - 300, () => endNow(plane, code))
  await plane.stop()
  cancel()
  giveUp()
  screen.notice({ type: 'stopped', revision, data })
  screen.close()
  exit(code)
}

/**
 * process.exit waits for the store's threads, and those may wait for us: the store is closed first. What hangs even so
 * is killed, which loses nothing that was acknowledged.
 */
function endNow({ store }: ControlPlane, code: number): void {
  systemClock.after(200, () => process.kill(process.pid, 'SIGKILL'))
  void store.close().finally(() => process.exit(code))
}

function auditOf({ auditLog, auditPolicy }: UpOptions) {
  if (auditLog === undefined) {
    if (auditPolicy === undefined) return undefined
    throw badRequest('Cannot use --audit-policy alone: say with --audit-log FILE where to write')
  }
  const policyPath = auditPolicy === undefined ? undefined : resolve(auditPolicy)
  if (policyPath !== undefined && !existsSync(policyPath))
    throw badRequest(`Cannot use --audit-policy ${auditPolicy}: there is no such file`)
  return { path: resolve(auditLog), policyPath }
}

class Deferred<T> {
  resolve: (value: T) => void = () => {}
  readonly promise: Promise<T> = new Promise((resolve) => {
    this.resolve = resolve
  })
}

export function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (!match || port > 65_535)
    throw badRequest(`Cannot listen on "${text}": give HOST:PORT, such as 127.0.0.1:6443`)
  return { host: match[1] ?? (match[2] || '127.0.0.1'), port }
}

function isUrl(repo: string): boolean {
  return /^https?:\/\//.test(repo)
}

/** The Application's name: the folder's, made a DNS label. */
export function nameOf(repo: string): string {
  const name = basename(isUrl(repo) ? repo : resolve(repo))
    .replace(/\.git$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '')
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

/**
 * In the work tree that is followed. Here, for what is none: a URL, a bare repository, or a path that is not there yet
 * (git would not clone into a folder with something in it), also once it is there.
 */
function defaultData(repo: string): string {
  const folder = resolve(repo)
  const isWorkTree = existsSync(folder) && findGitDir(folder) !== folder
  if (isWorkTree && !(followedIn('.seamark') === folder)) return join(folder, '.seamark')
  return '.seamark'
}

/** What the owner of this data directory follows. */
function followedIn(data: string): string | undefined {
  const path = join(data, FOLLOWED)
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}

/** The data directory holds keys and never becomes part of the repository it lies in: it ignores itself. */
function prepareData(data: string, repo: string): void {
  try {
    mkdirSync(data, { recursive: true, mode: 0o700 })
    accessSync(data, constants.W_OK | constants.X_OK)
    writeFileSync(join(data, '.gitignore'), '*\n')
    writeFileSync(join(data, FOLLOWED), `${isUrl(repo) ? repo : resolve(repo)}\n`)
  } catch (error) {
    throw new ApiError(
      'Forbidden',
      `Cannot write to data directory ${data}: ${(error as NodeJS.ErrnoException).code === 'EACCES' ? 'no permission' : (error as Error).message}; choose another with --data`,
      { cause: error },
    )
  }
}
