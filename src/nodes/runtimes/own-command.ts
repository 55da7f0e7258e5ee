import type { V1Container } from '../../api/generated/types.ts'
import type { Clock } from '../../base/clock.ts'
import type { Behaviour } from './behaviour.ts'
import { type LogLine, linesTo } from './log-lines.ts'
import { COMMANDS } from './shell/commands.ts'
import type { ContainerFiles } from './shell/files.ts'
import { endOfSubstitution, parseShell, type SimpleCommand, type Word } from './shell/parse.ts'
import { BUILTINS, baseOf } from './shell/shell.ts'
import { runInContainer } from './simulated-exec.ts'
import type { Surroundings } from './surroundings.ts'

/**
 * What a container's spec tells it to run, where the small shell has all of it: `sh -c 'echo hi; sleep 5; exit 1'` does
 * just that, in that time. Any other process exists only as its image declares it.
 */
export function ownCommand(container: V1Container, behaviour: Behaviour): readonly string[] | undefined {
  const argv = [...(container.command ?? []), ...(container.args ?? [])]
  if (argv.length === 0 || behaviour.exit) return undefined
  // Nobody can tell when it would have read enough.
  if (container.stdin && /\b(cat|grep|head|tail|wc|sort|tar)\b/.test(argv.join(' '))) return undefined
  const declared = new Set(behaviour.commands.map(({ name }) => name))
  return isKnown(argv, (name) => declared.has(name) || Object.hasOwn(COMMANDS, name)) ? argv : undefined
}

type Knows = (name: string) => boolean

function isKnown([first = '', ...args]: readonly (string | undefined)[], knows: Knows): boolean {
  const name = baseOf(first)
  if (name === 'exec' && args.length > 0) return isKnown(args, knows)
  if (!/^(sh|bash|ash)$/.test(name)) return BUILTINS.has(name) || knows(name)
  const script = args[args.findIndex((arg) => /^-[a-z]*c$/.test(arg ?? '')) + 1]
  return (
    args.some((arg) => /^-[a-z]*c$/.test(arg ?? '')) && script !== undefined && knowsScript(script, knows)
  )
}

function knowsScript(text: string, knows: Knows): boolean {
  try {
    return parseShell(text).every(({ pipeline }) => pipeline.every((each) => knowsCommand(each, knows)))
  } catch {
    return false
  }
}

function knowsCommand({ words }: SimpleCommand, knows: Knows): boolean {
  if (!words.every((word) => substitutions(word).every((inner) => knowsScript(inner, knows)))) return false
  const from = words.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word[0]?.text ?? ''))
  return from < 0 || isKnown(words.slice(from).map(literal), knows)
}

/** Undefined: it is known only when it runs. */
function literal(word: Word): string | undefined {
  const isPlain = word.every(({ text, expands }) => !expands || !text.includes('$'))
  return isPlain ? word.map(({ text }) => text).join('') : undefined
}

function substitutions(word: Word): string[] {
  return word.flatMap(({ text, expands }) => {
    const found: string[] = []
    for (let at = text.indexOf('$('); expands && at >= 0; ) {
      const end = endOfSubstitution(text, at)
      found.push(text.slice(at + 2, end - 1))
      at = text.indexOf('$(', end)
    }
    return found
  })
}

export interface OwnCommand {
  readonly container: V1Container
  readonly behaviour: Behaviour
  readonly surroundings: Surroundings
  readonly files: ContainerFiles
  readonly command: readonly string[]
  /** One that began before this process goes through what it has done already without waiting. */
  readonly handle: { readonly startedAt: number }
  readonly signal: AbortSignal
  say(line: LogLine): void
}

/** Runs it. Resolves with its exit code; undefined when it failed for what only the real image has. */
export async function runOwnCommand(clock: Clock, own: OwnCommand): Promise<number | undefined> {
  const { command, handle, signal, say } = own
  const time = startingAt(handle.startedAt, clock)
  let hasComplained = false
  const out = linesTo((line) => say({ at: time.now(), line }))
  const err = linesTo((line) => say({ at: time.now(), line }))
  const io = {
    stdin: undefined,
    tty: false,
    signal,
    stdout: async (data: Uint8Array) => out.write(data),
    stderr: async (data: Uint8Array) => {
      hasComplained = true
      err.write(data)
    },
  }
  try {
    const code = await runInContainer(time, own, command, io)
    out.end()
    err.end()
    return code === 0 || !hasComplained || /\b(exit|false)\b/.test(command.join(' ')) ? code : undefined
  } catch {
    return undefined
  }
}

/** A clock that begins in the past and catches up while somebody waits by it. */
function startingAt(startedAt: number, clock: Clock): Clock {
  let behind = Math.max(0, clock.now() - startedAt)
  return {
    now: () => clock.now() - behind,
    after(ms, fn) {
      const gained = Math.min(ms, behind)
      behind -= gained
      return clock.after(ms - gained, fn)
    },
  }
}
