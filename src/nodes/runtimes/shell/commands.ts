import { sleep } from '../../../base/clock.ts'
import { formatTime } from '../../../base/date.ts'
import { fileCommands } from './file-commands.ts'
import type { Command } from './process.ts'
import { tar } from './tar-command.ts'
import { textCommands } from './text-commands.ts'

/** What every simulated image carries, besides what its SimulatedImage declares; cd, export and exit are the shell's. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  true: async () => 0,
  ':': async () => 0,
  false: async () => 1,
  async echo({ args, out }) {
    const isRaw = args[0] === '-n'
    const isEscaped = args[0] === '-e'
    const text = args.slice(isRaw || isEscaped ? 1 : 0).join(' ')
    await out(`${isEscaped ? escapesOf(text) : text}${isRaw ? '' : '\n'}`)
    return 0
  },
  async printf({ args, out }) {
    const [format = '', ...values] = args
    let next = 0
    await out(escapesOf(format).replace(/%[sd%]/g, (each) => (each === '%%' ? '%' : (values[next++] ?? ''))))
    return 0
  },
  async env({ env, out }) {
    for (const [name, value] of env) await out(`${name}=${value}\n`)
    return 0
  },
  async printenv({ args, env, out }) {
    if (args.length === 0) for (const [name, value] of env) await out(`${name}=${value}\n`)
    for (const name of args) {
      const value = env.get(name)
      if (value === undefined) return 1
      await out(`${value}\n`)
    }
    return 0
  },
  async hostname({ hostname, out }) {
    await out(`${hostname}\n`)
    return 0
  },
  async pwd({ cwd, out }) {
    await out(`${cwd}\n`)
    return 0
  },
  async whoami({ out }) {
    await out('root\n')
    return 0
  },
  async id({ out }) {
    await out('uid=0(root) gid=0(root) groups=0(root)\n')
    return 0
  },
  async uname({ args, hostname, out }) {
    await out(args.includes('-a') ? `Linux ${hostname} simulated x86_64 GNU/Linux\n` : 'Linux\n')
    return 0
  },
  async date({ clock, out }) {
    await out(`${formatTime(clock.now())}\n`)
    return 0
  },
  async ps({ processes, out }) {
    await out('PID   USER     COMMAND\n')
    for (const [i, name] of processes.entries()) await out(`${String(i + 1).padStart(5)} root     ${name}\n`)
    return 0
  },
  async sleep({ args, clock, signal, err }) {
    const seconds = args.map((arg) => /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(arg))
    const units: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }
    let total = 0
    for (const [i, match] of seconds.entries()) {
      if (!match) {
        await err(`sleep: invalid number '${args[i]}'\n`)
        return 1
      }
      total += Number(match[1]) * (units[match[2] ?? ''] ?? 1)
    }
    await sleep(clock, total * 1000, signal)
    return 0
  },
  ...fileCommands,
  ...textCommands,
  tar,
}

function escapesOf(text: string): string {
  const named: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', e: '\x1b' }
  return text.replace(/\\([ntre\\])/g, (_, letter: string) => named[letter] ?? letter)
}
