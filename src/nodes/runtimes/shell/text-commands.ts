import { RE2JS } from 're2js'
import { absolute, FileError } from './files.ts'
import { type Command, type Process, readAll } from './process.ts'

/** Commands that read lines, from files or from the other end of a pipe. */
export const textCommands: Readonly<Record<string, Command>> = {
  head: (process) => part(process, 'head', (lines, n) => lines.slice(0, n)),
  tail: (process) => {
    const from = /^-(?:c|n)?\+(\d+)$/.exec(process.args.join(''))
    if (from && process.args.join('').startsWith('-c')) return skipBytes(process, Number(from[1]) - 1)
    return part(process, 'tail', (lines, n) => (from ? lines.slice(Number(from[1]) - 1) : lines.slice(-n)))
  },
  async wc(process) {
    const flags = process.args.filter((arg) => arg.startsWith('-')).join('')
    const bytes = await contentOf(
      process,
      'wc',
      process.args.filter((arg) => !arg.startsWith('-')),
    )
    if (!bytes) return 1
    const text = Buffer.from(bytes).toString('utf8')
    const counts = {
      l: text.split('\n').length - 1,
      w: text.split(/\s+/).filter((word) => word !== '').length,
      c: bytes.length,
    }
    const wanted = (['l', 'w', 'c'] as const).filter((each) => flags === '' || flags.includes(each))
    await process.out(`${wanted.map((each) => counts[each]).join(' ')}\n`)
    return 0
  },
  async grep(process) {
    const flags = process.args.filter((arg) => /^-[a-zA-Z]+$/.test(arg)).join('')
    const [pattern = '', ...paths] = process.args.filter((arg) => !/^-[a-zA-Z]+$/.test(arg))
    const bytes = await contentOf(process, 'grep', paths)
    if (!bytes) return 2
    // Linear time: a pattern comes from whoever may exec.
    const matcher = RE2JS.compile(
      flags.includes('F') ? RE2JS.quote(pattern) : pattern,
      flags.includes('i') ? RE2JS.CASE_INSENSITIVE : 0,
    )
    const found = linesOf(bytes).filter((line) => matcher.matcher(line).find() !== flags.includes('v'))
    if (flags.includes('c')) await process.out(`${found.length}\n`)
    else if (!flags.includes('q')) for (const line of found) await process.out(`${line}\n`)
    return found.length > 0 ? 0 : 1
  },
  async sort(process) {
    const bytes = await contentOf(
      process,
      'sort',
      process.args.filter((arg) => !arg.startsWith('-')),
    )
    if (!bytes) return 1
    const lines = linesOf(bytes).sort()
    for (const line of process.args.includes('-r') ? lines.reverse() : lines) await process.out(`${line}\n`)
    return 0
  },
}

async function part(
  process: Process,
  name: string,
  take: (lines: readonly string[], count: number) => readonly string[],
): Promise<number> {
  let count = 10
  const paths: string[] = []
  for (let i = 0; i < process.args.length; i += 1) {
    const arg = process.args[i] ?? ''
    const joined = /^-n?(\d+)$/.exec(arg)
    if (joined) count = Number(joined[1])
    else if (arg === '-n') {
      i += 1
      count = Number((process.args[i] ?? '').replace('+', ''))
    } else if (!arg.startsWith('-')) paths.push(arg)
  }
  const bytes = await contentOf(process, name, paths)
  if (!bytes) return 1
  for (const line of take(linesOf(bytes), count)) await process.out(`${line}\n`)
  return 0
}

async function skipBytes(process: Process, count: number): Promise<number> {
  await process.out((await readAll(process.stdin)).subarray(count))
  return 0
}

async function contentOf(
  process: Process,
  name: string,
  paths: readonly string[],
): Promise<Uint8Array | undefined> {
  if (paths.length === 0) return readAll(process.stdin)
  const all: Uint8Array[] = []
  for (const path of paths) {
    try {
      all.push(process.files.read(absolute(path, process.cwd)))
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      await process.err(`${name}: ${path}: ${error.message}\n`)
      return undefined
    }
  }
  return Buffer.concat(all)
}

function linesOf(bytes: Uint8Array): string[] {
  const lines = Buffer.from(bytes).toString('utf8').split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}
