import type { V1Container } from '../../api/generated/types.ts'
import type { Clock } from '../../base/clock.ts'
import type { Behaviour } from './behaviour.ts'
import { LOG_LINES_MAX, type LogLine, linesTo } from './log-lines.ts'
import { COMMANDS } from './shell/commands.ts'
import { ContainerFiles } from './shell/files.ts'
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

/** Longer than that nobody waits for an old log. */
const RECALL_MS = 200

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
  readonly command: readonly string[]
  /** One that began before this process goes through what it has done already without waiting, and writes nothing twice. */
  readonly handle: { readonly startedAt: number; readonly exit?: { readonly at: number } | undefined }
  readonly signal: AbortSignal
  say(line: LogLine): void
}

/** Runs it. Resolves with its exit code; undefined when it failed for what only the real image has. */
export async function runOwnCommand(clock: Clock, own: OwnCommand): Promise<number | undefined> {
  const { command, handle, signal, say } = own
  const time = startingAt(handle, clock)
  const past = () => (time.now() < clock.now() ? time.now() : undefined)
  const files = new ContainerFiles(own.surroundings, time, past)
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
    const code = await runInContainer(time, { ...own, files }, command, io)
    out.end()
    err.end()
    return code === 0 || !hasComplained || /\b(exit|false)\b/.test(command.join(' ')) ? code : undefined
  } catch {
    return undefined
  }
}

/** What one wrote that had ended before this process began: it goes through all of it again. */
export async function recallLog(
  clock: Clock,
  own: Omit<OwnCommand, 'command' | 'signal' | 'say'>,
): Promise<readonly LogLine[]> {
  const command = ownCommand(own.container, own.behaviour)
  const lines: LogLine[] = []
  if (!command) return lines
  const stop = new AbortController()
  const enough = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()))
  const say = (line: LogLine) => {
    lines.push(line)
    if (lines.length > 2 * LOG_LINES_MAX) lines.splice(0, LOG_LINES_MAX)
  }
  // What waited for something until it was ended waits here, too.
  const cancel = clock.after(RECALL_MS, () => stop.abort())
  await Promise.race([runOwnCommand(clock, { ...own, command, signal: stop.signal, say }), enough])
  cancel()
  return lines.filter(({ at }) => at <= (own.handle.exit?.at ?? at))
}

/** A clock that begins in the past and catches up while somebody waits by it. What has ended waits for nothing after it. */
function startingAt({ startedAt, exit }: OwnCommand['handle'], clock: Clock): Clock {
  let behind = Math.max(0, clock.now() - startedAt)
  return {
    now: () => clock.now() - behind,
    after(ms, fn) {
      if (exit && clock.now() - behind + ms > exit.at) return () => {}
      const gained = Math.min(ms, behind)
      behind -= gained
      return clock.after(ms - gained, fn)
    },
  }
}
