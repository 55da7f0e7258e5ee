import { spawn } from 'node:child_process'
import { ApiError } from '../../api/status.ts'
import { type Clock, sleep } from '../../base/clock.ts'

/** Nobody's configuration, hooks, helpers or prompts: a repository may be hostile. */
const SAFE_ENV = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: '/bin/false',
  GIT_ALLOW_PROTOCOL: 'https:ssh:file',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_NO_LAZY_FETCH: '1',
  LC_ALL: 'C',
}
const SAFE_CONFIG = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.attributesFile=/dev/null',
  'submodule.recurse=false',
  'protocol.ext.allow=never',
  'safe.directory=*',
].flatMap((setting) => ['-c', setting])
const OUTPUT_MAX = 300 * 1024 * 1024

export interface GitCommandOptions {
  readonly clock: Clock
  readonly gitdir: string
  readonly input?: string | undefined
  readonly timeoutMs?: number | undefined
}

/** Runs the git command, without a shell. Throws an ApiError with git's own words, or that there is no git. */
export async function runGit(args: readonly string[], options: GitCommandOptions): Promise<Buffer> {
  const { clock, gitdir, input = '', timeoutMs = 60_000 } = options
  const { PATH, HOME, SSH_AUTH_SOCK } = process.env
  const child = spawn('git', ['--git-dir', gitdir, ...SAFE_CONFIG, ...args], {
    env: { PATH, HOME, ...(SSH_AUTH_SOCK ? { SSH_AUTH_SOCK } : {}), ...SAFE_ENV },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const done = new AbortController()
  const ended = new Promise<Buffer>((resolve, reject) => {
    const out: Buffer[] = []
    let size = 0
    let told = ''
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > OUTPUT_MAX) child.kill('SIGKILL')
      else out.push(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      told = `${told}${chunk.toString()}`.slice(-2000)
    })
    child.on('error', (cause) =>
      reject(new ApiError('ServiceUnavailable', `Cannot run git: ${cause.message}; install git`, { cause })),
    )
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out))
      else
        reject(
          new ApiError('ServiceUnavailable', `git ${args[0]} failed: ${onOneLine(told) || `exit ${code}`}`),
        )
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
  const late = sleep(clock, timeoutMs, done.signal).then(() => {
    child.kill('SIGKILL')
    throw new ApiError('Timeout', `git ${args[0]} took longer than ${timeoutMs / 1000} s`)
  })
  try {
    return await Promise.race([ended, late])
  } finally {
    done.abort()
    late.catch(() => {})
    ended.catch(() => {})
  }
}

function onOneLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim())
  return lines.filter((line) => line !== '').join('; ')
}
