import { formatTime } from '../../../base/date.ts'
import { absolute, FileError } from './files.ts'
import type { Command, Process } from './process.ts'

/** Commands on files. A failure on one file is said and the next one is tried, as everywhere. */
export const fileCommands: Readonly<Record<string, Command>> = {
  async cat(process) {
    const paths = process.args.filter((arg) => arg !== '-')
    if (paths.length === 0) {
      for (let chunk = await process.stdin.read(); chunk; chunk = await process.stdin.read())
        await process.out(chunk)
      return 0
    }
    return each(process, 'cat', paths, (path) => process.out(process.files.read(path)))
  },
  async ls(process) {
    const flags = process.args.filter((arg) => arg.startsWith('-')).join('')
    const given = process.args.filter((arg) => !arg.startsWith('-'))
    const isLong = flags.includes('l')
    const show = async (name: string, path: string) => {
      const entry = process.files.find(path)
      if (!entry) return
      const kind = entry.isDirectory ? 'd' : '-'
      const facts = `${kind}${rights(entry.mode)}    1 root     root     ${String(entry.bytes.length).padStart(9)}`
      await process.out(isLong ? `${facts} ${formatTime(entry.modifiedAt)} ${name}\n` : `${name}\n`)
    }
    return each(process, 'ls', given.length > 0 ? given : ['.'], async (path, shown) => {
      const entry = process.files.find(path)
      if (!entry) throw new FileError('No such file or directory')
      if (!entry.isDirectory || flags.includes('d')) return show(shown, path)
      const names = process.files.list(path)
      for (const name of names) {
        if (name.startsWith('.') && !/[aA]/.test(flags)) continue
        await show(name, absolute(name, path))
      }
    })
  },
  async mkdir(process) {
    const withParents = process.args.includes('-p')
    const paths = process.args.filter((arg) => !arg.startsWith('-'))
    return each(process, "mkdir: can't create directory", paths, async (path) =>
      process.files.makeFolder(path, withParents),
    )
  },
  async rm(process) {
    const flags = process.args.filter((arg) => arg.startsWith('-')).join('')
    const paths = process.args.filter((arg) => !arg.startsWith('-'))
    return each(process, 'rm', paths, async (path) => {
      const entry = process.files.find(path)
      if (!entry && flags.includes('f')) return
      if (entry?.isDirectory && !/[rR]/.test(flags)) throw new FileError('is a directory')
      process.files.remove(path)
    })
  },
  async touch(process) {
    return each(process, 'touch', process.args, async (path) =>
      process.files.write(path, process.files.find(path)?.bytes ?? new Uint8Array()),
    )
  },
  async test(process) {
    return test(process, process.args)
  },
  async '['(process) {
    if (process.args.at(-1) === ']') return test(process, process.args.slice(0, -1))
    await process.err('[: missing ]\n')
    return 2
  },
}

async function each(
  { cwd, err }: Process,
  command: string,
  paths: readonly string[],
  act: (path: string, shown: string) => Promise<void>,
): Promise<number> {
  let code = 0
  for (const shown of paths) {
    try {
      await act(absolute(shown, cwd), shown)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      await err(`${command}: ${command.includes(' ') ? `'${shown}'` : shown}: ${error.message}\n`)
      code = 1
    }
  }
  return code
}

async function test({ files, cwd, err }: Process, args: readonly string[]): Promise<number> {
  if (args[0] === '!') {
    const code = await test({ files, cwd, err } as Process, args.slice(1))
    return code > 1 ? code : 1 - code
  }
  const [a = '', b = '', c = ''] = args
  const say = (truth: boolean) => (truth ? 0 : 1)
  if (args.length <= 1) return say(a !== '')
  if (args.length === 2) {
    const entry = files.find(absolute(b, cwd))
    switch (a) {
      case '-e':
        return say(entry !== undefined)
      case '-f':
        return say(entry !== undefined && !entry.isDirectory)
      case '-d':
        return say(entry?.isDirectory === true)
      case '-s':
        return say((entry?.bytes.length ?? 0) > 0)
      case '-r':
        return say(entry !== undefined)
      case '-w':
        return say(entry !== undefined && !entry.isReadOnly)
      case '-n':
        return say(b !== '')
      case '-z':
        return say(b === '')
    }
  }
  const compare: Readonly<Record<string, boolean>> = {
    '=': a === c,
    '==': a === c,
    '!=': a !== c,
    '-eq': Number(a) === Number(c),
    '-ne': Number(a) !== Number(c),
    '-gt': Number(a) > Number(c),
    '-ge': Number(a) >= Number(c),
    '-lt': Number(a) < Number(c),
    '-le': Number(a) <= Number(c),
  }
  const verdict = compare[b]
  if (verdict !== undefined) return say(verdict)
  await err(`test: ${b}: unknown operand\n`)
  return 2
}

function rights(mode: number): string {
  return [6, 3, 0]
    .map((shift) => ['r', 'w', 'x'].map((letter, i) => ((mode >> shift) & (4 >> i) ? letter : '-')).join(''))
    .join('')
}
