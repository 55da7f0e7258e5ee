import { styleText } from 'node:util'

/** How a command speaks: results on stdout, progress and errors on stderr; colours only where somebody looks. */
export interface Output {
  result(text: string): void
  progress(text: string): void
  /** To stderr as it is, with the escapes of a terminal. */
  raw(text: string): void
  /** One line; the process ends with the code the command returns. */
  error(text: string): void
  readonly paint: Paint
  readonly isTerminal: boolean
  readonly columns: () => number
  readonly rows: () => number
}

export type Paint = (style: 'green' | 'red' | 'yellow' | 'dim' | 'bold' | 'cyan', text: string) => string

export function createOutput(): Output {
  const isCi = Boolean(process.env['CI'])
  const isTerminal = Boolean(process.stderr.isTTY) && !isCi && process.env['TERM'] !== 'dumb'
  const hasColour = isTerminal && !process.env['NO_COLOR']
  // A reader that went away (| head) is no fault of ours.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  return {
    isTerminal,
    paint: (style, text) => (hasColour ? styleText(style, text) : text),
    // Some pseudo-terminals say 0.
    columns: () => atLeast(process.stderr.columns, 20, 80),
    rows: () => atLeast(process.stderr.rows, 4, 24),
    raw: (text) => void process.stderr.write(text),
    result: (text) => void process.stdout.write(`${text}\n`),
    progress: (text) => void process.stderr.write(`${text}\n`),
    error: (text) =>
      void process.stderr.write(`${hasColour ? styleText('red', 'error') : 'error'}: ${printable(text)}\n`),
  }
}

function atLeast(given: number | undefined, least: number, otherwise: number): number {
  return given === undefined || given < least ? otherwise : given
}

/** Text of others without what a terminal would obey. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '�')
}

/** Columns as kubectl prints them: three spaces between, upper case heads. */
export function formatTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heads, ...rows].map((row) => row.map(printable))
  const widths = heads.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  return all
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd((widths[column] ?? 0) + 3)))
        .join('')
        .trimEnd(),
    )
    .join('\n')
}
