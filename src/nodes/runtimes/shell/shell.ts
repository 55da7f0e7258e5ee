import type { Clock } from '../../../base/clock.ts'
import { COMMANDS } from './commands.ts'
import { absolute, type ContainerFiles, FileError } from './files.ts'
import {
  endOfSubstitution,
  parseShell,
  type Redirect,
  ShellSyntaxError,
  type SimpleCommand,
  type Word,
} from './parse.ts'
import { type Command, type Input, inputOf, NO_INPUT, type Process } from './process.ts'

/** An exit of the shell itself, from however deep. */
class ExitRequest extends Error {
  readonly code: number
  constructor(code: number) {
    super('exit')
    this.code = code
  }
}

export interface ShellOptions {
  readonly files: ContainerFiles
  readonly env: Readonly<Record<string, string>>
  readonly hostname: string
  readonly workingDir: string
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly processes: readonly string[]
  /** Of the image: these come before the shell's own. */
  readonly commands: Readonly<Record<string, Command>>
}

export interface Outputs {
  out(data: string | Uint8Array): Promise<void>
  err(text: string): Promise<void>
}

/** What the shell itself does. */
export const BUILTINS: ReadonlySet<string> = new Set(['exit', 'export', 'cd', 'exec'])

const DEPTH_MAX = 16
const NOT_FOUND = 127
/** As Linux has them: bytes of one word, and of a command's words together. */
const WORD_MAX = 128 * 1024
const WORDS_MAX = 2 * 1024 * 1024
const VARIABLES_MAX = 1000
/** What a command may write into a pipe, a file or a word. */
const HELD_MAX = 16 * 1024 * 1024
const LINE_MAX = 1024 * 1024

/**
 * The small shell of simulated containers: real words, pipes, redirections and variables over a handful of commands
 * and an in-memory file system. What it does not have it says so, with 127.
 */
export class Shell {
  readonly #options: ShellOptions
  readonly #env: Map<string, string>
  #cwd: string
  #status = 0
  readonly #depth: number

  constructor(options: ShellOptions, depth = 0) {
    this.#options = options
    this.#env = new Map(Object.entries(options.env))
    this.#cwd = options.workingDir
    this.#depth = depth
  }

  has(name: string): boolean {
    return this.#find(name) !== undefined
  }

  /** A command with its arguments, as exec gives it: no words are expanded. */
  run(argv: readonly string[], stdin: Input, outputs: Outputs): Promise<number> {
    return this.#guard(outputs, () => this.#call(argv, stdin, outputs))
  }

  /** A text of commands: `sh -c`, or a line that was typed. */
  script(text: string, stdin: Input, outputs: Outputs): Promise<number> {
    return this.#guard(outputs, () => this.#script(text, stdin, outputs))
  }

  /** Like `script`, for a shell that goes on: undefined, or the code when the line was `exit`. */
  async line(text: string, stdin: Input, outputs: Outputs): Promise<number | undefined> {
    try {
      this.#status = await this.#script(text, stdin, outputs)
    } catch (error) {
      if (error instanceof ExitRequest) return error.code
      if (!(error instanceof ShellSyntaxError)) throw error
      await outputs.err(`sh: ${error.message}\n`)
      this.#status = 2
    }
    return undefined
  }

  get prompt(): string {
    return `${this.#cwd} # `
  }

  get status(): number {
    return this.#status
  }

  async #guard(outputs: Outputs, run: () => Promise<number>): Promise<number> {
    try {
      return await run()
    } catch (error) {
      if (error instanceof ExitRequest) return error.code
      if (!(error instanceof ShellSyntaxError)) throw error
      await outputs.err(`sh: ${error.message}\n`)
      return 2
    }
  }

  async #script(text: string, stdin: Input, outputs: Outputs): Promise<number> {
    if (this.#depth > DEPTH_MAX) throw new ShellSyntaxError('nested too deeply')
    for (const { when, pipeline } of parseShell(text)) {
      if ((when === 'success' && this.#status !== 0) || (when === 'failure' && this.#status === 0)) continue
      this.#status = await this.#pipe(pipeline, stdin, outputs)
    }
    return this.#status
  }

  /** One after the other: what a command writes is there in full before the next one reads it. */
  async #pipe(pipeline: readonly SimpleCommand[], stdin: Input, outputs: Outputs): Promise<number> {
    let input = stdin
    let code = 0
    for (const [i, command] of pipeline.entries()) {
      if (i === pipeline.length - 1) return this.#simple(command, input, outputs)
      const held = collector()
      code = await this.#simple(command, input, { ...outputs, out: held.out })
      input = inputOf(held.bytes())
    }
    return code
  }

  async #simple({ words, redirects }: SimpleCommand, stdin: Input, outputs: Outputs): Promise<number> {
    const argv: string[] = []
    let size = 0
    for (const word of words) {
      const expanded = await this.#expand(word, outputs)
      size += expanded.reduce((sum, each) => sum + each.length, 0)
      if (size > WORDS_MAX) throw new ShellSyntaxError('Argument list too long')
      argv.push(...expanded)
    }
    const assignments: [string, string][] = []
    while (argv[0] !== undefined && /^[A-Za-z_]\w*=/.test(argv[0])) {
      const at = argv[0].indexOf('=')
      assignments.push([argv[0].slice(0, at), argv[0].slice(at + 1)])
      argv.shift()
    }
    if (argv.length === 0) for (const [name, value] of assignments) this.#assign(name, value)
    try {
      const plumbing = await this.#redirect(redirects, stdin, outputs)
      const code =
        argv.length === 0 ? 0 : await this.#call(argv, plumbing.stdin, plumbing.outputs, assignments)
      plumbing.finish()
      return code
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      await outputs.err(`sh: ${error.message}\n`)
      return 1
    }
  }

  async #redirect(redirects: readonly Redirect[], stdin: Input, outputs: Outputs) {
    let input = stdin
    let { out, err } = outputs
    const finishes: (() => void)[] = []
    for (const { from, how, to } of redirects) {
      const target = (await this.#expand(to, outputs)).join(' ')
      if (how === '&') {
        if (from === 2 && target === '1') err = (text) => out(text)
        else if (from === 1 && target === '2')
          out = (data) => err(typeof data === 'string' ? data : Buffer.from(data).toString())
        continue
      }
      const path = absolute(target, this.#cwd)
      const { files } = this.#options
      try {
        if (how === '<') {
          input = inputOf(files.read(path))
          continue
        }
        const held = collector(how === '>>' ? files.find(path)?.bytes : undefined)
        files.write(path, held.bytes())
        if (from === 2) err = held.out
        else out = held.out
        finishes.push(() => files.write(path, held.bytes()))
      } catch (error) {
        if (!(error instanceof FileError)) throw error
        throw new FileError(`can't ${how === '<' ? 'open' : 'create'} ${target}: ${error.message}`)
      }
    }
    return {
      stdin: input,
      outputs: { out, err },
      finish: () => {
        for (const finish of finishes) finish()
      },
    }
  }

  async #call(
    [name = '', ...args]: readonly string[],
    stdin: Input,
    outputs: Outputs,
    assignments: readonly (readonly [string, string])[] = [],
  ): Promise<number> {
    switch (name) {
      case 'exit':
        throw new ExitRequest(Number(args[0] ?? this.#status) & 255)
      case 'export':
        for (const arg of args) {
          const at = arg.indexOf('=')
          if (at > 0) this.#assign(arg.slice(0, at), arg.slice(at + 1))
        }
        return 0
      case 'cd': {
        const path = absolute(args[0] ?? '/root', this.#cwd)
        if (this.#options.files.find(path)?.isDirectory) {
          this.#cwd = path
          return 0
        }
        await outputs.err(`sh: cd: can't cd to ${args[0]}: No such file or directory\n`)
        return 1
      }
      case 'exec':
        throw new ExitRequest(args.length === 0 ? 0 : await this.#call(args, stdin, outputs))
    }
    const inner = baseOf(name)
    if (inner === 'sh' || inner === 'bash' || inner === 'ash') return this.#shell(args, stdin, outputs)
    const command = this.#find(name)
    if (!command) {
      await outputs.err(`sh: ${name}: not found\n`)
      return NOT_FOUND
    }
    const { files, clock, hostname, signal, processes } = this.#options
    const env = new Map([...this.#env, ...assignments])
    const process: Process = {
      ...outputs,
      args,
      env,
      cwd: this.#cwd,
      stdin,
      files,
      clock,
      hostname,
      signal,
      processes,
    }
    return command(process)
  }

  async #shell(args: readonly string[], stdin: Input, outputs: Outputs): Promise<number> {
    const inner = new Shell(
      { ...this.#options, env: Object.fromEntries(this.#env), workingDir: this.#cwd },
      this.#depth + 1,
    )
    const at = args.findIndex((arg) => /^-[a-z]*c$/.test(arg))
    if (at >= 0) return inner.script(args[at + 1] ?? '', stdin, outputs)
    const file = args.find((arg) => !arg.startsWith('-'))
    if (file !== undefined)
      return inner.script(
        Buffer.from(this.#options.files.read(absolute(file, this.#cwd))).toString(),
        stdin,
        outputs,
      )
    return readLines(inner, stdin, outputs)
  }

  /** Who may run a command may not fill the memory of who runs it. */
  #assign(name: string, value: string): void {
    if (this.#env.size >= VARIABLES_MAX && !this.#env.has(name))
      throw new ShellSyntaxError(`more than ${VARIABLES_MAX} variables`)
    this.#env.set(name, value)
  }

  #find(name: string): Command | undefined {
    const { commands } = this.#options
    const base = baseOf(name)
    if (Object.hasOwn(commands, base)) return commands[base]
    return Object.hasOwn(COMMANDS, base) ? COMMANDS[base] : undefined
  }

  async #expand(word: Word, outputs: Outputs): Promise<string[]> {
    const words: string[] = []
    let current: string | undefined
    for (const { text, expands, splits } of word) {
      const value = expands ? await this.#substitute(text, outputs) : text
      if (!splits || !/\s/.test(value)) {
        if (value !== '' || !splits) current = (current ?? '') + value
        continue
      }
      const parts = value.split(/\s+/)
      for (const [i, part] of parts.entries()) {
        if (i > 0 && current !== undefined) {
          words.push(current)
          current = undefined
        }
        if (part !== '') current = (current ?? '') + part
      }
    }
    if (current !== undefined) words.push(current)
    return words
  }

  async #substitute(text: string, outputs: Outputs): Promise<string> {
    let result = ''
    for (let at = 0; at < text.length; ) {
      if (text.startsWith('$(', at)) {
        const end = endOfSubstitution(text, at)
        const held = collector()
        const inner = new Shell(
          { ...this.#options, env: Object.fromEntries(this.#env), workingDir: this.#cwd },
          this.#depth + 1,
        )
        await inner.script(text.slice(at + 2, end - 1), NO_INPUT, { ...outputs, out: held.out })
        result += Buffer.from(held.bytes()).toString().replace(/\n+$/, '')
        at = end
        checkWord(result)
        continue
      }
      const match = /^\$(?:\{(\w+)(?::-([^}]*))?\}|([A-Za-z_]\w*)|(\?))/.exec(text.slice(at))
      if (!match) {
        result += text[at]
        at += 1
        continue
      }
      const [whole, braced, fallback, plain, status] = match
      const value = status ? String(this.#status) : this.#env.get(braced ?? plain ?? '')
      result += value === undefined || value === '' ? (fallback ?? value ?? '') : value
      at += whole.length
      checkWord(result)
    }
    return result
  }
}

/** A shell without a terminal: lines of stdin, one command after another, until it ends. */
async function readLines(shell: Shell, stdin: Input, outputs: Outputs): Promise<number> {
  let text = ''
  for (let chunk = await stdin.read(); ; chunk = await stdin.read()) {
    text += chunk ? Buffer.from(chunk).toString() : '\n'
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    if (text.length > LINE_MAX) throw new ShellSyntaxError('line is too long')
    for (const line of lines) {
      const code = await shell.line(line, NO_INPUT, outputs)
      if (code !== undefined) return code
    }
    if (!chunk) return shell.status
  }
}

function collector(before?: Uint8Array) {
  const chunks: Uint8Array[] = before ? [before] : []
  let size = before?.length ?? 0
  return {
    out: async (data: string | Uint8Array) => {
      size += data.length
      if (size > HELD_MAX) throw new ShellSyntaxError('more output than a simulated container holds')
      chunks.push(typeof data === 'string' ? Buffer.from(data) : data)
    },
    bytes: (): Uint8Array => Buffer.concat(chunks),
  }
}

function checkWord(word: string): void {
  if (word.length > WORD_MAX) throw new ShellSyntaxError('Argument list too long')
}

/** "/bin/ls" is ls. */
export function baseOf(name: string): string {
  return /^\/(?:usr\/)?(?:local\/)?s?bin\/([^/]+)$/.exec(name)?.[1] ?? name
}
