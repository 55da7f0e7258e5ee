import type { ProcessIo } from '../../../client/node-connection.ts'
import { type Input, inputFrom, NO_INPUT } from './process.ts'
import type { Outputs, Shell } from './shell.ts'

/** The lines between a person and a process: as they are, or with a terminal's echo, editing and line ends. */
export function plumb(io: ProcessIo): { readonly stdin: Input; readonly outputs: Outputs } {
  const bytesOf = (data: string | Uint8Array) => (typeof data === 'string' ? Buffer.from(data) : data)
  if (!io.tty)
    return {
      stdin: inputFrom(io.stdin),
      outputs: { out: (data) => io.stdout(bytesOf(data)), err: (text) => io.stderr(bytesOf(text)) },
    }
  // A terminal has one screen, and a new line there is a carriage return first.
  const out = (data: string | Uint8Array) =>
    io.stdout(Buffer.from(Buffer.from(bytesOf(data)).toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1'))
  return { stdin: io.stdin ? cooked(inputFrom(io.stdin), io) : NO_INPUT, outputs: { out, err: out } }
}

/** Typed keys become lines: echo, backspace, ^C drops the line, ^D on an empty one ends. */
function cooked(raw: Input, { stdout }: ProcessIo): Input {
  const ready: Uint8Array[] = []
  let line = ''
  let isOver = false
  const type = async (key: string): Promise<void> => {
    if (key === '\r' || key === '\n') {
      ready.push(Buffer.from(`${line}\n`))
      line = ''
      return stdout(Buffer.from('\r\n'))
    }
    if (key === '\x03') {
      ready.push(Buffer.from('\n'))
      line = ''
      return stdout(Buffer.from('^C\r\n'))
    }
    if (key === '\x04') {
      if (line === '') isOver = true
      return
    }
    if (key === '\x7f' || key === '\b') {
      if (line === '') return
      line = line.slice(0, -1)
      return stdout(Buffer.from('\b \b'))
    }
    // As a terminal in canonical mode: a line that is full takes no more.
    if (key < ' ' || line.length >= 4096) return
    line += key
    return stdout(Buffer.from(key))
  }
  return {
    async read() {
      while (ready.length === 0 && !isOver) {
        const chunk = await raw.read()
        if (!chunk) isOver = true
        else for (const key of Buffer.from(chunk).toString('utf8')) await type(key)
      }
      return ready.shift()
    },
  }
}

/** A shell at a terminal: a prompt, a line, its output, until `exit` or the end of the input. */
export async function converse(shell: Shell, stdin: Input, outputs: Outputs): Promise<number> {
  for (;;) {
    await outputs.out(shell.prompt)
    const line = await stdin.read()
    if (!line) return shell.status
    const code = await shell.line(Buffer.from(line).toString().trimEnd(), NO_INPUT, outputs)
    if (code !== undefined) return code
  }
}
