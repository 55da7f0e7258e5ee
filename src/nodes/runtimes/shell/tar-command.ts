import { absolute, FileError, parentOf } from './files.ts'
import { type Command, type Process, readAll } from './process.ts'
import { readTar, type TarMember, writeTar } from './tar.ts'

/** As much of tar as `kubectl cp` needs: create to and extract from a file or the pipe. */
export const tar: Command = async (process) => {
  const request = readArguments(process.args)
  const { mode, file, folder, paths } = request
  const root = absolute(folder, process.cwd)
  if (mode === 'x') return extract(process, root, file)
  if (mode === 'c') return create(process, root, file, paths)
  await process.err('tar: must specify one of -c, -x\n')
  return 1
}

function readArguments(args: readonly string[]) {
  let [mode, file, folder] = ['', '-', '.']
  const paths: string[] = []
  for (let i = 0; i < args.length; i += 1) {
    const arg = args[i] ?? ''
    if (arg.startsWith('--')) continue
    if (arg === '-C') {
      i += 1
      folder = args[i] ?? '.'
    } else if (i === 0 || (arg.startsWith('-') && arg !== '-')) {
      const letters = arg.replace(/^-/, '')
      mode = /[cx]/.exec(letters)?.[0] ?? mode
      if (letters.includes('f')) {
        i += 1
        file = args[i] ?? '-'
      }
    } else paths.push(arg)
  }
  return { mode, file, folder, paths }
}

async function create(
  process: Process,
  root: string,
  file: string,
  paths: readonly string[],
): Promise<number> {
  const members: TarMember[] = []
  let code = 0
  for (const path of paths) {
    if (path.startsWith('/')) await process.err("tar: removing leading '/' from member names\n")
    const found = collect(process, absolute(path, root), path.replace(/^\/+/, ''))
    if (found.length === 0) {
      await process.err(`tar: ${path}: No such file or directory\n`)
      code = 1
    }
    members.push(...found)
  }
  if (code !== 0) await process.err('tar: error exit delayed from previous errors\n')
  const archive = writeTar(members)
  if (file === '-') await process.out(archive)
  else process.files.write(absolute(file, process.cwd), archive)
  return code
}

function collect(process: Process, path: string, name: string): TarMember[] {
  const entry = process.files.find(path)
  if (!entry) return []
  const below = entry.isDirectory
    ? process.files.list(path).flatMap((each) => collect(process, absolute(each, path), `${name}/${each}`))
    : []
  return [{ ...entry, name }, ...below]
}

async function extract(process: Process, root: string, file: string): Promise<number> {
  const archive =
    file === '-' ? await readAll(process.stdin) : process.files.read(absolute(file, process.cwd))
  let members: readonly TarMember[]
  try {
    members = readTar(archive)
  } catch (error) {
    await process.err(`tar: ${(error as Error).message}\n`)
    return 1
  }
  for (const { name, isDirectory, bytes, mode } of members) {
    // Members may not leave the folder: `absolute` resolves "..", the prefix decides.
    const path = absolute(name.replace(/^\/+/, ''), root)
    if (path !== root && !path.startsWith(root === '/' ? '/' : `${root}/`)) {
      await process.err(`tar: name with '..' skipped: '${name}'\n`)
      continue
    }
    try {
      process.files.makeFolder(isDirectory ? path : parentOf(path), true)
      if (!isDirectory) process.files.write(path, Uint8Array.from(bytes), mode)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      await process.err(`tar: can't open '${name}': ${error.message}\n`)
      return 1
    }
  }
  return 0
}
